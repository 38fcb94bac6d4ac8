"""Deliveries a second, with 1, 8 and 64 messages on their way at once."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from bench.kinds import HERE, NAIVE, PEERS, TERTULIA, UVLOOP, Kind
from bench.load import Missing, Readers, Subject
from bench.measures import Plan, median
from bench.plots import Bars
from bench.report import Findings, Row
from bench.subjects import made
from tertulia.live.frames import Frame
from tertulia.protocol import events_message

WINDOWS = (1, 8, 64)
CORE = 0
"""Where figures hold deliveries per second of the server's processor time, 64 on their way."""
FRAMES = 200_000
"""Deliveries of one run that are enough for a figure, and take a server of 60,000 a second three seconds."""
FILES = 16_000
"""Sockets that one process may surely open."""
LIMIT = "send loop in C"
LIMIT_KIND = Kind(LIMIT, ())


def measure(plan: Plan, findings: Findings, peers: bool = True) -> None:
    """Ours, the two yardsticks and the peers that are installed."""
    compared = [LIMIT_KIND, TERTULIA, NAIVE]
    together = [compared] if plan.readers * len(compared) <= FILES else [[kind] for kind in compared]
    figures: dict[str, dict[int, float]] = {}
    for kinds in together:
        figures |= _in_turn(kinds, plan)
    ours, limit, naive = figures[TERTULIA.label], figures[LIMIT], figures[NAIVE.label]
    crowd = "" if plan.readers == 1_000 else f", {plan.readers:,} readers"
    for window in WINDOWS:
        to_limit, to_naive = ours[window] / limit[window], ours[window] / naive[window]
        wanted, reached = "", None
        if window == 1:
            wanted, reached = "0.8 × C", to_limit >= 0.8
        elif window == 64:
            wanted, reached = "20 × naive", to_naive >= 20
        findings.rows.append(
            Row(
                f"deliveries/s, {window} on their way{crowd}",
                f"{ours[window]:,.0f}",
                f"C {limit[window]:,.0f} · naive {naive[window]:,.0f}",
                f"{to_limit:.2f} × C · {to_naive:.1f} × naive",
                wanted,
                reached,
            )
        )
    for kind in (UVLOOP, *(PEERS if peers else ())):
        if kind.installed():
            figures |= _against(kind, plan, findings, crowd)
        else:
            plan.say(f"{kind.label} is not installed: left out")
    groups = [
        (f"{window} on their way", sorted(((name, found[window]) for name, found in figures.items()), key=_by_value))
        for window in WINDOWS
    ]
    title = f"Deliveries a second to {plan.readers:,} readers"
    findings.charts[f"fan-out-{plan.readers}"] = Bars(title, "deliveries/s, logarithmic", groups, log=True)


def _by_value(bar: tuple[str, float]) -> float:
    return -bar[1]


def _against(kind: Kind, plan: Plan, findings: Findings, crowd: str) -> dict[str, dict[int, float]]:
    """Another server and ours in turn; gives the other's figures."""
    if plan.readers * 2 <= FILES:
        figures = _in_turn([TERTULIA, kind], plan)
    else:
        figures = _in_turn([TERTULIA], plan) | _in_turn([kind], plan)
    ours, theirs = figures[TERTULIA.label], figures[kind.label]
    ratios = [ours[window] / theirs[window] for window in WINDOWS]
    findings.rows.append(
        Row(
            f"deliveries/s, 1 · 8 · 64 on their way{crowd}",
            " · ".join(f"{ours[window]:,.0f}" for window in WINDOWS),
            f"{kind.label} {' · '.join(f'{theirs[window]:,.0f}' for window in WINDOWS)}",
            " · ".join(f"{ratio:.1f} ×" for ratio in ratios),
        )
    )
    if kind.label.startswith(("Nchan", "socketify")):
        ratio = ours[CORE] / theirs[CORE]
        findings.rows.append(
            Row(
                f"deliveries/s of a busy core, 64 on their way{crowd}",
                f"{ours[CORE]:,.0f}",
                f"{kind.label} {theirs[CORE]:,.0f}",
                f"{ratio:.1f} ×",
                "ahead",
                ratio > 1,
            )
        )
    return {kind.label: theirs}


def _in_turn(kinds: list[Kind], plan: Plan) -> dict[str, dict[int, float]]:
    """The medians of each; they take turns, so that a busy neighbour on the machine failures all of them."""
    runs: dict[str, dict[int, list[float]]] = {kind.label: {window: [] for window in WINDOWS} for kind in kinds}
    work: dict[str, list[tuple[int, float]]] = {kind.label: [] for kind in kinds}
    with ExitStack() as stack:
        crowds = [(kind, stack.enter_context(_crowd(kind, plan))) for kind in kinds]
        for number in range(plan.rounds):
            plan.say(f"{plan.readers:,} readers, round {number + 1}: {', '.join(kind.label for kind in kinds)}")
            for window in WINDOWS:
                for kind, crowd in crowds:
                    total, before = _total(plan, kind, window), crowd.subject.busy()
                    runs[kind.label][window].append(crowd.fan_out(total, window))
                    if window == WINDOWS[-1]:
                        work[kind.label].append((total * plan.readers, crowd.subject.busy() - before))
    medians = {label: {window: median(found) for window, found in windows.items()} for label, windows in runs.items()}
    for label, done in work.items():
        # summed, since the clock of processor time ticks only every 10 ms
        medians[label][CORE] = sum(count for count, _ in done) / max(sum(seconds for _, seconds in done), 0.01)
    return medians


def _total(plan: Plan, kind: Kind, window: int) -> int:
    if kind in (TERTULIA, UVLOOP):
        return max(60, 10 * window)
    return max(20, window, min(10 * window, FRAMES // plan.readers))


@contextmanager
def _crowd(kind: Kind, plan: Plan) -> Iterator[Readers]:
    with tempfile.TemporaryDirectory() as folder:
        more: tuple[str, ...] = ()
        size = len(Frame(events_message([made(1).payload])).plain)
        if kind is LIMIT_KIND:
            program = f"{folder}/sendloop"
            subprocess.run(["gcc", "-O2", "-o", program, str(HERE / "sendloop.c")], check=True)
            kind, more = replace(kind, command=(program, "PORT")), (str(plan.readers), str(size))
        subject = Subject(kind, *more)
        try:
            crowd = _Plain(subject, plan.readers, size) if more else Readers(subject, plan.readers)
            crowd.fan_out(20, 1)
            yield crowd
            crowd.close()
        finally:
            subject.end()


class _Plain(Readers):
    """Readers of the C loop: it knows no handshake, and a message is so many bytes."""

    def __init__(self, subject: Subject, count: int, size: int) -> None:
        self.subject = subject
        self._size = size
        self._left: dict[int, int] = {}
        self.sockets = [socket.create_connection(("127.0.0.1", subject.port)) for _ in range(count)]
        self.watch()

    def messages(self, reader: int, piece: bytes) -> int:
        if not piece:
            raise Missing(f"{LIMIT} closed a connection")
        whole, self._left[reader] = divmod(self._left.get(reader, 0) + len(piece), self._size)
        return whole
