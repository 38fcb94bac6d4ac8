"""Thousands of connections from a few addresses, and somebody honest who reads and writes meanwhile."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import Counter
from contextlib import suppress

from bench.kinds import GUARDED
from bench.load import Subject, handshake, read_until
from bench.measures import Plan
from bench.poster import Poster
from bench.report import Findings, Row

ADDRESSES = [f"127.0.1.{number}" for number in range(1, 9)]
HONEST = "127.0.0.9"
CONNECTIONS = 12_000
TOGETHER = 512


def measure(plan: Plan, findings: Findings, connections: int = CONNECTIONS) -> None:
    """The server has the bounds that it has by default."""
    plan.say(f"{connections:,} connections from {len(ADDRESSES)} addresses")
    subject = Subject(GUARDED)
    try:
        _visit(subject.port)
        before = subject.rss()
        honest = _Honest(subject.port)
        honest.start()
        answers, held = attack(subject.port, connections)
        honest.until(visits=3)
        growth = (subject.rss() - before) / 1024 / 1024
        for one in held:
            one.close()
    finally:
        subject.end()
    slowest = max(honest.times)
    findings.rows.append(
        Row(
            f"s to connect, post and read it, {connections:,} hostile connections, slowest of {len(honest.times)}",
            f"{slowest:.2f}",
            f"{answers[b'101']:,} let in, {answers[b'503']:,} refused · +{growth:.1f} MiB",
            "",
            "< 1 s",
            slowest < 1,
        )
    )


def _visit(port: int) -> float:
    """Seconds to connect, hear the greeting, post and read what was posted."""
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), 30, source_address=(HONEST, 0)) as reader:
        reader.sendall(handshake("/api/v1/live?key=bench"))
        read_until(reader, b"hello")
        writer = Poster(port, HONEST)
        seq = writer.post("Still here.")
        writer.close()
        read_until(reader, b'"seq":%d,"kind"' % seq)
    return time.perf_counter() - started


class _Honest(threading.Thread):
    """Comes again and again until it is told to stop. Raises in ``until`` what a visit raised."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.times: list[float] = []
        self._port = port
        self._left: int | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            while self._left is None or self._left > 0:
                self.times.append(_visit(self._port))
                if self._left is not None:
                    self._left -= 1
        except BaseException as error:
            self._error = error

    def until(self, visits: int) -> None:
        self._left = visits
        self.join()
        if self._error is not None:
            raise self._error


def attack(port: int, connections: int) -> tuple[Counter[bytes], list[socket.socket]]:
    """What they were answered, and those that are still open; each asks for a live discussion and reads nothing."""
    selector = selectors.DefaultSelector()
    answers: Counter[bytes] = Counter()
    held: list[socket.socket] = []
    request, opened = handshake("/api/v1/live?key=bench"), 0
    while opened < connections or selector.get_map():
        while opened < connections and len(selector.get_map()) < TOGETHER:
            one = socket.socket()
            one.setblocking(False)
            one.bind((ADDRESSES[opened % len(ADDRESSES)], 0))
            with suppress(BlockingIOError):
                one.connect(("127.0.0.1", port))
            selector.register(one, selectors.EVENT_WRITE)
            opened += 1
        for key, event in selector.select(30):
            one = key.fileobj  # type: ignore[assignment]
            with suppress(ConnectionError):
                if event & selectors.EVENT_WRITE:
                    one.send(request)
                    selector.modify(one, selectors.EVENT_READ)
                    continue
                answer = one.recv(4096)[9:12]
                answers[answer] += 1
                if answer == b"101":
                    held.append(one)
                    selector.unregister(one)
                    continue
            selector.unregister(one)
            one.close()
    return answers, held
