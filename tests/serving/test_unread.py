"""Output that nobody reads: bounded for all clients together, and the slowest give way first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from starlette.types import Receive, Scope, Send

from tertulia.core.comments import DiscussionKey
from tertulia.live.backlog import AT_HEAD
from tertulia.live.frames import Frame
from tertulia.live.reader import Reader
from tertulia.push.sse import EventStream
from tertulia.serving.detached import DetachedReader
from tertulia.serving.http import LEAST_READ, WRITE_BUFFER
from tertulia.serving.timeouts import Timeouts
from tertulia.serving.unread import LOOK_SECONDS, MIB, RELIEF, Unread
from tests.serving.raw import Raw, WellBehavedClient, get, live, upgrade
from tests.serving.test_wire import _attaching
from tests.serving.wire import Wire, wired
from tests.support.server import ServerProcess
from tests.support.waiting import until, wait_until

KIB = 1024
SEND_BUFFER = 8 * KIB
RECEIVE_BUFFER = 4 * KIB


# ---- the sorting alone ----------------------------------------------------------------------------------


@dataclass(eq=False)
class Client:
    """A connection with so many bytes waiting."""

    waiting: int
    is_cut: bool = field(default=False, init=False)

    def buffered(self) -> int:
        return self.waiting

    def cut(self) -> None:
        self.is_cut = True
        self.waiting = 0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_is_within_the_bound_is_left_alone() -> None:
    unread, clients = Unread(10 * KIB, Clock()), [Client(KIB) for _ in range(10)]
    for client in clients:
        unread.hold(client)
    assert unread.bytes == 10 * KIB
    for client in clients:
        unread.release(client)
        unread.release(client)
    assert (unread.bytes, unread.cut) == (0, 0)


def test_one_that_is_held_twice_is_counted_once() -> None:
    unread, client = Unread(10 * KIB, Clock()), Client(KIB)
    unread.hold(client)
    client.waiting = 2 * KIB
    unread.hold(client)
    assert unread.bytes == 2 * KIB


def test_who_takes_nothing_gives_way_to_who_reads() -> None:
    clock = Clock()
    unread = Unread(100 * KIB, clock)
    reading, idle = Client(40 * KIB), Client(40 * KIB)
    unread.hold(reading)
    unread.hold(idle)
    clock.now += 20
    reading.waiting -= 20 * KIB
    newcomer = Client(45 * KIB)
    unread.hold(newcomer)  # 105 as they are now
    assert (reading.is_cut, idle.is_cut, newcomer.is_cut) == (False, True, False)
    assert unread.bytes == 65 * KIB


def test_of_equals_the_one_that_holds_most_gives_way() -> None:
    clock = Clock()
    unread = Unread(100 * KIB, clock)
    small, large = Client(30 * KIB), Client(60 * KIB)
    unread.hold(small)
    unread.hold(large)
    clock.now += 1
    unread.hold(Client(20 * KIB))
    assert (small.is_cut, large.is_cut) == (False, True)


def test_a_pace_that_is_a_pretence_is_no_pace() -> None:
    """A byte now and then does not save who holds much."""
    clock = Clock()
    unread = Unread(100 * KIB, clock)
    pretending, reading = Client(60 * KIB), Client(30 * KIB)
    unread.hold(pretending)
    unread.hold(reading)
    clock.now += 10
    pretending.waiting -= 100
    reading.waiting -= 10 * KIB
    unread.hold(Client(25 * KIB))
    assert (pretending.is_cut, reading.is_cut) == (True, False)


def test_a_crowd_is_sorted_once() -> None:
    """Relief goes below the bound, so that not each of a crowd makes everybody be sorted."""
    unread, clients = Unread(64 * KIB, Clock()), [Client(KIB) for _ in range(2_000)]
    sorts = 0
    for client in clients:
        before = unread.cut
        unread.hold(client)
        sorts += unread.cut > before
    assert unread.bytes <= 64 * KIB
    assert sorts <= len(clients) / (64 * (1 - RELIEF)) + 1


def test_what_waits_in_buffers_that_are_not_full_is_counted_too() -> None:
    clock = Clock()
    unread = Unread(100 * KIB, clock)
    connections = [Client(KIB) for _ in range(90)]
    unread.look(connections)
    assert (unread.bytes, unread.cut) == (90 * KIB, 0)
    connections.append(Client(30 * KIB))
    unread.look(connections)  # at once, since it is much
    assert connections[-1].is_cut, "the largest"
    assert unread.bytes <= 100 * KIB
    assert unread.cut == 1 + sum(one.is_cut for one in connections[:-1])


def test_all_are_looked_through_now_and_then_only() -> None:
    clock, looks = Clock(), 0
    unread = Unread(MIB, clock)

    class Counting(Client):
        def buffered(self) -> int:
            nonlocal looks
            looks += 1
            return 1

    for _ in range(10):
        unread.look([Counting(1)])
        clock.now += LOOK_SECONDS / 10
    assert looks == 1


def test_what_was_cut_off_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    unread = Unread(KIB, clock)
    for _ in range(600):
        unread.hold(Client(2 * KIB))
        unread.look([])
        clock.now += 0.1
    assert unread.cut == 600
    assert len(caplog.records) <= 2


# ---- on the wire ----------------------------------------------------------------------------------------


def _answering(size: int) -> object:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
        await send({"type": "http.response.body", "body": bytes(size)})

    return application


async def _streaming(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": bytes(32 * KIB), "more_body": True})
        await asyncio.sleep(0)  # what is sent to nobody is sent at once


async def _asking(wire: Wire, count: int) -> list[asyncio.StreamWriter]:
    """So many who ask and do not read."""
    writers = []
    for _ in range(count):
        _, writer = await wire.connect(RECEIVE_BUFFER)
        writer.write(get("/x"))
        writers.append(writer)
    return writers


async def _read_all(wire: Wire) -> int:
    """Somebody well_behaved: the size of the answer."""
    reader, writer = await wire.connect()
    writer.write(get("/x", "Connection: close"))
    await reader.readuntil(b"\r\n\r\n")
    size = len(await reader.read())
    writer.close()
    return size


@pytest.mark.parametrize("application", [_answering(MIB), _streaming], ids=["answers", "streams"])
async def test_answers_that_are_not_read_are_bounded_in_all(application: object) -> None:
    most = 2 * MIB
    async with wired(application, most, SEND_BUFFER) as wire:  # type: ignore[arg-type]
        writers = await _asking(wire, 60)
        await until(
            lambda: len(wire.made) == 60 and all(one.cycle is not None for one in wire.made), "60 requests under way"
        )
        await until(lambda: wire.unread.cut > 0, "a connection that is cut")
        wire.look()
        assert wire.waiting <= most
        if application is not _streaming:
            for _ in range(5):
                assert await _read_all(wire) == MIB
            assert wire.waiting <= most
        for writer in writers:
            writer.close()


async def test_small_answers_that_are_not_read_are_bounded_in_all() -> None:
    """None of them fills its buffer, so that no connection tells of it."""
    most, size = MIB, WRITE_BUFFER - 4 * KIB
    async with wired(_answering(size), most, SEND_BUFFER) as wire:  # type: ignore[arg-type]
        writers = await _asking(wire, 60)
        await until(
            lambda: len(wire.made) == 60 and all(one.buffered() for one in wire.made), "60 answers that are not read"
        )
        assert wire.waiting > most
        wire.look()
        assert wire.waiting <= most
        assert await _read_all(wire) == size
        for writer in writers:
            writer.close()


async def test_readers_that_do_not_read_are_bounded_in_all() -> None:
    most = MIB
    async with wired(_attaching, most, SEND_BUFFER) as wire:
        writers = []
        for _ in range(30):
            reader, writer = await wire.connect(RECEIVE_BUFFER)
            writer.write(upgrade("/x"))
            await reader.readuntil(b"\r\n\r\n")
            writers.append(writer)
        await until(lambda: sum(isinstance(one, DetachedReader) for one in wire.state.connections) == 30, "30 readers")
        frame = Frame("a" * 200 * KIB)
        for one in tuple(wire.state.connections):
            assert isinstance(one, DetachedReader)
            one.write(frame)
        assert wire.waiting <= most
        assert wire.unread.cut >= 25
        await until(lambda: len(wire.state.connections) == 30 - wire.unread.cut, "the end of the readers that are cut")
        for writer in writers:
            writer.close()


async def test_the_next_answer_is_not_made_before_this_one_is_read() -> None:
    """Else each connection would hold two: one that waits for the network, one that waits for the first."""
    asked = 0

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal asked
        asked += 1
        await _answering(MIB)(scope, receive, send)  # type: ignore[operator]

    async with wired(application, send_buffer=SEND_BUFFER) as wire:
        reader, writer = await wire.connect(RECEIVE_BUFFER)
        writer.write(get("/x") * 3)
        await until(lambda: wire.waiting > 0, "an answer that is not read")
        for _ in range(20):
            await asyncio.sleep(0)
        assert asked == 1
        for _ in range(3):
            await reader.readuntil(b"\r\n\r\n")
            assert len(await reader.readexactly(MIB)) == MIB
        assert asked == 3
        writer.close()


class _Past:
    """A hub and a room in one: the past of a discussion in messages of 200 KiB, each made when it is asked for."""

    epoch = "epoch"
    draining = False

    def __init__(self) -> None:
        self.made = 0

    async def enter(self, *_: object) -> _Past:
        return self

    def join(self, reader: Reader, _: object) -> None:
        self.on_drained(reader)

    def on_drained(self, reader: Reader) -> None:
        if self.made < 10:
            self.made += 1
            reader.connection.write(Frame("a" * 200 * KIB))

    def leave(self, reader: Reader) -> None:
        """It keeps nobody."""


async def test_the_next_part_of_a_past_is_not_made_before_this_one_is_read() -> None:
    past = _Past()
    stream = EventStream(past, DiscussionKey("default", "x"), AT_HEAD, full=True)  # type: ignore[arg-type]
    async with wired(stream, send_buffer=SEND_BUFFER) as wire:
        reader, writer = await wire.connect(RECEIVE_BUFFER)
        writer.write(get("/x"))
        await until(lambda: wire.waiting > WRITE_BUFFER, "more unread than the buffer holds")
        for _ in range(20):
            await asyncio.sleep(0)
        assert past.made == 1
        while past.made < 4:
            await reader.readexactly(KIB)
        assert wire.waiting < 2 * 200 * KIB
        writer.close()


@pytest.mark.parametrize("ending", ["", "Connection: close"])
@pytest.mark.parametrize("size", [WRITE_BUFFER - 4 * KIB, MIB])
async def test_who_does_not_read_an_answer_is_ended(size: int, ending: str) -> None:
    async with wired(_answering(size), send_buffer=SEND_BUFFER, timeouts=Timeouts(stall=0.2)) as wire:  # type: ignore[arg-type]
        _, writer = await wire.connect(RECEIVE_BUFFER)
        writer.write(get("/x", *([ending] if ending else [])))
        await until(lambda: wire.made and wire.made[0].cycle is not None, "a request under way")
        wire.made[0].timeout_keep_alive = 0
        if size < WRITE_BUFFER and not ending:
            await until(lambda: wire.waiting > 0, "an answer that is not read")
            wire.made[0].timeout_keep_alive_handler()
        await until(lambda: not wire.state.connections, "the end of the connections")
        assert wire.limiter.count == 0
        writer.close()


async def test_who_reads_slowly_but_does_is_not_ended() -> None:
    async with wired(_answering(20 * LEAST_READ), send_buffer=SEND_BUFFER) as wire:  # type: ignore[arg-type]
        reader, writer = await wire.connect(RECEIVE_BUFFER)
        writer.write(get("/x"))
        await reader.readuntil(b"\r\n\r\n")
        await until(lambda: wire.waiting > WRITE_BUFFER, "more unread than the buffer holds")
        connection = wire.made[0]
        for _ in range(5):  # as time passes
            left = wire.waiting - LEAST_READ
            while wire.waiting > left:
                await reader.readexactly(KIB)
            connection.check_stalled()
            assert not connection.transport.is_closing()
        connection.check_stalled()
        assert connection.transport.is_closing(), "it read nothing since"
        writer.close()


# ---- a server -------------------------------------------------------------------------------------------


def test_a_server_has_a_bound_for_all(starting: Callable[..., ServerProcess]) -> None:
    server = starting("--unread-mib", "1")
    with WellBehavedClient(server) as well_behaved, ExitStack() as stack:
        for _ in range(40):
            well_behaved.seen.append(well_behaved.post("*a* " * 300))  # as a document 16 times as long
        page = f"/api/v1/events?{urlencode({'key': well_behaved.key})}"
        idle = [stack.enter_context(Raw(server, receive_buffer=2048)) for _ in range(40)]
        for raw in idle[:20]:
            assert raw.send(get(page) * 10)  # the kernel takes up to 4 MiB of each
        for raw in idle[20:]:
            assert raw.send(upgrade(live(well_behaved.key, epoch=_epoch(well_behaved), after=0, compress=0)))
        wait_until(
            lambda: _metric(well_behaved, "tertulia_connections_cut_off_total") > 0, "the end of who does not read"
        )
        for _ in range(3):
            well_behaved.post_and_read()
            assert well_behaved.client.get(page).json()["events"], "who reads is answered"
        wait_until(lambda: _metric(well_behaved, "tertulia_unread_bytes") <= MIB, "what is left")


def _metric(well_behaved: WellBehavedClient, name: str) -> float:
    lines = well_behaved.client.get("/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def _epoch(well_behaved: WellBehavedClient) -> str:
    epoch: str = well_behaved.client.get("/api/v1/events", params={"key": well_behaved.key}).json()["epoch"]
    return epoch
