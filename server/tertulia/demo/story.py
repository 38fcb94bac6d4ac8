"""What happened to the parts and what became of it, in one line each, which grows until its outage is over."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

LINES = 40
SOON = 30.0
"""Seconds after its end in which an outage still hears of comments that were posted while it lasted."""


@dataclass
class Outage:
    """A part that is away since ``began``. ``away`` has the readers that were cut off by it."""

    at: datetime
    title: str
    what: str
    began: float
    missed_before: int
    away: set[object] = field(default_factory=set)
    back_after: list[float] = field(default_factory=list)
    comments: set[int] = field(default_factory=set)
    slowest: float = 0.0
    ended: float | None = None
    missed: int = 0

    def text(self, now: float) -> str:
        parts = [self._span(now)]
        if self.away or self.back_after:
            parts.append(self._readers())
        if self.comments:
            counted = "1 comment" if len(self.comments) == 1 else f"{len(self.comments)} comments"
            parts.append(f"{counted} posted meanwhile, the last delivery after {_seconds(self.slowest)}")
        return "; ".join(parts) + f". Missed {self.missed}."

    def _span(self, now: float) -> str:
        if self.ended is None:
            return f"{self.what}, for {_seconds(now - self.began)} now"
        return f"{self.what}, up again after {_seconds(self.ended - self.began)}"

    def _readers(self) -> str:
        everybody = len(self.away) + len(self.back_after)
        if not self.back_after:
            return f"its {everybody} readers look for another instance"
        latest = _seconds(max(self.back_after))
        if self.away:
            return f"{len(self.back_after)} of its {everybody} readers are back after {latest}"
        return f"its {everybody} readers were all back after {latest}"


@dataclass(frozen=True)
class Line:
    """One line as the page shows it."""

    at: datetime
    title: str
    text: str
    is_open: bool
    began: float | None


class Story:
    """Outages and remarks, the newest first."""

    def __init__(self) -> None:
        self._told: deque[Outage | Line] = deque(maxlen=LINES)

    def remark(self, at: datetime, title: str, text: str) -> None:
        self._told.appendleft(Line(at, title, text, False, None))

    def begin(self, outage: Outage) -> None:
        self._told.appendleft(outage)

    def end(self, title: str, now: float) -> None:
        """The part of this name is there again."""
        for outage in self._outages():
            if outage.title == title and outage.ended is None:
                outage.ended = now

    def back(self, reader: object, now: float) -> None:
        """A reader has all that it missed."""
        for outage in self._outages():
            if reader in outage.away:
                outage.away.discard(reader)
                outage.back_after.append(now - outage.began)

    def delivered(self, number: int, posted: float, now: float) -> None:
        for outage in self._outages():
            if posted >= outage.began and (outage.ended is None or posted <= outage.ended):
                outage.comments.add(number)
                outage.slowest = max(outage.slowest, now - posted)

    def lost(self, count: int, now: float) -> None:
        """How many are lost by now; outages that are over for a while are told no more."""
        for outage in self._outages():
            if outage.ended is None or now - outage.ended < SOON:
                outage.missed = count - outage.missed_before

    def lines(self, now: float) -> list[Line]:
        return [
            told
            if isinstance(told, Line)
            else Line(told.at, told.title, told.text(now), told.ended is None, told.began)
            for told in self._told
        ]

    def _outages(self) -> list[Outage]:
        return [told for told in self._told if isinstance(told, Outage)]


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.0f} ms"
