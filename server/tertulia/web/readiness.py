"""Whether this server can do its work, answered within READY_SECONDS whatever hangs.

reads    the epoch, over a connection of the pool: 503 where the database does not answer
writes   the last commit, or one made for this: 503 where the database cannot write
Redis    200 whatever it does: what it carries comes later without it
proxies  200 with a warning where what they write of readers cannot be read
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from tertulia.bus import Bus
from tertulia.errors import Problem
from tertulia.limits import SharedCounter
from tertulia.live.hub import Hub
from tertulia.store import Store, queries

READY_SECONDS = 1.5
"""For everything: probes commonly wait 2 to 5 s."""
BUSY_SECONDS = 2.0
"""A database that answered another query this recently is busy, not down."""
MAX_ABANDONED = 3
"""Checks that were given up and have not ended yet: each holds a connection of the pool, which has four."""

log = logging.getLogger(__name__)

T = TypeVar("T")


class ProbeResult(NamedTuple):
    """The HTTP status, and a sentence."""

    status: int
    sentence: str


class Readiness:
    """Of one server."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        bus: Bus,
        counts: SharedCounter | None,
        *,
        warning: Callable[[], str | None] = lambda: None,
        ready_seconds: float = READY_SECONDS,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        """``warning`` gives a sentence about what hinders nobody and should be looked at, or None."""
        self._store = store
        self._hub = hub
        self._bus = bus
        self._counts = counts
        self._warning = warning
        self._ready_seconds = ready_seconds
        self._busy_seconds = busy_seconds
        self._abandoned: set[asyncio.Task[str]] = set()

    async def probe(self) -> ProbeResult:
        """Asks everything that the server needs, until READY_SECONDS are over."""
        if self._hub.draining:
            return ProbeResult(503, "draining")
        end = time.monotonic() + self._ready_seconds
        found = await self._check_reads(end) or await self._check_writes(end) or await self._check_redis(end)
        if found is not None:
            return found
        warning = self._warning()
        return ProbeResult(200, "ok" if warning is None else f"warning: {warning}")

    @property
    def abandoned(self) -> int:
        """How many checks were given up and have not ended yet."""
        return len(self._abandoned)

    async def _check_reads(self, end: float) -> ProbeResult | None:
        if len(self._abandoned) >= MAX_ABANDONED:
            return self._late()
        asked = asyncio.create_task(self._store.read(queries.epoch), name="readiness")
        try:
            done = await _waited(asked, end)
        except BaseException:
            asked.cancel()
            raise
        if not done:
            # closing a connection to a silent server takes seconds: not waited for
            asked.cancel()
            self._abandoned.add(asked)
            asked.add_done_callback(self._ended)
            return self._late()
        try:
            epoch = asked.result()
        except Exception as error:
            if not isinstance(error, Problem):  # already logged where it was raised
                met = self._store.failures.note(error, "The database does not answer")
                if met.fate == "ours":
                    log.exception("The database does not answer")
            return ProbeResult(503, "the database does not answer")
        if epoch != self._store.epoch:
            # what the rooms keep, and the cursors they were given, are of a database that is no more
            return ProbeResult(503, "the database has another epoch; start this server again")
        return None

    def _late(self) -> ProbeResult | None:
        if time.monotonic() - self._store.answered_at < self._busy_seconds:
            return None
        return ProbeResult(503, "the database does not answer")

    def _ended(self, task: asyncio.Task[str]) -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()  # reported as late

    async def _check_writes(self, end: float) -> ProbeResult | None:
        writes = asyncio.create_task(self._store.write_queue.can_write(), name="readiness")
        if await _waited(writes, end) and writes.result():
            return None
        writes.cancel()
        return ProbeResult(503, "the database cannot write")

    async def _check_redis(self, end: float) -> ProbeResult | None:
        if self._bus.is_degraded:
            return ProbeResult(200, "slower: Redis is in doubt")
        if self._bus.receives_unverified:
            return ProbeResult(200, "slower: messages on Redis are not believed")
        if self._counts is not None:
            counts = asyncio.create_task(self._counts.can_count(), name="readiness")
            if not (await _waited(counts, end) and counts.result()):
                counts.cancel()
                return ProbeResult(200, "slower: Redis refuses, and each instance counts posts alone")
        return None


async def _waited(task: asyncio.Task[T], end: float) -> bool:
    """Whether it is done by then; one that is there already is."""
    done, _ = await asyncio.wait({task}, timeout=max(0.0, end - time.monotonic()))
    return bool(done)
