"""The bus of several instances: pub/sub of Redis or Valkey, with one channel a discussion.

    publish ─┬─▶ this instance's listener, at once
             └─▶ outbox ─▶ Redis ─▶ the ears of all instances ─▶ their listeners

Nothing waits for Redis, and nothing is lost with it but time: see docs/decisions/0015-redis-is-a-hint.md.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from tertulia.bus import Attendance, Attended, Listener, Message, Missed
from tertulia.bus.addresses import Nodes, Sentinels, address
from tertulia.bus.cluster import Cluster
from tertulia.bus.counts import Counts, Dropped, Failure
from tertulia.bus.doubt import Doubts
from tertulia.bus.encoding import ALL, Alive, Malformed, alive, channel_of, opened, present, sealed
from tertulia.bus.lane import Lane
from tertulia.bus.sentinel import Master
from tertulia.bus.topology import Ends, Topology
from tertulia.core.comments import DiscussionKey

CLOSE_SECONDS = 1.0
ALIVE_SECONDS = 5.0
DEAD_SECONDS = 3 * ALIVE_SECONDS
"""An instance of which nothing was heard for so long is taken for dead: its readers are not counted any more."""
INSTANCES_MOST = 1_000

log = logging.getLogger(__name__)

T = TypeVar("T")


class RedisBus:
    """Raises StartupError where the URL is none; a Redis that is down is waited for."""

    def __init__(self, url: str) -> None:
        self.counts = Counts()
        self._instance = secrets.token_hex(8)
        self._listeners: dict[str, tuple[DiscussionKey, Listener]] = {}
        self._missed: Missed = _nobody
        self._attended: Attended = _nobody
        self._heard_of: dict[str, float] = {}
        self._living: asyncio.Task[None] | None = None
        self._doubts = Doubts(self._settled)
        self._topology = _topology(url, Ends(self.counts, self._doubts, self._hear, self._subscribed))

    @property
    def in_doubt(self) -> bool:
        return self._doubts.are_there

    @property
    def failures(self) -> dict[Failure, int]:
        """Why Redis was in doubt, how often."""
        return self._doubts.failures

    @property
    def waiting(self) -> int:
        """Messages that wait for Redis."""
        return len(self._topology)

    def start(self) -> None:
        self._topology.start()
        self._topology.want(ALL)
        self._living = asyncio.create_task(self._live(), name="bus-living")

    async def close(self) -> None:
        """Sends what waits where that takes no longer than a moment, and ends."""
        if not self.in_doubt:
            await self._topology.emptied(CLOSE_SECONDS)
        if self._living is not None:
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)
        await self._topology.close()

    def watch(self, missed: Missed, attended: Attended) -> None:
        self._missed, self._attended = missed, attended

    def publish(self, message: Message) -> None:
        channel = channel_of(message.key)
        if channel in self._listeners:
            _tell(self._listeners[channel][1], message)
        self._topology.put(channel, sealed(message, self._instance))

    def tell(self, key: DiscussionKey, readers: int, writing: int, *, asks: bool) -> None:
        if not self.in_doubt:  # what waits for a Redis that is away are events
            self._topology.put(channel_of(key), present(Attendance(key, self._instance, readers, writing, asks)))

    def is_alive(self, instance: str) -> bool:
        heard = self._heard_of.get(instance)
        # while Redis is away nobody is heard, and that says nothing of them
        return heard is not None and (self.in_doubt or time.monotonic() - heard < DEAD_SECONDS)

    @property
    def others(self) -> int:
        """Other instances of which something was heard lately."""
        return sum(map(self.is_alive, self._heard_of))

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        channel = channel_of(key)
        self._listeners[channel] = (key, listener)
        self._topology.want(channel)

    def unsubscribe(self, key: DiscussionKey) -> None:
        channel = channel_of(key)
        if self._listeners.pop(channel, None) is not None:
            self._topology.unwant(channel)

    def _hear(self, channel: str, data: bytes) -> None:
        try:
            said = opened(data)
            if said.instance == self._instance:
                return
            self._note(said.instance)
            if isinstance(said, Alive) or channel not in self._listeners:
                return  # said to all, or unsubscribed a moment ago
            key, listener = self._listeners[channel]
            if said.key != key:
                raise Malformed("another discussion's")
            if isinstance(said, Attendance):
                _tell(self._attended, said)
                return
            message = said.message()
        except Malformed:
            self.counts.dropped[Dropped.malformed] += 1
            return
        self.counts.received += 1
        _tell(listener, message)

    def _note(self, instance: str) -> None:
        if instance in self._heard_of or len(self._heard_of) < INSTANCES_MOST:
            self._heard_of[instance] = time.monotonic()

    async def _live(self) -> None:
        """Says that this instance lives, and forgets those that do not."""
        while True:
            await asyncio.sleep(ALIVE_SECONDS)
            if not self.in_doubt:
                self._topology.put(ALL, alive(self._instance))
            for instance in [one for one in self._heard_of if not self.is_alive(one)]:
                del self._heard_of[instance]

    def _subscribed(self, channel: str) -> None:
        if channel in self._listeners:
            self._missed((self._listeners[channel][0],))

    def _settled(self) -> None:
        self._heard_of = dict.fromkeys(self._heard_of, time.monotonic())
        self._missed([key for key, _ in self._listeners.values()])


def _topology(url: str, ends: Ends) -> Topology:
    match address(url):
        case Nodes() as nodes:
            return Cluster(nodes, ends)
        case Sentinels() as sentinels:
            return Lane.alone(Master(sentinels), ends)
        case server:
            return Lane.alone(server, ends)


def _tell(listener: Callable[[T], None], message: T) -> None:
    try:
        listener(message)
    except Exception:
        log.exception("A message could not be taken")


def _nobody(_told: object) -> None:
    """Before there is a hub."""
