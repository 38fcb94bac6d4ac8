"""What the simulations begin with: figures that were measured, that the code has, and that are assumed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

SEED = 20261125


@dataclass(frozen=True, slots=True)
class Given:
    """A figure that was measured: the row of docs/benchmarks.md that it is taken from, rounded, and how it is got."""

    row: str
    value: float
    unit: str
    of: Callable[[float], float] = lambda figure: figure


WRITE = Given("deliveries/s, 1 on their way", 7.4e-6, "7.4 µs to write a message to one reader", lambda n: 1 / n)
RETURN = Given(
    "s until 10,000 cut off readers have all they missed",
    230e-6,
    "230 µs for a reader who comes back",
    lambda n: n / 10_000,
)
READ = Given(
    "ms for the first page of 10,000 comments, unchanged, p99", 1.1e-3, "1.1 ms for a first page", lambda n: n / 1000
)
HEAR = Given(
    "µs for a message of another instance", 115e-6, "115 µs for a message of another instance", lambda n: n / 1e6
)
SAY = Given("µs for a message to other instances", 49e-6, "49 µs for a message to others", lambda n: n / 1e6)
OPEN = Given("µs to open a discussion for its first reader", 0.85e-3, "0.85 ms to open a discussion", lambda n: n / 1e6)
KEEP = Given(
    "µs a second to keep a discussion with readers",
    3.2e-6,
    "3.2 µs a second for a discussion with readers",
    lambda n: n / 1e6,
)
MEMORY = Given("KiB an idle reader", 1.6, "1.6 KiB a reader")
ROOM_MEMORY = Given("KiB a discussion with readers", 3.9, "3.9 KiB a discussion")
ONE = Given("bytes of a comment", 352, "352 bytes a compressed comment")
TEN = Given("bytes of ten comments", 845, "845 bytes ten compressed comments")
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


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def share(values: Sequence[float], part: float) -> float:
    """The value that ``part`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
