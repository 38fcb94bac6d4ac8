"""The delivery rate of a room: how fast events come, and what that asks of delivery.

instant ── above tick rate ──▶ ticks ── above summary rate ──▶ summaries
        ◀── calm for calm_seconds ──  ◀── calm for calm_seconds ──
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tertulia.live.tuning import CALM_SECONDS

_WINDOW_SECONDS = 1.0


class DeliveryMode(StrEnum):
    """``instant``: each event at once; ``ticks``: several a message; ``summaries``: a few shown, the rest counted."""

    instant = "instant"
    ticks = "ticks"
    summaries = "summaries"


@dataclass(frozen=True, slots=True)
class Rates:
    """Events a second of one discussion above which it is delivered in ticks, and above which in summaries."""

    tick: float
    summary: float


class DeliveryRate:
    """Counts events in windows of a second; a busier mode begins at once, a calmer one after ``calm_seconds``.

    Times are seconds of any clock that does not jump.
    """

    def __init__(self, rates: Rates, calm_seconds: float = CALM_SECONDS) -> None:
        self.mode = DeliveryMode.instant
        self._rates = rates
        self._calm_seconds = calm_seconds
        self._window_ends = 0.0
        self._count = 0
        self._calm_since: float | None = None

    def count(self, events: int, now: float) -> None:
        """So many ``events`` came ``now``."""
        self.tick(now)
        self._count += events
        busier = self._mode_for(self._count)
        if _BUSYNESS[busier] > _BUSYNESS[self.mode]:
            self.mode = busier
            self._calm_since = None

    def tick(self, now: float) -> None:
        """Time passes, with events or without."""
        if now >= self._window_ends:
            self._calm_down(self._count, now)
            self._count = 0
            self._window_ends = now + _WINDOW_SECONDS

    def _calm_down(self, count: int, now: float) -> None:
        calmer = self._mode_for(count)
        if _BUSYNESS[calmer] >= _BUSYNESS[self.mode]:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        elif now - self._calm_since >= self._calm_seconds:
            self.mode = calmer
            self._calm_since = None

    def _mode_for(self, count: int) -> DeliveryMode:
        if count > self._rates.summary:
            return DeliveryMode.summaries
        return DeliveryMode.ticks if count > self._rates.tick else DeliveryMode.instant


_BUSYNESS = {DeliveryMode.instant: 0, DeliveryMode.ticks: 1, DeliveryMode.summaries: 2}
