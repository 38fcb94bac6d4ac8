"""Where comments came from: as keyed hashes in slow mode, for as long as that asks; sealed where a check wants it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_

from tertulia.core.rules import SLOW_MOST
from tertulia.store import clock, schema
from tertulia.store.commands import Command, CommandResult

SEALED_DAYS = 14
"""For as long as moderators may decide otherwise than the check did, which is then taught."""
_o = schema.origin.c


@dataclass(frozen=True, slots=True)
class SweepOrigins(Command[None]):
    """Forgets those that no rule asks for any more, and no check."""

    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        slow = clock.instant(connection, self.at, -timedelta(seconds=SLOW_MOST))
        sealed = clock.instant(connection, self.at, -timedelta(days=SEALED_DAYS))
        connection.execute(delete(schema.origin).where(_o.at <= slow, or_(_o.sealed.is_(None), _o.at <= sealed)))
        return CommandResult(None)
