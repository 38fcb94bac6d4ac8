"""WebSocket over real sockets: order, resuming, presence, and every way to be refused."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, suppress

import pytest
from websockets.exceptions import ConnectionClosed

from tests.push.readers import Reader, posting, websocket
from tests.support.server import ServerProcess
from tests.support.waiting import within


async def _closed(reader: Reader) -> int:
    assert reader.socket is not None
    await within(reader.socket.wait_closed(), "the connection's end")
    assert reader.socket.close_code is not None
    return reader.socket.close_code


async def test_two_readers_are_told_the_same_in_order(live: ServerProcess) -> None:
    async with posting(live) as author, websocket(live, author.key) as one, websocket(live, author.key) as two:
        for reader in (one, two):
            hello = await reader.until("hello")
            assert hello == {
                "type": "hello",
                "epoch": await author.epoch(),
                "seq": 0,
                "heartbeat": 25,
                "readers": hello["readers"],
            }
        for n in range(20):
            await author.post(f"No. {n}")
        for reader in (one, two):
            events = await reader.until_seq(20)
            assert [event["seq"] for event in events] == list(range(1, 21))
            assert [event["comment_count"] for event in events] == list(range(1, 21))
            assert {event["kind"] for event in events} == {"comment.created"}
        assert one.events == two.events


async def test_many_who_write_at_once_are_read_in_one_order(live: ServerProcess) -> None:
    async with posting(live) as author, AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(websocket(live, author.key)) for _ in range(4)]
        await author.until_readers(4)
        await author.post("first")
        await asyncio.gather(*(author.post(f"No. {n}") for n in range(60)))
        for reader in readers:
            assert [event["seq"] for event in await reader.until_seq(61)] == list(range(1, 62))
        assert all(reader.events == readers[0].events for reader in readers)


async def test_without_a_cursor_a_stream_starts_at_the_head(live: ServerProcess) -> None:
    async with posting(live) as author:
        await author.post("before")
        async with websocket(live, author.key) as reader:
            assert (await reader.until("hello"))["seq"] == 1
            await author.post("after")
            assert [event["seq"] for event in await reader.until_seq(2)] == [2]


@pytest.mark.parametrize("after", [0, 1, 2, 3])
async def test_with_a_cursor_it_goes_on_there(live: ServerProcess, after: int) -> None:
    async with posting(live) as author:
        for n in range(3):
            await author.post(f"No. {n}")
        async with websocket(live, author.key, epoch=await author.epoch(), after=after) as reader:
            assert (await reader.until("hello"))["seq"] == 3
            await author.post("live")
            assert [event["seq"] for event in await reader.until_seq(4)] == list(range(after + 1, 5))
            assert not any(other["type"] == "reset" for other in reader.other_messages)


@pytest.mark.parametrize(
    ("epoch", "after"), [("another", 1), ("another", None), (None, 1), ("own", 3), ("own", 2**53), ("own", 10**15)]
)
async def test_a_cursor_that_cannot_go_on_is_reset(live: ServerProcess, epoch: str | None, after: int | None) -> None:
    async with posting(live) as author:
        for n in range(2):
            await author.post(f"No. {n}")
        own = await author.epoch()
        async with websocket(live, author.key, epoch=own if epoch == "own" else epoch, after=after) as reader:
            assert json.loads(await reader.next())["type"] == "hello"
            assert json.loads(await reader.next()) == {"type": "reset", "epoch": own, "seq": 2}
            await author.post("live")
            assert [event["seq"] for event in await reader.until_seq(3)] == [3]


async def test_who_reads_is_counted(live: ServerProcess) -> None:
    async with posting(live) as author, websocket(live, author.key) as one:
        assert (await one.until("hello"))["readers"] == 1
        async with websocket(live, author.key) as two:
            assert (await two.until("hello"))["readers"] == 2
            assert (await one.until("presence", readers=2))["writing"] == 0
            assert await author.readers() == 2
        await one.until("presence", readers=1)
        assert await author.readers() == 1
    async with posting(live, author.key) as again:
        await again.until_readers(0)


async def test_a_client_that_vanishes_leaves_no_reader(live: ServerProcess) -> None:
    async with posting(live) as author, websocket(live, author.key) as stays, websocket(live, author.key) as leaves:
        await stays.until("presence", readers=2)
        assert leaves.socket is not None
        leaves.socket.transport.abort()
        await stays.until("presence", readers=1)
        assert await author.readers() == 1


async def test_who_writes_is_shown_to_the_others(live: ServerProcess) -> None:
    async with posting(live) as author, websocket(live, author.key) as one, websocket(live, author.key) as two:
        await one.until("presence", readers=2)
        assert two.socket is not None
        await two.socket.send('{"type":"writing"}')
        await two.socket.send('{"type":"writing"}')
        assert (await one.until("presence", writing=1))["readers"] == 2
        await two.socket.close()
        assert (await one.until("presence", readers=1))["writing"] == 0


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "{}",
        "[]",
        "null",
        "writing",
        '{"type":"reading"}',
        '{"type":"writing","more":1}',
        '{"type":["writing"]}',
        '{"type":"writing"',
        "[" * 50_000,
        b'{"type":"writing"}',
        b"\x00\xff",
    ],
)
async def test_what_is_not_in_the_protocol_ends_the_stream(live: ServerProcess, sent: str | bytes) -> None:
    async with posting(live) as author, websocket(live, author.key) as reader:
        await reader.until("hello")
        assert reader.socket is not None
        await reader.socket.send(sent)
        assert await _closed(reader) == 4400
        await author.until_readers(0)


async def test_a_message_that_is_too_large_ends_the_stream_and_no_other(live: ServerProcess) -> None:
    async with posting(live) as author, websocket(live, author.key) as other, websocket(live, author.key) as reader:
        await reader.until("hello")
        assert reader.socket is not None
        with suppress(ConnectionClosed):
            await within(reader.socket.send(json.dumps({"type": "writing", "x": "x" * 65_536})), "the message to go")
        assert await _closed(reader) == 1009
        await author.post("still here")
        assert len(await other.until_seq(1)) == 1


@pytest.mark.parametrize(
    ("parameters", "origin", "code"),
    [
        ({}, "https://hostile.example", 4403),
        ({}, "null", 4403),
        ({}, "http://127.0.0.1.hostile.example", 4403),
        ({"site": "nowhere"}, None, 4410),
        ({"site": "nowhere"}, "https://hostile.example", 4410),
        ({"key": None}, None, 4400),
        ({"key": ""}, None, 4400),
        ({"key": "a\0b"}, None, 4400),
        ({"key": "a" * 513}, None, 4400),
        ({"after": "x"}, None, 4400),
        ({"after": "-1"}, None, 4400),
        ({"after": "9" * 400}, None, 4400),
        ({"more": "1"}, None, 4400),
    ],
)
async def test_who_may_not_read_is_told_why(
    live: ServerProcess, parameters: dict[str, str | None], origin: str | None, code: int
) -> None:
    named = {"key": "refused", **parameters}
    key = named.pop("key")
    async with posting(live, "refused") as author, websocket(live, key, origin=origin, **named) as reader:
        assert await _closed(reader) == code
        with pytest.raises(ConnectionClosed):
            await reader.next()
        assert await author.readers() == 0


async def test_a_page_of_the_server_may_read(live: ServerProcess) -> None:
    async with posting(live) as author, websocket(live, author.key, origin=live.url) as reader:
        await reader.until("hello")


async def test_the_site_of_a_stream_is_its_own(live: ServerProcess) -> None:
    async with posting(live) as author, websocket(live, author.key, site="default") as reader:
        await reader.until("hello")
        await author.post("here")
        assert len(await reader.until_seq(1)) == 1


async def test_a_removal_is_not_replayed_with_what_it_took_back(live: ServerProcess) -> None:
    async with posting(live) as author, websocket(live, author.key) as reader:
        await reader.until("hello")
        posted = await author.post("the word that is taken back")
        await author.post("another")
        await reader.until_seq(2)
        await author.delete(posted["comment"]["id"])
        await reader.until_seq(3)
        async with websocket(live, author.key, epoch=await author.epoch(), after=0) as late:
            events = await late.until_seq(3)
        assert [event["kind"] for event in events] == ["comment.created", "comment.created", "comment.removed"]
        assert "taken back" not in "".join(late.events)
        assert events[0]["comment"] == {**events[0]["comment"], "state": "deleted", "author": None, "body": None}
        assert events[1]["comment"]["body"] is not None
