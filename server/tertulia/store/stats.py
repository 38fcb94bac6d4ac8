"""What the write queue did since it began, in plain numbers."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field


class Histogram:
    """The sum of values, and how many came to each of the ranges that end at ``bounds``; the last has no end."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, *bounds: float) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class WriteStats:
    """``turned_away`` are commands that found the queue full; ``lost`` those whose commit failed."""

    commits: int = 0
    failed_commits: int = 0
    committed: int = 0
    turned_away: int = 0
    lost: int = 0
    batches: Histogram = field(default_factory=lambda: Histogram(1, 2, 4, 8, 16, 32, 64, 128))
    seconds: Histogram = field(
        default_factory=lambda: Histogram(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
    )

    def commit(self, commands: int, committed: int, seconds: float) -> None:
        """A batch is durable: of its commands ``committed``, the others were refused."""
        self.commits += 1
        self.committed += committed
        self.batches.add(commands)
        self.seconds.add(seconds)
