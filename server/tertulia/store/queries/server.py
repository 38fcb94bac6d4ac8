"""What belongs to no discussion: the epoch, sites, moderators."""

from __future__ import annotations

from sqlalchemy import Connection, select

from tertulia.core.comments import Author
from tertulia.store import schema


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
