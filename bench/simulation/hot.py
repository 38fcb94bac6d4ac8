"""One article that a million read: the loop of one instance, slice by slice."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.simulation.figures import (
    AROUND,
    HEAR,
    ONE,
    OTHERS_SECONDS,
    PRESENCE_BYTES,
    PRESENCE_SECONDS,
    SEED,
    SLICE,
    SUMMARY_RATE,
    TEN,
    TICK_RATE,
    TICK_SECONDS,
    WRITE,
    share,
    table,
)


@dataclass(slots=True)
class Loop:
    """One instance's event loop with one room: what is ready runs in turn, a slice of readers at a time.

    ``others`` are the instances that tell it every now and then how many read at theirs.
    """

    readers: int
    others: int
    rate: float
    tick_rate: float
    seconds: float
    chance: random.Random
    now: float = 0.0
    busy: float = 0.0
    frames: int = 0
    bytes: float = 0.0
    waits: list[float] = field(default_factory=list)
    _pending: list[float] = field(default_factory=list)
    _ready: deque[Callable[[], None]] = field(default_factory=deque)
    _timers: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: int = 0
    _flushing: bool = False

    def run(self) -> Loop:
        self._at(self.chance.expovariate(self.rate), self._event)
        self._at(PRESENCE_SECONDS, self._presence)
        while self.now < self.seconds:
            while self._timers and self._timers[0][0] <= self.now:
                self._ready.append(heapq.heappop(self._timers)[2])
            if self._ready:
                self._ready.popleft()()
            else:
                self.now = self._timers[0][0]
        return self

    def _at(self, when: float, work: Callable[[], None]) -> None:
        self._numbers += 1
        heapq.heappush(self._timers, (when, self._numbers, work))

    def _work(self, seconds: float) -> None:
        self.now += seconds
        self.busy += seconds

    def _event(self) -> None:
        self._work(HEAR.value)
        self._pending.append(self.now)
        self._at(self.now + self.chance.expovariate(self.rate), self._event)
        if not self._flushing:
            self._flushing = True
            self._start()

    def _start(self) -> None:
        """Where the pace is not instant the room waits for a tick before each pass."""
        if self.rate > self.tick_rate:
            self._at(self.now + TICK_SECONDS, self._pass)
        else:
            self._ready.append(self._pass)

    def _pass(self) -> None:
        arrived, self._pending = self._pending, []
        self.frames += 1
        shown = min(len(arrived), 10) if self.rate > SUMMARY_RATE else len(arrived)
        self.bytes += AROUND + ONE.value + (shown - 1) * (TEN.value - ONE.value) / 9
        self._slices(self.readers, arrived, self._passed)

    def _passed(self) -> None:
        self._flushing = bool(self._pending)
        if self._flushing:
            self._start()

    def _presence(self) -> None:
        self._work(self.others / OTHERS_SECONDS * PRESENCE_SECONDS * HEAR.value)
        self.bytes += AROUND + PRESENCE_BYTES
        self._slices(self.readers, [], lambda: None)
        self._at(self.now + PRESENCE_SECONDS, self._presence)

    def _slices(self, left: int, arrived: list[float], done: Callable[[], None]) -> None:
        self._work(min(left, SLICE) * WRITE.value)
        left -= SLICE
        # of every pass the same few slices are looked at, the last among them
        if left <= 0 or (left // SLICE) % 8 == 0:
            self.waits += [self.now - at for at in arrived]
        if left > 0:
            self._ready.append(lambda: self._slices(left, arrived, done))
        else:
            done()


SECONDS = 40.0
MILLION = 1_000_000
HOT = (
    (1_000, 50, TICK_RATE, 1_000),
    (MILLION, 1, TICK_RATE, 14_000),
    (MILLION, 5, TICK_RATE, 14_000),
    (MILLION, 20, TICK_RATE, 14_000),
    (MILLION, 20, TICK_RATE, 5_000),
    (MILLION, 90, TICK_RATE, 14_000),
    (MILLION, 20, 2.0, 14_000),
    (MILLION, 90, 2.0, 14_000),
    (MILLION, 150, TICK_RATE, 14_000),
    (MILLION, 1_000, TICK_RATE, 14_000),
)
"""Readers, events a second, TERTULIA_TICK_RATE, readers of an instance."""


def hot() -> str:
    rows = []
    for total, rate, tick_rate, readers in HOT:
        instances = -(-total // readers)
        loop = Loop(readers, instances - 1, rate, tick_rate, SECONDS, random.Random(SEED)).run()
        rows.append(
            (
                f"{total:,}",
                f"{instances}",
                f"{rate:,}",
                f"{tick_rate:g}",
                f"{loop.frames / loop.now:.1f}",
                f"{loop.busy / loop.now:.0%}",
                f"{share(loop.waits, 0.5) * 1000:,.0f}",
                f"{share(loop.waits, 0.99) * 1000:,.0f}",
                f"{loop.bytes / loop.now * 8 * total / 1e9:.1f}",
            )
        )
    head = (
        *("readers", "instances", "events/s", "`TERTULIA_TICK_RATE`", "messages/s a reader"),
        *("of a core", "p50 ms", "p99 ms", "Gbit/s in all"),
    )
    return table(head, rows)
