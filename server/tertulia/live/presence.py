"""Presence: how many read and write a discussion, here and at other instances.

    here ─── a change, every readers_seconds at most ──▶ readers here
      │                                                     ▲
      └─ a change, every peers_seconds at most ──▶ other instances ─┘

Both are sent only what has changed, and the last value wins. Each instance sends a number, never a reader, so it costs
as much as there are instances. What an instance sent counts no more once it is dead, or has not repeated it for
``expiry_seconds``: somebody else may have repeated an old number. What the bus lost is repeated every
``repeat_seconds``, and asked for whenever something may have been lost.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tertulia.bus import Bus, PresenceUpdate
from tertulia.core.comments import DiscussionKey
from tertulia.live.reader import Reader
from tertulia.live.tuning import DEFAULT, Tuning

MAX_READERS = 10_000_000
"""Of all instances together, that readers are told of: no more than that is a number of people."""


@dataclass(frozen=True, slots=True)
class Headcount:
    """How many read, and how many of them write at the moment."""

    readers: int
    writing: int


@dataclass(frozen=True, slots=True)
class _Peer:
    """What another instance sent: ``at`` by its own clock in milliseconds, ``received_at`` by the loop's in seconds."""

    headcount: Headcount
    at: int
    received_at: float


class RoomPresence:
    """Of one room, whose ``readers`` it counts; ``send`` tells them of a change."""

    def __init__(
        self,
        key: DiscussionKey,
        bus: Bus,
        readers: Mapping[Reader, None],
        send: Callable[[Headcount], None],
        tuning: Tuning = DEFAULT,
    ) -> None:
        self._key = key
        self._bus = bus
        self._readers = readers
        self._send = send
        self._tuning = tuning
        self._peers: dict[str, _Peer] = {}
        self._sent_to_readers = Headcount(0, 0)
        self._sent_to_readers_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._sent_to_peers = Headcount(0, 0)
        self._sent_to_peers_at = float("-inf")
        self._has_changed = False
        """Since peers were sent something."""
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
        writing = self.local().writing + sum(peer.headcount.writing for peer in self._peers.values())
        return Headcount(self.readers, min(writing, MAX_READERS))

    def on_change(self) -> None:
        """Somebody came, left or writes here."""
        self._has_changed = True
        self._send_soon()

    def receive(self, update: PresenceUpdate) -> None:
        """Another instance tells how many are there. Of two updates the one it sent later counts."""
        known = self._peers.get(update.instance)
        if known is not None and update.at < known.at:
            return
        if self._bus.is_alive(update.instance):
            # also where nobody reads there: if it were forgotten, an older number could be repeated
            self._peers[update.instance] = _Peer(Headcount(update.readers, update.writing), update.at, _now())
        else:
            self._peers.pop(update.instance, None)
        if update.wants_reply and self._readers:
            self._has_changed = True
            self._sent_to_peers_at = float("-inf")
        self._send_soon()

    def request(self, rooms: int = 1) -> None:
        """Something may have been lost: asks the others for their numbers soon, but not all ``rooms`` at once."""
        now = _now()
        self._request_at = now + random.uniform(0, rooms / self._tuning.requests_per_second)  # noqa: S311
        for instance, peer in self._peers.items():  # theirs count until they have answered
            self._peers[instance] = replace(peer, received_at=now)

    def tick(self, now: float) -> None:
        """Called once a second."""
        expired = [instance for instance, peer in self._peers.items() if self._has_expired(instance, peer, now)]
        for instance in expired:
            del self._peers[instance]
        if expired or self._sent_to_readers.writing:
            self._send_soon()
        if self._sent_to_peers.writing:
            self._has_changed = True
        pause = self._tuning.peers_seconds if self._has_changed else self._tuning.repeat_seconds
        if now >= self._request_at:
            self._request_at = float("inf")
            self._publish(now, wants_reply=True)
        elif now - self._sent_to_peers_at >= pause:
            self._publish_change(now)

    def _has_expired(self, instance: str, peer: _Peer, now: float) -> bool:
        if not self._bus.is_alive(instance):
            return True
        is_old = now - peer.received_at > self._tuning.expiry_seconds
        return bool(peer.headcount.readers) and is_old and not self._bus.is_degraded

    def close(self) -> None:
        """The room ends: nobody here is sent anything, and peers that it has no readers."""
        if self._timer is not None:
            self._timer.cancel()
        self._send = _discard
        if self._sent_to_peers.readers:
            self._bus.publish_presence(self._key, 0, 0, wants_reply=False)

    def _publish_change(self, now: float) -> None:
        local = self.local()
        is_due = local.readers and now - self._sent_to_peers_at >= self._tuning.repeat_seconds
        if local != self._sent_to_peers or is_due:
            self._publish(now, wants_reply=False)
        self._has_changed = False

    def _publish(self, now: float, *, wants_reply: bool) -> None:
        self._sent_to_peers, self._sent_to_peers_at, self._has_changed = self.local(), now, False
        self._bus.publish_presence(
            self._key, self._sent_to_peers.readers, self._sent_to_peers.writing, wants_reply=wants_reply
        )

    def _send_soon(self) -> None:
        if self._timer is None:
            due = max(_now(), self._sent_to_readers_at + self._tuning.readers_seconds)
            self._timer = asyncio.get_running_loop().call_at(due, self._send_change)

    def _send_change(self) -> None:
        self._timer = None
        self._sent_to_readers_at = _now()
        total = self.total()
        if total != self._sent_to_readers:
            self._sent_to_readers = total
            self._send(total)


def _discard(_headcount: Headcount) -> None:
    """After the end of the room, which is not held any more."""


def _now() -> float:
    return asyncio.get_running_loop().time()
