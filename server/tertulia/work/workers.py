"""Workers: one loop a process looks for due tasks, claims them and runs their handlers.

An idle server writes nothing: a look is a read, and what is claimed was due. Whoever made a task in this process wakes
the loop; what another instance made, or what becomes due, is found by the next look.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tertulia.errors import Problem
from tertulia.store import Store, tasks
from tertulia.store.tasks import LEASE_MILLISECONDS, Claimed, LeaseLostError, Waiting
from tertulia.work.queues import Job, Queue, RefusedError, delay_after

LOOK_SECONDS = 2.0
"""Between two looks while nobody wakes the loop."""
PAUSE_SECONDS = 0.1
"""Between two looks however often it is woken: a busy discussion wakes it with each of its batches."""
PROLONG_SECONDS = LEASE_MILLISECONDS / 2_000
DRAIN_SECONDS = 10.0
DEAD_SECONDS = 60.0
"""Between two counts of the tasks that are dead."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class WorkStats:
    """By queue: what this process did, and what the last look found in the database."""

    done: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    dead: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkTuning:
    """Seconds; tests shorten them."""

    look: float = LOOK_SECONDS
    pause: float = PAUSE_SECONDS
    prolong: float = PROLONG_SECONDS
    drain: float = DRAIN_SECONDS


DEFAULT = WorkTuning()


class Workers:
    """Does the work of these queues until ``close``."""

    def __init__(self, store: Store, queues: Iterable[Queue], tuning: WorkTuning = DEFAULT) -> None:
        self.stats = WorkStats()
        self._store = store
        self._queues = {queue.name: queue for queue in queues}
        self._tuning = tuning
        self._woken = asyncio.Event()
        self._running: dict[asyncio.Task[None], Claimed] = {}
        self._task: asyncio.Task[None] | None = None
        self._prolonging: asyncio.Task[None] | None = None
        self._dead_counted_at = -math.inf

    @property
    def queues(self) -> frozenset[str]:
        return frozenset(self._queues)

    def start(self) -> None:
        if self._queues:
            self._task = asyncio.create_task(self._run(), name="workers")

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    async def close(self) -> None:
        """Takes nothing more, lets what runs end for a while and gives back the rest."""
        for one in (self._task, self._prolonging):
            if one is not None:
                one.cancel()
                await asyncio.gather(one, return_exceptions=True)
        if not self._running:
            return
        await asyncio.wait(self._running, timeout=self._tuning.drain)
        left = dict(self._running)
        for running in left:
            running.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            with suppress(Problem):
                await self._store.write(tasks.ReleaseTasks(tuple(left.values())))

    # ---- looking ----------------------------------------------------------------------------------------

    async def _run(self) -> None:
        await self._persistently(self._make_periodic)
        while True:
            await self._persistently(self._look)
            await asyncio.sleep(self._tuning.pause)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._tuning.look):
                    await self._woken.wait()

    async def _persistently(self, step: Callable[[], Awaitable[None]]) -> None:
        """A database that does not answer is told of where it is met; the next look tries again."""
        try:
            await step()
        except Problem:
            pass
        except Exception:
            log.exception("Background work could not be looked for")

    async def _make_periodic(self) -> None:
        periodic = {queue.name for queue in self._queues.values() if queue.period is not None}
        if missing := await self._store.read(tasks.missing_periodic, periodic):
            await self._store.write(tasks.AddPeriodic(missing))

    async def _look(self) -> None:
        self._woken.clear()
        self.stats.waiting = await self._store.read(tasks.waiting, self._queues)
        await self._count_dead()
        free = {name: left for name in self.stats.waiting if (left := self._free_places(name)) > 0}
        if free:
            for claimed in await self._store.write(tasks.ClaimTasks(free)):
                self._begin(claimed)

    async def _count_dead(self) -> None:
        now = time.monotonic()
        if now >= self._dead_counted_at + DEAD_SECONDS:
            self.stats.dead = await self._store.read(tasks.dead_counts)
            self._dead_counted_at = now

    def _free_places(self, name: str) -> int:
        running = sum(1 for claimed in self._running.values() if claimed.queue == name)
        return self._queues[name].at_once - running

    # ---- doing ------------------------------------------------------------------------------------------

    def _begin(self, claimed: Claimed) -> None:
        running = asyncio.create_task(self._work(claimed), name=f"work-{claimed.queue}")
        self._running[running] = claimed
        running.add_done_callback(self._on_ended)
        if self._prolonging is None:
            self._prolonging = asyncio.create_task(self._prolong(), name="work-leases")

    def _on_ended(self, running: asyncio.Task[None]) -> None:
        self._running.pop(running, None)
        self.wake()  # another can begin

    async def _work(self, claimed: Claimed) -> None:
        queue = self._queues[claimed.queue]
        job = Job(self._store, claimed, queue.period)
        try:
            async with asyncio.timeout(queue.seconds):
                await queue.handler(job)
            if not job.is_complete:
                await job.complete()
        except LeaseLostError:
            log.info("A task is somebody else's by now", extra={"queue": queue.name, "task": claimed.id})
        except Exception as error:
            await self._fail(queue, claimed, error)
        else:
            self.stats.done[queue.name] += 1

    async def _fail(self, queue: Queue, claimed: Claimed, error: Exception) -> None:
        again_in = None if isinstance(error, RefusedError) else delay_after(claimed.attempts)
        if queue.period is not None:
            again_in = min(again_in or queue.period, queue.period)
        reason = _reason(error, queue.seconds)
        self.stats.failed[queue.name] += 1
        about = {"queue": queue.name, "task": claimed.id, "attempts": claimed.attempts, "reason": reason}
        if again_in is None:
            log.error("A task has failed for the last time; see: tertulia work list", extra=about)
        else:
            log.warning("A task has failed and is tried again", extra=about | {"seconds": again_in / 1_000})
        with suppress(Problem):  # its lease ends by itself
            await self._store.write(tasks.FailTask(claimed, reason, again_in))

    async def _prolong(self) -> None:
        while self._running:
            await asyncio.sleep(self._tuning.prolong)
            if self._running:
                with suppress(Problem):
                    await self._store.write(tasks.ProlongLeases(tuple(self._running.values())))
        self._prolonging = None


def _reason(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"It took longer than {seconds:g} s."
    if isinstance(error, Problem):
        return error.detail
    return f"{type(error).__name__}: {error}".split("\n")[0]
