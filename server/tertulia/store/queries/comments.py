"""Where a comment stands, and what is newest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, literal, select

from tertulia.core.comments import Comment, Discussion, DiscussionKey, Sort, State
from tertulia.core.ordering import PageCursor, encode_page_cursor
from tertulia.errors import no_such_comment
from tertulia.store import listing, mapping, schema
from tertulia.store.listing import IndexEntry, Order
from tertulia.store.queries.discussions import discussion

c = schema.comment.c

WRITTEN = "written"
"""The list of a cursor of what somebody wrote."""
ANCESTORS = 100
"""How many ancestors come with a permalink: a thread may be deeper than anyone wants to read at once."""


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


class RemovalReason(NamedTuple):
    """Why a moderator removed it: one of the reasons for reports, and a note for its author; both may be empty."""

    reason: str
    note: str


class OwnComment(NamedTuple):
    """What somebody wrote, in any state, and under what; ``removal`` is what a moderator said who removed it."""

    id: str
    created_at: datetime
    text: str
    state: State
    title: str
    removal: RemovalReason | None = None


class WrittenPage(NamedTuple):
    """The newest first; ``next`` is where the rest goes on, None at the end."""

    comments: list[OwnComment]
    next: PageCursor | None


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


def written(connection: Connection, authors: Iterable[str], before: PageCursor | None, limit: int) -> WrittenPage:
    """What these authors wrote: somebody's own, and that of the guests that they were."""
    entries = [entry for author in authors for entry in _written_by(connection, author, before, limit + 1)]
    entries = sorted(entries, key=lambda entry: (entry.created_at, entry.id), reverse=True)
    page = entries[:limit]
    d = schema.discussion.c
    columns = (c.id, c.created_at, c.text, c.state, c.decision, d.title, d.key)
    query = select(*columns).join(schema.discussion, d.id == c.discussion_id)
    found = connection.execute(query.where(c.id.in_([entry.id for entry in page]))).all() if page else []
    rows = {row.id: row for row in found}
    comments = [_own(rows[entry.id]) for entry in page]
    last = page[-1] if len(entries) > limit else None
    return WrittenPage(comments, PageCursor(WRITTEN, (last.created_at,), last.id) if last else None)


def _own(row: Any) -> OwnComment:
    state, said = State(row.state), row.decision
    removal = RemovalReason(said["reason"], said["note"]) if said and state is State.removed else None
    return OwnComment(row.id, mapping.to_datetime(row.created_at), row.text, state, row.title or row.key, removal)


def _written_by(connection: Connection, author: str, before: PageCursor | None, limit: int) -> list[IndexEntry]:
    query = select(c.id, c.created_at).where(c.author_id == author)
    if before is not None:
        query = query.where(listing.earlier(before))
    query = query.order_by(c.created_at.desc(), c.id.desc()).limit(limit)
    return [IndexEntry(row.id, row.created_at) for row in connection.execute(query)]


def changed_at(connection: Connection, key: DiscussionKey) -> datetime | None:
    """When the newest event of a discussion happened. Raises unknown_site."""
    found = discussion(connection, key)
    e = schema.event.c
    at = connection.scalar(select(e.at).where(e.discussion_id == found.id, e.seq == found.seq))
    return None if at is None else mapping.to_datetime(at)
