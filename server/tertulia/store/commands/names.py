"""Noting whose names are taken, of those who had them before names were noted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from tertulia.store import names, schema
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.roles import ALL_SITES

_a = schema.author.c


@dataclass(frozen=True, slots=True)
class TakeNames(Command[str | None]):
    """Notes the names of those who had one before names were noted; the value is the last author that was looked at,
    None where there is nobody more.
    """

    after: str
    limit: int

    def apply(self, connection: Connection) -> CommandResult[str | None]:
        last = None
        for author_id, site_id, name in _named(connection, self.after, self.limit):
            names.take(connection, author_id, site_id, name)
            last = author_id
        return CommandResult(last)


def _named(connection: Connection, after: str, limit: int) -> Iterator[tuple[str, int, str]]:
    """Members, and who has a role, by their ids."""
    of_staff = select(schema.moderator.c.author_id).scalar_subquery()
    query = select(_a.id, _a.site_id, _a.name, _a.kind).where(
        _a.id > after, or_(_a.kind == "member", _a.id.in_(of_staff))
    )
    for row in connection.execute(query.order_by(_a.id).limit(limit)).all():
        yield row.id, row.site_id if row.kind == "member" else ALL_SITES, row.name
