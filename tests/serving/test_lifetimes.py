"""What comes and goes with clients is free when they are gone, without the cyclic collector."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol as Protocol_

import h11
import pytest
from uvicorn.protocols.http.h11_impl import RequestResponseCycle
from websockets.protocol import Protocol

from tertulia.app import running
from tertulia.live.reader import Reader
from tertulia.live.tuning import Tuning
from tertulia.pages.discussion_page import DiscussionPage
from tertulia.push.queued import QueuedConnection
from tertulia.serving.detached import DetachedReader
from tertulia.serving.http import BoundedHTTP
from tertulia.serving.limiter import ConnectionLimiter
from tertulia.serving.stats import ServerStats
from tertulia.serving.unread import Unread
from tertulia.serving.websocket import LiveWebSocket
from tertulia.settings import Settings
from tests.serving.raw import CLOSE, PING, TEXT, frame, get, upgrade
from tests.support.in_process import listening
from tests.support.waiting import PATIENCE, until

TIMES = 5
LIVE = "/api/v1/live?key=a"
WATCHED = (
    LiveWebSocket,
    DetachedReader,
    BoundedHTTP,
    Reader,
    QueuedConnection,
    Protocol,
    h11.Connection,
    RequestResponseCycle,
    DiscussionPage,
    asyncio.Transport,
    asyncio.Task,
)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Nothing is found by the collector meanwhile, and what was there before is not looked at."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


UNREAD_BYTES = 64 * 1024 * 1024


class Server:
    """The application on our protocol classes, in this process."""

    def __init__(self, port: int, limiter: ConnectionLimiter) -> None:
        self.port = port
        self.limiter = limiter

    async def until_left(self) -> None:
        await until(lambda: self.limiter.count == 0, "no connection that is counted")


@pytest.fixture
def tuning() -> Tuning:
    return Tuning()


@pytest.fixture
async def server(tmp_path: Path, tuning: Tuning) -> AsyncIterator[Server]:
    settings = Settings(data_dir=tmp_path, post_limit_guest="off", post_limit_address="off")
    stats = ServerStats(ConnectionLimiter(1_000, 1_000), Unread(UNREAD_BYTES))
    async with running(settings, stats, tuning=tuning) as application, listening(application.asgi, stats) as port:
        yield Server(port, stats.limiter)


class Until(Protocol_):
    """Reads until a mark comes, or the end; says something then."""

    async def __call__(self, mark: bytes, then: bytes = b"") -> None: ...


@asynccontextmanager
async def said(server: Server, data: bytes, *, resets: bool = False) -> AsyncIterator[Until]:
    """A client that has said something."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", server.port))
        await loop.sock_sendall(client, data)

        async def until(mark: bytes, then: bytes = b"") -> None:
            found = b""
            async with asyncio.timeout(PATIENCE):
                while mark not in found and (piece := await loop.sock_recv(client, 65_536)):
                    found += piece
                await loop.sock_sendall(client, then)

        yield until
        if resets:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


END = b"never said"


async def _closes(server: Server) -> None:
    async with said(server, upgrade(LIVE)) as until:
        await until(b"hello", frame(CLOSE, b"\x03\xe8"))
        await until(END)


async def _leaves(server: Server) -> None:
    async with said(server, upgrade(LIVE)) as until:
        await until(b"hello")


async def _resets(server: Server) -> None:
    async with said(server, upgrade(LIVE), resets=True) as until:
        await until(b"hello")


async def _leaves_early(server: Server) -> None:
    async with said(server, upgrade(LIVE), resets=True):
        pass


async def _speaks(server: Server) -> None:
    request = upgrade(LIVE, "Sec-WebSocket-Extensions: permessage-deflate")
    async with said(server, request) as until:
        await until(b"\r\n\r\n", frame(TEXT, b'{"type":"writing"}') + frame(PING))
        await until(b"\x8a\x00")


async def _speaks_nonsense(server: Server) -> None:
    async with said(server, upgrade(LIVE)) as until:
        await until(b"hello", b"\xff\xff\xff")
        await until(END)


async def _is_refused(server: Server) -> None:
    async with said(server, upgrade(f"{LIVE}&site=nowhere")) as until:
        await until(b"gone", frame(CLOSE, b"\x03\xe8"))
        await until(END)


async def _is_refused_at_the_library(server: Server) -> None:
    async with said(server, upgrade(f"{LIVE}&nothing=1", "Sec-WebSocket-Protocol: x")) as until:
        await until(b"malformed", frame(CLOSE, b"\x03\xe8"))
        await until(END)


async def _no_handshake(server: Server) -> None:
    async with said(server, upgrade(LIVE).replace(b"Version: 13", b"Version: 12")) as until:
        await until(END)


async def _no_socket_here(server: Server) -> None:
    async with said(server, upgrade("/nothing-here")) as until:
        await until(END)


async def _no_http(server: Server) -> None:
    async with said(server, b"GET / HTP\r\n\r\n") as until:
        await until(END)


async def _half_a_head(server: Server) -> None:
    async with said(server, b"GET / HT"):
        pass


async def _kept_alive(server: Server) -> None:
    async with said(server, get()) as until:
        await until(b"ok", get())
        await until(b"ok")


async def _catches_up(server: Server) -> None:
    async with said(server, get("/api/v1/events?key=a", "Connection: close")) as until:
        await until(END)


async def _reads_a_page(server: Server) -> None:
    async with said(server, get("/d?key=a", "Connection: close")) as until:
        await until(END)


async def _streams(server: Server) -> None:
    async with said(server, get("/api/v1/events?key=a", "Accept: text/event-stream")) as until:
        await until(b"hello")


async def _posts_nonsense(server: Server) -> None:
    head = get("/api/v1/comments", "Content-Type: application/json", "Content-Length: 2", "Connection: close")
    async with said(server, head.replace(b"GET", b"POST") + b"{}") as until:
        await until(END)


WAYS = [
    _closes,
    _leaves,
    _resets,
    _leaves_early,
    _speaks,
    _speaks_nonsense,
    _is_refused,
    _is_refused_at_the_library,
    _no_handshake,
    _no_socket_here,
    _no_http,
    _half_a_head,
    _kept_alive,
    _catches_up,
    _reads_a_page,
    _streams,
    _posts_nonsense,
]


async def test_a_connection_that_is_gone_leaves_nothing(server: Server, uncollected: None) -> None:
    for way in WAYS:
        await way(server)  # what a first use makes stays
    await server.until_left()
    for way in WAYS:
        gc.collect()
        before = _living()
        for _ in range(TIMES):
            await way(server)
        await _until_there_are(before, way.__name__, server)


@pytest.mark.parametrize("tuning", [Tuning(stall_seconds=0.0, housekeeping_seconds=0.05)], ids=["no patience"])
async def test_a_reader_that_is_too_slow_leaves_nothing(server: Server, uncollected: None) -> None:
    await _leaves(server)
    await server.until_left()
    before = _living()
    async with said(server, upgrade(LIVE)) as until:
        await until(b"hello")
        reader = next(one for one in gc.get_objects() if isinstance(one, Reader))
        reader.pause()
        del reader
        await until(b"too_slow")
    await _until_there_are(before, "a reader", server)


def _living() -> Counter[str]:
    """How many there are of what is watched; a test's own tasks are the same at each look."""
    kinds, todo = set[type](), list[type](WATCHED)
    while todo:
        kinds.add(todo[-1])
        todo += todo.pop().__subclasses__()
    return Counter(type(one).__qualname__ for one in gc.get_objects() if type(one) in kinds)


async def _until_there_are(before: Counter[str], what: str, server: Server) -> None:
    await server.until_left()
    await until(lambda: not _living() - before, lambda: f"nothing left of {what}, but there is {_living() - before}")
