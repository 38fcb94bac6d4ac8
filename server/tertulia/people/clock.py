"""What time it is, for whoever judges what others say of times: tokens of a site's server, or of a provider."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from tertulia.identity import utc_now
from tertulia.store import Store, clock
from tertulia.store.mapping import to_datetime

FRESH_SECONDS = 60.0
"""How long the database is not asked again: a machine's own measure of a minute is good, also where its date is not."""
Now = Callable[[], Awaitable[datetime]]


async def own_now() -> datetime:
    """By this machine's clock alone."""
    return utc_now()


class SharedClock:
    """By the clock that all instances share, which is asked once a minute; ``seconds`` only go up."""

    def __init__(self, store: Store, seconds: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._seconds = seconds
        self._read_at = float("-inf")
        self._then = datetime.min

    async def now(self) -> datetime:
        asked_at = self._seconds()
        if asked_at - self._read_at > FRESH_SECONDS:
            then = to_datetime(await self._store.read(clock.now))
            self._read_at, self._then = asked_at, then
        return self._then + timedelta(seconds=self._seconds() - self._read_at)
