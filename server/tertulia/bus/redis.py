"""The bus of several instances: pub/sub of Redis or Valkey, with one channel a discussion.

    publish ─┬─▶ this instance's listener, at once
             └─▶ outbox ─▶ Redis ─▶ the ears of all instances ─▶ their listeners

Nothing waits for Redis, and nothing is lost with it but time: see docs/decisions/0015-redis-is-a-hint.md.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable

from tertulia.bus import Listener, Message, Missed
from tertulia.bus.addresses import Nodes, Sentinels, address
from tertulia.bus.cluster import Cluster
from tertulia.bus.counts import Counts, Dropped
from tertulia.bus.doubt import Doubts
from tertulia.bus.encoding import Malformed, channel_of, opened, sealed
from tertulia.bus.lane import Lane
from tertulia.bus.sentinel import Master
from tertulia.bus.topology import Ends, Topology
from tertulia.core.comments import DiscussionKey

CLOSE_SECONDS = 1.0

log = logging.getLogger(__name__)


class RedisBus:
    """Raises StartupError where the URL is none; a Redis that is down is waited for."""

    def __init__(self, url: str) -> None:
        self.counts = Counts()
        self._instance = secrets.token_hex(8)
        self._listeners: dict[str, tuple[DiscussionKey, Listener]] = {}
        self._missed: Missed = _nobody
        self._doubts = Doubts(self._settled)
        self._topology = _topology(url, Ends(self.counts, self._doubts, self._hear, self._subscribed))

    @property
    def in_doubt(self) -> bool:
        return self._doubts.are_there

    @property
    def waiting(self) -> int:
        """Messages that wait for Redis."""
        return len(self._topology)

    def start(self) -> None:
        self._topology.start()

    async def close(self) -> None:
        """Sends what waits where that takes no longer than a moment, and ends."""
        if not self.in_doubt:
            await self._topology.emptied(CLOSE_SECONDS)
        await self._topology.close()

    def watch(self, missed: Missed) -> None:
        self._missed = missed

    def publish(self, message: Message) -> None:
        channel = channel_of(message.key)
        if channel in self._listeners:
            _tell(self._listeners[channel][1], message)
        self._topology.put(channel, sealed(message, self._instance))

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        channel = channel_of(key)
        self._listeners[channel] = (key, listener)
        self._topology.want(channel)

    def unsubscribe(self, key: DiscussionKey) -> None:
        channel = channel_of(key)
        if self._listeners.pop(channel, None) is not None:
            self._topology.unwant(channel)

    def _hear(self, channel: str, data: bytes) -> None:
        if channel not in self._listeners:
            return  # unsubscribed a moment ago
        key, listener = self._listeners[channel]
        try:
            letter = opened(data)
            if letter.instance == self._instance:
                return
            if letter.key != key:
                raise Malformed("another discussion's")
            message = letter.message()
        except Malformed:
            self.counts.dropped[Dropped.malformed] += 1
            return
        self.counts.received += 1
        _tell(listener, message)

    def _subscribed(self, channel: str) -> None:
        if channel in self._listeners:
            self._missed((self._listeners[channel][0],))

    def _settled(self) -> None:
        self._missed([key for key, _ in self._listeners.values()])


def _topology(url: str, ends: Ends) -> Topology:
    match address(url):
        case Nodes() as nodes:
            return Cluster(nodes, ends)
        case Sentinels() as sentinels:
            return Lane.alone(Master(sentinels), ends)
        case server:
            return Lane.alone(server, ends)


def _tell(listener: Listener, message: Message) -> None:
    try:
        listener(message)
    except Exception:
        log.exception("A message could not be taken")


def _nobody(_keys: Iterable[DiscussionKey]) -> None:
    """Before there is a hub."""
