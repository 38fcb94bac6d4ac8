"""How streams end: a reader too slow to be waited for, and a server that goes."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tertulia.live.tuning import STALL_SECONDS
from tests.push.readers import Reader, posting, sse, websocket
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE, within

BIG = "\n".join("😀" * (14 + number % 2) for number in range(645))
"""A comment as large as one may be: its document has just less than 64 KiB, its event a little more."""

LARGE = 8
"""So many of them are more than an impatient server keeps for one who does not read: about 64 KiB in the queue of an
event stream, as much in the transport's buffer, and little in the kernel's."""


@asynccontextmanager
async def _stalled(server: ServerProcess, request: str) -> AsyncIterator[socket.socket]:
    """A connection on which nothing is read after the request was sent; its buffers are as small as can be."""
    loop = asyncio.get_running_loop()
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await loop.sock_connect(raw, ("127.0.0.1", server.port))
        await loop.sock_sendall(raw, request.encode())
        yield raw


def _upgrade(server: ServerProcess, key: str) -> str:
    return (
        f"GET /api/v1/live?key={key} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )


def _stream(server: ServerProcess, key: str) -> str:
    return (
        f"GET /api/v1/events?key={key} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept: text/event-stream\r\n\r\n"
    )


async def _rest(raw: socket.socket) -> bytes:
    """Everything until the server closes the connection."""

    async def read() -> bytes:
        found = b""
        with suppress(ConnectionResetError):
            while piece := await asyncio.get_running_loop().sock_recv(raw, 65_536):
                found += piece
        return found

    return await within(read(), "the end of a stalled connection")


@pytest.mark.parametrize("kind", ["websocket", "sse"])
async def test_a_slow_reader_is_let_go_and_the_others_miss_nothing(
    starting: Callable[..., ServerProcess], kind: str
) -> None:
    server = starting(stall_seconds=2)
    request = _upgrade(server, "slow") if kind == "websocket" else _stream(server, "slow")
    async with (
        posting(server, "slow") as author,
        websocket(server, "slow") as other,
        sse(server, "slow") as (another, _),
        _stalled(server, request) as raw,
    ):
        await author.until_readers(3)
        for _ in range(LARGE):
            last = (await author.post(BIG))["seq"]
            for reader in (other, another):
                assert [event["seq"] for event in await reader.until_seq(last)] == list(range(1, last + 1))
        await author.until_readers(2)
        metrics = (await author.client.get("/metrics")).text
        assert "\ntertulia_readers_evicted_total 1.0\n" in metrics, "something else ended it"
        last = (await author.post("still here"))["seq"]
        for reader in (other, another):
            await reader.until_seq(last)
        assert other.events == another.events
        await _rest(raw)


async def test_a_comment_larger_than_the_buffer_ends_nobody(starting: Callable[..., ServerProcess]) -> None:
    """Who has read everything is not slow, however much comes at once."""
    server = starting()
    async with (
        posting(server, "big") as author,
        websocket(server, "big") as one,
        sse(server, "big") as (two, _),
    ):
        await author.until_readers(2)
        for n in range(1, 4):
            await author.post(BIG)
            for reader in (one, two):
                await reader.until_seq(n)
        assert await author.readers() == 2


async def _close_code(reader: Reader) -> int:
    with pytest.raises(ConnectionClosed):
        await reader.read_to_end()
    assert reader.socket is not None
    assert reader.socket.close_code is not None
    return reader.socket.close_code


async def test_a_server_that_ends_tells_its_readers_to_come_back(starting: Callable[..., ServerProcess]) -> None:
    server = starting()
    async with (
        posting(server) as author,
        websocket(server, author.key) as one,
        websocket(server, "another") as two,
        sse(server, author.key) as (stream, _),
    ):
        for reader in (one, two, stream):
            await reader.until("hello")
        started = time.monotonic()
        ending = asyncio.create_task(asyncio.to_thread(server.end))
        assert await _close_code(one) == 1012
        assert await _close_code(two) == 1012
        with pytest.raises(EOFError):
            await stream.read_to_end()
    assert await within(ending, "the end of the server") == 0
    assert time.monotonic() - started < 5
    assert "Traceback" not in server.output


async def test_a_server_without_readers_ends_at_once(starting: Callable[..., ServerProcess]) -> None:
    server = starting()
    started = time.monotonic()
    assert await asyncio.to_thread(server.end) == 0
    assert time.monotonic() - started < 5


async def test_a_reader_that_takes_nothing_does_not_hold_the_server(starting: Callable[..., ServerProcess]) -> None:
    server = starting(stall_seconds=STALL_SECONDS)
    async with posting(server, "slow") as author, _stalled(server, _upgrade(server, "slow")):
        await author.until_readers(1)
        for _ in range(LARGE):
            await author.post(BIG)
        assert await author.readers() == 1, "it is still waited for"
        started = time.monotonic()
        assert await within(asyncio.to_thread(server.end), "the end of the server", 25) == 0
        assert time.monotonic() - started < 15


async def test_a_server_that_drains_says_so(starting: Callable[..., ServerProcess]) -> None:
    """A connection kept open is still answered while another request holds the server."""
    server = starting()
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
        assert (await client.get("/readyz")).json() == {"status": "ok"}
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        held = await _stalling_post(server, writer)
        ending = asyncio.create_task(asyncio.to_thread(server.end))
        try:
            answer = await within(_until_draining(client), "an answer while it drains")
            assert answer is None or answer.json() == {"status": "draining"}
        finally:
            writer.write(held)
            await writer.drain()
            assert b" 201 " in await within(reader.readline(), "the answer that was under way")
            writer.close()
    assert await within(ending, "the end of the server") == 0


async def _stalling_post(server: ServerProcess, writer: asyncio.StreamWriter) -> bytes:
    """Sends all of a post but its last byte, which it gives back."""
    body = b'{"key":"talk","body":"x","author":{"name":"Lan"}}'
    head = (
        f"POST /api/v1/comments HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {'k' * 32}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body[:-1])
    await writer.drain()
    return body[-1:]


async def _until_draining(client: httpx.AsyncClient) -> httpx.Response | None:
    """The first answer 503, or None where the server took no more questions before it gave one."""
    while True:
        try:
            answer = await client.get("/readyz")
        except httpx.TransportError:
            return None
        if answer.status_code == 503:
            return answer
