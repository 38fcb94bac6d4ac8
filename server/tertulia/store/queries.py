"""What is read from the database, each answer from one consistent moment."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, literal, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tertulia.core.comments import Author, Comment, Discussion, DiscussionKey, Sort, State
from tertulia.core.ordering import PageCursor, decode_page_cursor, encode_page_cursor
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import PAGE_BYTES, EncodedEvent, payload_within
from tertulia.store import listing, mapping, schema
from tertulia.store.listing import REPLIES_OF_ONE, SLICE, IndexEntry, Order, Thread
from tertulia.store.troubles import DRIVERS, Troubles

ANCESTORS = 100
"""How many ancestors come with a permalink: a thread may be deeper than anyone wants to read at once."""
LOOKED = 1_000
"""How many waiting comments or reports of all sites are looked at for a page of one site; the next goes on there."""
KEYS = 400
"""Discussions asked for in one query: as many as make a query of 20 KB with keys of ordinary length."""

T = TypeVar("T")
c = schema.comment.c


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Top-level comments, each followed by its replies, and the cursors that continue the list and its threads."""

    comments: list[Comment]
    next: str | None
    replies: dict[str, str]


@dataclass(frozen=True, slots=True)
class DiscussionSnapshot:
    """A discussion and a page of it as they were at ``discussion.seq``; ``votes`` are the viewer's own."""

    discussion: Discussion
    page: CommentPage
    votes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Held:
    key: DiscussionKey
    comment: Comment


@dataclass(frozen=True, slots=True)
class Reported:
    id: str
    reason: str
    note: str
    at: datetime
    reporter_id: str | None
    key: DiscussionKey
    comment: Comment


class Reads:
    """Every query; ``unknown_site`` is raised where a site is named that does not exist.

    ``answered_at`` is when the database last answered anybody, in the seconds of ``time.monotonic``.
    """

    def __init__(self, engine: AsyncEngine, troubles: Troubles | None = None) -> None:
        self.answered_at = time.monotonic()
        self._engine = engine
        self._troubles = troubles or Troubles()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """One transaction. Raises unavailable where the database cannot be reached or has no connection to spare."""
        try:
            async with self._engine.connect() as connection:
                yield connection
                self.answered_at = time.monotonic()
        except (OSError, EOFError, SQLAlchemyError, *DRIVERS) as error:
            if self._troubles.note(error, "The database cannot be read").fate == "ours":
                raise
            raise Problem(ErrorCode.unavailable, "The database does not answer; try again.", retry_after=2) from error

    async def ask(self, question: Callable[[Connection], T]) -> T:
        """What a question that needs a transaction of its own comes to; raises what it raises."""
        async with self._connected() as connection:
            return await connection.run_sync(question)

    async def epoch(self) -> str:
        async with self._connected() as connection:
            value = await connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == "epoch"))
            return str(value)

    async def sites(self) -> dict[str, list[str]]:
        """Every site with its allowed origins."""
        async with self._connected() as connection:
            found = await connection.execute(select(schema.site.c.key, schema.site.c.origins))
            return {row.key: list(row.origins) for row in found}

    async def snapshot(
        self, key: DiscussionKey, *, sort: Sort, limit: int, viewer: str | None, cursor: str | None = None
    ) -> DiscussionSnapshot:
        """Raises unknown_site, bad_cursor."""
        async with self._connected() as connection:
            return await connection.run_sync(_snapshot, key, sort, limit, viewer, cursor)

    async def first_page(
        self, key: DiscussionKey, *, sort: Sort, limit: int, known: int | None
    ) -> tuple[Discussion, CommentPage | None]:
        """The first page as everybody sees it; None where the head is still ``known``. Raises unknown_site."""
        async with self._connected() as connection:
            return await connection.run_sync(_first_page, key, sort, limit, known)

    async def thread(
        self, key: DiscussionKey, parent_id: str, *, limit: int, viewer: str | None, cursor: str | None
    ) -> DiscussionSnapshot:
        """The replies to a comment, oldest first, of all depths (below a reply: the nearest listing.BELOW).

        Raises unknown_site, not_found, bad_cursor.
        """
        async with self._connected() as connection:
            return await connection.run_sync(_thread, key, parent_id, limit, viewer, cursor)

    async def discussion(self, key: DiscussionKey) -> Discussion:
        async with self._connected() as connection:
            return await connection.run_sync(_discussion, key)

    async def permalink(self, comment_id: str) -> tuple[Discussion, list[Comment], str | None]:
        """The discussion, the comment with its nearest ancestors (top first), and the cursor before its thread.

        As many ancestors as ANCESTORS and a page allow. The cursor is of the order ``oldest``; None is the first page.
        Raises not_found.
        """
        async with self._connected() as connection:
            return await connection.run_sync(_permalink, comment_id)

    async def site_of(self, comment_id: str) -> str | None:
        """The site of a comment, None where there is none."""
        d = schema.discussion.c
        query = select(schema.site.c.key).join(schema.discussion, d.site_id == schema.site.c.id)
        query = query.join(schema.comment, c.discussion_id == d.id).where(c.id == comment_id)
        async with self._connected() as connection:
            site: str | None = await connection.scalar(query)
            return site

    async def events(self, key: DiscussionKey, after: int, limit: int) -> tuple[int, list[EncodedEvent]]:
        """The head, and up to ``limit`` events or PAGE_BYTES after ``after``. Raises unknown_site."""
        async with self._connected() as connection:
            return await connection.run_sync(_events, key, after, limit)

    async def latest_seqs(self, keys: Iterable[DiscussionKey]) -> dict[DiscussionKey, int]:
        """The newest seq of each of these discussions that has a row."""
        wanted: dict[str, list[str]] = {}
        for key in keys:
            wanted.setdefault(key.site, []).append(key.key)
        found: dict[DiscussionKey, int] = {}
        async with self._connected() as connection:
            for site, names in wanted.items():
                for start in range(0, len(names), KEYS):
                    # by one site each: of pairs of two tables SQLite makes no range of an index
                    for row in (await connection.execute(_of_site(site, names[start : start + KEYS]))).mappings():
                        found[DiscussionKey(site, row["key"])] = row["seq"]
        return found

    async def counts(self, site: str, keys: Sequence[str]) -> dict[str, int]:
        async with self._connected() as connection:
            await connection.run_sync(_known_site, site)
            found = (await connection.execute(_of_site(site, keys))).mappings()
            return {row["key"]: row["comment_count"] for row in found}

    async def newest(self, key: DiscussionKey, limit: int) -> tuple[Discussion, list[Comment]]:
        """The newest visible comments of all depths, as many as make a page."""
        async with self._connected() as connection:
            return await connection.run_sync(_newest, key, limit)

    async def held(self, site: str, limit: int, cursor: str | None) -> tuple[list[Held], str | None]:
        """Comments that wait for approval, oldest first; a page may be short. Raises unknown_site, bad_cursor."""
        async with self._connected() as connection:
            return await connection.run_sync(_held, site, limit, cursor)

    async def reported(self, site: str, limit: int, cursor: str | None) -> tuple[list[Reported], str | None]:
        """Reports of comments that can be read, oldest first. Raises unknown_site, bad_cursor."""
        async with self._connected() as connection:
            return await connection.run_sync(_reported, site, limit, cursor)

    async def moderators(self) -> list[str]:
        """The moderators' names."""
        async with self._connected() as connection:
            return list(await connection.scalars(select(schema.moderator.c.name).order_by(schema.moderator.c.name)))

    async def any_discussion(self) -> bool:
        """Whether anything was ever said or set here."""
        async with self._connected() as connection:
            return await connection.scalar(select(schema.discussion.c.id).limit(1)) is not None

    async def author(self, author_id: str) -> Author | None:
        async with self._connected() as connection:
            row = (await connection.execute(select(schema.author).where(schema.author.c.id == author_id))).one_or_none()
            return None if row is None else Author(row.id, row.name, row.badge)

    async def moderator(self, token_hash: str) -> Author | None:
        m = schema.moderator.c
        async with self._connected() as connection:
            row = (
                await connection.execute(select(m.author_id, m.name).where(m.token_hash == token_hash))
            ).one_or_none()
            return None if row is None else Author(row.author_id, row.name, "moderator")


# ---- discussions ----------------------------------------------------------------------------------------


def _known_site(connection: Connection, site: str) -> int:
    found: int | None = connection.scalar(select(schema.site.c.id).where(schema.site.c.key == site))
    if found is None:
        raise Problem(ErrorCode.unknown_site, "There is no such site.", field="site")
    return found


def _of_site(site: str, keys: Sequence[str]) -> Select[Any]:
    return mapping.discussions().where(schema.site.c.key == site, schema.discussion.c.key.in_(keys))


def _discussion(connection: Connection, key: DiscussionKey) -> Discussion:
    found = mapping.named(connection, key)
    if found is None:
        _known_site(connection, key.site)
        return Discussion(key)
    return found


# ---- one moment -----------------------------------------------------------------------------------------


def _first_page(
    connection: Connection, key: DiscussionKey, sort: Sort, limit: int, known: int | None
) -> tuple[Discussion, CommentPage | None]:
    discussion = _discussion(connection, key)
    if discussion.seq == known:
        return discussion, None
    return discussion, _roots(connection, discussion, sort, limit, None, None)


def _snapshot(
    connection: Connection, key: DiscussionKey, sort: Sort, limit: int, viewer: str | None, cursor: str | None
) -> DiscussionSnapshot:
    discussion = _discussion(connection, key)
    page = _roots(connection, discussion, sort, limit, viewer, cursor)
    return DiscussionSnapshot(discussion, page, _votes(connection, page.comments, viewer))


def _roots(
    connection: Connection, discussion: Discussion, sort: Sort, limit: int, viewer: str | None, cursor: str | None
) -> CommentPage:
    order, scope = Order(sort), f"{sort}:{discussion.id}"
    after = decode_page_cursor(cursor, scope, order.width)
    found = listing.threads(connection, discussion.id, order, limit + 1, after)
    waiting = listing.own_waiting(connection, discussion.id, viewer)
    if waiting:
        found = _with_waiting(found, waiting, order, after)
    comments = listing.fitting(connection, [place.id for one in found[:limit] for place in _shown(one)])
    replies: dict[str, str] = {}
    places, taken = iter(found[:limit]), 0
    last = None
    while taken < len(comments):
        thread = next(places)
        shown = _shown(thread)[: len(comments) - taken]
        taken += len(shown)
        last = thread.root
        if len(shown) <= len(thread.replies):
            replies[last.id] = encode_page_cursor(_thread_cursor(last.id, shown[-1]))
    is_last = last is None or last.id == found[-1].root.id
    following = None if is_last or last is None else encode_page_cursor(order.cursor(scope, last))
    return CommentPage(comments, following, replies)


def _shown(thread: Thread) -> list[IndexEntry]:
    return [thread.root, *thread.replies[:REPLIES_OF_ONE]]


def _with_waiting(
    found: list[Thread], waiting: list[IndexEntry], order: Order, after: PageCursor | None
) -> list[Thread]:
    """What waits for approval, where its author sees it."""
    threads = {thread.root.id: thread for thread in found}
    for place in waiting:
        if place.parent_id is not None and place.root_id in threads:
            threads[place.root_id].replies.append(place)
    for thread in threads.values():
        thread.replies.sort(key=lambda place: place.age)
        del thread.replies[REPLIES_OF_ONE + 1 :]
    own = order.places([place for place in waiting if place.parent_id is None], after)
    threads |= {place.id: Thread(place, []) for place in own}
    return [threads[place.id] for place in order.merged([thread.root for thread in found], own)]


def _thread(
    connection: Connection,
    key: DiscussionKey,
    parent_id: str,
    limit: int,
    viewer: str | None,
    cursor: str | None,
) -> DiscussionSnapshot:
    discussion = _discussion(connection, key)
    query = select(c.root_id, c.state, c.published, c.author_id).where(
        c.id == parent_id, c.discussion_id == discussion.id
    )
    parent = connection.execute(query).one_or_none()
    if parent is None or not (parent.published or (parent.state == State.held and parent.author_id == viewer)):
        raise Problem(ErrorCode.not_found, "There is no such comment in this discussion.", field="parent")
    after = decode_page_cursor(cursor, f"thread:{parent_id}", 1)
    waiting = listing.own_waiting(connection, discussion.id, viewer)
    if parent.root_id == parent_id:
        found = listing.below_root(connection, parent_id, limit + 1, after)
        own = [place for place in waiting if place.parent_id is not None and place.root_id == parent_id]
    else:
        found = listing.below_reply(connection, parent_id)
        within = {parent_id, *(place.id for place in found)}
        own = [place for place in waiting if place.parent_id in within]
    order = Order(Sort.oldest)
    places = order.places([*found, *own], after)[: limit + 1]
    comments = listing.fitting(connection, [place.id for place in places[:limit]])
    following = None
    if len(comments) < len(places):
        following = encode_page_cursor(_thread_cursor(parent_id, places[len(comments) - 1]))
    return DiscussionSnapshot(discussion, CommentPage(comments, following, {}), _votes(connection, comments, viewer))


def _thread_cursor(parent_id: str, last: IndexEntry) -> PageCursor:
    # where no reply is shown, the place before all of them: an import may know one that is older than its root
    created_at = 0 if last.id == parent_id else last.created_at
    return PageCursor(f"thread:{parent_id}", (created_at,), last.id)


def _permalink(connection: Connection, comment_id: str) -> tuple[Discussion, list[Comment], str | None]:
    chain = listing.fitting(connection, _ancestry(connection, comment_id))[::-1]
    if not chain:
        raise Problem(ErrorCode.not_found, "There is no such comment.")
    comment = chain[-1]
    root = connection.execute(select(c.id, c.created_at).where(c.id == comment.root_id)).one()
    of_discussion = mapping.discussions().where(schema.discussion.c.id == comment.discussion_id)
    discussion = mapping.to_discussion(connection.execute(of_discussion).mappings().one())
    before = listing.root_before(connection, comment.discussion_id, IndexEntry(root.id, root.created_at))
    order = Order(Sort.oldest)
    cursor = encode_page_cursor(order.cursor(f"{Sort.oldest}:{comment.discussion_id}", before)) if before else None
    return discussion, chain, cursor


def _ancestry(connection: Connection, comment_id: str) -> list[str]:
    """The comment and at most ANCESTORS above it, the nearest first; empty when it was never published."""
    start = select(c.id, c.parent_id, literal(0).label("height")).where(c.id == comment_id, c.published)
    above = start.cte("above", recursive=True)
    above = above.union_all(
        select(c.id, c.parent_id, above.c.height + 1).where(c.id == above.c.parent_id, above.c.height < ANCESTORS)
    )
    return list(connection.scalars(select(above.c.id).order_by(above.c.height)))


def _newest(connection: Connection, key: DiscussionKey, limit: int) -> tuple[Discussion, list[Comment]]:
    discussion = _discussion(connection, key)
    return discussion, listing.fitting(connection, listing.newest(connection, discussion.id, limit))


def _votes(connection: Connection, comments: list[Comment], viewer: str | None) -> dict[str, int]:
    if viewer is None or not comments:
        return {}
    v = schema.vote.c
    query = select(v.comment_id, v.value).where(
        v.voter_id == viewer, v.comment_id.in_([comment.id for comment in comments])
    )
    return {row.comment_id: row.value for row in connection.execute(query)}


# ---- events ---------------------------------------------------------------------------------------------


def _events(connection: Connection, key: DiscussionKey, after: int, limit: int) -> tuple[int, list[EncodedEvent]]:
    discussion = _discussion(connection, key)
    found: list[EncodedEvent] = []
    size = 0
    while len(found) < limit:
        wanted = min(SLICE, limit - len(found))
        read = _slice(connection, discussion.id, found[-1].seq if found else after, wanted)
        for event in read:
            size += event.size
            if found and size > PAGE_BYTES:
                return discussion.seq, found
            found.append(event)
        if len(read) < wanted:
            break
    return discussion.seq, found


def _slice(connection: Connection, discussion_id: int | None, after: int, limit: int) -> list[EncodedEvent]:
    e = schema.event.c
    query = (
        select(e.seq, e.comment_id, e.kind, e.payload)
        .where(e.discussion_id == discussion_id, e.seq > after)
        .order_by(e.seq)
        .limit(limit)
    )
    return [
        EncodedEvent(row.seq, row.kind, row.comment_id, payload_within(row.payload))
        for row in connection.execute(query)
    ]


# ---- lists of moderators --------------------------------------------------------------------------------

_KEY_BYTES = 64 + 4 * 512
"""What the names of a site and a discussion have at most."""
_NOTE_BYTES = 512 + 4 * 1000
"""What a report has at most besides its comment: ids, a time, and a note of 1,000 characters."""


def _held(connection: Connection, site: str, limit: int, cursor: str | None) -> tuple[list[Held], str | None]:
    site_id, scope = _known_site(connection, site), f"held:{site}"
    after = decode_page_cursor(cursor, scope, 1)
    looked = select(c.id, c.created_at.label("at"), c.discussion_id).where(listing.IS_HELD)
    if after is not None:
        looked = looked.where(listing.later(after))
    first = looked.order_by(c.created_at, c.id).limit(LOOKED).subquery()
    query = select(first.c.id, first.c.at, *_about(first.c.discussion_id)).order_by(first.c.at, first.c.id)
    found = connection.execute(query).all()
    own = [row for row in found if row.site_id == site_id]
    comments = listing.fitting(connection, [row.id for row in own[:limit]], extra=_KEY_BYTES)
    held = [Held(DiscussionKey(site, row.key), comment) for row, comment in zip(own, comments, strict=False)]
    return held, _following(scope, found, own, len(held))


def _reported(connection: Connection, site: str, limit: int, cursor: str | None) -> tuple[list[Reported], str | None]:
    site_id, scope = _known_site(connection, site), f"reported:{site}"
    after = decode_page_cursor(cursor, scope, 1)
    r = schema.report.c
    looked = select(schema.report).where(r.open)
    if after is not None:
        looked = looked.where(tuple_(r.at, r.id) > listing.position_of(after))
    first = looked.order_by(r.at, r.id).limit(LOOKED).subquery()
    query = (
        select(first, c.state, *_about(c.discussion_id))
        .join(schema.comment, c.id == first.c.comment_id)
        .order_by(first.c.at, first.c.id)
    )
    found = connection.execute(query).all()
    # an instance of the version before may have removed a comment without closing what was reported of it
    own = [row for row in found if row.site_id == site_id and row.state == State.visible]
    ids = [row.comment_id for row in own[:limit]]
    reports = [
        Reported(
            id=row.id,
            reason=row.reason,
            note=row.note,
            at=mapping.to_datetime(row.at),
            reporter_id=row.reporter_id,
            key=DiscussionKey(site, row.key),
            comment=comment,
        )
        for row, comment in zip(own, listing.fitting(connection, ids, extra=_KEY_BYTES + _NOTE_BYTES), strict=False)
    ]
    return reports, _following(scope, found, own, len(reports))


def _about(discussion_id: ColumnElement[int]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Key and site of a row's discussion, looked up by row: for a join PostgreSQL may read all discussions."""
    d = schema.discussion.c
    key, site_id = (select(column).where(d.id == discussion_id).scalar_subquery() for column in (d.key, d.site_id))
    return key.label("key"), site_id.label("site_id")


def _following(scope: str, found: Sequence[Any], own: Sequence[Any], shown: int) -> str | None:
    """Where a list goes on of which LOOKED rows were looked at, ``own`` are of the site, and so many are shown."""
    if shown < len(own):
        last = own[shown - 1]
    elif len(found) == LOOKED:
        last = found[-1]
    else:
        return None
    return encode_page_cursor(PageCursor(scope, (last.at,), last.id))
