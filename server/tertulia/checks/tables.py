"""The tables: what one row says of others, counted again in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, case, cast, func, or_, select

from tertulia.checks.findings import Finding
from tertulia.core.comments import State
from tertulia.reporting import Progress
from tertulia.store import schema, search
from tertulia.store.streaming import streamed

c, d, e, v = schema.comment.c, schema.discussion.c, schema.event.c, schema.vote.c


def check(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Codes: seq, head, comment_count, reply_count, thread_count, votes, orphan, root, author, published, residue,
    alias, cursor, search.
    """
    parts = (
        _seqs,
        _comment_counts,
        _reply_counts,
        _thread_counts,
        _votes,
        _threads,
        _authors,
        _published,
        _residue,
        _aliases,
        _cursors,
        _search,
    )
    for done, part in enumerate(parts):
        progress("Checking the tables", done, len(parts))
        yield from part(connection)


def of_discussion(row: Any) -> str:
    return f"discussion {row.site_key} {row.key!r}"


def of_comment(comment_id: str) -> str:
    return f"comment {comment_id}"


def _per_discussion(*columns: ColumnElement[Any]) -> Select[Any]:
    site = schema.site
    return (
        select(site.c.key.label("site_key"), d.key, d.seq, d.comment_count, *columns)
        .select_from(schema.discussion)
        .join(site, site.c.id == d.site_id)
        .group_by(d.id, site.c.key)
        .order_by(d.id)
    )


def _seqs(connection: Connection) -> Iterator[Finding]:
    counted = (func.count(e.seq).label("many"), func.min(e.seq).label("first"), func.max(e.seq).label("last"))
    for row in streamed(connection, _per_discussion(*counted).outerjoin(schema.event, e.discussion_id == d.id)):
        if row.many and (row.first, row.last) != (1, row.many):
            yield Finding("seq", of_discussion(row), f"{row.many} events have the seqs {row.first} to {row.last}")
        if row.seq != (row.last or 0):
            yield Finding("head", of_discussion(row), f"seq is {row.seq}, the last event's is {row.last or 0}")


def _comment_counts(connection: Connection) -> Iterator[Finding]:
    visible = and_(c.discussion_id == d.id, c.state == State.visible.value)
    for row in streamed(connection, _per_discussion(func.count(c.id).label("many")).outerjoin(schema.comment, visible)):
        if row.comment_count != row.many:
            detail = f"comment_count is {row.comment_count}, {row.many} are visible"
            yield Finding("comment_count", of_discussion(row), detail)


def _reply_counts(connection: Connection) -> Iterator[Finding]:
    reply = schema.comment.alias("reply")
    many = func.count(reply.c.id).label("many")
    query = (
        select(c.id, c.reply_count, many)
        .outerjoin(reply, and_(reply.c.parent_id == c.id, reply.c.state == State.visible.value))
        .group_by(c.id)
        .having(many != c.reply_count)
    )
    for row in streamed(connection, query):
        detail = f"reply_count is {row.reply_count}, {row.many} replies are visible"
        yield Finding("reply_count", of_comment(row.id), detail)


def _thread_counts(connection: Connection) -> Iterator[Finding]:
    """Of the threads that are counted, and of those that have replies and are not."""
    t = schema.thread.c
    replies = (
        select(c.root_id, func.count(c.id).label("many"))
        .where(c.parent_id.is_not(None), c.state == State.visible.value)
        .group_by(c.root_id)
        .subquery()
    )
    many = func.coalesce(replies.c.many, 0)
    known = func.coalesce(t.reply_count, 0)
    query = (
        select(c.id, known.label("known"), many.label("many"))
        .outerjoin(schema.thread, t.root_id == c.id)
        .outerjoin(replies, replies.c.root_id == c.id)
        .where(known != many)
    )
    for row in streamed(connection, query):
        detail = f"its thread has the reply_count {row.known}, {row.many} replies of all depths are visible"
        yield Finding("thread_count", of_comment(row.id), detail)


def _votes(connection: Connection) -> Iterator[Finding]:
    up = func.coalesce(func.sum(case((v.value == 1, 1), else_=0)), 0).label("ups")
    down = func.coalesce(func.sum(case((v.value == -1, 1), else_=0)), 0).label("downs")
    query = (
        select(c.id, c.up, c.down, up, down)
        .outerjoin(schema.vote, v.comment_id == c.id)
        .group_by(c.id)
        .having(or_(up != c.up, down != c.down))
    )
    for row in streamed(connection, query):
        detail = f"up and down are {row.up} and {row.down}, the votes are {row.ups} and {row.downs}"
        yield Finding("votes", of_comment(row.id), detail)


def _threads(connection: Connection) -> Iterator[Finding]:
    parent = schema.comment.alias("parent")
    query = (
        select(c.id, c.parent_id, c.root_id, parent.c.id.label("found"), parent.c.root_id.label("expected"))
        .outerjoin(parent, and_(parent.c.id == c.parent_id, parent.c.discussion_id == c.discussion_id))
        .where(or_(and_(c.parent_id.is_(None), c.root_id != c.id), c.parent_id.is_not(None)))
        .where(or_(parent.c.id.is_(None), parent.c.root_id != c.root_id))
    )
    for row in streamed(connection, query):
        if row.parent_id is not None and row.found is None:
            detail = f"the comment {row.parent_id} that it answers is not in its discussion"
            yield Finding("orphan", of_comment(row.id), detail)
        else:
            yield Finding("root", of_comment(row.id), f"root_id is {row.root_id}, not {row.expected or row.id}")


def _authors(connection: Connection) -> Iterator[Finding]:
    a = schema.author.c
    query = select(c.id, c.author_id).outerjoin(schema.author, a.id == c.author_id).where(a.id.is_(None))
    for row in streamed(connection, query):
        yield Finding("author", of_comment(row.id), f"its author {row.author_id} is not there")


def _published(connection: Connection) -> Iterator[Finding]:
    wrong = or_(
        and_(c.state == State.held.value, c.published),
        and_(c.state == State.visible.value, c.published.is_(False)),
    )
    for row in streamed(connection, select(c.id, c.state, c.published).where(wrong)):
        yield Finding("published", of_comment(row.id), f"it is {row.state}, and published is {row.published}")


def _residue(connection: Connection) -> Iterator[Finding]:
    left = or_(c.text != "", c.author_name != "", cast(c.body, Text) != "[]")
    for row in streamed(connection, select(c.id).where(c.state == State.deleted.value, left)):
        yield Finding("residue", of_comment(row.id), "it is deleted, and its row still holds text or a name")


def _aliases(connection: Connection) -> Iterator[Finding]:
    a, s = schema.key_alias.c, schema.site.c
    same = schema.discussion.alias("same")
    query = (
        select(s.key.label("site_key"), a.key, a.discussion_id, d.site_id, a.site_id.label("own"), same.c.id)
        .select_from(schema.key_alias)
        .outerjoin(schema.site, s.id == a.site_id)
        .outerjoin(schema.discussion, d.id == a.discussion_id)
        .outerjoin(same, and_(same.c.site_id == a.site_id, same.c.key == a.key))
        .where(or_(d.id.is_(None), d.site_id != a.site_id, same.c.id.is_not(None)))
        .order_by(a.site_id, a.key)
    )
    for row in streamed(connection, query):
        where = f"alias {row.site_key} {row.key!r}"
        if row.id is not None:
            yield Finding("alias", where, "a discussion has this key, so nobody gets to the one that it is to lead to")
        elif row.site_id is None:
            yield Finding("alias", where, f"the discussion {row.discussion_id} that it leads to is not there")
        else:
            yield Finding("alias", where, f"the discussion {row.discussion_id} that it leads to is of another site")


def _cursors(connection: Connection) -> Iterator[Finding]:
    u = schema.cursor.c
    beyond = _per_discussion(u.follower, u.seq.label("reached")).join(schema.cursor, u.discussion_id == d.id)
    query = beyond.where(u.seq > d.seq).group_by(u.follower, u.seq)
    for row in streamed(connection, query):
        detail = f"{row.follower} has read to {row.reached}, the last event's seq is {row.seq}"
        yield Finding("cursor", of_discussion(row), detail)


def _search(connection: Connection) -> Iterator[Finding]:
    entries, texts = search.sizes(connection)
    if entries != texts:
        detail = f"{entries} comments are entered and {texts} have words; run: tertulia search rebuild"
        yield Finding("search", "the index of the search", detail)
    s = schema.search_entry
    lost = select(c.id).join(s, s.c.comment_id == c.id).where(c.state == State.deleted.value, _is_followed())
    for row in streamed(connection, lost):
        yield Finding("search", of_comment(row.id), "it is deleted, and the index of the search still has its words")


def _is_followed() -> ColumnElement[bool]:
    """Whether the search has read the discussion to the end: what is new to it may be in the index."""
    u = schema.cursor.c
    reached = select(u.seq).where(u.follower == search.FOLLOWER, u.discussion_id == c.discussion_id).scalar_subquery()
    return reached == select(d.seq).where(d.id == c.discussion_id).scalar_subquery()
