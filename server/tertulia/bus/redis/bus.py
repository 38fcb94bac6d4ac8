"""The bus of several instances: pub/sub of Redis or Valkey, with one channel a discussion.

    publish ─┬─▶ this instance's listener, at once
             └─▶ publisher ─▶ Redis ─▶ the subscribers of all instances ─▶ their listeners

Nothing waits for Redis, and without it nothing is lost but time: see docs/decisions/0015-redis-is-best-effort.md. Only
messages that another instance signed are believed; any other makes a room look into the store.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from tertulia.bus import BusHandlers, Glance, Listener, LookingUpdate, Message, PresenceUpdate
from tertulia.bus.redis.cluster import ClusterTopology
from tertulia.bus.redis.health import Health
from tertulia.bus.redis.link import PubSubLink
from tertulia.bus.redis.port import LinkContext, Topology
from tertulia.bus.redis.sentinel import SentinelConnector
from tertulia.bus.redis.signing import Signer, Unverified
from tertulia.bus.redis.tuning import DEFAULT, BusTuning
from tertulia.bus.redis.urls import ClusterAddress, SentinelAddress, parse_redis_url
from tertulia.bus.redis.wire import (
    INSTANCES_CHANNEL,
    Envelope,
    InstanceHeartbeat,
    Malformed,
    channel_of,
    decode,
    encode_events,
    encode_heartbeat,
    encode_looking,
    encode_presence,
)
from tertulia.bus.stats import BusStats, DropReason
from tertulia.core.comments import DiscussionKey

DRAIN_SECONDS = 1.0
MAX_CLOCK_SKEW_SECONDS = 300.0
"""How far apart the clocks of two instances may be, and so how long a number of readers can be replayed.

Five minutes, as in Kerberos: servers that synchronise their clocks differ by less than a second.
"""

log = logging.getLogger(__name__)

T = TypeVar("T")


class RedisBus:
    """A bus over the Redis at ``url``. Raises StartupError if the URL is invalid; a Redis that is down is waited for.

    ``key``, 16 to 64 bytes, signs messages: those of whoever has another key are not believed.
    ``tuning`` may be replaced: what it says of other instances is read at each use.
    """

    def __init__(self, url: str, key: bytes, tuning: BusTuning = DEFAULT) -> None:
        self.stats = BusStats()
        self.tuning = tuning
        self._signer = Signer(key)
        self._instance = secrets.token_hex(8)
        self._listeners: dict[str, tuple[DiscussionKey, Listener]] = {}
        self._handlers = BusHandlers()
        self._last_seen: dict[str, float] = {}
        self._last_timestamp = 0
        self._unverified_at = self._unverified_logged_at = -math.inf
        self._heartbeat_task: asyncio.Task[None] | None = None
        self._health = Health(self.stats, self._on_recovered)
        self._topology = _topology(
            url, LinkContext(self.stats, self._health, tuning, self.receive, self._on_subscribed)
        )

    @property
    def is_degraded(self) -> bool:
        return self._health.is_degraded

    @property
    def receives_unverified(self) -> bool:
        return time.monotonic() - self._unverified_at < self.tuning.unverified_shown

    @property
    def pending(self) -> int:
        """Messages that wait to be sent."""
        return len(self._topology)

    def start(self) -> None:
        self._topology.start()
        self._topology.subscribe(INSTANCES_CHANNEL)
        self._heartbeat_task = asyncio.create_task(self._heartbeat(), name="bus-heartbeat")

    async def close(self) -> None:
        """Sends pending messages for at most DRAIN_SECONDS, then ends."""
        if not self.is_degraded:
            await self._topology.drained(DRAIN_SECONDS)
        if self._heartbeat_task is not None:
            self._heartbeat_task.cancel()
            await asyncio.gather(self._heartbeat_task, return_exceptions=True)
        await self._topology.close()

    def set_handlers(self, handlers: BusHandlers) -> None:
        self._handlers = handlers

    def publish(self, message: Message) -> None:
        channel = channel_of(message.key)
        if channel in self._listeners:
            _call(self._listeners[channel][1], message)
        self._send(channel, encode_events(message, self._instance, self._timestamp()))

    def publish_presence(self, key: DiscussionKey, readers: int, writing: int, *, wants_reply: bool) -> None:
        if not self.is_degraded:  # the queue for a Redis that is away is for events
            update = PresenceUpdate(key, self._instance, readers, writing, wants_reply, self._timestamp())
            self._send(channel_of(key), encode_presence(update))

    def publish_looking(self, key: DiscussionKey, look: Glance) -> None:
        if not self.is_degraded:
            update = LookingUpdate(key, self._instance, look, self._timestamp())
            self._send(channel_of(key), encode_looking(update))

    def is_alive(self, instance: str) -> bool:
        seen_at = self._last_seen.get(instance)
        # without Redis every instance is silent, which does not mean that it is dead
        return seen_at is not None and (self.is_degraded or time.monotonic() - seen_at < self.tuning.peer_timeout)

    @property
    def peer_count(self) -> int:
        """Other instances that are alive."""
        return sum(map(self.is_alive, self._last_seen))

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        channel = channel_of(key)
        self._listeners[channel] = (key, listener)
        self._topology.subscribe(channel)

    def unsubscribe(self, key: DiscussionKey) -> None:
        channel = channel_of(key)
        if self._listeners.pop(channel, None) is not None:
            self._topology.unsubscribe(channel)

    # ---- what is sent and received ----------------------------------------------------------------------

    def _send(self, channel: str, data: bytes) -> None:
        self._topology.publish(channel, self._signer.sign(channel, data))

    def _timestamp(self) -> int:
        """Now, in milliseconds since 1970, but never less than before: the clock may be set back."""
        self._last_timestamp = max(self._last_timestamp, time.time_ns() // 1_000_000)
        return self._last_timestamp

    def receive(self, channel: str, data: bytes) -> None:
        """Takes what Redis brings on a channel: whatever it is, it is delivered or counted, and nothing is raised."""
        try:
            self._dispatch(channel, self._signer.verify(channel, data))
        except Unverified:
            self.stats.dropped[DropReason.unverified] += 1
            self._note_unverified()
            self._report_unverified(channel)
        except Malformed:  # most likely of a newer version
            self.stats.dropped[DropReason.malformed] += 1
            self._report_unverified(channel)

    def _dispatch(self, channel: str, data: bytes) -> None:
        """Delivers what one of our instances sent. Raises Malformed."""
        received = decode(data)
        if received.instance == self._instance:
            return
        is_new = self._mark_seen(received.instance, received.at)
        if isinstance(received, InstanceHeartbeat) or channel not in self._listeners:
            return  # for all instances, or unsubscribed a moment ago
        key, listener = self._listeners[channel]
        if received.key != key:
            raise Malformed("another discussion's")
        if isinstance(received, Envelope):
            message = received.message()
            self.stats.received += 1
            _call(listener, message)
        elif not is_new:
            self.stats.dropped[DropReason.outdated] += 1
        elif isinstance(received, PresenceUpdate):
            _call(self._handlers.on_presence, received)
        else:
            _call(self._handlers.on_looking, received)

    def _report_unverified(self, channel: str) -> None:
        if channel in self._listeners:
            self._handlers.on_unverified(self._listeners[channel][0])

    def _mark_seen(self, instance: str, at: int) -> bool:
        """Returns whether ``at`` is about now; only then does the message show that the instance is alive."""
        if abs(time.time() - at / 1000) > MAX_CLOCK_SKEW_SECONDS:
            return False
        if instance in self._last_seen or len(self._last_seen) < self.tuning.max_peers:
            self._last_seen[instance] = time.monotonic()
        return True

    def _note_unverified(self) -> None:
        self._unverified_at = time.monotonic()
        if self._unverified_at - self._unverified_logged_at >= self.tuning.unverified_shown:
            self._unverified_logged_at = self._unverified_at
            log.warning(
                "Messages on Redis are not believed, since they are not signed with this server's secret key for this "
                "database: another server has another key, another database or an older version, or somebody else "
                "publishes there; readers get what was committed from the database",
                extra={"messages": self.stats.dropped[DropReason.unverified]},
            )

    async def _heartbeat(self) -> None:
        """Says that this instance is alive, and forgets those that are not."""
        while True:
            await asyncio.sleep(self.tuning.heartbeat)
            if not self.is_degraded:
                self._send(INSTANCES_CHANNEL, encode_heartbeat(self._instance, self._timestamp()))
            for instance in [one for one in self._last_seen if not self.is_alive(one)]:
                del self._last_seen[instance]

    def _on_subscribed(self, channel: str) -> None:
        if channel in self._listeners:
            self._handlers.on_gap((self._listeners[channel][0],))

    def _on_recovered(self) -> None:
        self._last_seen = dict.fromkeys(self._last_seen, time.monotonic())
        self._handlers.on_gap([key for key, _ in self._listeners.values()])


def _topology(url: str, context: LinkContext) -> Topology:
    match parse_redis_url(url):
        case ClusterAddress() as nodes:
            return ClusterTopology(nodes, context)
        case SentinelAddress() as sentinels:
            return PubSubLink.alone(SentinelConnector(sentinels, context.tuning.sentinel_watch), context)
        case server:
            return PubSubLink.alone(server, context)


def _call(listener: Callable[[T], None], message: T) -> None:
    try:
        listener(message)
    except Exception:
        log.exception("A message could not be taken")
