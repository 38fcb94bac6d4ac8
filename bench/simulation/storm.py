"""Readers that come back: attempts over the instances that are left, each with its accept queue."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from bench.simulation.figures import (
    BACKLOG,
    BACKOFF_BASE,
    BACKOFF_LEAST,
    BACKOFF_LONGEST,
    DRAIN_SECONDS,
    OPEN_SECONDS,
    READ,
    RELOAD_JITTER,
    RESTART_JITTER,
    RETURN,
    SEED,
    SYN_AGAIN,
    share,
    table,
)

HERE = -1
"""The number of attempts of who is back."""


def _backoff(chance: random.Random, attempt: int) -> float:
    return chance.random() * min(BACKOFF_LONGEST, BACKOFF_BASE * 2.0**attempt) + BACKOFF_LEAST


@dataclass(frozen=True, slots=True)
class Storm:
    """``wait`` gives when a reader tries first, ``patience`` for how long; ``cost`` is an instance's work for each.

    ``busy`` is the share of the instance's core that other work takes.
    """

    what: str
    readers: int
    instances: int
    wait: Callable[[random.Random], float] = lambda chance: _backoff(chance, 0)
    cost: float = RETURN.value
    patience: float = OPEN_SECONDS
    backlog: int = BACKLOG
    busy: float = 0.3


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt of a reader; ``asked`` counts the first packets that it sent."""

    reader: int
    number: int
    began: float
    where: int
    asked: int = 0


@dataclass(slots=True)
class Crowd:
    """Readers and the instances that they come to, each with an accept queue that it empties at every turn."""

    storm: Storm
    chance: random.Random
    back: list[float] = field(default_factory=list)
    dropped: int = 0
    gave_up: set[int] = field(default_factory=set)
    _attempts: list[int] = field(default_factory=list)
    _queues: list[list[Try]] = field(default_factory=list)
    _is_turning: list[bool] = field(default_factory=list)
    _coming: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    _numbers: int = 0

    def run(self) -> Crowd:
        self._attempts = [0] * self.storm.readers
        self._queues = [[] for _ in range(self.storm.instances)]
        self._is_turning = [False] * self.storm.instances
        for reader in range(self.storm.readers):
            self._try(reader, self.storm.wait(self.chance))
        while self._coming:
            now, _, work = heapq.heappop(self._coming)
            work(now)
        return self

    def _at(self, when: float, work: Callable[[float], None]) -> None:
        self._numbers += 1
        heapq.heappush(self._coming, (when, self._numbers, work))

    def _try(self, reader: int, when: float) -> None:
        one = Try(reader, self._attempts[reader], when, self.chance.randrange(self.storm.instances))
        self._at(when, lambda now: self._knock(one, now))
        self._at(when + self.storm.patience, lambda now: self._tire(one, now))

    def _knock(self, one: Try, now: float) -> None:
        queue = self._queues[one.where]
        if self._attempts[one.reader] != one.number:
            return
        if len(queue) >= self.storm.backlog:
            self.dropped += 1
            if one.asked < len(SYN_AGAIN):
                later = replace(one, asked=one.asked + 1)
                self._at(one.began + SYN_AGAIN[one.asked], lambda now: self._knock(later, now))
            return
        queue.append(one)
        if not self._is_turning[one.where]:
            self._turn(one.where, now)

    def _turn(self, where: int, now: float) -> None:
        """The instance takes all that wait, serves them, and looks again."""
        taken, self._queues[where] = self._queues[where], []
        self._is_turning[where] = bool(taken)
        for one in taken:
            now += self.storm.cost / (1 - self.storm.busy)
            self._at(now, partial(self._served, one))
        if taken:
            self._at(now, lambda now: self._turn(where, now))

    def _served(self, one: Try, now: float) -> None:
        # who has given up is served all the same: the server does not know
        if self._attempts[one.reader] == one.number:
            self._attempts[one.reader] = HERE
            self.back.append(now)

    def _tire(self, one: Try, now: float) -> None:
        if self._attempts[one.reader] == one.number:
            self.gave_up.add(one.reader)
            self._attempts[one.reader] += 1
            self._try(one.reader, now + _backoff(self.chance, self._attempts[one.reader]))


STORMS = (
    Storm("one of 72 instances is killed", 14_000, 71),
    Storm("one of 4 instances is killed", 10_000, 3),
    Storm("one of 2 instances is killed", 7_000, 1),
    Storm("a network is cut and heals: all of an instance's", 14_000, 1),
    Storm("the same, with an accept queue of 16,384", 14_000, 1, backlog=16_384),
    Storm("the same as before, if nobody waited a random time", 14_000, 1, lambda chance: 0.0),
    Storm(
        "one of 4 instances is restarted as it should be",
        10_000,
        3,
        lambda chance: chance.random() * DRAIN_SECONDS / 2 + chance.random() * RESTART_JITTER,
    ),
    Storm(
        "a new epoch: all of an instance's read anew",
        14_000,
        1,
        lambda chance: chance.random() * RELOAD_JITTER,
        RETURN.value + READ.value,
        patience=120.0,  # a request that waits is not given up
    ),
)


def storm() -> str:
    rows = []
    for one in STORMS:
        crowd = Crowd(one, random.Random(SEED)).run()
        assert len(crowd.back) == one.readers
        half, most, last = (f"{share(crowd.back, part):.1f}" for part in (0.5, 0.99, 1.0))
        rows.append(
            (
                one.what,
                f"{one.readers:,}",
                f"{one.instances}",
                *(half, most, last),
                f"{crowd.dropped:,}",
                f"{len(crowd.gave_up):,}",
            )
        )
    head = ("what", "readers", "come to", "half back, s", "99 %, s", "all, s", "packets dropped", "gave up once")
    return table(head, rows)
