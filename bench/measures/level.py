"""Memory over churn: readers who come and go leave the level where it was."""

from __future__ import annotations

import time

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
        first, began = subject.rss(), time.monotonic()
        _churn(subject, readers, seconds)
        last, took = subject.rss(), time.monotonic() - began
        time.sleep(5)
        after = subject.rss()
    finally:
        subject.end()
    slope = (last - first) / 1024 / 1024 * 600 / took
    findings.rows += [
        Row("MiB in ten minutes of readers who come and go", f"{slope:.1f}", "", "", "≤ 1", slope <= PER_TEN_MINUTES),
        Row("memory when all have left", f"{after / before:.2f} ×", "", "", "≤ 1.1 ×", after <= BACK * before),
    ]


def _churn(subject: Subject, readers: int, seconds: float) -> None:
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        Readers(subject, readers).close()
