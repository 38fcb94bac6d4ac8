"""The subscriber: one connection that receives, made anew whenever it may have missed something.

A connection can go deaf without an error: its server is frozen, or a network swallows everything. So the subscriber
waits for probes, which this instance sends on a channel of its own and which must come back.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import Counter
from collections.abc import Iterable

from redis.asyncio.connection import AbstractConnection

from tertulia.bus.redis.connections import Backoff, SlotMoved, batches
from tertulia.bus.redis.health import PartHealth
from tertulia.bus.redis.port import LinkContext, LinkTarget
from tertulia.bus.redis.publisher import Publisher
from tertulia.bus.stats import DropReason

PROBE_SECONDS = 1.0
MAX_LOST_PROBES = 3
MAX_OPEN_PROBES = 8
MESSAGES_PER_TURN = 64
"""Messages after which the loop runs something else: a burst is in the buffer, and reading it never waits."""


class Subscriber:
    """Receives what is published on its channels. Probes go through the publisher and come back on a channel apart."""

    def __init__(self, target: LinkTarget, publisher: Publisher, context: LinkContext, health: PartHealth) -> None:
        self._connector = target.connector
        self._commands = target.commands
        self._probe_channel = target.probe_channel
        self._publisher = publisher
        self._stats = context.stats
        self._reply_timeout = context.tuning.reply_timeout
        self._on_message = context.on_message
        self._on_subscribed = context.on_subscribed
        self._health = health
        self._backoff = Backoff()
        self._channels: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        self._unsubscribing: Counter[str] = Counter()
        self._has_changes = asyncio.Event()
        self._probes: dict[bytes, float] = {}
        self._open_probes = 0

    def subscribe(self, channel: str) -> None:
        self._channels[channel] = None
        self._change(channel)

    def unsubscribe(self, channel: str) -> None:
        self._channels.pop(channel, None)
        self._change(channel)

    def _change(self, channel: str) -> None:
        self._changed[channel] = None
        self._has_changes.set()

    async def run(self) -> None:
        while True:
            try:
                async with self._connector.connect() as connection:
                    self._stats.connections += 1
                    await self._listen(connection)
            except Exception as error:
                self._health.failed(error)
            await self._backoff.wait()

    async def _listen(self, connection: AbstractConnection) -> None:
        self._open_probes = 0
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_replies(connection), name="bus-replies")
            tasks.create_task(self._sync_subscriptions(connection), name="bus-subscriptions")
            tasks.create_task(self._probe_regularly(), name="bus-probes")

    # ---- messages ----------------------------------------------------------------------------------------

    async def _read_replies(self, connection: AbstractConnection) -> None:
        received = 0
        while True:
            self._on_reply(await connection.read_response(timeout=math.inf, disconnect_on_error=False))
            received += 1
            if received % MESSAGES_PER_TURN == 0:
                await asyncio.sleep(0)

    def _on_reply(self, reply: object) -> None:
        match reply:
            case [b"message" | b"smessage", bytes(name), bytes(data)]:
                channel = name.decode(errors="replace")
                if channel == self._probe_channel:
                    self._on_probe(data)
                else:
                    self._on_message(channel, data)
            case [b"subscribe" | b"ssubscribe", bytes(name), _]:
                channel = name.decode(errors="replace")
                if channel == self._probe_channel:
                    self._send_probe()
                else:
                    self._on_subscribed(channel)
            case [b"unsubscribe" | b"sunsubscribe", bytes(name), _]:
                self._on_unsubscribed(name.decode(errors="replace"))

    def _on_unsubscribed(self, channel: str) -> None:
        if not self._unsubscribing[channel]:
            raise SlotMoved
        self._unsubscribing[channel] -= 1
        if not self._unsubscribing[channel]:
            del self._unsubscribing[channel]

    # ---- which channels ----------------------------------------------------------------------------------

    async def _sync_subscriptions(self, connection: AbstractConnection) -> None:
        subscribed = set(self._channels)
        self._changed.clear()
        self._unsubscribing.clear()
        await self._send(connection, self._commands.subscribe, subscribed)
        # the probe's is the last: when a probe comes back, all of them are subscribed
        await self._send(connection, self._commands.subscribe, [self._probe_channel])
        while True:
            await self._has_changes.wait()
            self._has_changes.clear()
            changed = set(self._changed)
            self._changed.clear()
            more = (changed & self._channels.keys()) - subscribed
            less = (changed - self._channels.keys()) & subscribed
            subscribed = (subscribed | more) - less
            self._unsubscribing.update(less)
            await self._send(connection, self._commands.subscribe, more)
            await self._send(connection, self._commands.unsubscribe, less)

    async def _send(self, connection: AbstractConnection, command: str, channels: Iterable[str]) -> None:
        for batch in batches(channels):
            packed = connection.pack_command(command, *batch)
            async with asyncio.timeout(self._reply_timeout):
                await connection.send_packed_command(packed, check_health=False)

    # ---- whether it receives --------------------------------------------------------------------------

    async def _probe_regularly(self) -> None:
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            # counted, not timed: a loop that stood still is not a Redis that does
            if self._open_probes >= MAX_LOST_PROBES:
                raise TimeoutError(f"{MAX_LOST_PROBES} probes did not come back")
            self._send_probe()

    def _send_probe(self) -> None:
        nonce = secrets.token_hex(16).encode()
        self._probes[nonce] = time.monotonic()
        if len(self._probes) > MAX_OPEN_PROBES:
            del self._probes[next(iter(self._probes))]
        self._open_probes += 1
        self._publisher.publish_probe(self._probe_channel, nonce)

    def _on_probe(self, nonce: bytes) -> None:
        probed_at = self._probes.pop(nonce, None)
        if probed_at is None:
            self._stats.dropped[DropReason.malformed] += 1
            return
        self._open_probes = 0
        self._backoff.reset()
        self._stats.round_trip = time.monotonic() - probed_at
        self._health.recovered(probed_at)
