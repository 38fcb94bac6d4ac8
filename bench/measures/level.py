"""Memory over churn: readers who come and go leave the level where it was."""

from __future__ import annotations

import statistics
import time
from itertools import combinations

from bench.kinds import TERTULIA
from bench.load import Readers, Subject
from bench.measures import Plan
from bench.report import Findings, Row

READERS = 400
SECONDS = 120
PER_TEN_MINUTES = 1.0
"""MiB that the level may rise."""
BACK = 1.1


def measure(plan: Plan, findings: Findings, readers: int = READERS, seconds: float = SECONDS) -> None:
    plan.say(f"{readers:,} readers come and go for {seconds:.0f} s")
    subject = Subject(TERTULIA)
    try:
        Readers(subject, 10).close()
        before = subject.rss()
        _churn(subject, readers, seconds / 2)  # what the first crowds make the allocator take is no slope
        levels = _churn(subject, readers, seconds)
        time.sleep(5)
        after = subject.rss()
    finally:
        subject.end()
    slope = _slope(levels) / 1024 / 1024 * 600
    findings.rows += [
        Row("MiB in ten minutes of readers who come and go", f"{slope:.1f}", "", "", "≤ 1", slope <= PER_TEN_MINUTES),
        Row("memory when all have left", f"{after / before:.2f} ×", "", "", "≤ 1.1 ×", after <= BACK * before),
    ]


def _churn(subject: Subject, readers: int, seconds: float) -> list[tuple[float, int]]:
    """The memory after each crowd: seconds and bytes."""
    started = time.monotonic()
    levels: list[tuple[float, int]] = []
    while not levels or levels[-1][0] < seconds:
        Readers(subject, readers).close()
        levels.append((time.monotonic() - started, subject.rss()))
    return levels


def _slope(levels: list[tuple[float, int]]) -> float:
    """Bytes a second: the median of the slopes between any two (Theil and Sen), which one odd level does not turn.

    The first and the last level alone differ by what the allocator happens to hold: a page is 20 KiB in ten minutes.
    """
    slopes = [(b - a) / (then - at) for (at, a), (then, b) in combinations(levels, 2)]
    return statistics.median(slopes) if slopes else 0.0
