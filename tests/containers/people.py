"""Readers who come back by themselves, as the client does, and somebody who posts until it is answered."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlencode

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.support.waiting import PATIENCE, until

RECOVERY_SECONDS = 90.0
"""Until a container that was ended is there again, and all who left it."""


class Reader:
    """Keeps the seqs of all events it was given, those given twice included."""

    def __init__(self, url: str, key: str, epoch: str) -> None:
        self._url = f"{url.replace('http', 'ws')}/api/v1/live"
        self._key = key
        self._epoch = epoch
        self.seqs: list[int] = []
        self.connections = 0
        self.is_there = False

    async def follow(self) -> None:
        while True:
            with suppress(OSError, WebSocketException, TimeoutError):
                await self._follow_once()
            self.is_there = False
            await asyncio.sleep(random.uniform(0.05, 0.5))

    async def _follow_once(self) -> None:
        after = self.seqs[-1] if self.seqs else 0
        question = urlencode({"key": self._key, "full": 1, "epoch": self._epoch, "after": after})
        async with connect(f"{self._url}?{question}", proxy=None, open_timeout=10) as connection:
            self.connections += 1
            await self._listen(connection)

    async def _listen(self, connection: ClientConnection) -> None:
        async for text in connection:
            message = json.loads(text)
            assert message["type"] != "reset", "a cursor that can be continued"
            self.is_there = True
            self.seqs += [event["seq"] for event in message.get("events", [])]


@asynccontextmanager
async def following(url: str, key: str, count: int) -> AsyncIterator[list[Reader]]:
    """Readers that have joined and want everything from the first comment on."""
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        epoch = (await client.get(f"{url}/api/v1/events", params={"key": key})).json()["epoch"]
    readers = [Reader(url, key, epoch) for _ in range(count)]
    async with asyncio.TaskGroup() as tasks:
        following = [tasks.create_task(reader.follow()) for reader in readers]
        await until(lambda: all(reader.is_there for reader in readers), "readers that join", RECOVERY_SECONDS)
        yield readers
        for one in following:
            one.cancel()


class Writer:
    """Posts one comment after another; a failure is tried again with the same key, as the client does.

    ``failures`` keeps what was answered, or the error, each time.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = f"{url}/api/v1/comments"
        self._key = key
        self.seqs: list[int] = []
        self.retries = 0
        self.failures: list[str] = []

    async def say(self, count: int) -> None:
        for _ in range(count):
            await self._say_once()

    async def say_until(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            await self._say_once()
            await asyncio.sleep(0.02)

    def has_said_more(self, count: int) -> bool:
        """Whether more than so many were answered."""
        return len(self.seqs) > count

    async def _say_once(self) -> None:
        said = {"key": self._key, "body": f"Comment {len(self.seqs) + 1}.", "author": {"name": "Lan"}}
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        loop = asyncio.get_running_loop()
        end = loop.time() + RECOVERY_SECONDS
        while True:
            try:
                async with httpx.AsyncClient(timeout=15) as client:
                    answer = await client.post(self._url, json=said, headers=headers)
            except httpx.TransportError as error:
                self.failures.append(type(error).__name__)
            else:
                if answer.status_code in (200, 201):
                    self.seqs.append(answer.json()["seq"])
                    return
                assert answer.status_code in (502, 503, 504), answer.text
                self.failures.append(str(answer.status_code))
            assert loop.time() < end, "a comment that is never answered"
            self.retries += 1
            await asyncio.sleep(0.2)
