"""The publisher: what waits for Redis, and the one task that sends it."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import MovedError

from tertulia.bus.redis.connections import Backoff, SlotMoved
from tertulia.bus.redis.health import PartHealth
from tertulia.bus.redis.port import LinkContext, LinkTarget
from tertulia.bus.stats import DropReason

MAX_BATCH_MESSAGES = 128
MAX_BATCH_BYTES = 256 * 1024


class ChannelMessage(NamedTuple):
    """What is published on a channel."""

    channel: str
    data: bytes


class Publisher:
    """Takes messages without waiting and keeps the newest. A batch that fails is lost."""

    def __init__(self, target: LinkTarget, context: LinkContext, health: PartHealth) -> None:
        self._connector = target.connector
        self._command = target.commands.publish
        self._stats = context.stats
        self._tuning = context.tuning
        self._health = health
        self._pending: deque[ChannelMessage] = deque()
        self._bytes = 0
        self._probe: ChannelMessage | None = None
        self._has_work = asyncio.Event()
        self._is_drained = asyncio.Event()
        self._is_drained.set()

    def __len__(self) -> int:
        return len(self._pending)

    def publish(self, channel: str, data: bytes) -> None:
        """Queues a message; where there are too many the oldest are dropped."""
        self._pending.append(ChannelMessage(channel, data))
        self._bytes += len(data)
        while len(self._pending) > self._tuning.max_pending_messages or self._bytes > self._tuning.max_pending_bytes:
            self._pop()
            self._stats.dropped[DropReason.queue_full] += 1
        self._wake()

    def publish_probe(self, channel: str, data: bytes) -> None:
        """Goes before everything that waits; of several only the last one is sent, and none is counted."""
        self._probe = ChannelMessage(channel, data)
        self._wake()

    def take_pending(self) -> list[ChannelMessage]:
        """Empties the queue and returns what waited, the oldest first."""
        pending = [*self._pending]
        self._pending.clear()
        self._bytes = 0
        self._is_drained.set()
        return pending

    async def drained(self, seconds: float) -> None:
        """Waits until everything is sent, but at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_drained.wait()

    async def run(self) -> None:
        backoff = Backoff()
        while True:
            try:
                async with self._connector.connect() as connection:
                    self._stats.connections += 1
                    await self._send_batches(connection, backoff)
            except Exception as error:
                self._health.failed(error)
            await backoff.wait()

    async def _send_batches(self, connection: AbstractConnection, backoff: Backoff) -> None:
        while True:
            await self._has_work.wait()
            if self._probe is not None:
                probe, self._probe = self._probe, None
                if await self._send_and_confirm(connection, [probe]):
                    raise SlotMoved
            await self._send(connection, self._take_batch())
            backoff.reset()
            if not self._pending and self._probe is None:
                self._has_work.clear()
                self._is_drained.set()

    async def _send(self, connection: AbstractConnection, batch: list[ChannelMessage]) -> None:
        if not batch:
            return
        try:
            moved = await self._send_and_confirm(connection, batch)
        except BaseException:
            # of a batch that fails nobody knows how much arrived
            self._stats.dropped[DropReason.not_sent] += len(batch)
            raise
        self._stats.sent += len(batch) - len(moved)
        if moved:
            self._put_back(moved)
            raise SlotMoved

    async def _send_and_confirm(
        self, connection: AbstractConnection, batch: list[ChannelMessage]
    ) -> list[ChannelMessage]:
        """Returns the messages that were refused because another server takes them now."""
        commands = connection.pack_commands((self._command, channel, data) for channel, data in batch)
        moved: list[ChannelMessage] = []
        async with asyncio.timeout(self._tuning.reply_timeout):
            await connection.send_packed_command(commands, check_health=False)
            for message in batch:
                try:
                    await connection.read_response()
                except MovedError:
                    moved.append(message)
        return moved

    def _take_batch(self) -> list[ChannelMessage]:
        batch: list[ChannelMessage] = []
        size = 0
        while self._pending and len(batch) < MAX_BATCH_MESSAGES and size < MAX_BATCH_BYTES:
            batch.append(self._pop())
            size += len(batch[-1].data)
        return batch

    def _pop(self) -> ChannelMessage:
        message = self._pending.popleft()
        self._bytes -= len(message.data)
        return message

    def _put_back(self, batch: list[ChannelMessage]) -> None:
        self._pending.extendleft(reversed(batch))
        self._bytes += sum(len(message.data) for message in batch)

    def _wake(self) -> None:
        self._has_work.set()
        self._is_drained.clear()
