"""One moment as the page shows it. Times are ages in seconds, so that no two clocks have to agree."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tertulia.demo.cluster import Cluster
from tertulia.demo.evidence import Evidence
from tertulia.demo.front import Front
from tertulia.demo.latencies import CHART_SECONDS, Latencies
from tertulia.demo.parts import Instance, Part
from tertulia.demo.readers import Reader
from tertulia.demo.story import Story

Shown = dict[str, Any]


class Scene:
    """Looks at everything and changes nothing."""

    def __init__(
        self,
        cluster: Cluster,
        fronts: Sequence[Front],
        readers: Sequence[Reader],
        evidence: Evidence,
        latencies: Latencies,
        story: Story,
    ) -> None:
        self._cluster = cluster
        self._fronts = fronts
        self._readers = readers
        self._evidence = evidence
        self._latencies = latencies
        self._story = story

    def snapshot(self) -> Shown:
        now = asyncio.get_running_loop().time()
        self._story.lost(self._evidence.lost(now), now)
        lines = self._story.lines(now)
        return {
            "counts": self._counts(now),
            "latency": self._latency(now),
            "chart": [
                [round(age, 2), round(median * 1000, 1), round(worst * 1000, 1)]
                for age, median, worst in self._latencies.chart(now)
            ],
            "marks": [
                [round(now - line.began, 2), line.title]
                for line in lines
                if line.began is not None and now - line.began < CHART_SECONDS
            ],
            "parts": [self._part(part) for part in self._cluster.parts],
            "fronts": [{"number": front.number, "at": front.at.title if front.at else None} for front in self._fronts],
            "story": [
                {"at": line.at.isoformat(), "title": line.title, "text": line.text, "open": line.is_open}
                for line in lines
            ],
        }

    def _counts(self, now: float) -> Shown:
        return {
            "lost": self._evidence.lost(now),
            "doubled": self._evidence.doubled,
            "comments": self._evidence.comments,
            "deliveries": self._evidence.deliveries,
            "underway": self._evidence.underway,
            "readers": len(self._readers),
            "connected": sum(1 for reader in self._readers if reader.instance is not None),
        }

    def _latency(self, now: float) -> Shown:
        summary = self._latencies.summary(now)
        values = {"p50": summary.p50, "p99": summary.p99, "worst": summary.worst}
        return {name: None if value is None else round(value * 1000, 1) for name, value in values.items()}

    def _part(self, part: Part) -> Shown:
        due = self._cluster.due_in(part)
        shown: Shown = {
            "name": part.name,
            "title": part.title,
            "state": part.state,
            "pid": part.pid,
            "acts": part.acts,
            "due": None if due is None else round(due, 1),
            "readers": None,
            "seq": None,
        }
        if isinstance(part, Instance):
            here = [reader for reader in self._readers if reader.instance is part]
            shown["readers"] = len(here)
            shown["seq"] = max((reader.seq for reader in here), default=None)
        return shown
