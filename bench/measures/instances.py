"""Two instances on one PostgreSQL and one Redis: how long a comment takes to the other's readers, and a death.

All of it shares two cores with the load: both instances the first, database and Redis where there is room.
"""

from __future__ import annotations

import json
import os
import signal
import time

from bench.kinds import INSTANCE
from bench.load import Readers, Subject
from bench.measures import Plan, latency, median, p99
from bench.measures.storm import AFTER, AWAY, BEFORE, Returning
from bench.poster import Poster
from bench.report import Findings, Row
from tests.support.postgres import running_postgres
from tests.support.valkey import Valkey

READERS = 10_000


def measure(plan: Plan, findings: Findings, readers: int = READERS) -> None:
    valkey = Valkey()
    try:
        with running_postgres(durable=True) as postgres:
            one, other = (Subject(INSTANCE, postgres.address(), valkey.url) for _ in range(2))
            try:
                findings.rows.append(_across(plan, one, other))
                findings.rows.append(_death(plan, one, other, readers))
            finally:
                one.end()
                other.end()
    finally:
        valkey.end()


def _across(plan: Plan, one: Subject, other: Subject) -> Row:
    plan.say(f"latency to the last of {plan.readers:,} readers of another instance")
    crowd = Readers(other, plan.readers, mark=latency.MARK)
    waits = latency.milliseconds(*latency.posted(crowd, latency.RATE * (10 if plan.rounds > 1 else 1), one.port))
    crowd.close()
    return Row(
        f"ms from post to the last of {plan.readers:,} readers of another instance, {latency.RATE} posts/s, p99",
        f"{p99(waits):.1f}",
        f"p50 {median(waits):.1f} · most {max(waits):.1f}",
        "",
        "≤ 100 ms",
        p99(waits) <= 100,
    )


def _death(plan: Plan, one: Subject, other: Subject, readers: int) -> Row:
    plan.say(f"the instance of {readers:,} readers is killed")
    poster = Poster(one.port, key="dying")
    for number in range(BEFORE):
        poster.post(f"Before, {number}")
    epoch = json.loads(poster.get("/api/v1/discussion?key=dying"))["discussion"]["epoch"]
    crowd = Readers(other, readers)
    started = time.perf_counter()
    os.kill(other.pid, signal.SIGKILL)
    for number in range(AWAY):
        poster.post(f"Away, {number}")
    back = Returning(one.port, f"/api/v1/live?key=dying&epoch={epoch}&after={BEFORE}", BEFORE)
    crowd.close()
    back.all_have(readers, BEFORE + AWAY)
    seconds = time.perf_counter() - started
    for number in range(AFTER):
        poster.post(f"After, {number}")
    back.all_have(readers, BEFORE + AWAY + AFTER)
    back.close()
    poster.close()
    return Row(
        f"s until {readers:,} readers of a killed instance have all they missed at another",
        f"{seconds:.1f}",
        "",
        "",
        "≤ 10 s",
        seconds <= 10,
    )
