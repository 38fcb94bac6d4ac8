"""The load: many readers over raw sockets in one process, counting what arrives against what was sent."""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
TOGETHER = 50
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"


class Missing(SystemExit):
    """A message did not arrive, or came twice: no figure counts then."""


class Subject:
    """A server process on the first core; this process takes the second."""

    def __init__(self, name: str, command: list[str] | None = None) -> None:
        self.name = name
        self.port = _free_port()
        run = command or [sys.executable, "-m", "bench.subjects", name, str(self.port)]
        run = [part.replace("PORT", str(self.port)) for part in run]
        pinned = ["taskset", "-c", "0", *run]
        self.process = subprocess.Popen(pinned, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE.parent)
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == b"ready", f"{name} did not start"

    def rss(self) -> int:
        """Resident memory in bytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS")))

    def busy(self) -> float:
        """Seconds of processor time that the server has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def send(self, count: int) -> None:
        assert self.process.stdin is not None
        os.write(self.process.stdin.fileno(), b"%d\n" % count)

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


class Readers:
    """Connected readers of one subject. ``mark`` is what each message holds once.

    ``connects_per_second`` is what one busy core of the server does: counted by its processor time, since one process
    that connects cannot keep it busy.
    """

    def __init__(self, subject: Subject, count: int, *, mark: bytes = b'"seq":', deflate: bool = False) -> None:
        self.subject = subject
        self.mark = mark
        self.sockets: list[socket.socket] = []
        before = subject.busy()
        request = _handshake(deflate)
        while len(self.sockets) < count:
            batch = [self._open(request) for _ in range(min(TOGETHER, count - len(self.sockets)))]
            for one in batch:
                _read_hello(one)
            self.sockets += batch
        self.connects_per_second = count / max(subject.busy() - before, 0.01)
        self._selector = selectors.DefaultSelector()
        for one in self.sockets:
            one.setblocking(False)
            self._selector.register(one, selectors.EVENT_READ)
        self.settle()

    def _open(self, request: bytes) -> socket.socket:
        one = socket.create_connection(("127.0.0.1", self.subject.port))
        one.sendall(request)
        return one

    def settle(self) -> None:
        """Takes what still comes (presence) until two seconds are quiet."""
        while ready := self._selector.select(2.0):
            for key, _ in ready:
                key.fileobj.recv(262_144)  # type: ignore[union-attr]

    def fan_out(self, total: int, window: int) -> float:
        """Deliveries a second of ``total`` messages, ``window`` of them on their way at once."""
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
            raise Missing(f"{self.subject.name}: {total} were sent, a reader has {max(seen.values())}")
        return total * len(seen) / seconds

    def _take(self, seen: dict[int, int], behind: set[int], sent: int) -> None:
        ready = self._selector.select(20.0)
        if not ready:
            raise Missing(f"{self.subject.name}: {len(behind)} readers did not get message {sent}")
        for key, _ in ready:
            seen[key.fd] += key.fileobj.recv(262_144).count(self.mark)  # type: ignore[union-attr]
            if seen[key.fd] >= sent:
                behind.discard(key.fd)

    def close(self) -> None:
        for one in self.sockets:
            one.close()
        self._selector.close()


def _handshake(deflate: bool) -> bytes:
    return (
        "GET /api/v1/live?key=bench HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\n{DEFLATE if deflate else ''}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


def _read_hello(one: socket.socket) -> None:
    one.settimeout(20)
    found = b""
    while b"hello" not in found and not (b"permessage-deflate" in found and found.count(b"\r\n\r\n")):
        piece = one.recv(4096)
        if not piece:
            raise Missing("a connection was refused")
        found += piece


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port
