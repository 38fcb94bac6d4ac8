"""Where guests' comments came from, as keyed hashes: noted in slow mode, for as long as that asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete

from tertulia.core.rules import SLOW_MOST
from tertulia.store import clock, schema
from tertulia.store.commands import Command, CommandResult

_o = schema.origin.c


@dataclass(frozen=True, slots=True)
class SweepOrigins(Command[None]):
    """Forgets those that no rule asks for any more."""

    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        before = clock.instant(connection, self.at, -timedelta(seconds=SLOW_MOST))
        connection.execute(delete(schema.origin).where(_o.at <= before))
        return CommandResult(None)
