"""The ear: one connection that hears, made anew whenever it may have missed something.

A connection can go deaf without an error: its server is frozen, or a network swallows everything. So the ear waits for
probes, which this instance sends on a channel of its own and which must come back.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import Counter
from collections.abc import Iterable

from redis.asyncio.connection import AbstractConnection

from tertulia.bus.connecting import ANSWER_SECONDS, Backoff, Moved, Way
from tertulia.bus.counts import Dropped
from tertulia.bus.doubt import Doubt
from tertulia.bus.sending import Outbox
from tertulia.bus.speech import Speech, batches
from tertulia.bus.topology import Ends

PROBE_SECONDS = 1.0
PROBES_MISSED = 3
PROBES_KEPT = 8
TURN = 64
"""Messages after which the loop runs something else: a burst is in the buffer, and reading it never waits."""


class Ear:
    """Hears the channels that are wanted. Probes go through the outbox and come back on a channel of their own."""

    def __init__(self, way: Way, speech: Speech, outbox: Outbox, ends: Ends, doubt: Doubt, probe_channel: str) -> None:
        self._way = way
        self._speech = speech
        self._outbox = outbox
        self._counts = ends.counts
        self._heard = ends.heard
        self._subscribed = ends.subscribed
        self._doubt = doubt
        self._backoff = Backoff()
        self._wanted: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        self._leaving: Counter[str] = Counter()
        self._woken = asyncio.Event()
        self._probe_channel = probe_channel
        self._probes: dict[bytes, float] = {}
        self._unanswered = 0

    def want(self, channel: str) -> None:
        self._wanted[channel] = None
        self._change(channel)

    def unwant(self, channel: str) -> None:
        self._wanted.pop(channel, None)
        self._change(channel)

    def _change(self, channel: str) -> None:
        self._changed[channel] = None
        self._woken.set()

    async def run(self) -> None:
        while True:
            try:
                async with self._way.connected() as connection:
                    self._counts.connections += 1
                    await self._listen(connection)
            except Exception as error:
                self._doubt.begin(error)
            await self._backoff.wait()

    async def _listen(self, connection: AbstractConnection) -> None:
        self._unanswered = 0
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hearing(connection), name="bus-hearing")
            tasks.create_task(self._asking(connection), name="bus-asking")
            tasks.create_task(self._probing(), name="bus-probing")

    # ---- what is said ------------------------------------------------------------------------------------

    async def _hearing(self, connection: AbstractConnection) -> None:
        heard = 0
        while True:
            self._take(await connection.read_response(timeout=math.inf, disconnect_on_error=False))
            heard += 1
            if heard % TURN == 0:
                await asyncio.sleep(0)

    def _take(self, reply: object) -> None:
        match reply:
            case [b"message" | b"smessage", bytes(name), bytes(data)]:
                channel = name.decode(errors="replace")
                if channel == self._probe_channel:
                    self._came_back(data)
                else:
                    self._heard(channel, data)
            case [b"subscribe" | b"ssubscribe", bytes(name), _]:
                channel = name.decode(errors="replace")
                if channel == self._probe_channel:
                    self._probe()
                else:
                    self._subscribed(channel)
            case [b"unsubscribe" | b"sunsubscribe", bytes(name), _]:
                self._left(name.decode(errors="replace"))

    def _left(self, channel: str) -> None:
        if not self._leaving[channel]:
            raise Moved
        self._leaving[channel] -= 1
        if not self._leaving[channel]:
            del self._leaving[channel]

    # ---- which channels ----------------------------------------------------------------------------------

    async def _asking(self, connection: AbstractConnection) -> None:
        asked = set(self._wanted)
        self._changed.clear()
        self._leaving.clear()
        await _ask(connection, self._speech.subscribe, asked)
        # the probe's is the last: when a probe comes back, all of them are subscribed
        await _ask(connection, self._speech.subscribe, [self._probe_channel])
        while True:
            await self._woken.wait()
            self._woken.clear()
            changed = set(self._changed)
            self._changed.clear()
            more = (changed & self._wanted.keys()) - asked
            less = (changed - self._wanted.keys()) & asked
            asked = (asked | more) - less
            self._leaving.update(less)
            await _ask(connection, self._speech.subscribe, more)
            await _ask(connection, self._speech.unsubscribe, less)

    # ---- whether it hears --------------------------------------------------------------------------------

    async def _probing(self) -> None:
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            # counted, not timed: a loop that stood still is not a Redis that does
            if self._unanswered >= PROBES_MISSED:
                raise TimeoutError(f"{PROBES_MISSED} probes did not come back")
            self._probe()

    def _probe(self) -> None:
        nonce = secrets.token_hex(16).encode()
        self._probes[nonce] = time.monotonic()
        if len(self._probes) > PROBES_KEPT:
            del self._probes[next(iter(self._probes))]
        self._unanswered += 1
        self._outbox.put_probe(self._probe_channel, nonce)

    def _came_back(self, nonce: bytes) -> None:
        asked = self._probes.pop(nonce, None)
        if asked is None:
            self._counts.dropped[Dropped.malformed] += 1
            return
        self._unanswered = 0
        self._backoff.reset()
        self._counts.round_trip = time.monotonic() - asked
        self._doubt.end(asked)


async def _ask(connection: AbstractConnection, command: str, channels: Iterable[str]) -> None:
    for batch in batches(channels):
        packed = connection.pack_command(command, *batch)
        async with asyncio.timeout(ANSWER_SECONDS):
            await connection.send_packed_command(packed, check_health=False)
