"""What happened to the services, an entry each: that of an outage is updated until it is over."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

MAX_ENTRIES = 40
LATE_SECONDS = 30.0
"""For this long after its end an outage still counts losses of comments that were posted while it lasted."""


@dataclass
class Outage:
    """A service that is down since ``began``. ``disconnected`` holds the readers that it cut off."""

    at: datetime
    title: str
    cause: str
    began: float
    lost_before: int
    disconnected: set[object] = field(default_factory=set)
    reconnected_after: list[float] = field(default_factory=list)
    comments: set[int] = field(default_factory=set)
    slowest: float = 0.0
    ended: float | None = None
    lost: int = 0

    def text(self, now: float) -> str:
        clauses = [self._span(now)]
        if self.disconnected or self.reconnected_after:
            clauses.append(self._readers())
        if self.comments:
            counted = "1 comment" if len(self.comments) == 1 else f"{len(self.comments)} comments"
            clauses.append(f"{counted} posted meanwhile, the last delivery after {_seconds(self.slowest)}")
        return "; ".join(clauses) + f". Missed {self.lost}."

    def _span(self, now: float) -> str:
        if self.ended is None:
            return f"{self.cause}, for {_seconds(now - self.began)} now"
        return f"{self.cause}, up again after {_seconds(self.ended - self.began)}"

    def _readers(self) -> str:
        total = len(self.disconnected) + len(self.reconnected_after)
        if not self.reconnected_after:
            return f"its {total} readers look for another instance"
        latest = _seconds(max(self.reconnected_after))
        if self.disconnected:
            return f"{len(self.reconnected_after)} of its {total} readers are back after {latest}"
        return f"its {total} readers were all back after {latest}"


@dataclass(frozen=True)
class Entry:
    """One entry as the page shows it; ``began`` is None for a note."""

    at: datetime
    title: str
    text: str
    is_open: bool
    began: float | None


class Timeline:
    """Outages and notes, the newest first."""

    def __init__(self) -> None:
        self._items: deque[Outage | Entry] = deque(maxlen=MAX_ENTRIES)

    def add_note(self, at: datetime, title: str, text: str) -> None:
        self._items.appendleft(Entry(at, title, text, False, None))

    def begin(self, outage: Outage) -> None:
        self._items.appendleft(outage)

    def end(self, title: str, now: float) -> None:
        """The service with this title is up again."""
        for outage in self._outages():
            if outage.title == title and outage.ended is None:
                outage.ended = now

    def reader_caught_up(self, reader: object, now: float) -> None:
        """A reader has everything that it missed."""
        for outage in self._outages():
            if reader in outage.disconnected:
                outage.disconnected.discard(reader)
                outage.reconnected_after.append(now - outage.began)

    def delivered(self, number: int, posted: float, now: float) -> None:
        for outage in self._outages():
            if posted >= outage.began and (outage.ended is None or posted <= outage.ended):
                outage.comments.add(number)
                outage.slowest = max(outage.slowest, now - posted)

    def update_lost(self, count: int, now: float) -> None:
        """``count`` comments are lost so far; outages that ended more than LATE_SECONDS ago are not updated."""
        for outage in self._outages():
            if outage.ended is None or now - outage.ended < LATE_SECONDS:
                outage.lost = count - outage.lost_before

    def entries(self, now: float) -> list[Entry]:
        return [
            item
            if isinstance(item, Entry)
            else Entry(item.at, item.title, item.text(now), item.ended is None, item.began)
            for item in self._items
        ]

    def _outages(self) -> list[Outage]:
        return [item for item in self._items if isinstance(item, Outage)]


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.0f} ms"
