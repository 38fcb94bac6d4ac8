"""What is read from the database, each answer from one consistent moment."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tertulia.core.comments import Author, Comment, Discussion, DiscussionKey, Sort, State
from tertulia.core.ordering import Cursor, decode_cursor, encode_cursor
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import EncodedEvent
from tertulia.store import rows, schema
from tertulia.store.troubles import DRIVERS, Troubles

REPLIES_OF_ONE = 50
"""How many replies (of all depths) come with a top-level comment in a page; the rest has a cursor of its own."""
ANCESTORS = 100
"""How many ancestors come with a permalink: a thread may be deeper than anyone wants to read at once."""

c = schema.comment.c


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Top-level comments, each followed by its replies, and the cursors that continue the list and its threads."""

    comments: list[Comment]
    next: str | None
    replies: dict[str, str]


@dataclass(frozen=True, slots=True)
class Moment:
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

    async def epoch(self) -> str:
        async with self._connected() as connection:
            value = await connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == "epoch"))
            return str(value)

    async def sites(self) -> dict[str, list[str]]:
        """Every site with its allowed origins."""
        async with self._connected() as connection:
            found = await connection.execute(select(schema.site.c.key, schema.site.c.origins))
            return {row.key: list(row.origins) for row in found}

    async def moment(
        self, key: DiscussionKey, *, sort: Sort, limit: int, viewer: str | None, cursor: str | None = None
    ) -> Moment:
        """Raises unknown_site, bad_cursor."""
        async with self._connected() as connection:
            return await connection.run_sync(_moment, key, sort, limit, viewer, cursor)

    async def first_page(
        self, key: DiscussionKey, *, sort: Sort, limit: int, known: int | None
    ) -> tuple[Discussion, CommentPage | None]:
        """The first page as everybody sees it; None where the head is still ``known``. Raises unknown_site."""
        async with self._connected() as connection:
            return await connection.run_sync(_first_page, key, sort, limit, known)

    async def thread(
        self, key: DiscussionKey, parent_id: str, *, limit: int, viewer: str | None, cursor: str | None
    ) -> Moment:
        """The replies to a comment, of all depths, oldest first. Raises unknown_site, not_found, bad_cursor."""
        async with self._connected() as connection:
            return await connection.run_sync(_thread, key, parent_id, limit, viewer, cursor)

    async def discussion(self, key: DiscussionKey) -> Discussion:
        async with self._connected() as connection:
            return await connection.run_sync(_discussion, key)

    async def permalink(self, comment_id: str) -> tuple[Discussion, list[Comment], str | None]:
        """The discussion, the comment with its nearest ancestors (top first), and the cursor before its thread.

        The cursor is of the order ``oldest``; None is the first page. Raises not_found.
        """
        async with self._connected() as connection:
            return await connection.run_sync(_permalink, comment_id)

    async def events(self, key: DiscussionKey, after: int, limit: int) -> tuple[int, list[EncodedEvent]]:
        """The head, and up to ``limit`` events after ``after``. Raises unknown_site."""
        async with self._connected() as connection:
            return await connection.run_sync(_events, key, after, limit)

    async def heads(self, keys: Iterable[DiscussionKey]) -> dict[DiscussionKey, int]:
        """The newest seq of each of these discussions that has a row."""
        wanted = [(key.site, key.key) for key in keys]
        found: dict[DiscussionKey, int] = {}
        async with self._connected() as connection:
            for start in range(0, len(wanted), 400):
                query = rows.discussions().where(
                    tuple_(schema.site.c.key, schema.discussion.c.key).in_(wanted[start : start + 400])
                )
                for row in (await connection.execute(query)).mappings():
                    found[DiscussionKey(row["site_key"], row["key"])] = row["seq"]
        return found

    async def counts(self, site: str, keys: Sequence[str]) -> dict[str, int]:
        async with self._connected() as connection:
            await connection.run_sync(_known_site, site)
            query = rows.discussions().where(schema.site.c.key == site, schema.discussion.c.key.in_(keys))
            found = (await connection.execute(query)).mappings()
            return {row["key"]: row["comment_count"] for row in found}

    async def newest(self, key: DiscussionKey, limit: int) -> tuple[Discussion, list[Comment]]:
        """The newest visible comments of all depths."""
        async with self._connected() as connection:
            discussion = await connection.run_sync(_discussion, key)
            query = (
                rows.comments()
                .where(c.discussion_id == discussion.id, c.state == State.visible.value)
                .order_by(c.created_at.desc(), c.id.desc())
                .limit(limit)
            )
            found = (await connection.execute(query)).mappings()
            return discussion, [rows.to_comment(row) for row in found]

    async def held(self, site: str, limit: int, cursor: str | None) -> tuple[list[Held], str | None]:
        """Comments that wait for approval, oldest first. Raises unknown_site, bad_cursor."""
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


# ---- one moment -----------------------------------------------------------------------------------------


def _known_site(connection: Connection, site: str) -> None:
    if connection.scalar(select(schema.site.c.id).where(schema.site.c.key == site)) is None:
        raise Problem(ErrorCode.unknown_site, "There is no such site.", field="site")


def _discussion(connection: Connection, key: DiscussionKey) -> Discussion:
    found = rows.named(connection, key)
    if found is None:
        _known_site(connection, key.site)
        return Discussion(key)
    return found


def _first_page(
    connection: Connection, key: DiscussionKey, sort: Sort, limit: int, known: int | None
) -> tuple[Discussion, CommentPage | None]:
    discussion = _discussion(connection, key)
    if discussion.seq == known:
        return discussion, None
    return discussion, _roots(connection, discussion, sort, limit, None, None)


def _moment(
    connection: Connection, key: DiscussionKey, sort: Sort, limit: int, viewer: str | None, cursor: str | None
) -> Moment:
    discussion = _discussion(connection, key)
    page = _roots(connection, discussion, sort, limit, viewer, cursor)
    return Moment(discussion, page, _votes(connection, page.comments, viewer))


def _roots(
    connection: Connection, discussion: Discussion, sort: Sort, limit: int, viewer: str | None, cursor: str | None
) -> CommentPage:
    order = _Order(sort)
    after = decode_cursor(cursor, f"{sort}:{discussion.id}", order.width)
    query = rows.comments().where(c.discussion_id == discussion.id, c.parent_id.is_(None), _shown(viewer))
    if after is not None:
        query = query.where(order.after(after))
    roots = _comments(connection, query.order_by(*order.columns).limit(limit + 1))
    following = None
    if len(roots) > limit:
        roots = roots[:limit]
        following = encode_cursor(order.cursor(f"{sort}:{discussion.id}", roots[-1]))
    return _with_replies(connection, roots, following, viewer)


def _with_replies(
    connection: Connection, roots: list[Comment], following: str | None, viewer: str | None
) -> CommentPage:
    number = func.row_number().over(partition_by=c.root_id, order_by=(c.created_at, c.id)).label("number")
    ranked = (
        select(schema.comment, number)
        .where(c.root_id.in_([root.id for root in roots]), c.parent_id.is_not(None), _shown(viewer))
        .subquery()
    )
    query = select(ranked).where(ranked.c.number <= REPLIES_OF_ONE + 1).order_by(ranked.c.created_at, ranked.c.id)
    threads: dict[str, list[Comment]] = {root.id: [root] for root in roots}
    if roots:
        for reply in _comments(connection, query):
            threads[reply.root_id].append(reply)
    cut: dict[str, str] = {}
    comments: list[Comment] = []
    for root_id, thread in threads.items():
        if len(thread) > REPLIES_OF_ONE + 1:
            thread = thread[: REPLIES_OF_ONE + 1]
            cut[root_id] = encode_cursor(_thread_cursor(root_id, thread[-1]))
        comments.extend(thread)
    return CommentPage(comments, following, cut)


def _thread(
    connection: Connection,
    key: DiscussionKey,
    parent_id: str,
    limit: int,
    viewer: str | None,
    cursor: str | None,
) -> Moment:
    discussion = _discussion(connection, key)
    query = select(c.id).where(c.id == parent_id, c.discussion_id == discussion.id, _shown(viewer))
    if connection.scalar(query) is None:
        raise Problem(ErrorCode.not_found, "There is no such comment in this discussion.", field="parent")
    after = decode_cursor(cursor, f"thread:{parent_id}", 1)
    below = select(c.id).where(c.parent_id == parent_id).cte("below", recursive=True)
    below = below.union_all(select(c.id).where(c.parent_id == below.c.id))
    replies = rows.comments().where(c.id.in_(select(below.c.id)), _shown(viewer))
    if after is not None:
        replies = replies.where(_later(c.created_at, after))
    found = _comments(connection, replies.order_by(c.created_at, c.id).limit(limit + 1))
    following = None
    if len(found) > limit:
        found = found[:limit]
        following = encode_cursor(_thread_cursor(parent_id, found[-1]))
    page = CommentPage(found, following, {})
    return Moment(discussion, page, _votes(connection, found, viewer))


def _thread_cursor(parent_id: str, last: Comment) -> Cursor:
    return Cursor(f"thread:{parent_id}", (rows.milliseconds(last.created_at),), last.id)


def _permalink(connection: Connection, comment_id: str) -> tuple[Discussion, list[Comment], str | None]:
    chain = _ancestry(connection, comment_id)
    if not chain:
        raise Problem(ErrorCode.not_found, "There is no such comment.")
    root_row = rows.comments().where(c.id == chain[-1].root_id)
    root = _comments(connection, root_row)[0]
    row = connection.execute(rows.discussions().where(schema.discussion.c.id == root.discussion_id)).mappings().one()
    before = _comments(
        connection,
        rows.comments()
        .where(c.discussion_id == root.discussion_id, c.parent_id.is_(None), c.published, _earlier(root))
        .order_by(c.created_at.desc(), c.id.desc())
        .limit(1),
    )
    order = _Order(Sort.oldest)
    cursor = encode_cursor(order.cursor(f"{Sort.oldest}:{root.discussion_id}", before[0])) if before else None
    return rows.to_discussion(row), chain, cursor


def _ancestry(connection: Connection, comment_id: str) -> list[Comment]:
    """The comment and at most ANCESTORS above it, the topmost first; empty when it was never published."""
    start = select(c.id, c.parent_id, literal(0).label("height")).where(c.id == comment_id, c.published)
    above = start.cte("above", recursive=True)
    above = above.union_all(
        select(c.id, c.parent_id, above.c.height + 1).where(c.id == above.c.parent_id, above.c.height < ANCESTORS)
    )
    query = rows.comments().join(above, above.c.id == c.id).order_by(above.c.height.desc())
    return _comments(connection, query)


def _earlier(comment: Comment) -> ColumnElement[bool]:
    created = rows.milliseconds(comment.created_at)
    return or_(c.created_at < created, and_(c.created_at == created, c.id < comment.id))


def _events(connection: Connection, key: DiscussionKey, after: int, limit: int) -> tuple[int, list[EncodedEvent]]:
    discussion = _discussion(connection, key)
    e = schema.event.c
    query = (
        select(e.seq, e.comment_id, e.kind, e.payload)
        .where(e.discussion_id == discussion.id, e.seq > after)
        .order_by(e.seq)
        .limit(limit)
    )
    found = connection.execute(query)
    return discussion.seq, [EncodedEvent(row.seq, row.kind, row.comment_id, row.payload) for row in found]


def _held(connection: Connection, site: str, limit: int, cursor: str | None) -> tuple[list[Held], str | None]:
    _known_site(connection, site)
    after = decode_cursor(cursor, f"held:{site}", 1)
    d = schema.discussion.c
    query = (
        select(schema.comment, d.key.label("discussion_key"))
        .join(schema.discussion, d.id == c.discussion_id)
        .join(schema.site, schema.site.c.id == d.site_id)
        .where(schema.site.c.key == site, c.state == State.held.value)
    )
    if after is not None:
        query = query.where(_later(c.created_at, after))
    found = connection.execute(query.order_by(c.created_at, c.id).limit(limit + 1)).mappings().all()
    held = [Held(DiscussionKey(site, row["discussion_key"]), rows.to_comment(row)) for row in found[:limit]]
    following = None
    if len(found) > limit:
        last = held[-1].comment
        following = encode_cursor(Cursor(f"held:{site}", (rows.milliseconds(last.created_at),), last.id))
    return held, following


def _reported(connection: Connection, site: str, limit: int, cursor: str | None) -> tuple[list[Reported], str | None]:
    _known_site(connection, site)
    after = decode_cursor(cursor, f"reported:{site}", 1)
    d, r = schema.discussion.c, schema.report.c
    about = (r.id.label("report_id"), r.reason, r.note, r.at.label("reported_at"), r.reporter_id)
    query = (
        select(schema.comment, d.key.label("discussion_key"), *about)
        .join(schema.report, r.comment_id == c.id)
        .join(schema.discussion, d.id == c.discussion_id)
        .join(schema.site, schema.site.c.id == d.site_id)
        .where(schema.site.c.key == site, c.state == State.visible.value)
    )
    if after is not None:
        query = query.where(tuple_(r.at, r.id) > tuple_(literal(after.values[0]), literal(after.id)))
    found = connection.execute(query.order_by(r.at, r.id).limit(limit + 1)).mappings().all()
    reports = [
        Reported(
            id=row["report_id"],
            reason=row["reason"],
            note=row["note"],
            at=rows.moment(row["reported_at"]),
            reporter_id=row["reporter_id"],
            key=DiscussionKey(site, row["discussion_key"]),
            comment=rows.to_comment(row),
        )
        for row in found[:limit]
    ]
    following = None
    if len(found) > limit:
        last = reports[-1]
        following = encode_cursor(Cursor(f"reported:{site}", (rows.milliseconds(last.at),), last.id))
    return reports, following


def _votes(connection: Connection, comments: list[Comment], viewer: str | None) -> dict[str, int]:
    if viewer is None or not comments:
        return {}
    v = schema.vote.c
    query = select(v.comment_id, v.value).where(
        v.voter_id == viewer, v.comment_id.in_([comment.id for comment in comments])
    )
    return {row.comment_id: row.value for row in connection.execute(query)}


def _shown(viewer: str | None) -> ColumnElement[bool]:
    """What is in the log, and what waits for approval for its author alone."""
    if viewer is None:
        return c.published.is_(True)
    return or_(c.published.is_(True), and_(c.author_id == viewer, c.state == State.held.value))


def _comments(connection: Connection, query: Select[Any]) -> list[Comment]:
    return [rows.to_comment(row) for row in connection.execute(query).mappings()]


def _later(column: ColumnElement[int], after: Cursor) -> ColumnElement[bool]:
    return or_(column > after.values[0], and_(column == after.values[0], c.id > after.id))


class _Order:
    """How top-level comments are sorted in SQL, and how a list goes on after one of them."""

    def __init__(self, sort: Sort) -> None:
        self.sort = sort
        self.width = 2 if sort is Sort.top else 1
        score = c.up - c.down
        self.columns: tuple[ColumnElement[Any], ...] = {
            Sort.oldest: (c.created_at, c.id),
            Sort.newest: (c.created_at.desc(), c.id.desc()),
            Sort.top: (score.desc(), c.created_at, c.id),
        }[sort]

    def after(self, cursor: Cursor) -> ColumnElement[bool]:
        created = literal(cursor.values[-1])
        if self.sort is Sort.newest:
            return or_(c.created_at < created, and_(c.created_at == created, c.id < cursor.id))
        later = or_(c.created_at > created, and_(c.created_at == created, c.id > cursor.id))
        if self.sort is Sort.oldest:
            return later
        score = c.up - c.down
        return or_(score < cursor.values[0], and_(score == cursor.values[0], later))

    def cursor(self, scope: str, last: Comment) -> Cursor:
        created = rows.milliseconds(last.created_at)
        values = (last.up - last.down, created) if self.sort is Sort.top else (created,)
        return Cursor(scope, values, last.id)
