"""From the moment a comment was due to be posted until the last reader has it: request, commit, fan-out, all of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.kinds import HERE, TERTULIA
from bench.load import PATIENCE, Missing, Readers, Subject
from bench.measures import Plan, median, p99
from bench.report import Findings, Row

RATE = 50
MARK = b'"kind":"comment.created"'


def measure(plan: Plan, findings: Findings) -> None:
    """Posts are due at fixed times, so that a slow one delays none of the others' clocks (no coordinated omission)."""
    count = RATE * (60 if plan.full else 10)
    plan.say(f"latency to the last of {plan.readers:,} readers at {RATE} posts/s")
    subject = Subject(TERTULIA)
    try:
        crowd = Readers(subject, plan.readers, mark=MARK)
        began, arrived = posted(crowd, count, subject.port)
        crowd.close()
    finally:
        subject.end()
    waits = milliseconds(began, arrived)
    high = p99(waits)
    findings.rows.append(
        Row(
            f"ms from post to the last of {plan.readers:,} readers, {RATE} posts/s, p99",
            f"{high:.1f}",
            f"p50 {median(waits):.1f} · most {max(waits):.1f}",
            "",
            "≤ 50 ms",
            high <= 50,
        )
    )


def milliseconds(began: float, arrived: list[float]) -> list[float]:
    """How long each took from when it was due."""
    return [(at - began - number / RATE) * 1000 for number, at in enumerate(arrived)]


def posted(crowd: Readers, count: int, port: int) -> tuple[float, list[float]]:
    """When the first was due, and when the last reader had number 0, 1, … of what was posted at ``port``."""
    program = [sys.executable, "-m", "bench.poster", str(port), str(RATE), str(count)]
    command = ["taskset", "-c", "1", *program] if (os.cpu_count() or 1) > 1 else program
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=HERE.parent) as poster:
        assert poster.stdout is not None
        began = float(poster.stdout.readline())
        arrived = last_arrivals(crowd, count + 1)[1:]  # the first prepared the discussion
        poster.stdout.read()  # it has yet to say how long its posts took
    if poster.returncode:
        raise Missing("a post was refused")
    return began, arrived


def last_arrivals(crowd: Readers, total: int) -> list[float]:
    """When the last reader had message 1, 2, …"""
    seen = {one.fileno(): 0 for one in crowd.sockets}
    have = [0] * (total + 1)
    arrived: list[float] = []
    while len(arrived) < total:
        found = crowd.pieces(PATIENCE)
        if not found:
            raise Missing(f"message {len(arrived) + 1} did not reach everybody")
        for reader, piece in found:
            new = crowd.messages(reader, piece)
            for number in range(seen[reader] + 1, min(seen[reader] + new, total) + 1):
                have[number] += 1
                if have[number] == len(seen):
                    arrived.append(time.monotonic())
            seen[reader] += new
    if any(count != total for count in seen.values()):
        raise Missing(f"{total} were posted, a reader has {max(seen.values())}")
    return arrived
