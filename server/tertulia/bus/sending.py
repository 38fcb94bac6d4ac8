"""The outbox: what waits for Redis, and the one task that sends it."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import MovedError

from tertulia.bus.connecting import ANSWER_SECONDS, Backoff, Moved, Way
from tertulia.bus.counts import Counts, Dropped
from tertulia.bus.doubt import Doubt
from tertulia.bus.speech import Speech

MESSAGES_WAITING = 10_000
BYTES_WAITING = 8 * 1024 * 1024
BATCH_MESSAGES = 128
BATCH_BYTES = 256 * 1024

Parcel = tuple[str, bytes]
"""A channel and what is said on it."""


class Outbox:
    """Takes without waiting and keeps the newest. What was taken for a batch that fails is lost."""

    def __init__(self, way: Way, speech: Speech, counts: Counts, doubt: Doubt) -> None:
        self._way = way
        self._speech = speech
        self._counts = counts
        self._doubt = doubt
        self._waiting: deque[Parcel] = deque()
        self._bytes = 0
        self._probe: Parcel | None = None
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, channel: str, data: bytes) -> None:
        """Adds a message; the oldest go where there are too many."""
        self._waiting.append((channel, data))
        self._bytes += len(data)
        while len(self._waiting) > MESSAGES_WAITING or self._bytes > BYTES_WAITING:
            self._pop()
            self._counts.dropped[Dropped.queue_full] += 1
        self._fill()

    def put_probe(self, channel: str, data: bytes) -> None:
        """Goes before everything that waits; of several only the last one is sent, and none is counted."""
        self._probe = (channel, data)
        self._fill()

    def left(self) -> list[Parcel]:
        """Takes out what waits."""
        left = [*self._waiting]
        self._waiting.clear()
        self._bytes = 0
        self._emptied.set()
        return left

    async def emptied(self, seconds: float) -> None:
        """Waits until everything is sent, but not for longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._emptied.wait()

    async def run(self) -> None:
        backoff = Backoff()
        while True:
            try:
                async with self._way.connected() as connection:
                    self._counts.connections += 1
                    await self._sending(connection, backoff)
            except Exception as error:
                self._doubt.begin(error)
            await backoff.wait()

    async def _sending(self, connection: AbstractConnection, backoff: Backoff) -> None:
        while True:
            await self._filled.wait()
            if self._probe is not None:
                probe, self._probe = self._probe, None
                if await self._publish(connection, [probe]):
                    raise Moved
            await self._send(connection, self._taken())
            backoff.reset()
            if not self._waiting and self._probe is None:
                self._filled.clear()
                self._emptied.set()

    async def _send(self, connection: AbstractConnection, batch: list[Parcel]) -> None:
        if not batch:
            return
        try:
            moved = await self._publish(connection, batch)
        except BaseException:
            # of a batch that fails nobody knows how much arrived
            self._counts.dropped[Dropped.not_sent] += len(batch)
            raise
        self._counts.sent += len(batch) - len(moved)
        if moved:
            self._return(moved)
            raise Moved

    async def _publish(self, connection: AbstractConnection, batch: list[Parcel]) -> list[Parcel]:
        """Gives those that were refused since another server takes them now."""
        publish = self._speech.publish
        commands = connection.pack_commands((publish, channel, data) for channel, data in batch)
        moved: list[Parcel] = []
        async with asyncio.timeout(ANSWER_SECONDS):
            await connection.send_packed_command(commands, check_health=False)
            for parcel in batch:
                try:
                    await connection.read_response()
                except MovedError:
                    moved.append(parcel)
        return moved

    def _taken(self) -> list[Parcel]:
        batch: list[Parcel] = []
        size = 0
        while self._waiting and len(batch) < BATCH_MESSAGES and size < BATCH_BYTES:
            batch.append(self._pop())
            size += len(batch[-1][1])
        return batch

    def _pop(self) -> Parcel:
        parcel = self._waiting.popleft()
        self._bytes -= len(parcel[1])
        return parcel

    def _return(self, batch: list[Parcel]) -> None:
        self._waiting.extendleft(reversed(batch))
        self._bytes += sum(len(data) for _, data in batch)

    def _fill(self) -> None:
        self._filled.set()
        self._emptied.clear()
