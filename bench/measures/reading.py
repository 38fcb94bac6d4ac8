"""The first page of a long discussion over HTTP: unchanged, and after every comment anew."""

from __future__ import annotations

import time

from bench.kinds import TERTULIA
from bench.load import Subject
from bench.measures import Plan, median, p99
from bench.plots import Bars
from bench.poster import Poster
from bench.report import Findings, Row

PATH = "/api/v1/discussion?key=bench"
COUNTS = (1_000, 10_000)
TIMES = 200


def measure(plan: Plan, findings: Findings) -> None:
    found: dict[int, tuple[list[float], list[float]]] = {}
    for count in COUNTS:
        plan.say(f"first page of {count:,} comments")
        found[count] = _pages(count)
    small, large = (found[count] for count in COUNTS)
    for what, before, times in (("after a new comment", small[0], large[0]), ("unchanged", small[1], large[1])):
        findings.rows.append(
            Row(
                f"ms for the first page of {COUNTS[1]:,} comments, {what}, p99",
                f"{p99(times):.1f}",
                f"of {COUNTS[0]:,}: {p99(before):.1f}",
                f"{median(times) / median(before):.2f} × (medians)",
                "≤ 20 ms",
                p99(times) <= 20,
            )
        )
    groups = [
        (f"{count:,} comments", [("after a new comment, p99", p99(made)), ("unchanged, p99", p99(kept))])
        for count, (made, kept) in found.items()
    ]
    findings.charts["first-page"] = Bars("First page of a discussion", "ms", groups)


def _pages(count: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each request: after a comment, and without one."""
    subject = Subject(TERTULIA, str(count))
    try:
        reader, writer = Poster(subject.port), Poster(subject.port)
        made = []
        for number in range(TIMES):
            writer.post(f"One more, number {number}.")
            made.append(_timed(reader))
        kept = [_timed(reader) for _ in range(TIMES)]
        reader.close()
        writer.close()
        return made, kept
    finally:
        subject.end()


def _timed(reader: Poster) -> float:
    started = time.perf_counter()
    reader.get(PATH)
    return (time.perf_counter() - started) * 1000
