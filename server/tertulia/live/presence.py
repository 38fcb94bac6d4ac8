"""Presence: how many read and write a discussion, here and at other instances.

Readers are told at most once a second, other instances at most every two, both only of a change; the last value wins.
Each instance tells a number, never a reader, so it costs as much as there are instances. What one that died had told is
forgotten when nothing was heard of it for a while; what the bus lost is told again every minute, and asked for whenever
something may have been lost. What is not told again is forgotten, too: somebody may have repeated an old number.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tertulia.bus import Bus, PresenceUpdate
from tertulia.core.comments import DiscussionKey
from tertulia.live.reader import Reader

READERS_SECONDS = 1.0
PEERS_SECONDS = 2.0
REPEAT_SECONDS = 60.0
EXPIRY_SECONDS = 3 * REPEAT_SECONDS
"""What another instance told counts so long: two of three times that it is told again may be lost."""
MAX_READERS = 10_000_000
"""That readers are told of, of all instances together: no more than that is a number of people."""
REQUESTS_PER_SECOND = 500
"""Rooms that ask at once after Redis was away: the bus has other things to carry then."""


@dataclass(frozen=True, slots=True)
class Headcount:
    """How many read, and how many of them write at the moment."""

    readers: int
    writing: int


@dataclass(frozen=True, slots=True)
class _Peer:
    """What another instance told ``at`` a time of its own clock; ``heard`` by the one here."""

    headcount: Headcount
    at: int
    received_at: float


class RoomPresence:
    """Of one room, with the ``readers`` it has; ``say`` tells them."""

    def __init__(
        self, key: DiscussionKey, bus: Bus, readers: Mapping[Reader, None], send: Callable[[Headcount], None]
    ) -> None:
        self._key = key
        self._bus = bus
        self._readers = readers
        self._send = send
        self._peers: dict[str, _Peer] = {}
        self._sent_to_readers = Headcount(0, 0)
        self._sent_to_readers_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._sent_to_peers = Headcount(0, 0)
        self._sent_to_peers_at = float("-inf")
        self._has_changed = False
        """Whether others have yet to be told of a change here."""
        self._request_at = float("inf")

    @property
    def readers(self) -> int:
        """Readers here and elsewhere."""
        return min(len(self._readers) + sum(peer.headcount.readers for peer in self._peers.values()), MAX_READERS)

    def local(self) -> Headcount:
        """Who is here now."""
        now = _now()
        return Headcount(len(self._readers), sum(1 for reader in self._readers if reader.writing_until > now))

    def total(self) -> Headcount:
        """Who is here and elsewhere now."""
        here = self.local()
        writing = here.writing + sum(peer.headcount.writing for peer in self._peers.values())
        return Headcount(self.readers, min(writing, MAX_READERS))

    def on_change(self) -> None:
        """Somebody came, left or writes here."""
        self._has_changed = True
        self._send_soon()

    def receive(self, said: PresenceUpdate) -> None:
        """Another instance tells how many are there."""
        known = self._peers.get(said.instance)
        if known is not None and said.at < known.at:
            return
        if self._bus.is_alive(said.instance):
            # also where nobody reads: forgotten, an older number could be repeated
            self._peers[said.instance] = _Peer(Headcount(said.readers, said.writing), said.at, _now())
        else:
            self._peers.pop(said.instance, None)
        if said.wants_reply and self._readers:
            self._has_changed = True
            self._sent_to_peers_at = float("-inf")
        self._send_soon()

    def request(self, rooms: int = 1) -> None:
        """Something may have been lost: tells the others and asks them, soon, but not all ``rooms`` at once."""
        now = _now()
        self._request_at = now + random.uniform(0, rooms / REQUESTS_PER_SECOND)  # noqa: S311
        for instance, peer in self._peers.items():  # until they have answered
            self._peers[instance] = replace(peer, received_at=now)

    def tick(self, now: float) -> None:
        """Called once a second."""
        gone = [instance for instance, peer in self._peers.items() if self._has_expired(instance, peer, now)]
        for instance in gone:
            del self._peers[instance]
        if gone or self._sent_to_readers.writing:
            self._send_soon()
        if self._sent_to_peers.writing:
            self._has_changed = True
        if now >= self._request_at:
            self._request_at = float("inf")
            self._publish(now, wants_reply=True)
        elif now - self._sent_to_peers_at >= (PEERS_SECONDS if self._has_changed else REPEAT_SECONDS):
            self._publish_change(now)

    def _has_expired(self, instance: str, peer: _Peer, now: float) -> bool:
        if not self._bus.is_alive(instance):
            return True
        return bool(peer.headcount.readers) and now - peer.received_at > EXPIRY_SECONDS and not self._bus.is_degraded

    def close(self) -> None:
        """The room ends; there is nobody to be told."""
        if self._timer is not None:
            self._timer.cancel()
        self._send = _discard
        if self._sent_to_peers.readers:
            self._bus.publish_presence(self._key, 0, 0, wants_reply=False)

    def _publish_change(self, now: float) -> None:
        here = self.local()
        again = here.readers and now - self._sent_to_peers_at >= REPEAT_SECONDS
        if here != self._sent_to_peers or again:
            self._publish(now, wants_reply=False)
        self._has_changed = False

    def _publish(self, now: float, *, wants_reply: bool) -> None:
        self._sent_to_peers, self._sent_to_peers_at, self._has_changed = self.local(), now, False
        self._bus.publish_presence(
            self._key, self._sent_to_peers.readers, self._sent_to_peers.writing, wants_reply=wants_reply
        )

    def _send_soon(self) -> None:
        if self._timer is None:
            due = max(_now(), self._sent_to_readers_at + READERS_SECONDS)
            self._timer = asyncio.get_running_loop().call_at(due, self._send_change)

    def _send_change(self) -> None:
        self._timer = None
        self._sent_to_readers_at = _now()
        total = self.total()
        if total != self._sent_to_readers:
            self._sent_to_readers = total
            self._send(total)


def _discard(_present: Headcount) -> None:
    """After the end of the room, which is not held any more."""


def _now() -> float:
    return asyncio.get_running_loop().time()
