"""Who is somebody at a site: those who signed in there, and those who wrote there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from tertulia.errors import ErrorCode, Problem
from tertulia.store import schema

_a, _c, _d = schema.author.c, schema.comment.c, schema.discussion.c


def at_site(connection: Connection, site_id: int, author_id: str) -> Any:
    """The author's id, name, site_id and merged_into. Raises not_found."""
    query = select(_a.id, _a.name, _a.site_id, _a.merged_into).where(_a.id == author_id)
    row = connection.execute(query).one_or_none()
    if row is not None and (row.site_id == site_id or _has_written(connection, site_id, author_id)):
        return row
    raise Problem(ErrorCode.not_found, "There is no such person at this site.", field="author_id")


def _has_written(connection: Connection, site_id: int, author_id: str) -> bool:
    query = select(_c.id).join(schema.discussion, _d.id == _c.discussion_id)
    written = query.where(_c.author_id == author_id, _d.site_id == site_id)
    return connection.scalar(written.order_by(_c.created_at.desc()).limit(1)) is not None
