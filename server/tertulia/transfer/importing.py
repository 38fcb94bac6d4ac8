"""Importing: a plan is compared with the database, then written through the write queue a chunk at a time.

Every comment comes with its events and counters in one transaction, as if it had been said here. What is there
already is skipped, so an import that was cut off is finished by the same file.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, insert, select, update

from tertulia import articles
from tertulia.articles import Article, Articles
from tertulia.core.causes import Cause, CauseKind
from tertulia.core.comments import Comment, State
from tertulia.core.rules import NONE_OWN, OwnRules
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import utc_now
from tertulia.reporting import Progress, silent
from tertulia.store import Store, event_log, mapping, records, reviews, schema
from tertulia.store.administration import ChangeSiteRules
from tertulia.store.commands import ChangeDiscussion, Closing, Command, CommandResult
from tertulia.store.event_log import CommittedEvent
from tertulia.store.locks import LockTarget
from tertulia.store.mapping import milliseconds
from tertulia.store.reviews import Touched
from tertulia.transfer.format import FileSite, read, wrong
from tertulia.transfer.plan import KnownAs, Plan, PlannedComment, PlannedDiscussion, plan

CHUNK = 100
"""Comments a command: about a quarter of a second (2.4 ms each) in which whoever posts has to wait."""
CHUNK_VOTES = 10_000
_NAMES = 500

T = TypeVar("T")
c, d = schema.comment.c, schema.discussion.c


@dataclass(frozen=True, slots=True)
class Imported:
    """How many articles the file has, how many of its comments are new and how many were here already.

    ``kept`` has a line for every article file that differs from the one imported and was left as it is.
    """

    articles: int
    comments: int
    known: int
    kept: tuple[str, ...] = ()


async def import_file(
    store: Store, articles_folder: Path, data: bytes | bytearray, progress: Progress = silent
) -> Imported:
    """Imports a file; ``progress`` hears how many comments are read, then written, and of how many.

    Raises invalid, naming the location of the first mistake, when nothing has been written yet.
    """
    progress("Reading the file")
    file, locations = read(data)
    del data  # what is planned would stand beside it
    planned = plan(file, locations, progress)
    progress("Comparing the file with the database")
    await store.database.read.run(lambda connection: _compare(connection, planned))
    await store.write(AddSites(planned.sites))
    new = await _write(store, planned, progress)
    kept = await asyncio.to_thread(_write_articles, planned.articles, articles_folder)
    total = sum(len(discussion.comments) for discussion in planned.discussions)
    return Imported(len(locations), new, total - new, tuple(kept))


async def _write(store: Store, planned: Plan, progress: Progress) -> int:
    new = done = 0
    total = sum(len(discussion.comments) for discussion in planned.discussions)
    for discussion in planned.discussions:
        for chunk in _chunks(discussion.comments):
            new += await store.write(AddComments(discussion, chunk, planned.authors))
            done += len(chunk)
            progress("Writing comments", done, total)
    return new


def _chunks(comments: Sequence[PlannedComment]) -> Iterator[list[PlannedComment]]:
    """At least one chunk: a discussion without comments has a mode."""
    chunk: list[PlannedComment] = []
    votes = 0
    for one in comments:
        if len(chunk) >= CHUNK or votes >= CHUNK_VOTES:
            yield chunk
            chunk, votes = [], 0
        chunk.append(one)
        votes += one.vote_count
    yield chunk


def _write_articles(planned: list[Article], folder: Path) -> list[str]:
    """A line for every article that was kept as it is."""
    present = {article.slug: article for article in Articles(folder).all()}
    kept = []
    for article in planned:
        if present.get(article.slug) == article:
            continue
        try:
            articles.write(article, folder)
        except FileExistsError as error:
            kept.append(str(error))
    return kept


# ---- what the database has to say before anything is written --------------------------------------------


def _compare(connection: Connection, planned: Plan) -> None:
    """Raises invalid where the file and the database contradict each other."""
    sites = {site.key for site in planned.sites}.union(connection.scalars(select(schema.site.c.key)))
    for discussion in planned.discussions:
        if discussion.key.site not in sites:
            why = f"there is no site {discussion.key.site!r} here; add it first with: tertulia site add"
            raise wrong(f"{discussion.location}site", why)
        _compare_comments(connection, discussion)


def _compare_comments(connection: Connection, discussion: PlannedDiscussion) -> None:
    present = records.find_discussion(connection, discussion.key)
    home = None if present is None else present.id
    published: dict[str, bool] = {}
    for batch in _batches(discussion.comments, _NAMES):
        query = select(c.id, c.discussion_id, c.published).where(c.id.in_([one.comment.id for one in batch]))
        found = {known.id: known for known in connection.execute(query)}
        published.update({known.id: known.published for known in found.values()})
        for one in batch:  # what it answers came before it
            known = found.get(one.comment.id)
            if known is not None and known.discussion_id != home:
                raise wrong(f"{one.location}.id", "a comment of another discussion has this id")
            if known is None and published.get(one.comment.parent_id or "") is False:
                why = "the comment answered is not published here, so nobody can answer it"
                raise wrong(f"{one.location}.parent", why)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


# ---- the commands ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddSites(Command[None]):
    """Makes the sites that are not there; one that is gets origins and rules only while it has none."""

    sites: Sequence[FileSite]

    def apply(self, connection: Connection) -> CommandResult[None]:
        s = schema.site.c
        known = {row.key: row.origins for row in connection.execute(select(s.key, s.origins))}
        for site in self.sites:
            if site.key not in known:
                values = {"key": site.key, "origins": site.origins, "created_at": mapping.milliseconds(utc_now())}
                connection.execute(insert(schema.site).values(**values))
            elif site.origins and not known[site.key]:
                connection.execute(update(schema.site).where(s.key == site.key).values(origins=site.origins))
            if site.rules is not None:
                ChangeSiteRules(site.key, partial(_where_silent, site.rules.own), utc_now()).apply(connection)
        return CommandResult(None)


def _where_silent(given: OwnRules, own: OwnRules) -> OwnRules:
    return given if own == NONE_OWN else own


@dataclass(frozen=True, slots=True)
class AddComments(Command[int]):
    """Writes the comments of ``chunk`` that are new, and gives their number.

    Raises bad_parent when somebody changed the database meanwhile.
    """

    discussion: PlannedDiscussion
    chunk: Sequence[PlannedComment]
    authors: Mapping[str, KnownAs]

    @property
    def locks(self) -> LockTarget:
        return self.discussion.key

    def apply(self, connection: Connection) -> CommandResult[int]:
        discussion_id, events = _ensure_discussion(connection, self.discussion)
        known = set(connection.scalars(select(c.id).where(c.id.in_([one.comment.id for one in self.chunk]))))
        new = [one for one in self.chunk if one.comment.id not in known]
        _remember_authors(connection, {one.comment.author.id: self.authors[one.comment.author.id] for one in new})
        roots = _roots(connection, discussion_id, new)
        for one in new:
            comment = replace(_attached(one.comment, discussion_id, roots), body=json.loads(zlib.decompress(one.body)))
            if one.published:
                roots[comment.id] = comment.root_id
            events += _add_comment(connection, comment, one)
        touched = _wait(connection, [one.comment for one in new if one.comment.state is State.held])
        return CommandResult(len(new), tuple(events), touched=touched)


def _wait(connection: Connection, held: Sequence[Comment]) -> tuple[Touched, ...]:
    """Puts what is held onto the desk of its site."""
    touched: list[Touched] = []
    for comment in held:
        site_of = select(d.site_id).join(schema.comment, c.discussion_id == d.id).where(c.id == comment.id)
        site_id = connection.execute(site_of).scalar_one()
        since = milliseconds(comment.created_at)
        reviews.begin(connection, comment.id, site_id, [Cause(CauseKind.mode)], since)
        touched.append(Touched(site_id, comment.id))
    return tuple(touched)


def _ensure_discussion(connection: Connection, discussion: PlannedDiscussion) -> tuple[int, list[CommittedEvent]]:
    """The row's id, and the events of making it; a discussion that is there keeps what it is and has."""
    found, events = records.find_discussion(connection, discussion.key), list[CommittedEvent]()
    if found is None:
        key, at = discussion.key, discussion.created_at
        found = records.ensure_discussion(connection, key, at, title=discussion.title, url=discussion.url)
        change = ChangeDiscussion(
            key, at, discussion.mode, rules=discussion.rules.said, closing=Closing(discussion.closes_at)
        )
        events += change.apply(connection).events
    return records.stored_id(found), events


def _remember_authors(connection: Connection, authors: dict[str, KnownAs]) -> None:
    """Makes the rows that are missing: an older name from a file never replaces the one used here."""
    a = schema.author.c
    known = set(connection.scalars(select(a.id).where(a.id.in_(authors))))
    for author_id, found in authors.items():
        if author_id not in known:
            records.remember_author(connection, found.author, found.created_at)


def _roots(connection: Connection, discussion_id: int, new: Sequence[PlannedComment]) -> dict[str, str]:
    """The roots of the answered comments that are stored already: of those here, what the database says counts."""
    parents = [one.comment.parent_id for one in new if one.comment.parent_id is not None]
    query = select(c.id, c.root_id).where(c.id.in_(parents), c.discussion_id == discussion_id, c.published)
    return {row.id: row.root_id for row in connection.execute(query)}


def _attached(comment: Comment, discussion_id: int, roots: dict[str, str]) -> Comment:
    root_id = comment.id
    if comment.parent_id is not None:
        if comment.parent_id not in roots:
            raise Problem(ErrorCode.bad_parent, "The database was changed meanwhile; import the file again.")
        root_id = roots[comment.parent_id]
    return replace(comment, discussion_id=discussion_id, root_id=root_id)


def _add_comment(connection: Connection, comment: Comment, one: PlannedComment) -> list[CommittedEvent]:
    records.insert_comment(connection, comment, published=one.published)
    if one.vote_count:
        votes = [{"comment_id": comment.id, "voter_id": voter, "value": value} for voter, value in one.votes()]
        connection.execute(insert(schema.vote), votes)
    if not one.published:
        return []
    events = [event_log.append(connection, "comment.created", comment, comment.created_at, shown=+1)]
    if comment.state.is_tombstone:
        at = comment.edited_at or comment.created_at
        events.append(event_log.append(connection, "comment.removed", comment, at, shown=-1))
    return events
