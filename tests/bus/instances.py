"""Instances on one Redis, and waiting for what happens between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tertulia.bus import Attendance, Attended, Listener, Message, Missed
from tertulia.bus.redis import RedisBus
from tertulia.core.comments import DiscussionKey

PATIENCE = 20.0


async def happened(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Waits for it, and fails where it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.005)


async def certain(bus: RedisBus) -> None:
    await happened(lambda: not bus.in_doubt, "the doubt does not end")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[RedisBus]:
    """A bus that hears and is heard."""
    bus = RedisBus(url)
    bus.start()
    try:
        await certain(bus)
        yield bus
    finally:
        await bus.close()


class Hearing:
    """A listener that keeps what it hears, and knows from when on its subscription holds."""

    def __init__(self, bus: RedisBus, key: DiscussionKey) -> None:
        self.messages: list[Message] = []
        self.missed: list[DiscussionKey] = []
        self.attended: list[Attendance] = []
        self._key = key
        bus.watch(self.missed.extend, self.attended.append)
        bus.subscribe(key, self.messages.append)

    @property
    def seqs(self) -> list[int]:
        return [message.head for message in self.messages]

    async def holds(self) -> None:
        await happened(lambda: self._key in self.missed, "the subscription is not confirmed")


class Between:
    """Publishes at one instance what is heard at another."""

    def __init__(self, here: RedisBus, there: RedisBus) -> None:
        self._here = here
        self._there = there

    @property
    def in_doubt(self) -> bool:
        return self._here.in_doubt or self._there.in_doubt

    def watch(self, missed: Missed, attended: Attended) -> None:
        self._there.watch(missed, attended)

    def tell(self, key: DiscussionKey, readers: int, writing: int, *, asks: bool) -> None:
        self._here.tell(key, readers, writing, asks=asks)

    def is_alive(self, instance: str) -> bool:
        return self._there.is_alive(instance)

    def publish(self, message: Message) -> None:
        self._here.publish(message)

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        self._there.subscribe(key, listener)

    def unsubscribe(self, key: DiscussionKey) -> None:
        self._there.unsubscribe(key)
