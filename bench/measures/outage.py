"""Redis freezes, or dies, while people post: how long posts take, and when readers of another instance have them.

The trouble begins with the first post, so that the time in which nobody knows of it yet is in the figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable

from bench.kinds import HERE, INSTANCE
from bench.load import Missing, Readers, Subject
from bench.measures import Plan, latency, median, p99
from bench.report import Findings, Row
from tests.support.postgres import running_postgres
from tests.support.valkey import Valkey

ANSWERED_MILLISECONDS = 500
SEEN_SECONDS = 3.0
TROUBLES: dict[str, Callable[[Valkey], None]] = {"frozen": Valkey.freeze, "dead": Valkey.kill}


def measure(plan: Plan, findings: Findings, kinds: Iterable[str] = TROUBLES) -> None:
    for what in kinds:
        findings.rows += _during(plan, what, TROUBLES[what])


def _during(plan: Plan, what: str, trouble: Callable[[Valkey], None]) -> list[Row]:
    plan.say(f"posts and {plan.readers:,} readers of another instance while Redis is {what}")
    valkey = Valkey()
    try:
        with running_postgres(durable=True) as postgres:
            one, other = (Subject(INSTANCE, postgres.address(), valkey.url) for _ in range(2))
            try:
                crowd = Readers(other, plan.readers, mark=latency.MARK)
                count = latency.RATE * (20 if plan.rounds > 1 else 2)
                answered, seen = _posted(crowd, count, one.port, lambda: trouble(valkey))
                crowd.close()
            finally:
                one.end()
                other.end()
    finally:
        valkey.end()
    return [_answers(what, answered), _readers(what, plan.readers, seen)]


def _posted(crowd: Readers, count: int, port: int, trouble: Callable[[], None]) -> tuple[list[float], list[float]]:
    """Seconds from when each post was due to its answer, and to the last reader."""
    program = [sys.executable, "-m", "bench.poster", str(port), str(latency.RATE), str(count)]
    command = ["taskset", "-c", "1", *program] if (os.cpu_count() or 1) > 1 else program
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=HERE.parent) as poster:
        assert poster.stdout is not None
        began = float(poster.stdout.readline())
        trouble()
        arrived = latency.last_arrivals(crowd, count + 1)[1:]
        answered = json.loads(poster.stdout.readline() or "[]")
    if poster.returncode or len(answered) != count:
        raise Missing("a post was refused")
    return answered, [wait / 1000 for wait in latency.milliseconds(began, arrived)]


def _answers(what: str, seconds: list[float]) -> Row:
    waits = [one * 1000 for one in seconds]
    return Row(
        f"ms from post to its answer while Redis is {what}, {latency.RATE} posts/s, p99",
        f"{p99(waits):.1f}",
        f"p50 {median(waits):.1f} · most {max(waits):.1f}",
        "",
        f"≤ {ANSWERED_MILLISECONDS} ms",
        p99(waits) <= ANSWERED_MILLISECONDS,
    )


def _readers(what: str, readers: int, seconds: list[float]) -> Row:
    return Row(
        f"s from post to the last of {readers:,} readers of another instance while Redis is {what}, most",
        f"{max(seconds):.2f}",
        f"p50 {median(seconds):.2f} · p99 {p99(seconds):.2f}",
        "",
        f"≤ {SEEN_SECONDS:.0f} s",
        max(seconds) <= SEEN_SECONDS,
    )
