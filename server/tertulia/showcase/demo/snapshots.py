"""What the page shows, twice a second. Times are ages in seconds, so that no two clocks have to agree."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tertulia.showcase.demo.cluster import Cluster
from tertulia.showcase.demo.delivery_check import DeliveryCheck
from tertulia.showcase.demo.latencies import CHART_SECONDS, Latencies
from tertulia.showcase.demo.load_balancer import LoadBalancer
from tertulia.showcase.demo.probe_reader import ProbeReader
from tertulia.showcase.demo.services import Instance, Service
from tertulia.showcase.demo.timeline import Timeline

Json = dict[str, Any]


class Snapshots:
    """Takes snapshots of the whole demonstration as JSON."""

    def __init__(
        self,
        cluster: Cluster,
        balancers: Sequence[LoadBalancer],
        readers: Sequence[ProbeReader],
        check: DeliveryCheck,
        latencies: Latencies,
        timeline: Timeline,
    ) -> None:
        self._cluster = cluster
        self._balancers = balancers
        self._readers = readers
        self._check = check
        self._latencies = latencies
        self._timeline = timeline

    def take(self) -> Json:
        now = asyncio.get_running_loop().time()
        self._timeline.update_lost(self._check.lost(now), now)
        entries = self._timeline.entries(now)
        return {
            "counts": self._counts(now),
            "latency": self._latency(now),
            "chart": [
                [round(age, 2), round(median * 1000, 1), round(worst * 1000, 1)]
                for age, median, worst in self._latencies.chart(now)
            ],
            "marks": [
                [round(now - entry.began, 2), entry.title]
                for entry in entries
                if entry.began is not None and now - entry.began < CHART_SECONDS
            ],
            "services": [self._service(service) for service in self._cluster.services],
            "balancers": [
                {"number": balancer.number, "target": balancer.target.title if balancer.target else None}
                for balancer in self._balancers
            ],
            "timeline": [
                {"at": entry.at.isoformat(), "title": entry.title, "text": entry.text, "open": entry.is_open}
                for entry in entries
            ],
        }

    def _counts(self, now: float) -> Json:
        return {
            "lost": self._check.lost(now),
            "duplicated": self._check.duplicated,
            "comments": self._check.comments,
            "deliveries": self._check.deliveries,
            "pending": self._check.pending,
            "readers": len(self._readers),
            "connected": sum(1 for reader in self._readers if reader.instance is not None),
        }

    def _latency(self, now: float) -> Json:
        summary = self._latencies.summary(now)
        values = {"p50": summary.p50, "p99": summary.p99, "worst": summary.worst}
        return {name: None if value is None else round(value * 1000, 1) for name, value in values.items()}

    def _service(self, service: Service) -> Json:
        restarts_in = self._cluster.restarts_in(service)
        shown: Json = {
            "name": service.name,
            "title": service.title,
            "state": service.state,
            "pid": service.pid,
            "actions": service.actions,
            "restarts_in": None if restarts_in is None else round(restarts_in, 1),
            "readers": None,
            "seq": None,
        }
        if isinstance(service, Instance):
            here = [reader for reader in self._readers if reader.instance is service]
            shown["readers"] = len(here)
            shown["seq"] = max((reader.seq for reader in here), default=None)
        return shown
