"""Locks: what commands are about is nobody else's while their transaction lasts.

SQLite lets one transaction write at a time. On PostgreSQL a batch first locks the rows of all discussions that it is
about, in the order of their ids, so that no two batches wait for each other; each command then reads what is committed.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, or_, select, tuple_

from tertulia.core.comments import DiscussionKey
from tertulia.store import schema

About = DiscussionKey | str | None
"""A discussion, or a comment's id; None for what is about neither."""


def hold(connection: Connection, subjects: Iterable[About]) -> None:
    """Waits for the discussions' rows. One that does not exist yet is held by whoever makes it."""
    if connection.dialect.name == "sqlite":
        return
    named = {(one.site, one.key) for one in subjects if isinstance(one, DiscussionKey)}
    comments = {one for one in subjects if isinstance(one, str)}
    if not named and not comments:
        return
    d, c = schema.discussion.c, schema.comment.c
    query = (
        select(d.id)
        .join(schema.site, schema.site.c.id == d.site_id)
        .where(
            or_(
                tuple_(schema.site.c.key, d.key).in_(sorted(named)),
                d.id.in_(select(c.discussion_id).where(c.id.in_(sorted(comments)))),
            )
        )
        .order_by(d.id)
        .with_for_update(of=schema.discussion)
    )
    connection.execute(query).all()
