"""Two instances on two cores against one on one, each with its own readers on its own core.

What they share stays shared: PostgreSQL, Redis, which carries every event to the second, and whoever hands out the
events. Two servers that share nothing show what two cores of this machine are. The second instance always has one
reader: what is handed out is in no database, so its room could not open later.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from bench.kinds import INSTANCE, TERTULIA
from bench.load import Missing, Readers, Subject
from bench.measures import Plan, median
from bench.report import Findings, Row
from tests.support.postgres import running_postgres
from tests.support.valkey import Valkey

WINDOW = 64
TIMES = 30
WANTED = 1.7
"""Times one instance; where two servers that share nothing are less, the machine has no more to give than they are."""


def measure(plan: Plan, findings: Findings) -> None:
    valkey = Valkey()
    try:
        with running_postgres(durable=True) as postgres:
            subjects = [Subject(INSTANCE, postgres.address(), valkey.url, core=core) for core in (0, 1)]
            strangers = [Subject(TERTULIA, core=core) for core in (0, 1)]
            try:
                rounds = _rounds(plan, subjects, strangers)
            finally:
                for subject in (*subjects, *strangers):
                    subject.end()
    finally:
        valkey.end()
    alone, together, apart = (median([one[kind] for one in rounds]) for kind in range(3))
    ratio, ceiling = (median([one[kind] / one[0] for one in rounds]) for kind in (1, 2))
    findings.rows.append(
        Row(
            f"deliveries/s of two instances on two cores, {plan.readers:,} readers each, {WINDOW} a commit",
            f"{together:,.0f}",
            f"one on one core {alone:,.0f} · two that share nothing {apart:,.0f}",
            f"{ratio:.2f} × one · {together / apart:.2f} × two that share nothing, which are {ceiling:.2f} × one",
            f"{WANTED} × one, or two that share nothing",
            ratio >= WANTED or together >= apart,
        )
    )


def _rounds(plan: Plan, subjects: list[Subject], strangers: list[Subject]) -> list[tuple[float, float, float]]:
    """Deliveries a second of one instance, of both, and of two that share nothing, in turn."""
    found = []
    one, other = subjects
    with ExitStack() as stack:
        here, keeper = stack.enter_context(_crowd(one, plan.readers, 0)), stack.enter_context(_crowd(other, 1, 1))
        apart = [stack.enter_context(_crowd(one, plan.readers, core)) for core, one in enumerate(strangers)]
        for number in range(plan.rounds):
            plan.say(f"one instance and two, round {number + 1}")
            alone = plan.readers / _seconds([one], [here, keeper])
            with _crowd(other, plan.readers, 1) as there:
                together = 2 * plan.readers / _seconds([one], [here, keeper, there])
            found.append((alone, together, 2 * plan.readers / _seconds(strangers, apart)))
    return found


def _seconds(speakers: list[Subject], crowds: list[_Crowd]) -> float:
    """Seconds for one event."""
    for crowd in crowds:
        crowd.begin()
    started = time.perf_counter()
    for lot in range(TIMES + 1):
        # one lot is on its way while the next is handed out: a discussion that is busy does not wait either
        if lot < TIMES:
            for speaker in speakers:
                speaker.send(WINDOW)
        if lot:
            for crowd in crowds:
                crowd.expect(WINDOW)
            for crowd in crowds:
                crowd.has_it()
    return (time.perf_counter() - started) / (TIMES * WINDOW)


class _Crowd:
    """Readers in a process of their own."""

    def __init__(self, asks: IO[str], says: IO[str]) -> None:
        self._asks = asks
        self._says = says

    def begin(self) -> None:
        """What comes from here on is counted."""
        self.expect(0)
        self.has_it()

    def expect(self, count: int) -> None:
        self._asks.write(f"{count}\n")
        self._asks.flush()

    def has_it(self) -> None:
        if self._says.readline() != "all\n":
            raise Missing("an instance's readers did not get everything")


@contextmanager
def _crowd(subject: Subject, readers: int, core: int) -> Iterator[_Crowd]:
    asked, asks = os.pipe()
    says, said = os.pipe()
    child = os.fork()
    if not child:
        os.close(asks)
        os.close(says)
        _in_child(lambda: _count(subject, readers, core, asked, said))
    os.close(asked)
    os.close(said)
    try:
        with os.fdopen(asks, "w") as to, os.fdopen(says) as of:
            crowd = _Crowd(to, of)
            crowd.has_it()  # all are connected
            yield crowd
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _in_child(work: Callable[[], None]) -> None:
    """Ends the process without what the parent has to undo."""
    code = 1
    try:
        work()
        code = 0
    except BaseException as error:
        print(f"a crowd of readers ended: {error!r}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def _count(subject: Subject, readers: int, core: int, asked: int, said: int) -> None:
    """Says when everything that is asked for has come, until nothing more is asked."""
    os.sched_setaffinity(0, {core})
    crowd = Readers(subject, readers)
    seen = dict.fromkeys((one.fileno() for one in crowd.sockets), 0)
    wanted = 0
    os.write(said, b"all\n")
    with os.fdopen(asked) as lines:
        for line in lines:
            wanted += int(line)
            if not int(line):
                crowd.settle(0)
                seen, wanted = dict.fromkeys(seen, 0), 0
            crowd.take_until(seen, wanted)
            os.write(said, b"all\n")
    crowd.close()
