"""What one hostile address can do to everybody else: each kind of ``bench.attackers`` in turn, on a server with all its
bounds at their defaults, while somebody honest connects, posts and reads.
"""

from __future__ import annotations

import http.client
import itertools
import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator

from bench.attackers import ATTACKS
from bench.kinds import DEFENDED, HERE
from bench.load import Missing, Subject, handshake, read_until
from bench.measures import Plan, median
from bench.poster import Poster
from bench.report import Findings, Row

MIB = 1024 * 1024
SECONDS, FULL_SECONDS = 5.0, 60.0
RECOVERY_SECONDS = 60.0
VISIT_SECONDS = 1.0
P99_SECONDS = 0.3
GROWTH_MIB = 64
COMMENTS = 300
"""Of 10,000 characters each: several megabytes of pages and of events to ask for."""


def measure(
    plan: Plan, findings: Findings, seconds: float | None = None, rounds: int = 1, names: Iterable[str] = ATTACKS
) -> None:
    """A row for each kind of ``names``; ``seconds`` is how long it goes on, ``rounds`` how often."""
    for name in names:
        plan.say(f"one hostile address: {name}")
        lasting = seconds or (FULL_SECONDS if plan.full else SECONDS)
        findings.rows.append(_row(name, [_attacked(name, lasting) for _ in range(rounds)]))


class _Round:
    """What one attack did: the honest visits' ``times`` in seconds, memory in bytes before, at most and after."""

    def __init__(self, times: list[float], before: int, most: int, after: int) -> None:
        self.times = times
        self.before = before
        self.most = most
        self.after = after


def _row(name: str, rounds: list[_Round]) -> Row:
    slowest = max(time_ for one in rounds for time_ in one.times)
    typical = median([_quantile(one.times) for one in rounds])
    growth = max(one.most - one.before for one in rounds) / MIB
    kept = max(one.after - one.before for one in rounds) / MIB
    reached = slowest < VISIT_SECONDS and typical < P99_SECONDS and growth < GROWTH_MIB
    return Row(
        f"s to connect, post and read it while one address attacks: {name}, p99",
        f"{typical:.3f}",
        f"slowest {slowest:.2f} of {sum(len(one.times) for one in rounds)} · +{growth:.0f} MiB, {kept:+.0f} after",
        "",
        f"< {P99_SECONDS} s, each < {VISIT_SECONDS:.0f} s, < {GROWTH_MIB} MiB",
        reached,
    )


def _quantile(times: list[float]) -> float:
    """The value that 99 of 100 do not exceed; of fewer the largest but one in a hundred."""
    return sorted(times)[max(0, -(-len(times) * 99 // 100) - 1)]


def _attacked(name: str, seconds: float) -> _Round:
    subject = Subject(DEFENDED, str(COMMENTS))
    try:
        honest = _honest_addresses()
        key, epoch = "bench", _epoch(subject.port)
        for _ in range(3):
            _visit(subject.port, next(honest))
        before = most = subject.rss()
        times = []
        attacker = _start(name, subject.port, seconds, key, epoch)
        try:
            while attacker.poll() is None:
                times.append(_visit(subject.port, next(honest)))
                most = max(most, subject.rss())
        finally:
            attacker.kill()
            attacker.wait()
        return _Round(times, before, most, _recovered(subject, before))
    finally:
        subject.end()


def _start(name: str, port: int, seconds: float, key: str, epoch: str) -> subprocess.Popen[bytes]:
    """The attacker shares the load's core with the honest client, and yields to it."""
    run = [sys.executable, "-m", "bench.attackers", name, str(port), str(seconds), key, epoch]
    return subprocess.Popen(["taskset", "-c", "1", "nice", "-n", "19", *run], cwd=HERE.parent)


def _recovered(subject: Subject, before: int) -> int:
    """Memory in bytes as soon as it is within a tenth of what it was, or when the time for that is over."""
    ends = time.monotonic() + RECOVERY_SECONDS
    while (now := subject.rss()) > before * 1.1 and time.monotonic() < ends:
        time.sleep(0.5)
    return now


def _honest_addresses() -> Iterator[str]:
    """One for each visit: they are different people, and none of them is over a limit."""
    return (f"127.0.{2 + number // 250 % 200}.{1 + number % 250}" for number in itertools.count())


def _epoch(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/api/v1/events?key=bench&after=0&limit=1")
    epoch: str = json.loads(connection.getresponse().read())["epoch"]
    connection.close()
    return epoch


def _visit(port: int, address: str) -> float:
    """Seconds to connect, hear the greeting, post and read what was posted; infinite where that is refused."""
    started = time.perf_counter()
    try:
        _post_and_read(port, address)
    except (OSError, http.client.HTTPException, Missing):
        return math.inf
    return time.perf_counter() - started


def _post_and_read(port: int, address: str) -> None:
    with socket.create_connection(("127.0.0.1", port), 30, source_address=(address, 0)) as reader:
        reader.sendall(handshake("/api/v1/live?key=honest"))
        read_until(reader, b"hello")
        writer = Poster(port, address, "honest")
        seq = writer.post("Still here.")
        writer.close()
        read_until(reader, b'"seq":%d,"kind"' % seq)
