"""The delivery rate of a room: how fast events come, and what that asks of delivery.

instant ── above tick_rate ──▶ ticks ── above summary_rate ──▶ summaries
        ◀── calm for CALM_SECONDS ──  ◀── calm for CALM_SECONDS ──
"""

from __future__ import annotations

from enum import StrEnum

CALM_SECONDS = 10.0
_WINDOW_SECONDS = 1.0


class DeliveryMode(StrEnum):
    """``instant``: each event at once; ``ticks``: several a message; ``summaries``: a few shown, the rest counted."""

    instant = "instant"
    ticks = "ticks"
    summaries = "summaries"


class DeliveryRate:
    """Counts events in windows of a second; a busier mode begins at once, a calmer one after a while."""

    def __init__(self, tick_rate: float, summary_rate: float) -> None:
        self.mode = DeliveryMode.instant
        self._tick_rate = tick_rate
        self._summary_rate = summary_rate
        self._window_ends = 0.0
        self._count = 0
        self._calm_since: float | None = None

    def count(self, events: int, now: float) -> None:
        """``events`` came at ``now``, in seconds of a clock that does not jump."""
        if now >= self._window_ends:
            self._calm_down(self._count, now)
            self._count = 0
            self._window_ends = now + _WINDOW_SECONDS
        self._count += events
        busier = self._mode_for(self._count)
        if _BUSYNESS[busier] > _BUSYNESS[self.mode]:
            self.mode = busier
            self._calm_since = None

    def tick(self, now: float) -> None:
        """Time passed without events."""
        if now >= self._window_ends:
            self._calm_down(self._count, now)
            self._count = 0
            self._window_ends = now + _WINDOW_SECONDS

    def _calm_down(self, count: int, now: float) -> None:
        wanted = self._mode_for(count)
        if _BUSYNESS[wanted] >= _BUSYNESS[self.mode]:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        elif now - self._calm_since >= CALM_SECONDS:
            self.mode = wanted
            self._calm_since = None

    def _mode_for(self, count: int) -> DeliveryMode:
        if count > self._summary_rate:
            return DeliveryMode.summaries
        return DeliveryMode.ticks if count > self._tick_rate else DeliveryMode.instant


_BUSYNESS = {DeliveryMode.instant: 0, DeliveryMode.ticks: 1, DeliveryMode.summaries: 2}
