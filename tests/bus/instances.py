"""Instances on one Redis, and waiting for what happens between them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tertulia.bus import BusHandlers, Glance, Listener, Message, PresenceUpdate
from tertulia.bus.redis.bus import RedisBus
from tertulia.bus.redis.signing import Signer
from tertulia.bus.redis.tuning import DEFAULT, BusTuning
from tertulia.bus.redis.wire import channel_of, encode_events
from tertulia.core.comments import DiscussionKey
from tests.live.fakes import created_event
from tests.support.waiting import until

KEY, OTHER = DiscussionKey("a", "x"), DiscussionKey("a", "y")
SECRET = b"the key of the instances of these tests"
SIGNER = Signer(SECRET)


def permissions() -> list[list[str]]:
    """The commands of docs/settings.md: for one server, for servers under Sentinel, sentinels, servers of a cluster.

    Without what posting limits need: the bus is known to do without it.
    """
    return [lines[0] for lines in all_permissions()]


def all_permissions() -> list[list[list[str]]]:
    """The same, two commands each: the second for posting limits."""
    lines = (Path(__file__).parents[2] / "docs/settings.md").read_text().splitlines()
    found = [line.replace("PASSWORD", "secret").split() for line in lines if line.startswith("ACL SETUSER")]
    return [found[place : place + 2] for place in range(0, len(found), 2)]


def message(*seqs: int, key: DiscussionKey = KEY) -> Message:
    return Message(key, "one", tuple(created_event(seq) for seq in seqs))


def now() -> int:
    """In milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def signed(one: Message, instance: str = "another", signer: Signer = SIGNER) -> bytes:
    """The message as an instance sends it."""
    return signer.sign(channel_of(one.key), encode_events(one, instance, now()))


async def wait_until_healthy(bus: RedisBus) -> None:
    await until(lambda: not bus.is_degraded, "the bus stays degraded")


@asynccontextmanager
async def healthy_bus(url: str, key: bytes = SECRET, tuning: BusTuning = DEFAULT) -> AsyncIterator[RedisBus]:
    """A bus whose messages arrive."""
    bus = RedisBus(url, key, tuning)
    bus.start()
    try:
        await wait_until_healthy(bus)
        yield bus
    finally:
        await bus.close()


class RecordingListener:
    """Keeps what a bus calls it with, and knows from when on its subscription holds."""

    def __init__(self, bus: RedisBus, key: DiscussionKey) -> None:
        self.messages: list[Message] = []
        self.gaps: list[DiscussionKey] = []
        self.presence: list[PresenceUpdate] = []
        self.unverified: list[DiscussionKey] = []
        self._key = key
        handlers = BusHandlers(
            on_gap=self.gaps.extend, on_presence=self.presence.append, on_unverified=self.unverified.append
        )
        bus.set_handlers(handlers)
        bus.subscribe(key, self.messages.append)

    @property
    def seqs(self) -> list[int]:
        return [message.head for message in self.messages]

    async def subscribed(self) -> None:
        await until(lambda: self._key in self.gaps, "the subscription is not confirmed")


@asynccontextmanager
async def bus_pair(
    url: str, tuning: BusTuning = DEFAULT
) -> AsyncIterator[tuple[RedisBus, RedisBus, RecordingListener]]:
    """Two instances, and a listener of the second."""
    async with healthy_bus(url, tuning=tuning) as here, healthy_bus(url, tuning=tuning) as there:
        listener = RecordingListener(there, KEY)
        await listener.subscribed()
        yield here, there, listener


async def wait_until_delivered(here: RedisBus, listener: RecordingListener, seq: int) -> None:
    """Both are healthy, and what is published from now on arrives."""
    here.publish(message(seq))
    await until(lambda: seq in listener.seqs, "the later message is not delivered")


class CrossInstanceBus:
    """Publishes at one instance what another receives."""

    def __init__(self, here: RedisBus, there: RedisBus) -> None:
        self._here = here
        self._there = there

    @property
    def is_degraded(self) -> bool:
        return self._here.is_degraded or self._there.is_degraded

    @property
    def receives_unverified(self) -> bool:
        return self._there.receives_unverified

    def set_handlers(self, handlers: BusHandlers) -> None:
        self._there.set_handlers(handlers)

    def publish_presence(self, key: DiscussionKey, readers: int, writing: int, *, wants_reply: bool) -> None:
        self._here.publish_presence(key, readers, writing, wants_reply=wants_reply)

    def publish_looking(self, key: DiscussionKey, look: Glance) -> None:
        self._here.publish_looking(key, look)

    def is_alive(self, instance: str) -> bool:
        return self._there.is_alive(instance)

    def publish(self, message: Message) -> None:
        self._here.publish(message)

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        self._there.subscribe(key, listener)

    def unsubscribe(self, key: DiscussionKey) -> None:
        self._there.unsubscribe(key)
