"""WebSockets on a server without ready frames: the same rooms over ASGI's ``send`` alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tertulia.app import Running
from tests.support.api_client import AsyncApiClient
from tests.support.waiting import within


class Socket:
    """One WebSocket as an ASGI server drives it."""

    def __init__(self, running: Running, query: str, **headers: str) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._received.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "ws",
            "path": "/api/v1/live",
            "raw_path": b"/api/v1/live",
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(b"host", b"news.test"), *((k.encode(), v.encode()) for k, v in headers.items())],
            "client": ("127.0.0.1", 1),
            "server": ("news.test", 80),
            "subprotocols": [],
        }
        self.task = asyncio.ensure_future(running.asgi(scope, self._received.get, self.sent.put))  # type: ignore[arg-type]

    def receive_text(self, text: str) -> None:
        self._received.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        self._received.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def next(self) -> dict[str, Any]:
        return await within(self.sent.get(), "an ASGI message")

    async def until(self, type_: str) -> dict[str, Any]:
        while True:
            message = await self.next()
            sent = json.loads(message.get("text", "{}"))
            if sent.get("type") == type_:
                return dict(sent)


@asynccontextmanager
async def connected(running: Running, query: str, **headers: str) -> AsyncIterator[Socket]:
    socket = Socket(running, query, **headers)
    assert (await socket.next())["type"] == "websocket.accept"
    yield socket
    socket.leave()
    await within(socket.task, "the end of the application")


async def test_what_was_missed_then_what_comes(server: Running, client: httpx.AsyncClient) -> None:
    await AsyncApiClient(client, "talk").post_comment("one")
    async with connected(server, f"key=talk&epoch={server.store.epoch}&after=0&full=1") as socket:
        assert (await socket.until("hello"))["seq"] == 1
        assert [event["seq"] for event in (await socket.until("events"))["events"]] == [1]
        await AsyncApiClient(client, "talk").post_comment("two")
        assert [event["seq"] for event in (await socket.until("events"))["events"]] == [2]
        socket.receive_text('{"type":"writing"}')
        while not (await socket.until("presence"))["writing"]:
            pass
    [room] = server.hub.rooms.values()
    assert not room.readers, "who left is no reader"


async def test_who_says_something_else_is_told_why(server: Running) -> None:
    socket = Socket(server, "key=talk")
    socket.receive_text("nonsense")
    while (message := await socket.next())["type"] != "websocket.close":
        pass
    assert message["code"] == 4400
    await within(socket.task, "the end of the application")


async def test_a_foreign_page_and_an_unknown_site_are_told_why(server: Running) -> None:
    for query, headers, code in (
        ("key=talk", {"origin": "https://hostile.example"}, 4403),
        ("key=talk&site=nowhere", {}, 4410),
        ("site=default", {}, 4400),
    ):
        socket = Socket(server, query, **headers)
        assert (await socket.next())["type"] == "websocket.accept"
        assert (await socket.next())["code"] == code
        await within(socket.task, "the end of the application")


async def test_a_server_that_drains_ends_it(server: Running) -> None:
    socket = Socket(server, "key=talk")
    await socket.until("hello")
    await server.hub.drain(0)
    while (message := await socket.next())["type"] != "websocket.close":
        pass
    assert message["code"] == 1012
    await within(socket.task, "the end of the application")
    late = Socket(server, "key=talk")
    await late.next()
    assert (await late.next())["code"] == 1012
    await within(late.task, "the end of the application")
