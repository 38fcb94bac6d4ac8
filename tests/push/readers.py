"""Readers of a discussion over each transport, and somebody who writes."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.support.api_client import AsyncApiClient, Json
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE, until, within


def new_discussion() -> str:
    return f"discussion {uuid.uuid4()}"


@dataclass
class Author:
    """Writes in one discussion over HTTP."""

    client: httpx.AsyncClient
    key: str

    def __post_init__(self) -> None:
        self._api = AsyncApiClient(self.client, self.key)

    async def post(self, body: str) -> Json:
        posted = await self._api.post_comment(body)
        self._api.token = posted.get("token", self._api.token)
        return posted

    async def delete(self, comment_id: str) -> None:
        await self._api.delete(comment_id)

    async def readers(self) -> int:
        count: int = (await self._api.snapshot(limit=1))["discussion"]["readers"]
        return count

    async def until_readers(self, count: int, seconds: float = PATIENCE) -> None:
        async def reached() -> bool:
            return await self.readers() == count

        await until(reached, f"{count} readers of {self.key}", seconds)

    async def epoch(self) -> str:
        epoch: str = (await self._api.events(limit=1))["epoch"]
        return epoch


@asynccontextmanager
async def posting(server: ServerProcess, key: str | None = None) -> AsyncIterator[Author]:
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
        yield Author(client, key or new_discussion())


@dataclass
class Reader:
    """One reader; ``receive`` gives one message as text."""

    receive: Callable[[], Awaitable[str]]
    socket: ClientConnection | None = None
    ids: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    other_messages: list[Json] = field(default_factory=list)

    async def next(self) -> str:
        return await within(self.receive(), "a message")

    async def until(self, type_: str, **values: Any) -> Json:
        """The next message of this type with these values; events that come before it are kept."""

        async def found() -> Json:
            while True:
                text = await self.receive()
                message: Json = json.loads(text)
                self._record(text, message)
                if message["type"] == type_ and values.items() <= message.items():
                    return message

        return await within(found(), f"the message {type_} {values}")

    async def read_to_end(self) -> None:
        """Reads on until there is nothing more; raises what the end is told by."""
        while True:
            text = await self.next()
            self._record(text, json.loads(text))

    async def until_seq(self, seq: int) -> list[Json]:
        """All events so far, once the one with this seq is among them."""
        while not self.events or json.loads(self.events[-1])["seq"] < seq:
            await self.until("events")
        return self.all_events

    @property
    def all_events(self) -> list[Json]:
        return [json.loads(text) for text in self.events]

    def _record(self, text: str, message: Json) -> None:
        if message["type"] == "events":
            self.events += raw_events(text, message)
        else:
            self.other_messages.append(message)


def raw_events(text: str, message: Json) -> list[str]:
    """The events of a message as the bytes they travelled in: found where they stand, not made again."""
    decoder, found = json.JSONDecoder(), []
    at = text.index('"events":[') + len('"events":[')
    for _ in message["events"]:
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end])
        at = end + 1
    return found


def _query(parameters: dict[str, Any]) -> str:
    return urlencode({name: value for name, value in parameters.items() if value is not None})


@asynccontextmanager
async def websocket(
    server: ServerProcess, key: str | None, *, origin: str | None = None, **cursor: Any
) -> AsyncIterator[Reader]:
    url = f"{server.url.replace('http', 'ws')}/api/v1/live?{_query({'key': key, **cursor})}"
    async with connect(
        url, additional_headers={"Origin": origin} if origin else None, proxy=None, max_size=None
    ) as socket:

        async def receive() -> str:
            text = await socket.recv()
            assert isinstance(text, str)
            return text

        yield Reader(receive, socket)


@asynccontextmanager
async def sse(
    server: ServerProcess, key: str, *, last_event_id: str | None = None, **cursor: Any
) -> AsyncIterator[tuple[Reader, httpx.Response]]:
    headers = {b"Accept": b"text/event-stream"}
    if last_event_id is not None:
        headers[b"Last-Event-ID"] = last_event_id.encode()
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client,
        client.stream("GET", f"/api/v1/events?{_query({'key': key, **cursor})}", headers=headers) as answer,
    ):
        lines = answer.aiter_lines()
        reader = Reader(lambda: _event(lines, reader.ids))
        yield reader, answer


async def _event(lines: AsyncIterator[str], ids: list[str]) -> str:
    """The data of the next event; raises EOFError at the end of the stream."""
    data = None
    async for line in lines:
        if line.startswith("id: "):
            ids.append(line[4:])
        elif line.startswith("data: "):
            assert data is None, "one line of data an event"
            data = line[6:]
        elif line == "" and data is not None:
            return data
        else:
            assert line == "" or line.startswith("retry: "), line
    raise EOFError
