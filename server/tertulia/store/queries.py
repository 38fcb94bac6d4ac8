"""What is read from the database: functions of a connection, for ``Store.read``.

Each answer is of one consistent snapshot. Raises unknown_site where a site is named that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, literal, select, tuple_

from tertulia.core.comments import Author, Comment, Discussion, DiscussionKey, Sort, State
from tertulia.core.keys import canonical_key
from tertulia.core.ordering import PageCursor, decode_page_cursor, encode_page_cursor
from tertulia.errors import no_such_comment, no_such_parent, no_such_site
from tertulia.protocol import PAGE_BYTES, EncodedEvent, EventPage, payload_within
from tertulia.store import listing, mapping, records, schema
from tertulia.store.listing import REPLIES_OF_ONE, SLICE, IndexEntry, Order, Thread

ANCESTORS = 100
"""How many ancestors come with a permalink: a thread may be deeper than anyone wants to read at once."""
LOOKED = 1_000
"""How many waiting comments or reports of all sites are looked at for a page of one site; the next goes on there."""
KEYS = 400
"""Discussions asked for in one query: as many as make a query of 20 KB with keys of ordinary length."""

c = schema.comment.c


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Top-level comments, each followed by its replies, and the cursors that continue the list and its threads."""

    comments: list[Comment]
    next: str | None
    replies: dict[str, str]
    changed: bool = False
    """Whether the order changed since the page before: what moved up stands first, also where it was shown already."""


@dataclass(frozen=True, slots=True)
class DiscussionSnapshot:
    """A discussion and a page of it as they were at ``discussion.seq``; ``votes`` are the viewer's own."""

    discussion: Discussion
    page: CommentPage
    votes: dict[str, int]


class FirstPage(NamedTuple):
    """A discussion and its first page; None where the caller has it already."""

    discussion: Discussion
    page: CommentPage | None


class CommentLocation(NamedTuple):
    """A comment at the end of ``chain``, after its nearest ancestors (top first), and where its thread is listed.

    ``cursor`` is of the page of the order ``oldest`` that begins with the thread; None is the first page.
    """

    discussion: Discussion
    chain: list[Comment]
    cursor: str | None


class NewestComments(NamedTuple):
    """Visible comments of all depths, the newest first."""

    discussion: Discussion
    comments: list[Comment]


@dataclass(frozen=True, slots=True)
class Held:
    key: DiscussionKey
    comment: Comment


class HeldPage(NamedTuple):
    """``next`` is the cursor that goes on, None at the end."""

    comments: list[Held]
    next: str | None


@dataclass(frozen=True, slots=True)
class Reported:
    id: str
    reason: str
    note: str
    at: datetime
    reporter_id: str | None
    key: DiscussionKey
    comment: Comment


class ReportPage(NamedTuple):
    """``next`` is the cursor that goes on, None at the end."""

    reports: list[Reported]
    next: str | None


# ---- the server -----------------------------------------------------------------------------------------


def epoch(connection: Connection) -> str:
    """What the database was given when it was made, or restored."""
    return str(connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == "epoch")))


def sites(connection: Connection) -> dict[str, list[str]]:
    """Every site with its allowed origins."""
    found = connection.execute(select(schema.site.c.key, schema.site.c.origins))
    return {row.key: list(row.origins) for row in found}


def moderators(connection: Connection) -> list[str]:
    """The moderators' names."""
    return list(connection.scalars(select(schema.moderator.c.name).order_by(schema.moderator.c.name)))


def moderator(connection: Connection, token_hash: str) -> Author | None:
    """Whose token it is."""
    m = schema.moderator.c
    row = connection.execute(select(m.author_id, m.name).where(m.token_hash == token_hash)).one_or_none()
    return None if row is None else Author(row.author_id, row.name, "moderator")


# ---- discussions ----------------------------------------------------------------------------------------


def discussion(connection: Connection, key: DiscussionKey) -> Discussion:
    """The discussion that a key leads to; an empty one, of its canonical form, if nobody has written in it yet.

    Raises unknown_site.
    """
    found = records.find_discussion(connection, key)
    if found is None:
        _known_site(connection, key.site)
        return Discussion(key.canonical)
    return found


def stored_key(connection: Connection, key: DiscussionKey) -> DiscussionKey | None:
    """The name of the discussion that a key leads to, None where nobody has written in it yet."""
    found = records.find_discussion(connection, key)
    return None if found is None else found.key


def any_discussion(connection: Connection) -> bool:
    """Whether anything was ever said or set here."""
    return connection.scalar(select(schema.discussion.c.id).limit(1)) is not None


def latest_seqs(connection: Connection, keys: Iterable[DiscussionKey]) -> dict[DiscussionKey, int]:
    """The newest seq of each of these discussions that has a row."""
    wanted: dict[str, list[str]] = {}
    for key in keys:
        wanted.setdefault(key.site, []).append(key.key)
    found: dict[DiscussionKey, int] = {}
    for site, names in wanted.items():
        for start in range(0, len(names), KEYS):
            # by one site each: of pairs of two tables SQLite makes no range of an index
            for row in connection.execute(_of_site(site, names[start : start + KEYS])).mappings():
                found[DiscussionKey(site, row["key"])] = row["seq"]
    return found


def comment_counts(connection: Connection, site: str, keys: Sequence[str]) -> dict[str, int]:
    """How many comments are visible in the discussions that these keys lead to, as find_discussion has it.

    Keys that lead to none are left out. Where all are stored as they are given, this is one query.
    """
    _known_site(connection, site)
    stored = _counts(connection, _of_site(site, keys))
    canonical = {key: canonical_key(key) for key in keys if key not in stored}
    if not canonical:
        return stored
    aliases = _counts(connection, _aliases(site, {*canonical, *canonical.values()}))
    others = set(canonical.values()).difference(keys)
    if others:
        stored |= _counts(connection, _of_site(site, others))
    for key, name in canonical.items():
        ways = (aliases.get(key), stored.get(name), aliases.get(name))
        found = next((count for count in ways if count is not None), None)
        if found is not None:
            stored[key] = found
    return stored


def _counts(connection: Connection, query: Select[Any]) -> dict[str, int]:
    return {row["key"]: row["comment_count"] for row in connection.execute(query).mappings()}


def _known_site(connection: Connection, site: str) -> int:
    found: int | None = connection.scalar(select(schema.site.c.id).where(schema.site.c.key == site))
    if found is None:
        raise no_such_site()
    return found


def _of_site(site: str, keys: Iterable[str]) -> Select[Any]:
    return mapping.discussions().where(schema.site.c.key == site, schema.discussion.c.key.in_(keys))


def _aliases(site: str, keys: Iterable[str]) -> Select[Any]:
    a, d, s = schema.key_alias.c, schema.discussion.c, schema.site.c
    query = select(a.key, d.comment_count).join(schema.discussion, d.id == a.discussion_id)
    return query.join(schema.site, s.id == a.site_id).where(s.key == site, a.key.in_(keys))


# ---- pages ----------------------------------------------------------------------------------------------


def first_page(connection: Connection, key: DiscussionKey, *, sort: Sort, limit: int, known: int | None) -> FirstPage:
    """The first page as everybody sees it; none where the head is still ``known``. Raises unknown_site."""
    found = discussion(connection, key)
    if found.seq == known:
        return FirstPage(found, None)
    return FirstPage(found, _roots(connection, found, sort=sort, limit=limit))


def snapshot(
    connection: Connection,
    key: DiscussionKey,
    *,
    sort: Sort,
    limit: int,
    viewer: str | None,
    cursor: str | None = None,
) -> DiscussionSnapshot:
    """The page after ``cursor``, as the author ``viewer`` sees it. Raises unknown_site, bad_cursor."""
    found = discussion(connection, key)
    page = _roots(connection, found, sort=sort, limit=limit, viewer=viewer, cursor=cursor)
    return DiscussionSnapshot(found, page, _votes(connection, page.comments, viewer))


def _roots(
    connection: Connection,
    discussion: Discussion,
    *,
    sort: Sort,
    limit: int,
    viewer: str | None = None,
    cursor: str | None = None,
) -> CommentPage:
    order, scope = Order(sort), f"{sort}:{discussion.id}"
    after = decode_page_cursor(cursor, scope, *order.widths)
    moved = listing.moved_up(connection, discussion, order, limit, after)
    found = listing.threads(connection, discussion.id, order, limit + 1 - len(moved.threads), after)
    waiting = listing.own_waiting(connection, discussion.id, viewer)
    if waiting:
        found = _with_waiting(found, waiting, order, after)
    listed = [*moved.threads, *found]
    comments = listing.fitting(connection, [entry.id for one in listed[:limit] for entry in _shown(one)])
    replies: dict[str, str] = {}
    taken = count = 0
    while taken < len(comments):
        thread = listed[count]
        shown = _shown(thread)[: len(comments) - taken]
        taken += len(shown)
        count += 1
        if len(shown) <= len(thread.replies):
            replies[thread.root.id] = encode_page_cursor(_thread_cursor(thread.root.id, shown[-1]))
    last = after if count <= len(moved.threads) else order.cursor(scope, listed[count - 1].root)
    following = None
    if last is not None and (count < len(listed) or moved.more):
        following = encode_page_cursor(order.seen(last, moved.seq_after(count)))
    return CommentPage(comments, following, replies, moved.changed)


def _shown(thread: Thread) -> list[IndexEntry]:
    return [thread.root, *thread.replies[:REPLIES_OF_ONE]]


def _with_waiting(
    found: list[Thread], waiting: list[IndexEntry], order: Order, after: PageCursor | None
) -> list[Thread]:
    """What waits for approval, where its author sees it."""
    threads = {thread.root.id: thread for thread in found}
    for entry in waiting:
        if entry.parent_id is not None and entry.root_id in threads:
            threads[entry.root_id].replies.append(entry)
    for thread in threads.values():
        thread.replies.sort(key=lambda entry: entry.age)
        del thread.replies[REPLIES_OF_ONE + 1 :]
    own = order.sorted_after([entry for entry in waiting if entry.parent_id is None], after)
    threads |= {entry.id: Thread(entry, []) for entry in own}
    return [threads[entry.id] for entry in order.merged([thread.root for thread in found], own)]


def thread(
    connection: Connection,
    key: DiscussionKey,
    parent_id: str,
    *,
    limit: int,
    viewer: str | None,
    cursor: str | None,
) -> DiscussionSnapshot:
    """The replies to a comment, oldest first, of all depths (below a reply: the nearest listing.BELOW).

    Raises unknown_site, not_found, bad_cursor.
    """
    found = discussion(connection, key)
    root_id = _root_of(connection, found.id, parent_id, viewer)
    after = decode_page_cursor(cursor, f"thread:{parent_id}", 1)
    waiting = listing.own_waiting(connection, found.id, viewer)
    if root_id == parent_id:
        replies = listing.below_root(connection, parent_id, limit + 1, after)
        own = [entry for entry in waiting if entry.parent_id is not None and entry.root_id == parent_id]
    else:
        replies = listing.below_reply(connection, parent_id)
        within = {parent_id, *(entry.id for entry in replies)}
        own = [entry for entry in waiting if entry.parent_id in within]
    entries = Order(Sort.oldest).sorted_after([*replies, *own], after)[: limit + 1]
    comments = listing.fitting(connection, [entry.id for entry in entries[:limit]])
    following = None
    if len(comments) < len(entries):
        following = encode_page_cursor(_thread_cursor(parent_id, entries[len(comments) - 1]))
    return DiscussionSnapshot(found, CommentPage(comments, following, {}), _votes(connection, comments, viewer))


def _root_of(connection: Connection, discussion_id: int | None, comment_id: str, viewer: str | None) -> str:
    """The top-level comment above one that ``viewer`` may see. Raises not_found."""
    query = select(c.root_id, c.state, c.published, c.author_id)
    found = connection.execute(query.where(c.id == comment_id, c.discussion_id == discussion_id)).one_or_none()
    if found is None or not (found.published or (found.state == State.held and found.author_id == viewer)):
        raise no_such_parent()
    root_id: str = found.root_id
    return root_id


def _thread_cursor(parent_id: str, last: IndexEntry) -> PageCursor:
    # where no reply is shown, the position before all of them: an import may know one that is older than its root
    created_at = 0 if last.id == parent_id else last.created_at
    return PageCursor(f"thread:{parent_id}", (created_at,), last.id)


def permalink(connection: Connection, comment_id: str) -> CommentLocation:
    """Where a comment stands, with as many ancestors as ANCESTORS and a page allow. Raises not_found."""
    chain = listing.fitting(connection, _ancestry(connection, comment_id))[::-1]
    if not chain:
        raise no_such_comment()
    comment = chain[-1]
    root = connection.execute(select(c.id, c.created_at).where(c.id == comment.root_id)).one()
    of_discussion = mapping.discussions().where(schema.discussion.c.id == comment.discussion_id)
    found = mapping.to_discussion(connection.execute(of_discussion).mappings().one())
    before = listing.root_before(connection, comment.discussion_id, IndexEntry(root.id, root.created_at))
    order = Order(Sort.oldest)
    cursor = encode_page_cursor(order.cursor(f"{Sort.oldest}:{comment.discussion_id}", before)) if before else None
    return CommentLocation(found, chain, cursor)


def site_of(connection: Connection, comment_id: str) -> str | None:
    """The site of a comment, None where there is none."""
    d = schema.discussion.c
    query = select(schema.site.c.key).join(schema.discussion, d.site_id == schema.site.c.id)
    site: str | None = connection.scalar(query.join(schema.comment, c.discussion_id == d.id).where(c.id == comment_id))
    return site


def _ancestry(connection: Connection, comment_id: str) -> list[str]:
    """The comment and at most ANCESTORS above it, the nearest first; empty when it was never published."""
    start = select(c.id, c.parent_id, literal(0).label("height")).where(c.id == comment_id, c.published)
    above = start.cte("above", recursive=True)
    above = above.union_all(
        select(c.id, c.parent_id, above.c.height + 1).where(c.id == above.c.parent_id, above.c.height < ANCESTORS)
    )
    return list(connection.scalars(select(above.c.id).order_by(above.c.height)))


def newest(connection: Connection, key: DiscussionKey, limit: int) -> NewestComments:
    """The newest visible comments of all depths, as many as make a page. Raises unknown_site."""
    found = discussion(connection, key)
    return NewestComments(found, listing.fitting(connection, listing.newest(connection, found.id, limit)))


def changed_at(connection: Connection, key: DiscussionKey) -> datetime | None:
    """When the newest event of a discussion happened. Raises unknown_site."""
    found = discussion(connection, key)
    e = schema.event.c
    at = connection.scalar(select(e.at).where(e.discussion_id == found.id, e.seq == found.seq))
    return None if at is None else mapping.to_datetime(at)


def _votes(connection: Connection, comments: list[Comment], viewer: str | None) -> dict[str, int]:
    if viewer is None or not comments:
        return {}
    v = schema.vote.c
    query = select(v.comment_id, v.value).where(
        v.voter_id == viewer, v.comment_id.in_([comment.id for comment in comments])
    )
    return {row.comment_id: row.value for row in connection.execute(query)}


# ---- events ---------------------------------------------------------------------------------------------


def events(connection: Connection, key: DiscussionKey, after: int, limit: int) -> EventPage:
    """The head, and up to ``limit`` events or PAGE_BYTES after ``after``. Raises unknown_site."""
    found_in = discussion(connection, key)
    found: list[EncodedEvent] = []
    size = 0
    while len(found) < limit:
        wanted = min(SLICE, limit - len(found))
        read = _slice(connection, found_in.id, found[-1].seq if found else after, wanted)
        for event in read:
            size += event.size
            if found and size > PAGE_BYTES:
                return EventPage(found_in.seq, found)
            found.append(event)
        if len(read) < wanted:
            break
    return EventPage(found_in.seq, found)


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


def held(connection: Connection, site: str, limit: int, cursor: str | None) -> HeldPage:
    """Comments that wait for approval, oldest first; a page may be short. Raises unknown_site, bad_cursor."""
    site_id, scope = _known_site(connection, site), f"held:{site}"
    after = decode_page_cursor(cursor, scope, 1)
    looked = select(c.id, c.created_at.label("at"), c.discussion_id).where(listing.IS_HELD)
    if after is not None:
        looked = looked.where(listing.later(after))
    first = looked.order_by(c.created_at, c.id).limit(LOOKED).subquery()
    query = select(first.c.id, first.c.at, *_discussion_of(first.c.discussion_id)).order_by(first.c.at, first.c.id)
    found = connection.execute(query).all()
    own = [row for row in found if row.site_id == site_id]
    comments = listing.fitting(connection, [row.id for row in own[:limit]], extra=_KEY_BYTES)
    shown = [Held(DiscussionKey(site, row.key), comment) for row, comment in zip(own, comments, strict=False)]
    return HeldPage(shown, _following(scope, found, own, len(shown)))


def reported(connection: Connection, site: str, limit: int, cursor: str | None) -> ReportPage:
    """Reports of comments that can be read, oldest first. Raises unknown_site, bad_cursor."""
    site_id, scope = _known_site(connection, site), f"reported:{site}"
    after = decode_page_cursor(cursor, scope, 1)
    r = schema.report.c
    looked = select(schema.report).where(r.open)
    if after is not None:
        looked = looked.where(tuple_(r.at, r.id) > listing.position_of(after))
    first = looked.order_by(r.at, r.id).limit(LOOKED).subquery()
    query = (
        select(first, c.state, *_discussion_of(c.discussion_id))
        .join(schema.comment, c.id == first.c.comment_id)
        .order_by(first.c.at, first.c.id)
    )
    found = connection.execute(query).all()
    # an instance of the version before may have removed a comment without closing what was reported of it
    own = [row for row in found if row.site_id == site_id and row.state == State.visible]
    ids = [row.comment_id for row in own[:limit]]
    comments = listing.fitting(connection, ids, extra=_KEY_BYTES + _NOTE_BYTES)
    shown = [_to_reported(row, site, comment) for row, comment in zip(own, comments, strict=False)]
    return ReportPage(shown, _following(scope, found, own, len(shown)))


def _to_reported(row: Any, site: str, comment: Comment) -> Reported:
    return Reported(
        id=row.id,
        reason=row.reason,
        note=row.note,
        at=mapping.to_datetime(row.at),
        reporter_id=row.reporter_id,
        key=DiscussionKey(site, row.key),
        comment=comment,
    )


def _discussion_of(discussion_id: ColumnElement[int]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Key and site of a row's discussion, looked up by row: for a join PostgreSQL may read all discussions."""
    d = schema.discussion.c
    key, site_id = (select(column).where(d.id == discussion_id).scalar_subquery() for column in (d.key, d.site_id))
    return key.label("key"), site_id.label("site_id")


def _following(scope: str, found: Sequence[Any], own: Sequence[Any], shown: int) -> str | None:
    """The cursor of the next page: after the last row shown, or after the last row read if LOOKED were read.

    found: rows that were read; own: those of the site; shown: how many of these are on the page
    """
    if shown < len(own):
        last = own[shown - 1]
    elif len(found) == LOOKED:
        last = found[-1]
    else:
        return None
    return encode_page_cursor(PageCursor(scope, (last.at,), last.id))
