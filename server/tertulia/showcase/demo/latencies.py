"""How long deliveries took: percentiles of the last minute, and a chart of the last two."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

WINDOW_SECONDS = 60.0
CHART_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Seconds; None if there were no deliveries."""

    p50: float | None
    p99: float | None
    worst: float | None


def percentile(ascending: Sequence[float], share: float) -> float | None:
    """The least value that at least this share of all values does not exceed (nearest rank)."""
    if not ascending:
        return None
    return ascending[max(math.ceil(share * len(ascending)), 1) - 1]


class Latencies:
    """Deliveries of the last two minutes, each with when its comment was posted."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque()

    def add(self, posted: float, now: float) -> None:
        self._samples.append((posted, now - posted))
        while self._samples[0][0] < now - CHART_SECONDS:
            self._samples.popleft()

    def summary(self, now: float) -> LatencySummary:
        recent = sorted(latency for posted, latency in self._samples if posted + latency > now - WINDOW_SECONDS)
        return LatencySummary(percentile(recent, 0.5), percentile(recent, 0.99), percentile(recent, 1.0))

    def chart(self, now: float) -> list[tuple[float, float, float]]:
        """Of each second in which comments were posted: its age, the median of their deliveries, and the slowest."""
        seconds: dict[int, list[float]] = {}
        for posted, latency in self._samples:
            if posted > now - CHART_SECONDS:
                seconds.setdefault(math.floor(posted), []).append(latency)
        points = []
        for second, latencies in sorted(seconds.items()):
            latencies.sort()
            points.append((now - second, percentile(latencies, 0.5) or 0.0, latencies[-1]))
        return points
