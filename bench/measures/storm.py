"""Many readers cut off at once: how long until all are back and have what was said meanwhile, each event once."""

from __future__ import annotations

import json
import re
import selectors
import socket
import struct
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from bench.kinds import TERTULIA
from bench.load import PATIENCE, Missing, Readers, Subject, handshake
from bench.measures import Plan
from bench.poster import Poster
from bench.report import Findings, Row

READERS = 10_000
TOGETHER = 256
BEFORE, AWAY, AFTER = 20, 30, 5
_EVENT = re.compile(rb'"seq":(\d+),"kind":"comment.created"')
_LONGEST_MATCH = 64
_RESET = struct.pack("ii", 1, 0)


def measure(plan: Plan, findings: Findings, readers: int = READERS) -> None:
    plan.say(f"{readers:,} readers cut off at once")
    subject = Subject(TERTULIA)
    try:
        poster = Poster(subject.port)
        for number in range(BEFORE):
            poster.post(f"Before, {number}")
        epoch = json.loads(poster.get("/api/v1/discussion?key=bench"))["discussion"]["epoch"]
        crowd = Readers(subject, readers)
        started, busy = time.perf_counter(), subject.busy()
        for one in crowd.sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        crowd.close()
        for number in range(AWAY):
            poster.post(f"Away, {number}")
        back = Returning(subject.port, f"/api/v1/live?key=bench&epoch={epoch}&after={BEFORE}", BEFORE)
        back.all_have(readers, BEFORE + AWAY)
        seconds, work = time.perf_counter() - started, subject.busy() - busy
        for number in range(AFTER):
            poster.post(f"After, {number}")
        back.all_have(readers, BEFORE + AWAY + AFTER)
        back.close()
        poster.close()
    finally:
        subject.end()
    findings.rows.append(
        Row(
            f"s until {readers:,} cut off readers have all they missed",
            f"{seconds:.1f}",
            f"of it {work:.1f} s of the server's core",
            "",
            "≤ 10 s",
            seconds <= 10,
        )
    )


@dataclass(slots=True)
class _Reader:
    socket: socket.socket
    seq: int
    rest: bytes = b""
    asked: bool = False
    heard: bool = False


@dataclass
class Returning:
    """Readers that come back with ``after``; raises Missing where one gets an event out of turn."""

    port: int
    path: str
    after: int
    readers: dict[int, _Reader] = field(default_factory=dict)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def all_have(self, count: int, seq: int) -> None:
        """Connects those that are not there yet and reads until all stand at ``seq``."""
        request = handshake(self.path)
        coming = deque(range(count - len(self.readers)))
        unheard = behind = 0
        behind = len(coming) + sum(reader.seq < seq for reader in self.readers.values())
        while behind:
            while coming and unheard < TOGETHER:
                coming.popleft()
                self._connect()
                unheard += 1
            ready = self.selector.select(PATIENCE)
            if not ready:
                raise Missing(f"{behind} readers did not get event {seq}")
            for key, _ in ready:
                reader = self.readers[key.fd]
                if not reader.asked:
                    reader.socket.sendall(request)
                    reader.asked = True
                    self.selector.modify(reader.socket, selectors.EVENT_READ)
                    continue
                was_behind = reader.seq < seq
                self._read(reader)
                unheard -= not reader.heard
                reader.heard = True
                behind -= was_behind and reader.seq >= seq

    def close(self) -> None:
        for reader in self.readers.values():
            reader.socket.close()
        self.selector.close()

    def _connect(self) -> None:
        one = socket.socket()
        one.setblocking(False)
        with suppress(BlockingIOError):
            one.connect(("127.0.0.1", self.port))
        self.readers[one.fileno()] = _Reader(one, self.after)
        self.selector.register(one, selectors.EVENT_WRITE)

    def _read(self, reader: _Reader) -> None:
        piece = reader.socket.recv(262_144)
        if not piece:
            raise Missing("a reader that came back was sent away")
        whole, end = reader.rest + piece, 0
        for found in _EVENT.finditer(whole):
            if int(found[1]) != reader.seq + 1:
                raise Missing(f"a reader at {reader.seq} got event {int(found[1])}")
            reader.seq += 1
            end = found.end()
        reader.rest = whole[max(end, len(whole) - _LONGEST_MATCH) :]
