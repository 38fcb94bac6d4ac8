"""The load: many readers over raw sockets in one process, counting what arrives against what was sent."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bench.kinds import HERE, Kind

TOGETHER = 50
PATIENCE = 30.0
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"


class Missing(SystemExit):
    """A message did not arrive, or came twice: no figure counts then."""


class Subject:
    """A server process on one core, if nothing else is said the first; this process takes the second."""

    def __init__(self, kind: Kind, *more: str, core: int = 0) -> None:
        self.kind = kind
        self.port = free_port()
        run = [part.replace("PORT", str(self.port)) for part in kind.command]
        self.process = subprocess.Popen(
            ["taskset", "-c", str(core), *run, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE.parent
        )
        assert self.process.stdout is not None
        ready, *pid = self.process.stdout.readline().split() or [b""]
        if ready != b"ready":
            self.end()
            raise Missing(f"{kind.label} did not start")
        self.pid = int(pid[0]) if pid else self.process.pid

    def rss(self) -> int:
        """Resident memory in bytes."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS")))

    def busy(self) -> float:
        """Seconds of processor time that the server has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal_profile(self, *, start: bool) -> None:
        """Begins or ends what ``bench.subjects.profiled`` records."""
        os.kill(self.pid, signal.SIGUSR1 if start else signal.SIGUSR2)

    def send(self, count: int) -> None:
        assert self.process.stdin is not None
        os.write(self.process.stdin.fileno(), b"%d\n" % count)

    def end(self) -> None:
        """Ends the server; more than once is no harm."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()


class Readers:
    """Connected readers of one subject; ``mark`` is counted where it is not the subject's own.

    ``connects_per_second`` is what one busy core of the server does: counted by its processor time, since one process
    that connects cannot keep it busy.
    """

    def __init__(self, subject: Subject, count: int, *, mark: bytes | None = None, deflate: bool = False) -> None:
        self.subject = subject
        self.mark = mark or subject.kind.mark
        self.sockets: list[socket.socket] = []
        self._rests: dict[int, bytes] = {}
        before = subject.busy()
        request = handshake(subject.kind.path, deflate=deflate)
        while len(self.sockets) < count:
            batch = [self._open(request) for _ in range(min(TOGETHER, count - len(self.sockets)))]
            for one in batch:
                read_until(one, b"\r\n\r\n")
                one.sendall(subject.kind.opening)
            self.sockets += batch
        self.connects_per_second = count / max(subject.busy() - before, 0.01)
        self.watch()
        self.settle()

    def watch(self) -> None:
        """From here on what comes is read as it comes; the loop is kept lean, or it would be what is measured."""
        self._poll = select.epoll()
        self._receive: dict[int, Callable[[int], bytes]] = {}
        for one in self.sockets:
            one.setblocking(False)
            self._poll.register(one.fileno(), select.EPOLLIN)
            self._receive[one.fileno()] = one.recv

    def _open(self, request: bytes) -> socket.socket:
        one = socket.create_connection(("127.0.0.1", self.subject.port), PATIENCE)
        one.sendall(request)
        return one

    def pieces(self, seconds: float) -> list[tuple[int, bytes]]:
        """What came, by the reader's file number; empty after ``seconds`` without anything."""
        receive = self._receive
        return [(reader, receive[reader](262_144)) for reader, _ in self._poll.poll(seconds)]

    def settle(self, quiet: float = 2.0) -> None:
        """Takes what still comes (greetings, presence, the rest of the last run) until so many seconds are quiet."""
        while found := self.pieces(quiet):
            if not all(piece for _, piece in found):
                raise Missing(f"{self.subject.kind.label} closed a connection")

    def fan_out(self, total: int, window: int) -> float:
        """Deliveries a second of ``total`` messages, ``window`` of them on their way at once."""
        self.settle(0)
        seen = {one.fileno(): 0 for one in self.sockets}
        sent, behind = min(window, total), set(seen)
        started = time.perf_counter()
        self.subject.send(sent)
        while behind or sent < total:
            if not behind:
                more = min(window, total - sent)
                sent += more
                behind = {reader for reader, count in seen.items() if count < sent}
                self.subject.send(more)
            self._take(seen, behind, sent)
        seconds = time.perf_counter() - started
        if any(count != total for count in seen.values()):
            raise Missing(f"{self.subject.kind.label}: {total} were sent, a reader has {max(seen.values())}")
        return total * len(seen) / seconds

    def take_until(self, seen: dict[int, int], wanted: int) -> None:
        """Counts in ``seen`` what comes until each reader has as much as is ``wanted``."""
        behind = {reader for reader, count in seen.items() if count < wanted}
        while behind:
            self._take(seen, behind, wanted)

    def _take(self, seen: dict[int, int], behind: set[int], sent: int) -> None:
        found = self.pieces(PATIENCE)
        if not found:
            raise Missing(f"{self.subject.kind.label}: {len(behind)} readers did not get message {sent}")
        for reader, piece in found:
            seen[reader] += self.messages(reader, piece)
            if seen[reader] >= sent:
                behind.discard(reader)

    def messages(self, reader: int, piece: bytes) -> int:
        """How many messages are in what came; a mark may be cut in two."""
        if piece.endswith(b"}") and reader not in self._rests:
            return piece.count(self.mark)
        if not piece:
            raise Missing(f"{self.subject.kind.label} closed a connection")
        whole = self._rests.pop(reader, b"") + piece
        if not piece.endswith(b"}"):
            self._rests[reader] = whole[-len(self.mark) + 1 :]
        return whole.count(self.mark)

    def close(self) -> None:
        for one in self.sockets:
            one.close()
        self._poll.close()


def handshake(path: str, *, deflate: bool = False) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\n{DEFLATE if deflate else ''}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


def read_until(one: socket.socket, mark: bytes) -> bytes:
    one.settimeout(PATIENCE)
    found = b""
    while mark not in found:
        piece = one.recv(4096)
        if not piece:
            raise Missing("a connection was refused")
        found += piece
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port
