"""Sizes that no machine here can hold, simulated from what was measured: ``python -m bench.simulation``.

    hot      one article that a million read: the loop of one instance, slice by slice
    storm    readers that come back: attempts over the instances that are left, each with its accept queue
    many     100,000 discussions: which instance has which, and what that costs

Prints the tables of docs/scaling.md; ``--write`` puts them there. The same seed gives the same tables on every machine.
"""

from __future__ import annotations

import heapq
import random
import re
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs/scaling.md"
BLOCK = re.compile(r"(<!-- simulated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
SEED = 20261125


@dataclass(frozen=True, slots=True)
class Given:
    """A figure that was measured: the row of docs/benchmarks.md that it is taken from, rounded, and how it is got."""

    row: str
    value: float
    unit: str
    of: Callable[[float], float] = lambda figure: figure


WRITE = Given("deliveries/s, 1 on their way", 7.1e-6, "7.1 µs to write a message to one reader", lambda n: 1 / n)
RETURN = Given(
    "s until 10,000 cut off readers have all they missed",
    250e-6,
    "250 µs for a reader who comes back",
    lambda n: n / 10_000,
)
READ = Given(
    "ms for the first page of 10,000 comments, unchanged, p99", 1.3e-3, "1.3 ms for a first page", lambda n: n / 1000
)
HEAR = Given(
    "µs for a message of another instance", 140e-6, "140 µs for a message of another instance", lambda n: n / 1e6
)
SAY = Given("µs for a message to other instances", 170e-6, "170 µs for a message to others", lambda n: n / 1e6)
OPEN = Given("µs to open a discussion for its first reader", 3.5e-3, "3.5 ms to open a discussion", lambda n: n / 1e6)
KEEP = Given(
    "µs a second to keep a discussion with readers",
    8e-6,
    "8 µs a second for a discussion with readers",
    lambda n: n / 1e6,
)
MEMORY = Given("KiB an idle reader", 3.5, "3.5 KiB a reader")
ROOM_MEMORY = Given("KiB a discussion with readers", 3.1, "3.1 KiB a discussion")
ONE = Given("bytes of a comment", 354, "354 bytes a compressed comment")
TEN = Given("bytes of ten comments", 838, "838 bytes ten compressed comments")
MEASURED = (WRITE, RETURN, READ, HEAR, SAY, OPEN, KEEP, MEMORY, ROOM_MEMORY, ONE, TEN)

# as the code has them; tests/test_scaling.py compares
SLICE = 256
TICK_SECONDS = 0.15
TICK_RATE, SUMMARY_RATE = 100.0, 200.0
PRESENCE_SECONDS, OTHERS_SECONDS, AGAIN_SECONDS = 1.0, 2.0, 60.0
BACKLOG = 2048
WATCH_SECONDS = 5.0
CONNECTIONS = 15_000
DRAIN_SECONDS = 20.0
RESTART_JITTER = 5.0
RELOAD_JITTER = 1.0
BACKOFF_BASE, BACKOFF_LONGEST, BACKOFF_LEAST = 0.5, 30.0, 0.1
OPEN_SECONDS = 10.0

# assumed
AROUND = 70
"""Bytes of TCP, IP and Ethernet around a message."""
SYN_AGAIN = (1.0, 3.0, 7.0, 15.0, 31.0, 63.0)
"""When a client's kernel asks again after the first packet was dropped, in seconds."""
PRESENCE_BYTES = 60
STAY_SECONDS = 300.0
"""How long a reader stays."""
HERE = -1


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def share(values: Sequence[float], part: float) -> float:
    """The value that ``part`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


# ---- one article that a million read ----------------------------------------------------------------------


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


# ---- readers that come back -------------------------------------------------------------------------------


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


# ---- many discussions -------------------------------------------------------------------------------------

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


def given() -> str:
    return table(("measured", "row of docs/benchmarks.md"), [(one.unit, one.row) for one in MEASURED])


TABLES: dict[str, Callable[[], str]] = {"given": given, "hot": hot, "storm": storm, "many": many}


def filled(text: str) -> str:
    """The text of the page with its tables made anew."""
    return BLOCK.sub(lambda block: block[1] + TABLES[block[2]]() + block[3], text)


def main() -> int:
    if "--write" in sys.argv:
        PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
    else:
        for name, made in TABLES.items():
            print(f"{name}\n\n{made()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
