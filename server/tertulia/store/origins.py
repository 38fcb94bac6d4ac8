"""Where guests' comments came from, as keyed hashes: for bans of networks, and for an hour in slow mode."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from tertulia.core.ids import lowest_uuid7
from tertulia.core.rules import SLOW_MOST
from tertulia.store import clock, schema
from tertulia.store.commands import Command, CommandResult

CLOCKS = timedelta(hours=1)
"""How far the clocks of instances, which make the ids, may be behind."""
_o = schema.origin.c


@dataclass(frozen=True, slots=True)
class SweepOrigins(Command[None]):
    """Forgets those that are older than so many days, and than slow mode asks for."""

    at: datetime
    days: int = 0

    def apply(self, connection: Connection) -> CommandResult[None]:
        kept = max(timedelta(days=self.days), timedelta(seconds=SLOW_MOST) + CLOCKS)
        before = int(connection.scalar(select(clock.instant(connection, self.at, -kept))) or 0)
        connection.execute(delete(schema.origin).where(_o.comment_id < lowest_uuid7(before)))
        return CommandResult(None)
