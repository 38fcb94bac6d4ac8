"""Where comments came from: keyed digests, for bans of networks and in slow mode; sealed where a check wants it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select, update

from tertulia.core.ids import lowest_uuid7
from tertulia.core.rules import SLOW_MOST
from tertulia.store import clock, schema
from tertulia.store.commands import Command, CommandResult

CLOCKS = timedelta(hours=1)
"""How far the clocks of instances, which make the ids, may be behind."""
SEALED_DAYS = 14
"""For as long as moderators may decide otherwise than the check did, which is then taught."""
_o = schema.origin.c


@dataclass(frozen=True, slots=True)
class SweepOrigins(Command[None]):
    """Forgets those that are older than so many days, and than slow mode and checks ask for."""

    at: datetime
    days: int = 0

    def apply(self, connection: Connection) -> CommandResult[None]:
        old = self._made_before(connection, max(timedelta(days=self.days), timedelta(seconds=SLOW_MOST) + CLOCKS))
        long_ago = self._made_before(connection, timedelta(days=SEALED_DAYS))
        is_unsealed = or_(_o.sealed.is_(None), _o.comment_id < long_ago)
        connection.execute(delete(schema.origin).where(_o.comment_id < old, is_unsealed))
        sealed = (_o.comment_id < long_ago, _o.sealed.is_not(None))
        connection.execute(update(schema.origin).where(*sealed).values(sealed=None))
        return CommandResult(None)

    def _made_before(self, connection: Connection, age: timedelta) -> str:
        """What ids are below that are older."""
        moment = connection.scalar(select(clock.instant(connection, self.at, -age)))
        return lowest_uuid7(int(moment or 0))
