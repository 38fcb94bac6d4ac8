"""Server-Sent Events and the catch-up over real sockets: the same events as the WebSocket's, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tertulia.bus.memory import MemoryBus
from tertulia.core.comments import DiscussionKey
from tertulia.errors import ErrorCode, Problem
from tertulia.live.backlog import AT_HEAD
from tertulia.live.hub import Hub
from tertulia.live.rate import Rates
from tertulia.push.sse import EventStream
from tests.push.readers import posting, raw_events, sse, websocket
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE, within


async def test_a_stream_says_what_it_is(live: ServerProcess) -> None:
    async with posting(live) as author, sse(live, author.key) as (reader, answer):
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        assert "content-length" not in answer.headers
        hello = await reader.until("hello")
        assert (hello["seq"], hello["epoch"]) == (0, await author.epoch())


async def test_every_message_has_the_place_to_go_on(live: ServerProcess) -> None:
    async with posting(live) as author:
        epoch = await author.epoch()
        async with sse(live, author.key) as (reader, _):
            await reader.until("hello")
            for n in range(3):
                await author.post(f"No. {n}")
            await reader.until_seq(3)
            assert reader.ids[0] == f"{epoch}:0"
            assert reader.ids[-1] == f"{epoch}:3"


@pytest.mark.parametrize("beside", [None, 0])
async def test_a_browser_that_comes_back_goes_on(live: ServerProcess, beside: int | None) -> None:
    """EventSource keeps its address and adds the header: the header is newer."""
    async with posting(live) as author:
        for n in range(4):
            await author.post(f"No. {n}")
        epoch = await author.epoch()
        cursor = {} if beside is None else {"epoch": epoch, "after": beside}
        async with sse(live, author.key, last_event_id=f"{epoch}:2", **cursor) as (reader, _):
            assert [event["seq"] for event in await reader.until_seq(4)] == [3, 4]


@pytest.mark.parametrize("last", ["another:2", "own:9", "own:9999999999999999"])
async def test_a_place_that_is_gone_is_reset(live: ServerProcess, last: str) -> None:
    async with posting(live) as author:
        await author.post("one")
        epoch = await author.epoch()
        async with sse(live, author.key, last_event_id=last.replace("own", epoch)) as (reader, _):
            assert await reader.until("reset") == {"type": "reset", "epoch": epoch, "seq": 1}


@pytest.mark.parametrize("last", ["", "x", "1", ":1", "own:", "own:-1", "own:１", "own:1:1", "a" * 5000])
async def test_a_place_that_is_none_is_not_read(live: ServerProcess, last: str) -> None:
    async with posting(live) as author:
        await author.post("one")
        given = last.replace("own", await author.epoch())
        async with sse(live, author.key, last_event_id=given) as (reader, _):
            assert (await reader.until("hello"))["seq"] == 1
            await author.post("two")
            assert [event["seq"] for event in await reader.until_seq(2)] == [2]
            assert not any(other["type"] == "reset" for other in reader.other_messages)


async def test_three_ways_to_read_the_same_bytes(live: ServerProcess) -> None:
    async with posting(live) as author, websocket(live, author.key) as socket, sse(live, author.key) as (stream, _):
        await socket.until("hello")
        await stream.until("hello")
        posted = await author.post("Một câu **đậm** 🦆 <b> \u2028 \"'")
        await author.post("[link](https://a.example/?a=1&b=2)")
        await author.delete(posted["comment"]["id"])
        await socket.until_seq(3)
        await stream.until_seq(3)
        assert socket.events == stream.events
        epoch = await author.epoch()
        async with (
            websocket(live, author.key, epoch=epoch, after=0) as late_socket,
            sse(live, author.key, epoch=epoch, after=0) as (late_stream, _),
        ):
            await late_socket.until_seq(3)
            await late_stream.until_seq(3)
        text = (await author.client.get("/api/v1/events", params={"key": author.key})).text
        page = raw_events(text, json.loads(text))
        assert late_socket.events == late_stream.events == page
        assert page[1:] == socket.events[1:], "only what was taken back reads differently now"
        assert json.loads(page[0])["comment"]["body"] is None


async def test_what_was_taken_back_is_in_no_answer(live: ServerProcess) -> None:
    async with posting(live) as author:
        posted = await author.post("the word that is taken back")
        await author.delete(posted["comment"]["id"])
        params: dict[str, str] = {"key": author.key, "after": "0", "epoch": await author.epoch()}
        cold = await author.client.get("/api/v1/events", params=params)
        async with sse(live, author.key, epoch=params["epoch"], after=0) as (reader, _):
            await reader.until_seq(2)
            warm = await author.client.get("/api/v1/events", params=params)
        assert cold.text == warm.text
        for text in (cold.text, *reader.events):
            assert "taken back" not in text


async def test_pages_say_that_there_is_more(live: ServerProcess) -> None:
    async with posting(live) as author:
        for n in range(5):
            await author.post(f"No. {n}")

        async def read() -> list[int]:
            found: list[int] = []
            more = True
            while more:
                params = {"key": author.key, "after": str(found[-1] if found else 0), "limit": "2"}
                page = (await author.client.get("/api/v1/events", params=params)).json()
                assert len(page["events"]) <= 2
                found += [event["seq"] for event in page["events"]]
                more = page["more"]
            return found

        assert await read() == [1, 2, 3, 4, 5]
        async with websocket(live, author.key) as reader:
            await reader.until("hello")
            assert await read() == [1, 2, 3, 4, 5], "from a warm room"


async def test_head_of_a_stream_ends(live: ServerProcess) -> None:
    async with posting(live) as author:
        for accept in ("text/event-stream", "application/json"):
            request = author.client.head("/api/v1/events", params={"key": author.key}, headers={"Accept": accept})
            answer = await within(request, "the answer to HEAD")
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(accept)
            assert answer.content == b""
        assert await author.readers() == 0


async def test_a_reader_that_goes_is_forgotten(live: ServerProcess) -> None:
    async with posting(live) as author:
        async with sse(live, author.key) as (reader, _):
            assert (await reader.until("hello"))["readers"] == 1
            await author.until_readers(1)
        await author.until_readers(0)


@pytest.mark.parametrize(
    ("params", "origin", "code"),
    [
        ({"key": "a"}, "https://hostile.example", "origin_not_allowed"),
        ({"key": "a", "site": "nowhere"}, None, "unknown_site"),
        ({}, None, "invalid"),
        ({"key": "a\0"}, None, "malformed"),
        ({"key": "a", "after": "x"}, None, "invalid"),
        ({"key": "a", "more": "1"}, None, "unknown_field"),
    ],
)
async def test_a_stream_that_is_refused_is_a_problem(
    live: ServerProcess, params: dict[str, str], origin: str | None, code: str
) -> None:
    headers = {"Accept": "text/event-stream"} | ({"Origin": origin} if origin else {})
    async with httpx.AsyncClient(base_url=live.url, timeout=PATIENCE) as client:
        answer = await client.get("/api/v1/events", params=params, headers=headers)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code


async def test_a_stream_ends_while_the_store_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """Its room does not open; that is no mistake of the server, and a browser comes back to a stream that ends."""

    async def away(*_: object) -> Any:
        raise Problem(ErrorCode.unavailable, "The store is away.", retry_after=1)

    hub = Hub(MemoryBus(), "epoch", away, away, Rates(tick=1e9, summary=1e9))
    stream = EventStream(hub, DiscussionKey("default", "talk"), AT_HEAD, full=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(stream), base_url="http://news.test") as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.text) == (200, "retry: 2000\n\n")
    assert not [record for record in caplog.records if record.exc_info]
    assert not hub.rooms
