"""Raw sockets: clients that send what no library would send, and a look at what they cost the server."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.support.api_client import ApiClient
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE

MIB = 1024 * 1024
TEXT, BINARY, CONT, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
WS_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="


@dataclass(frozen=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Frame:
    """One WebSocket frame as it came."""

    opcode: int
    payload: bytes
    deflated: bool = False

    @property
    def code(self) -> int:
        """The code of a close frame."""
        assert self.opcode == CLOSE, self
        return int.from_bytes(self.payload[:2], "big")


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv1: bool = False,
    masked: bool = True,
    announced: int | None = None,
) -> bytes:
    """A client's frame, with a mask of zeros; ``announced`` is a length that is not its own."""
    length = len(payload) if announced is None else announced
    mask = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | (0x40 if rsv1 else 0) | opcode])
    if length < 126:
        head += bytes([mask | length])
    elif length < 65_536:
        head += bytes([mask | 126]) + struct.pack("!H", length)
    else:
        head += bytes([mask | 127]) + struct.pack("!Q", length)
    return head + (bytes(4) if masked else b"") + payload


def upgrade(path: str, *extra: str) -> bytes:
    """The head of a WebSocket handshake."""
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: news.test",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {WS_KEY}",
        *extra,
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def live(key: str, **parameters: Any) -> str:
    """The address of a discussion's WebSocket."""
    return f"/api/v1/live?{urlencode({'key': key, **parameters})}"


def get(path: str = "/healthz", *extra: str) -> bytes:
    """A GET request."""
    return "".join(f"{line}\r\n" for line in (f"GET {path} HTTP/1.1", "Host: news.test", *extra, "")).encode()


class Raw:
    """A connection from ``address`` to the server."""

    def __init__(self, server: ServerProcess, address: str = "127.0.0.2", *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        try:
            if receive_buffer is not None:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.settimeout(PATIENCE)
            self.socket.bind((address, 0))
            self.socket.connect(("127.0.0.1", server.port))
        except BaseException:
            self.socket.close()
            raise
        self._kept = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    # ---- out --------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> bool:
        """Sends it all; False where the server took no more of it."""
        try:
            self.socket.sendall(data)
        except (ConnectionError, TimeoutError):
            return False
        return True

    def send_bytewise(self, data: bytes) -> None:
        """Each byte in a segment of its own, as far as the kernel lets us say so."""
        for index in range(len(data)):
            self.socket.sendall(data[index : index + 1])
            if index % 8 == 0:
                time.sleep(0.001)  # lets the server read what there is

    def reset(self) -> bool:
        """Ends without goodbye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        return True

    # ---- in ---------------------------------------------------------------------------------------------

    def _more(self) -> bool:
        try:
            piece = self.socket.recv(65_536)
        except ConnectionError:
            return False
        except TimeoutError:
            raise AssertionError(f"nothing came for {PATIENCE} s after {self._kept[-200:]!r}") from None
        self._kept += piece
        return bool(piece)

    def _take(self, count: int) -> bytes:
        while len(self._kept) < count:
            if not self._more():
                raise EOFError(self._kept)
        taken, self._kept = self._kept[:count], self._kept[count:]
        return taken

    def rest(self) -> bytes:
        """Everything until the server closes."""
        while self._more():
            pass
        rest, self._kept = self._kept, b""
        return rest

    def read_until(self, mark: bytes) -> bytes:
        """Everything up to the end of ``mark``."""
        while mark not in self._kept:
            if not self._more():
                raise EOFError(self._kept)
        return self._take(self._kept.index(mark) + len(mark))

    def answer(self) -> Answer:
        """The next response."""
        head = self.read_until(b"\r\n\r\n").removesuffix(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split(" ")[1])
        if status == 101:
            return Answer(status, headers, b"")
        if "content-length" in headers:
            return Answer(status, headers, self._take(int(headers["content-length"])))
        assert "transfer-encoding" not in headers, headers
        return Answer(status, headers, self.rest())

    def frame(self) -> Frame:
        """The next frame."""
        first, second = self._take(2)
        assert second < 128, "a server masks nothing"
        length = second
        if length == 126:
            length = int.from_bytes(self._take(2), "big")
        elif length == 127:
            length = int.from_bytes(self._take(8), "big")
        return Frame(first & 0x0F, self._take(length), bool(first & 0x40))

    def frame_of(self, opcode: int) -> Frame:
        """The next frame of this kind."""
        while True:
            found = self.frame()
            if found.opcode == opcode:
                return found

    def until_code(self) -> int | None:
        """The code that the server closes with, None where it only hung up; the connection is at its end then."""
        code = None
        with suppress(EOFError):
            code = self.frame_of(CLOSE).code
        self.rest()
        return code

    def follow(self, path: str, *extra: str) -> Answer:
        """A handshake up to its answer."""
        assert self.send(upgrade(path, *extra))
        answer = self.answer()
        assert answer.status == 101, answer
        return answer


@dataclass
class Slow:
    """A connection, and what it says now and then."""

    raw: Raw
    drip: bytes = b""
    closed_after: float | None = None


def until_closed(slow: Sequence[Slow], seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Lets them speak twice a second until the server closed them all; fails after ``seconds``."""
    began = next_drip = time.monotonic()
    poll = select.poll()
    open_ = {one.raw.socket.fileno(): one for one in slow}
    for number in open_:
        poll.register(number, select.POLLIN)
    while open_:
        now = time.monotonic()
        assert now - began < seconds, f"{len(open_)} of {len(slow)} connections open after {seconds} s"
        if now >= next_drip:
            next_drip = now + 0.5
            for one in open_.values():
                if one.drip:
                    one.raw.send(one.drip)
            meanwhile()
        for number, _ in poll.poll(100):
            one = open_[number]
            with suppress(ConnectionError):
                if one.raw.socket.recv(65_536):
                    continue
            poll.unregister(number)
            del open_[number]
            one.closed_after = time.monotonic() - began


@dataclass
class Cost:
    """The peak of a server's memory above what it was at the beginning, and the time."""

    growth: int = 0
    seconds: float = 0.0


@contextmanager
def costing(server: ServerProcess, at_most: int) -> Iterator[Cost]:
    """Asserts how many bytes of memory the server takes meanwhile, at its peak."""
    cost = Cost()
    Path(f"/proc/{_pid(server)}/clear_refs").write_text("5")  # the peak is from now on
    before, began = _memory(server, "VmRSS"), time.monotonic()
    yield cost
    cost.seconds = time.monotonic() - began
    cost.growth = _memory(server, "VmHWM") - before
    note(f"{cost.growth / MIB:.1f} MiB, {cost.seconds:.2f} s")
    assert cost.growth < at_most, f"{cost.growth / MIB:.1f} MiB"


def note(text: str) -> None:
    """Shown by pytest -s."""
    print(os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[2], text)


def _pid(server: ServerProcess) -> int:
    return server._process.pid


def _memory(server: ServerProcess, name: str) -> int:
    for line in Path(f"/proc/{_pid(server)}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(name)


@dataclass
class WellBehavedClient:
    """Somebody from another address who reads and writes in one discussion as usual."""

    server: ServerProcess
    key: str = field(default_factory=lambda: f"discussion {uuid.uuid4()}")
    seen: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open = ExitStack()
        self.client = self._open.enter_context(
            httpx.Client(
                base_url=self.server.url,
                timeout=PATIENCE,
                transport=httpx.HTTPTransport(local_address="127.0.0.9"),
            )
        )
        self._api = ApiClient(self.client, self.key)
        self._socket: ClientConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def healthy(self) -> None:
        answer = self.client.get("/healthz")
        assert answer.status_code == 200, answer.text

    def post(self, body: str = "Hello.") -> int:
        """Posts; the seq of the comment."""
        posted = self._api.post_comment(body)
        self._api.token = posted.get("token", self._api.token)
        seq: int = posted["seq"]
        return seq

    def readers(self) -> int:
        count: int = self._api.snapshot()["discussion"]["readers"]
        return count

    def connections(self) -> int:
        """All that are open at the server, as it says."""
        metrics = self.client.get("/metrics").text
        return int(
            float(next(line.split()[1] for line in metrics.splitlines() if line.startswith("tertulia_connections ")))
        )

    def follow(self, **parameters: Any) -> ClientConnection:
        """Begins to read, and has joined when it returns; ``read_until`` goes on."""
        url = self.server.url.replace("http", "ws") + live(self.key, **parameters)
        self._socket = self._open.enter_context(
            connect(url, proxy=None, max_size=None, source_address=("127.0.0.9", 0))
        )
        assert json.loads(self._socket.recv(PATIENCE))["type"] == "hello"
        return self._socket

    def read_until(self, seq: int) -> list[int]:
        """The seqs that came, once this one is among them."""
        assert self._socket is not None
        while not self.seen or self.seen[-1] < seq:
            message = json.loads(self._socket.recv(PATIENCE))
            if message["type"] == "events":
                self.seen += [event["seq"] for event in message["events"]]
        return self.seen

    def post_and_read(self) -> None:
        """A comment goes out and comes back."""
        if self._socket is None:
            self.follow()
        seq = self.post()
        assert self.read_until(seq) == list(range(1, seq + 1))
