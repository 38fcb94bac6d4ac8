"""Instances on one Redis, and waiting for what happens between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tertulia.bus import Attendance, Attended, Hinted, Listener, Message, Missed
from tertulia.bus.encoding import channel_of, written
from tertulia.bus.redis import RedisBus
from tertulia.bus.signing import Signer
from tertulia.core.comments import DiscussionKey
from tests.live.fakes import created_event

PATIENCE = 20.0
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
    """The message as an instance says it."""
    return signer.signed(channel_of(one.key), written(one, instance, now()))


async def happened(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Waits for it, and fails where it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.005)


async def certain(bus: RedisBus) -> None:
    await happened(lambda: not bus.in_doubt, "the doubt does not end")


@asynccontextmanager
async def connected(url: str, key: bytes = SECRET) -> AsyncIterator[RedisBus]:
    """A bus that hears and is heard."""
    bus = RedisBus(url, key)
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
        self.hinted: list[DiscussionKey] = []
        self._key = key
        bus.watch(self.missed.extend, self.attended.append, self.hinted.append)
        bus.subscribe(key, self.messages.append)

    @property
    def seqs(self) -> list[int]:
        return [message.head for message in self.messages]

    async def holds(self) -> None:
        await happened(lambda: self._key in self.missed, "the subscription is not confirmed")


@asynccontextmanager
async def two(url: str) -> AsyncIterator[tuple[RedisBus, RedisBus, Hearing]]:
    """Two instances, and a listener of the second."""
    async with connected(url) as here, connected(url) as there:
        hearing = Hearing(there, KEY)
        await hearing.holds()
        yield here, there, hearing


async def heard_again(here: RedisBus, hearing: Hearing, seq: int) -> None:
    """Both are certain, and what is published from now on is heard."""
    here.publish(message(seq))
    await happened(lambda: seq in hearing.seqs, "the later message is not heard")


class Between:
    """Publishes at one instance what is heard at another."""

    def __init__(self, here: RedisBus, there: RedisBus) -> None:
        self._here = here
        self._there = there

    @property
    def in_doubt(self) -> bool:
        return self._here.in_doubt or self._there.in_doubt

    @property
    def hears_strangers(self) -> bool:
        return self._there.hears_strangers

    def watch(self, missed: Missed, attended: Attended, hinted: Hinted) -> None:
        self._there.watch(missed, attended, hinted)

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
