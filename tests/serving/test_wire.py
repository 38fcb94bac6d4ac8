"""What one connection may make the server do, counted: calls of the parser, reads, bytes that wait."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import termios
import weakref
from array import array
from collections import Counter
from contextlib import suppress

import h11
import pytest
from starlette.types import Receive, Scope, Send
from websockets.protocol import Protocol

from tertulia.errors import ErrorCode, Problem
from tertulia.live.reader import Reader
from tertulia.push.endpoints import DETACHING
from tertulia.serving.detached import FRAMES_PER_INTERVAL, SEGMENTS_PER_INTERVAL, SLICE, DetachedReader
from tertulia.serving.http import LINGER_PAUSE, MAX_SEGMENTS, READ_BYTES, BoundedHTTP, Phase
from tertulia.serving.parser import MAX_CHUNKS
from tertulia.serving.websocket import LAST_BYTES
from tertulia.web import problems
from tests.serving.raw import PING, PONG, TEXT, frame, get, upgrade
from tests.serving.wire import SHORT, Wire, wired
from tests.support.waiting import until

CHUNKED = b"POST /x HTTP/1.1\r\nHost: news.test\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = b"POST /x HTTP/1.1\r\nHost: news.test\r\nContent-Length: 100000000\r\n\r\n"
ONE_BYTE = b"1\r\na\r\n"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the parsers were called."""
    counted: Counter[str] = Counter()
    parse = h11.Connection.next_event

    def next_event(self: h11.Connection) -> object:
        counted["h11"] += 1
        return parse(self)

    monkeypatch.setattr(h11.Connection, "next_event", next_event)
    return counted


async def _answer(send: Send, status: int, body: bytes = b"") -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _reading(scope: Scope, receive: Receive, send: Send) -> None:
    """Takes the whole body."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if not message.get("more_body"):
            break
    await _answer(send, 200)


async def _refusing(scope: Scope, receive: Receive, send: Send) -> None:
    """Does not look at the body."""
    await problems.response(Problem(ErrorCode.too_large, "Too large."))(scope, receive, send)


def _in_kernel(connection: BoundedHTTP) -> int:
    """How many bytes could be read."""
    count = array("i", [0])
    fcntl.ioctl(connection.transport.get_extra_info("socket").fileno(), termios.FIONREAD, count)
    return count[0]


async def _flood(writer: asyncio.StreamWriter, said: bytes, times: int) -> int:
    """How often it could be said until the server took no more."""
    for sent in range(times):
        writer.write(said)
        try:
            async with asyncio.timeout(5):
                await writer.drain()
        except (ConnectionError, TimeoutError):
            return sent
    return times


async def test_one_byte_chunks_cost_a_bounded_number_of_calls(calls: Counter[str]) -> None:
    async with wired(_reading) as wire:
        reader, writer = await wire.connect()
        writer.write(CHUNKED)
        await _flood(writer, ONE_BYTE * 10_000, 1)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert calls["h11"] <= MAX_CHUNKS + 64
        await until(lambda: not wire.state.connections, "the end of the connections")
        assert wire.limiter.count == 0
        writer.close()


@pytest.mark.parametrize("body", [b"10000\r\n" + b"a" * 65_536 + b"\r\n", ONE_BYTE * 10_000], ids=["large", "small"])
async def test_after_an_answer_nothing_more_is_parsed(calls: Counter[str], body: bytes) -> None:
    """The answer is one of the application, given before the body was there."""
    async with wired(_refusing) as wire:
        reader, writer = await wire.connect()
        writer.write(CHUNKED)
        await until(lambda: wire.made and wire.made[0]._phase is Phase.over, "an answer that is complete")
        before = calls["h11"]
        assert await _flood(writer, body, 500) < 500
        with suppress(ConnectionError):
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 413 ")
            assert b"\r\nconnection: close\r\n" in answer.lower()
        await until(lambda: not wire.state.connections, "the end of the connections")
        assert calls["h11"] == before
        writer.close()


async def test_little_is_read_of_who_goes_on_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    async with wired(_refusing) as wire:
        _, writer = await wire.connect()
        writer.write(LONG)
        await until(lambda: wire.made and wire.made[0]._phase is Phase.over, "an answer that is complete")
        reads: list[int] = []
        receive = wire.made[0].data_received

        def data_received(data: bytes) -> None:
            reads.append(len(data))
            receive(data)

        monkeypatch.setattr(wire.made[0], "data_received", data_received)
        await _flood(writer, b"a" * 65_536, 500)
        await until(lambda: not wire.state.connections, "the end of the connections")
        assert len(reads) <= SHORT.linger / LINGER_PAUSE + 1
        assert max(reads) <= READ_BYTES
        writer.close()


async def test_who_was_still_sending_can_read_the_answer() -> None:
    """A socket that is closed with input unread is reset, and the answer lost."""
    async with wired(_refusing) as wire:
        for _ in range(20):
            reader, writer = await wire.connect()
            writer.write(CHUNKED + b"10000\r\n" + b"a" * 65_536)
            await writer.drain()
            writer.write(b"a" * 100_000)
            await asyncio.sleep(0)
            assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
            writer.close()
        await until(lambda: not wire.state.connections, "the end of the connections")


async def test_a_body_that_was_read_keeps_its_connection(calls: Counter[str]) -> None:
    async with wired(_reading) as wire:
        reader, writer = await wire.connect()
        for _ in range(3):
            writer.write(CHUNKED)
            await asyncio.sleep(0)
            writer.write(ONE_BYTE * 20 + b"0\r\n\r\n")
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"close" not in answer
        assert len(wire.made) == 1
        writer.close()


@pytest.mark.parametrize("more", [b"", b"GET /x HTTP/1.1\r\n"])
async def test_at_the_end_of_a_server_an_answer_to_a_late_body_ends_its_connection(more: bytes) -> None:
    """A proxy that asks before it sends a body (Expect) would else keep a connection that is about to be closed."""
    async with wired(_reading) as wire:
        wire.limiter.ending = True
        reader, writer = await wire.connect()
        writer.write(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b"hello" + more)
        assert b"\r\nconnection: close\r\n" in (await reader.readuntil(b"\r\n\r\n")).lower()
        writer.close()


async def test_a_request_comes_in_a_bounded_number_of_segments(calls: Counter[str]) -> None:
    async with wired(_reading) as wire:
        for said in (
            b"GET /x HTTP/1.1\r\nHost: a\r\nX: ",
            b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n",
        ):
            calls.clear()
            reader, writer = await wire.connect()
            writer.write(said)
            await until(lambda: wire.made[-1].segments == 1 or wire.made[-1].cycle is not None, "the first segment")
            for _ in range(MAX_SEGMENTS + 1):  # as the transport hands on segments of one byte
                wire.made[-1].data_received(b"a")
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
            assert calls["h11"] <= 4 * MAX_SEGMENTS
            writer.close()
            await until(lambda: not wire.state.connections, "the end of the connections")


async def test_requests_that_wait_are_few() -> None:
    """What comes behind a request that is under way stays in the kernel."""
    waits = asyncio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        await waits.wait()
        await _answer(send, 200)

    async with wired(waiting) as wire:
        reader, writer = await wire.connect()
        writer.write(get("/x"))
        await until(lambda: wire.made and wire.made[0].cycle is not None, "a request under way")
        connection = wire.made[0]
        connection.transport.pause_reading()
        writer.write(get("/x") * 8_000)
        await until(lambda: _in_kernel(connection) > 4 * READ_BYTES, "requests that wait in the kernel")
        connection.transport.resume_reading()
        await until(lambda: connection.flow.read_paused, "a pause in reading")
        kept = len(wire.made[0].conn.trailing_data[0])
        assert kept <= READ_BYTES
        waits.set()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each call of the WebSocket parser was given."""
    given: list[int] = []
    parse = Protocol.receive_data

    def receive_data(self: Protocol, data: bytes) -> None:
        given.append(len(data))
        parse(self, data)

    monkeypatch.setattr(Protocol, "receive_data", receive_data)
    return given


class _Nowhere:
    """A room that takes everything and says nothing."""

    def on_drained(self, reader: Reader) -> None:
        """It has nothing to add."""

    def on_writing(self, reader: Reader) -> None:
        """It tells nobody."""

    def leave(self, reader: Reader) -> None:
        """It keeps nobody."""


async def _attaching(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    scope["extensions"][DETACHING].attach(Reader(_Nowhere()))


async def _closing(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 4400})


async def _followed(wire: Wire) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, DetachedReader]:
    reader, writer = await wire.connect()
    writer.write(upgrade("/x"))
    await reader.readuntil(b"\r\n\r\n")
    await until(lambda: any(isinstance(one, DetachedReader) for one in wire.state.connections), "a reader")
    (detached,) = wire.state.connections
    assert isinstance(detached, DetachedReader)
    return reader, writer, detached


@pytest.mark.parametrize("kind", [frame(PING), frame(PONG), frame(TEXT, b'{"type":"writing"}')])
async def test_frames_in_one_segment_are_counted_as_they_are_parsed(parsed: list[int], kind: bytes) -> None:
    """Ten thousand pings are one read of 60 KB; no more than a slice of them is parsed after the bound."""
    async with wired(_attaching) as wire:
        reader, writer, _ = await _followed(wire)
        writer.write(kind * 10_000)
        await reader.readuntil((1008).to_bytes(2, "big"))
        await until(lambda: not wire.state.connections, "the end of the connections")
        assert sum(parsed) <= len(kind) * (FRAMES_PER_INTERVAL + 1) + SLICE
        writer.close()


async def test_a_frame_comes_in_a_bounded_number_of_segments(parsed: list[int]) -> None:
    async with wired(_attaching) as wire:
        reader, writer, detached = await _followed(wire)
        for byte in frame(TEXT, b" " * 10 * SEGMENTS_PER_INTERVAL):  # as the transport hands on segments of one byte
            detached.data_received(bytes([byte]))
        await reader.readuntil((1008).to_bytes(2, "big"))
        assert len(parsed) == SEGMENTS_PER_INTERVAL
        writer.close()


async def test_after_a_close_only_its_answer_is_heard(parsed: list[int]) -> None:
    async with wired(_closing) as wire:
        reader, writer = await wire.connect()
        writer.write(upgrade("/x"))
        await reader.readuntil(b"\r\n\r\n")
        await _flood(writer, frame(PING) * 10_000, 50)
        await reader.readuntil((4400).to_bytes(2, "big"))
        await until(lambda: not wire.state.connections, "the end of the connections")
        assert sum(parsed) <= LAST_BYTES
        writer.close()


@pytest.mark.parametrize(
    "said",
    [get("/x"), get("/x", "Connection: close"), CHUNKED + ONE_BYTE * 1000, upgrade("/x"), b"\0\r\n\r\n"],
    ids=["kept", "closed", "refused", "handshake", "noise"],
)
async def test_a_connection_that_is_gone_is_not_kept(said: bytes) -> None:
    """By no cycle and no timer, whichever way it went; the collector does not run."""
    gc.collect()
    gc.disable()
    try:
        async with wired(_attaching if said == upgrade("/x") else _refusing) as wire:
            reader, writer = await wire.connect()
            writer.write(said)
            await reader.readuntil(b"\r\n\r\n")
            gone = weakref.ref(wire.made.pop())
            writer.close()
            await until(lambda: not wire.state.connections and not wire.state.tasks, "the end of connections and tasks")
            await until(lambda: gone() is None, "the connection to be freed")
    finally:
        gc.enable()
