"""Many discussions: which instance has which, and what that costs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import accumulate

from bench.simulation.figures import (
    AGAIN_SECONDS,
    HEAR,
    KEEP,
    OPEN,
    OTHERS_SECONDS,
    SAY,
    SEED,
    STAY_SECONDS,
    WATCH_SECONDS,
    WRITE,
    table,
)

DISCUSSIONS = 100_000
READERS = 300_000
EVENTS = 500.0
"""A second, in all discussions; each gets as many as it has readers, in proportion."""
INSTANCES = 24
HOT_READERS = 500


@dataclass(frozen=True, slots=True)
class Routing:
    """``to`` gives the instance for a reader of a discussion with so many readers."""

    what: str
    to: Callable[[random.Random, int, int], int]


def _spread(chance: random.Random, discussion: int, readers: int) -> int:
    return chance.randrange(INSTANCES)


def _by_key(chance: random.Random, discussion: int, readers: int) -> int:
    return int.from_bytes(blake2b(str(discussion).encode(), digest_size=8).digest(), "big") % INSTANCES


def _by_key_unless_hot(chance: random.Random, discussion: int, readers: int) -> int:
    return (_spread if readers > HOT_READERS else _by_key)(chance, discussion, readers)


ROUTINGS = (
    Routing("any instance", _spread),
    Routing("by the discussion's key", _by_key),
    Routing(f"by key, above {HOT_READERS} readers any", _by_key_unless_hot),
)


def _audience(chance: random.Random) -> list[int]:
    """Readers of each discussion: one each, the others as Zipf's law has it."""
    counts = [1] * DISCUSSIONS
    weights = list(accumulate(1 / rank for rank in range(1, DISCUSSIONS + 1)))
    for number in chance.choices(range(DISCUSSIONS), cum_weights=weights, k=READERS - DISCUSSIONS):
        counts[number] += 1
    return counts


@dataclass(slots=True)
class Instance:
    """What one has: readers by discussion; messages that it hears and says a second; its core's share for readers."""

    rooms: dict[int, int] = field(default_factory=dict)
    events: float = 0.0
    presence: float = 0.0
    says: float = 0.0
    writing: float = 0.0

    @property
    def keeping(self) -> float:
        return len(self.rooms) * KEEP.value

    @property
    def talking(self) -> float:
        return (self.events + self.presence) * HEAR.value + self.says * SAY.value


def _placed(routing: Routing, audience: list[int], chance: random.Random) -> list[Instance]:
    instances = [Instance(says=EVENTS / INSTANCES) for _ in range(INSTANCES)]
    for discussion, readers in enumerate(audience):
        where = Counter(routing.to(chance, discussion, readers) for _ in range(readers))
        rate = EVENTS * readers / READERS
        told = {number: _told(count) for number, count in where.items()}
        for number, count in where.items():
            one = instances[number]
            one.rooms[discussion] = count
            one.events += rate * (1 - 1 / INSTANCES)  # what it committed itself it need not hear
            one.presence += sum(told.values()) - told[number]
            one.says += told[number]
            # as often as events come, and no more often than one pass follows another
            one.writing += min(rate * count * WRITE.value, 1.0)
    return instances


def _told(readers: int) -> float:
    """How often others are told how many read here: on a change, not too often, and again every minute."""
    return min(1 / OTHERS_SECONDS, max(2 * readers / STAY_SECONDS, 1 / AGAIN_SECONDS))


def _both(values: Sequence[float], form: str) -> str:
    """The mean and the most."""
    return f"{sum(values) / len(values):{form}} · {max(values):{form}}"


def many() -> str:
    rows = []
    audience = _audience(random.Random(SEED))
    for routing in ROUTINGS:
        found = _placed(routing, audience, random.Random(SEED))
        counts = [len(one.rooms) for one in found]
        rows.append(
            (
                routing.what,
                f"{max(sum(one.rooms.values()) for one in found):,}",
                _both(counts, ",.0f"),
                f"{sum(counts):,}",
                f"{sum(one.events for one in found):,.0f}",
                f"{sum(one.presence for one in found):,.0f}",
                f"{sum(counts) / WATCH_SECONDS:,.0f}",
                _both([one.keeping for one in found], ".0%"),
                _both([one.talking for one in found], ".0%"),
                _both([one.writing for one in found], ".0%"),
                _both([one.keeping + one.talking + one.writing for one in found], ".0%"),
                f"{max(counts) * OPEN.value:.0f}",
            )
        )
    head = (
        *(
            "readers go to",
            "most readers of one",
            "discussions of one",
            "channels",
            "events heard/s",
            "presence heard/s",
        ),
        *("heads compared/s", "keeping", "bus", "writing", "a core in all", "s to open all again"),
    )
    return table(head, rows)
