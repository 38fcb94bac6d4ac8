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
OTHERS_SECONDS = 2.0
AGAIN_SECONDS = 60.0
LOST_SECONDS = 3 * AGAIN_SECONDS
"""What another instance told counts so long: two of three times that it is told again may be lost."""
READERS_MOST = 10_000_000
"""That readers are told of, of all instances together: no more than that is a number of people."""
ASKED_PER_SECOND = 500
"""Rooms that ask at once after Redis was away: the bus has other things to carry then."""


@dataclass(frozen=True, slots=True)
class Present:
    """How many read, and how many of them write at the moment."""

    readers: int
    writing: int


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """What another instance told ``at`` a time of its own clock; ``heard`` by the one here."""

    present: Present
    at: int
    heard: float


class RoomPresence:
    """Of one room, with the ``readers`` it has; ``say`` tells them."""

    def __init__(
        self, key: DiscussionKey, bus: Bus, readers: Mapping[Reader, None], say: Callable[[Present], None]
    ) -> None:
        self._key = key
        self._bus = bus
        self._readers = readers
        self._say = say
        self._elsewhere: dict[str, _Elsewhere] = {}
        self._said = Present(0, 0)
        self._said_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._told = Present(0, 0)
        self._told_at = float("-inf")
        self._is_new = False
        """Whether others have yet to be told of a change here."""
        self._asking_at = float("inf")

    @property
    def readers(self) -> int:
        """Readers here and elsewhere."""
        return min(len(self._readers) + sum(one.present.readers for one in self._elsewhere.values()), READERS_MOST)

    def here(self) -> Present:
        """Who is here now."""
        now = _now()
        return Present(len(self._readers), sum(1 for reader in self._readers if reader.writing_until > now))

    def total(self) -> Present:
        """Who is here and elsewhere now."""
        here = self.here()
        writing = here.writing + sum(one.present.writing for one in self._elsewhere.values())
        return Present(self.readers, min(writing, READERS_MOST))

    def changed(self) -> None:
        """Somebody came, left or writes here."""
        self._is_new = True
        self._say_soon()

    def hear(self, said: PresenceUpdate) -> None:
        """Another instance tells how many are there."""
        known = self._elsewhere.get(said.instance)
        if known is not None and said.at < known.at:
            return
        if self._bus.is_alive(said.instance):
            # also where nobody reads: forgotten, an older number could be repeated
            self._elsewhere[said.instance] = _Elsewhere(Present(said.readers, said.writing), said.at, _now())
        else:
            self._elsewhere.pop(said.instance, None)
        if said.wants_reply and self._readers:
            self._is_new = True
            self._told_at = float("-inf")
        self._say_soon()

    def ask(self, rooms: int = 1) -> None:
        """Something may have been lost: tells the others and asks them, soon, but not all ``rooms`` at once."""
        now = _now()
        self._asking_at = now + random.uniform(0, rooms / ASKED_PER_SECOND)  # noqa: S311
        for instance, told in self._elsewhere.items():  # until they have answered
            self._elsewhere[instance] = replace(told, heard=now)

    def tick(self, now: float) -> None:
        """Called once a second."""
        gone = [instance for instance, told in self._elsewhere.items() if self._is_gone(instance, told, now)]
        for instance in gone:
            del self._elsewhere[instance]
        if gone or self._said.writing:
            self._say_soon()
        if self._told.writing:
            self._is_new = True
        if now >= self._asking_at:
            self._asking_at = float("inf")
            self._tell(now, asks=True)
        elif now - self._told_at >= (OTHERS_SECONDS if self._is_new else AGAIN_SECONDS):
            self._tell_change(now)

    def _is_gone(self, instance: str, told: _Elsewhere, now: float) -> bool:
        if not self._bus.is_alive(instance):
            return True
        return bool(told.present.readers) and now - told.heard > LOST_SECONDS and not self._bus.is_degraded

    def shut(self) -> None:
        """The room ends; there is nobody to be told."""
        if self._timer is not None:
            self._timer.cancel()
        self._say = _nobody
        if self._told.readers:
            self._bus.publish_presence(self._key, 0, 0, wants_reply=False)

    def _tell_change(self, now: float) -> None:
        here = self.here()
        again = here.readers and now - self._told_at >= AGAIN_SECONDS
        if here != self._told or again:
            self._tell(now, asks=False)
        self._is_new = False

    def _tell(self, now: float, *, asks: bool) -> None:
        self._told, self._told_at, self._is_new = self.here(), now, False
        self._bus.publish_presence(self._key, self._told.readers, self._told.writing, wants_reply=asks)

    def _say_soon(self) -> None:
        if self._timer is None:
            due = max(_now(), self._said_at + READERS_SECONDS)
            self._timer = asyncio.get_running_loop().call_at(due, self._say_change)

    def _say_change(self) -> None:
        self._timer = None
        self._said_at = _now()
        total = self.total()
        if total != self._said:
            self._said = total
            self._say(total)


def _nobody(_present: Present) -> None:
    """After the end of the room, which is not held any more."""


def _now() -> float:
    return asyncio.get_running_loop().time()
