"""The bus of several instances: pub/sub of Redis or Valkey, with one channel a discussion.

    publish ─┬─▶ this instance's listener, at once
             └─▶ outbox ─▶ Redis ─▶ the ears of all instances ─▶ their listeners

Nothing waits for Redis, and nothing is lost with it but time: see docs/decisions/0015-redis-is-a-hint.md. Nor is
anything believed that it brings unless another instance signed it: what was not makes a room look into the store.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from tertulia.bus import Attendance, Attended, Hinted, Listener, Message, Missed
from tertulia.bus.addresses import Nodes, Sentinels, address
from tertulia.bus.cluster import Cluster
from tertulia.bus.counts import Counts, Dropped, Failure
from tertulia.bus.doubt import Doubts
from tertulia.bus.encoding import ALL, Alive, Malformed, alive, channel_of, opened, present, written
from tertulia.bus.lane import Lane
from tertulia.bus.sentinel import Master
from tertulia.bus.signing import Signer, Unverified
from tertulia.bus.topology import Ends, Topology
from tertulia.core.comments import DiscussionKey

CLOSE_SECONDS = 1.0
ALIVE_SECONDS = 5.0
DEAD_SECONDS = 3 * ALIVE_SECONDS
"""An instance of which nothing was heard for so long is taken for dead: its readers are not counted any more."""
INSTANCES_MOST = 1_000
APART_SECONDS = 300.0
"""How far the clocks of two instances may be apart, and so how long what was said of readers may be said again.

Five minutes, as Kerberos has it: servers that keep their time differ by less than a second.
"""
STRANGERS_SECONDS = 60.0
"""How long one that is not known is told of after its last message; of many there is a line as often."""

log = logging.getLogger(__name__)

T = TypeVar("T")


class RedisBus:
    """Raises StartupError where the URL is none; a Redis that is down is waited for.

    ``key`` signs what instances say, 16 to 64 bytes: who has another one is not believed.
    """

    def __init__(self, url: str, key: bytes) -> None:
        self.counts = Counts()
        self._signer = Signer(key)
        self._instance = secrets.token_hex(8)
        self._listeners: dict[str, tuple[DiscussionKey, Listener]] = {}
        self._missed: Missed = _nobody
        self._attended: Attended = _nobody
        self._hinted: Hinted = _nobody
        self._heard_of: dict[str, float] = {}
        self._stamped = 0
        self._stranger_heard = self._stranger_told = -math.inf
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
    def hears_strangers(self) -> bool:
        return time.monotonic() - self._stranger_heard < STRANGERS_SECONDS

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

    def watch(self, missed: Missed, attended: Attended, hinted: Hinted) -> None:
        self._missed, self._attended, self._hinted = missed, attended, hinted

    def publish(self, message: Message) -> None:
        channel = channel_of(message.key)
        if channel in self._listeners:
            _tell(self._listeners[channel][1], message)
        self._say(channel, written(message, self._instance, self._stamp()))

    def tell(self, key: DiscussionKey, readers: int, writing: int, *, asks: bool) -> None:
        if not self.in_doubt:  # what waits for a Redis that is away are events
            said = Attendance(key, self._instance, readers, writing, asks, self._stamp())
            self._say(channel_of(key), present(said))

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

    # ---- what goes out and comes in, all of it ----------------------------------------------------------

    def _say(self, channel: str, data: bytes) -> None:
        self._topology.put(channel, self._signer.signed(channel, data))

    def _stamp(self) -> int:
        """Now, in milliseconds since 1970, but never less than before: the clock may be set back."""
        self._stamped = max(self._stamped, time.time_ns() // 1_000_000)
        return self._stamped

    def _hear(self, channel: str, data: bytes) -> None:
        try:
            self._take(channel, self._signer.verified(channel, data))
        except Unverified:
            self.counts.dropped[Dropped.unverified] += 1
            self._note_stranger()
            self._hint(channel)
        except Malformed:  # most likely of a newer version
            self.counts.dropped[Dropped.malformed] += 1
            self._hint(channel)

    def _take(self, channel: str, data: bytes) -> None:
        """What one of our instances said. Raises Malformed."""
        said = opened(data)
        if said.instance == self._instance:
            return
        is_new = self._note(said.instance, said.at)
        if isinstance(said, Alive) or channel not in self._listeners:
            return  # said to all, or unsubscribed a moment ago
        key, listener = self._listeners[channel]
        if said.key != key:
            raise Malformed("another discussion's")
        if not isinstance(said, Attendance):
            message = said.message()
            self.counts.received += 1
            _tell(listener, message)
        elif is_new:
            _tell(self._attended, said)
        else:
            self.counts.dropped[Dropped.outdated] += 1

    def _hint(self, channel: str) -> None:
        if channel in self._listeners:
            self._hinted(self._listeners[channel][0])

    def _note(self, instance: str, at: int) -> bool:
        """The instance lives, where that was said ``at`` a time which is about now; gives whether it was."""
        if abs(time.time() - at / 1000) > APART_SECONDS:
            return False
        if instance in self._heard_of or len(self._heard_of) < INSTANCES_MOST:
            self._heard_of[instance] = time.monotonic()
        return True

    def _note_stranger(self) -> None:
        self._stranger_heard = time.monotonic()
        if self._stranger_heard - self._stranger_told >= STRANGERS_SECONDS:
            self._stranger_told = self._stranger_heard
            log.warning(
                "Messages on Redis are not believed, since they are not signed with this server's secret key for this "
                "database: another server has another key, another database or an older version, or somebody else "
                "publishes there; readers get what was committed from the database",
                extra={"messages": self.counts.dropped[Dropped.unverified]},
            )

    async def _live(self) -> None:
        """Says that this instance lives, and forgets those that do not."""
        while True:
            await asyncio.sleep(ALIVE_SECONDS)
            if not self.in_doubt:
                self._say(ALL, alive(self._instance, self._stamp()))
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
