"""The pump alone: whoever ends first, both sides end, and nothing that went wrong is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tertulia.bus.memory import MemoryBus
from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode
from tertulia.live.hub import Hub
from tertulia.live.stream import Cursor, Stream
from tertulia.protocol import EncodedEvent
from tertulia.push.pump import carry
from tests.push.readers import within

KEY = DiscussionKey("default", "talk")


async def _fetch(_key: DiscussionKey, _after: int, _limit: int) -> tuple[int, list[EncodedEvent]]:
    return 0, []


async def _heads(_keys: object) -> dict[DiscussionKey, int]:
    return {}


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    opened = Hub(MemoryBus(), "epoch", _fetch, _heads, 1024)
    yield opened
    assert opened.readers(KEY) == 0, "a reader was left behind"
    await opened.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}, "a task was left behind"


def _stream(hub: Hub) -> Stream:
    return Stream(hub, KEY, Cursor(None, None))


class Connection:
    """Counts what was sent; ``blocked`` makes every further send wait."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.sending = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.leaves: asyncio.Future[CloseCode | None] = asyncio.get_running_loop().create_future()

    async def send(self, message: str) -> None:
        self.sending.set()
        await self.open.wait()
        self.sent.append(message)

    async def gone(self) -> CloseCode | None:
        return await self.leaves


async def _carry(hub: Hub, connection: Connection) -> tuple[Stream, asyncio.Task[CloseCode | None]]:
    """A stream under way, its hello being sent."""
    stream = _stream(hub)
    carrying = asyncio.create_task(carry(stream, connection.send, connection.gone()))
    await within(connection.sending.wait(), "the hello")
    return stream, carrying


async def test_a_client_that_leaves_ends_it_without_a_word(hub: Hub) -> None:
    connection = Connection()
    _, carrying = await _carry(hub, connection)
    assert hub.readers(KEY) == 1
    connection.leaves.set_result(None)
    assert await within(carrying, "the pump's end") is None
    assert [message[:15] for message in connection.sent] == ['{"type":"hello"']


async def test_a_client_that_misbehaves_is_told_so(hub: Hub) -> None:
    connection = Connection()
    _, carrying = await _carry(hub, connection)
    connection.leaves.set_result(CloseCode.malformed)
    assert await within(carrying, "the pump's end") is CloseCode.malformed


async def test_the_room_ends_it(hub: Hub) -> None:
    connection = Connection()
    stream, carrying = await _carry(hub, connection)
    hub.rooms[KEY].close(CloseCode.gone)
    assert await within(carrying, "the pump's end") is CloseCode.gone
    assert stream.closing is CloseCode.gone
    assert connection.leaves.cancelled()


async def test_the_room_ends_it_while_the_connection_takes_nothing(hub: Hub) -> None:
    connection = Connection()
    connection.open.clear()
    _, carrying = await _carry(hub, connection)
    hub.rooms[KEY].close(CloseCode.too_slow)
    assert await within(carrying, "the pump's end") is CloseCode.too_slow
    assert connection.sent == []


async def test_a_hub_that_drains_lets_nobody_in(hub: Hub) -> None:
    hub.drain()
    connection = Connection()
    assert await within(carry(_stream(hub), connection.send, connection.gone()), "the pump's end") is (
        CloseCode.restarting
    )
    assert connection.sent == []


async def test_a_connection_that_breaks_is_an_exception(hub: Hub) -> None:
    async def broken(_message: str) -> None:
        raise ConnectionResetError("the cable")

    connection = Connection()
    with pytest.raises(ConnectionResetError, match="the cable"):
        await within(carry(_stream(hub), broken, connection.gone()), "the pump's end")
    assert connection.leaves.cancelled()


async def test_what_listening_raises_is_raised(hub: Hub) -> None:
    connection = Connection()
    _, carrying = await _carry(hub, connection)
    connection.leaves.set_exception(LookupError("what was heard"))
    with pytest.raises(LookupError, match="what was heard"):
        await within(carrying, "the pump's end")


async def test_a_stream_that_cannot_begin_is_an_exception() -> None:
    async def fetch(_key: DiscussionKey, _after: int, _limit: int) -> tuple[int, list[EncodedEvent]]:
        raise OSError("the store")

    hub = Hub(MemoryBus(), "epoch", fetch, _heads, 1024)
    connection = Connection()
    with pytest.raises(OSError, match="the store"):
        await within(carry(_stream(hub), connection.send, connection.gone()), "the pump's end")
    assert hub.readers(KEY) == 0
    await hub.close()


async def test_a_reason_to_close_is_heard_above_what_broke_meanwhile(hub: Hub) -> None:
    connection = Connection()
    _, carrying = await _carry(hub, connection)
    connection.leaves.set_exception(ConnectionResetError())
    hub.rooms[KEY].close(CloseCode.restarting)
    assert await within(carrying, "the pump's end") is CloseCode.restarting


async def test_whoever_carries_may_be_cancelled(hub: Hub) -> None:
    connection = Connection()
    connection.open.clear()
    _, carrying = await _carry(hub, connection)
    carrying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(carrying, "the pump's end")
    assert connection.leaves.cancelled()
