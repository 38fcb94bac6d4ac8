"""The measures: each runs its subjects one after another and gives figures to be compared."""

from __future__ import annotations

import asyncio
import json
import selectors
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from bench.load import HERE, Readers, Subject
from bench.subjects import made
from tertulia.core.comments import Author, DiscussionKey, Sort
from tertulia.core.documents import parse
from tertulia.core.ids import uuid7
from tertulia.identity import utc_now
from tertulia.live.frames import Frame
from tertulia.protocol import events_message
from tertulia.store import Store, commands, ledger
from tertulia.store.commands import Draft, Outcome, Said

ROUNDS = 3
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report. ``reached`` is None where nothing is promised."""

    what: str
    figure: str
    yardstick: str
    ratio: str
    wanted: str = ""
    reached: bool | None = None


def median(values: list[float]) -> float:
    return statistics.median(values)


# ---- fan-out --------------------------------------------------------------------------------------------


def fan_out(readers: int, say: Say) -> list[Row]:
    """Deliveries a second at 1, 8 and 64 messages on their way."""
    figures: dict[str, dict[int, float]] = {}
    for name in ("send loop in C", "naive Starlette", "Tertulia"):
        say(f"fan-out to {readers} readers: {name}")
        figures[name] = _c_loop(readers) if name == "send loop in C" else _server(name, readers)
    rows = []
    for window in (1, 8, 64):
        ours, limit, naive = (figures[name][window] for name in ("Tertulia", "send loop in C", "naive Starlette"))
        wanted = {1: "0.8 × C", 64: "20 × naive"}.get(window, "")
        reached = {1: ours >= 0.8 * limit, 64: ours >= 20 * naive}.get(window)
        rows.append(
            Row(
                f"deliveries/s, {window} on their way",
                f"{ours:,.0f}",
                f"C {limit:,.0f} · naive {naive:,.0f}",
                f"{ours / limit:.2f} × C · {ours / naive:.1f} × naive",
                wanted,
                reached,
            )
        )
    return rows


def _server(name: str, readers: int) -> dict[int, float]:
    subject = Subject("tertulia" if name == "Tertulia" else "naive")
    try:
        crowd = Readers(subject, readers)
        crowd.fan_out(20, 1)
        found = {}
        for window, total in ((1, 60), (8, 160), (64, 640)):
            runs = [crowd.fan_out(total, window) for _ in range(ROUNDS)]
            found[window] = median(runs)
        crowd.close()
        return found
    finally:
        subject.end()


def _c_loop(readers: int) -> dict[int, float]:
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/sendloop"
        subprocess.run(["gcc", "-O2", "-o", program, str(HERE / "sendloop.c")], check=True)
        size = len(Frame(events_message([made(1).payload])).plain)
        subject = Subject("send loop in C", [program, "PORT", str(readers), str(size)])
        try:
            crowd = _Plain(subject, readers, size)
            return {
                window: median([crowd.fan_out(60 * window, window) for _ in range(ROUNDS)]) for window in (1, 8, 64)
            }
        finally:
            subject.end()


class _Plain(Readers):
    """Readers of the C loop: it knows no handshake, and a message is so many bytes."""

    def __init__(self, subject: Subject, count: int, size: int) -> None:
        self.subject = subject
        self.mark = b""
        self._size = size
        self.sockets = [socket.create_connection(("127.0.0.1", subject.port)) for _ in range(count)]
        self._selector = selectors.DefaultSelector()
        for one in self.sockets:
            one.setblocking(False)
            self._selector.register(one, selectors.EVENT_READ)
        self._rest = dict.fromkeys((one.fileno() for one in self.sockets), 0)

    def _take(self, seen: dict[int, int], behind: set[int], sent: int) -> None:
        for key, _ in self._selector.select(20.0):
            self._rest[key.fd] += len(key.fileobj.recv(262_144))  # type: ignore[union-attr]
            whole, self._rest[key.fd] = divmod(self._rest[key.fd], self._size)
            seen[key.fd] += whole
            if seen[key.fd] >= sent:
                behind.discard(key.fd)


# ---- connections ----------------------------------------------------------------------------------------


def connections(readers: int, say: Say) -> list[Row]:
    """Connects a second and resident memory of an idle reader, compression negotiated."""
    rates: dict[str, list[float]] = {"tertulia": [], "naive": []}
    memory: dict[str, list[float]] = {"tertulia": [], "naive": []}
    for name in rates:
        for _ in range(ROUNDS):
            say(f"{readers} connections: {name}")
            subject = Subject(name)
            try:
                warm = Readers(subject, 50, deflate=True)
                before = subject.rss()
                crowd = Readers(subject, readers, deflate=True)
                rates[name].append(crowd.connects_per_second)
                memory[name].append((subject.rss() - before) / readers / 1024)
                crowd.close()
                warm.close()
            finally:
                subject.end()
    rate, stock = median(rates["tertulia"]), median(rates["naive"])
    ours, theirs = median(memory["tertulia"]), median(memory["naive"])
    return [
        Row("connects/s", f"{rate:,.0f}", f"stock {stock:,.0f}", f"{rate / stock:.2f} ×", "1.5 ×", rate >= 1.5 * stock),
        Row("KiB an idle reader", f"{ours:.1f}", f"stock {theirs:.1f}", f"{ours / theirs:.2f} ×", "≤ 8 KiB", ours <= 8),
    ]


# ---- bytes ----------------------------------------------------------------------------------------------


def wire(say: Say) -> list[Row]:
    """Bytes of a busy room's frame (ten comments) against the same uncompressed."""
    say("bytes on the wire")
    text = events_message([_comment(number) for number in range(10)])
    frame = Frame(text)
    ratio = len(frame.deflated) / len(frame.plain)
    return [
        Row(
            "bytes of ten comments",
            f"{len(frame.deflated):,}",
            f"plain {len(frame.plain):,}",
            f"{ratio:.0%}",
            "≤ 35 %",
            ratio <= 0.35,
        )
    ]


def _comment(number: int) -> str:
    said = f"Comment number {number}: the market by the river opens at five, bring an umbrella and small change."
    author = {"id": str(uuid.uuid4()), "name": f"Nguyễn Văn {number}", "badge": None}
    comment = {"id": uuid7(), "parent_id": None, "author": author, "body": parse(said), "state": "visible"}
    more = {
        "created_at": "2026-11-24T00:00:00.000Z",
        "edited_at": None,
        "votes": {"up": 0, "down": 0},
        "reply_count": 0,
    }
    return json.dumps({"seq": number, "kind": "comment.created", "comment": comment | more}, ensure_ascii=False)


# ---- writing and reading --------------------------------------------------------------------------------


def writing(say: Say, seconds: float = 4.0) -> list[Row]:
    """Durable posts a second of 64 writers, against the same with one commit a post."""
    figures = {}
    for batch in (1, ledger.BATCH):
        say(f"durable posts, at most {batch} a commit")
        figures[batch] = asyncio.run(_posting(batch, seconds))
    ours, lone = figures[ledger.BATCH], figures[1]
    ratio = ours / lone
    return [
        Row(
            "durable posts/s, 64 writers",
            f"{ours:,.0f}",
            f"one a commit {lone:,.0f}",
            f"{ratio:.1f} ×",
            "5 ×",
            ratio >= 5,
        )
    ]


async def _posting(batch: int, seconds: float) -> float:
    kept, ledger.BATCH = ledger.BATCH, batch
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        store = await Store.open(f"sqlite+aiosqlite:///{folder}/bench.db")
        store.start()
        end = time.perf_counter() + seconds
        started, done = time.perf_counter(), 0

        async def write() -> None:
            nonlocal done
            while time.perf_counter() < end:
                await store.ledger.submit(partial(_post, _draft()))
                done += 1

        await asyncio.gather(*(write() for _ in range(64)))
        rate = done / (time.perf_counter() - started)
        await store.close()
    ledger.BATCH = kept
    return rate


def _post(draft: Draft, connection: Connection) -> Outcome[Said]:
    return commands.post(connection, draft)


_SAID = parse("said")


def _draft(key: str = "bench") -> Draft:
    return Draft(
        id=uuid7(),
        key=DiscussionKey("default", key),
        title="",
        url="",
        parent_id=None,
        author=Author(uuid7(), "A writer"),
        text="said",
        body=_SAID,
        at=utc_now(),
        idempotency_key=uuid.uuid4().hex,
        digest="",
    )


def snapshots(say: Say, counts: tuple[int, int] = (1_000, 10_000)) -> list[Row]:
    """The first page of a discussion: p99 in ms, and how it grows with the number of comments."""
    say("snapshots")
    small, large = (asyncio.run(_snapshot(count)) for count in counts)
    return [
        Row(
            f"first page of {counts[1]:,} comments, p99",
            f"{large:.1f} ms",
            f"of {counts[0]:,}: {small:.1f} ms",
            f"{large / small:.2f} ×",
            "≤ 20 ms",
            large <= 20,
        )
    ]


async def _snapshot(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(f"sqlite+aiosqlite:///{folder}/bench.db")
        store.start()
        for start in range(0, count, 128):
            drafts = [_draft() for _ in range(min(128, count - start))]
            await asyncio.gather(*(store.ledger.submit(partial(_post, draft)) for draft in drafts))
        key, times = DiscussionKey("default", "bench"), []
        for _ in range(200):
            started = time.perf_counter()
            await store.reads.moment(key, sort=Sort.oldest, limit=50, viewer=None)
            times.append((time.perf_counter() - started) * 1000)
        await store.close()
    return statistics.quantiles(times, n=100)[98]


# ---- latency --------------------------------------------------------------------------------------------


def latency(readers: int, say: Say, rate: int = 50, seconds: float = 6.0) -> list[Row]:
    """From a message's arrival at the bus until the last of the readers has it, while ``rate`` arrive a second."""
    say(f"latency to the last of {readers} readers at {rate} messages a second")
    subject = Subject("tertulia")
    try:
        crowd = Readers(subject, readers)
        total = round(rate * seconds)
        sent: list[float] = []

        def send() -> None:
            began = time.perf_counter()
            for number in range(total):
                time.sleep(max(0.0, began + number / rate - time.perf_counter()))
                sent.append(time.perf_counter())
                subject.send(1)

        arrived = _last_arrivals(crowd, total, threading.Thread(target=send))
        waits = [(at - since) * 1000 for at, since in zip(arrived, sent, strict=True)]
        crowd.close()
    finally:
        subject.end()
    middle, high = median(waits), statistics.quantiles(waits, n=100)[98]
    return [
        Row(
            f"ms to the last of {readers:,} readers, p99", f"{high:.1f}", f"p50 {middle:.1f}", "", "≤ 50 ms", high <= 50
        )
    ]


def _last_arrivals(crowd: Readers, total: int, sending: threading.Thread) -> list[float]:
    """When the last reader had message 1, 2, …"""
    seen = {one.fileno(): 0 for one in crowd.sockets}
    have = [0] * (total + 1)
    arrived: list[float] = []
    sending.start()
    while len(arrived) < total:
        for key, _ in crowd._selector.select(20.0):
            new = key.fileobj.recv(262_144).count(crowd.mark)  # type: ignore[union-attr]
            for number in range(seen[key.fd] + 1, seen[key.fd] + new + 1):
                have[number] += 1
                if have[number] == len(seen):
                    arrived.append(time.perf_counter())
            seen[key.fd] += new
    sending.join()
    return arrived
