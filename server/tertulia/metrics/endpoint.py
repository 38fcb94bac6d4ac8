"""GET /metrics, for addresses that may read it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.bus import Bus, NetworkBus
from tertulia.core.addresses import Networks, parse
from tertulia.errors import ErrorCode, Problem
from tertulia.identity.issuers import Issuers
from tertulia.limits import SharedCounter
from tertulia.live.hub import Hub
from tertulia.metrics.aggregation import WorkerMetrics
from tertulia.metrics.catalogue import (
    BUILD_METRICS,
    BUS_METRICS,
    DATABASE_METRICS,
    EMAIL_CODE_METRICS,
    HOST_METRICS,
    HTTP_METRICS,
    HUB_METRICS,
    ISSUER_METRICS,
    LIMIT_METRICS,
    SERVER_METRICS,
    SIGN_IN_METRICS,
    STAFF_METRICS,
    WORK_METRICS,
    WRITE_QUEUE_METRICS,
)
from tertulia.metrics.host import Host
from tertulia.people import EmailCodes, ProviderSignIns
from tertulia.people.staff import StaffStats
from tertulia.serving.stats import ServerStats
from tertulia.store.failures import FailureLog
from tertulia.store.write_queue import WriteQueue
from tertulia.web.client_address import ClientAddress
from tertulia.web.response_counts import ResponseCounts
from tertulia.work import Workers


@dataclass(frozen=True, slots=True)
class Sources(Collector):
    """Collects from the sources on request.

    Those of the server are left out without ``server_stats``, on another server than ours; those of Redis without one,
    and those of codes by e-mail without a mail server.
    """

    hub: Hub
    write_queue: WriteQueue
    workers: Workers
    staff: StaffStats
    failures: FailureLog
    responses: ResponseCounts
    bus: Bus
    counts: SharedCounter | None
    server_stats: ServerStats | None
    issuers: Issuers
    sign_ins: ProviderSignIns
    codes: EmailCodes | None

    def collect(self) -> Iterator[Family]:
        yield from (metric.family(self.hub) for metric in HUB_METRICS)
        yield from (metric.family(self.write_queue) for metric in WRITE_QUEUE_METRICS)
        yield from (metric.family(self.workers) for metric in WORK_METRICS)
        yield from (metric.family(self.staff) for metric in STAFF_METRICS)
        yield from (metric.family(self.failures) for metric in DATABASE_METRICS)
        yield from (metric.family(self.responses) for metric in HTTP_METRICS)
        yield from (metric.family(self.issuers) for metric in ISSUER_METRICS)
        yield from (metric.family(self.sign_ins) for metric in SIGN_IN_METRICS)
        if self.codes is not None:
            yield from (metric.family(self.codes) for metric in EMAIL_CODE_METRICS)
        if isinstance(self.bus, NetworkBus):
            yield from (metric.family(self.bus) for metric in BUS_METRICS)
        if self.counts is not None:
            yield from (metric.family(self.counts) for metric in LIMIT_METRICS)
        if self.server_stats is not None:
            yield from (metric.family(self.server_stats) for metric in SERVER_METRICS)
        yield from (metric.family(None) for metric in BUILD_METRICS)


@dataclass(frozen=True, slots=True)
class _HostCollector(Collector):
    host: Host

    def collect(self) -> Iterator[Family]:
        yield from (metric.family(self.host) for metric in HOST_METRICS)


class Metrics:
    """The registries of one application, and who may read them; the library's global registry is not used."""

    def __init__(
        self,
        sources: Sources,
        folder: Path,
        addresses: ClientAddress,
        allowed: Sequence[str],
        worker_metrics: WorkerMetrics | None = None,
    ) -> None:
        self._addresses = addresses
        self._worker_metrics = worker_metrics
        self._allowed = Networks(allowed)
        self._sources = CollectorRegistry(auto_describe=False)
        self._sources.register(sources)
        self._system = CollectorRegistry(auto_describe=False)
        self._system.register(_HostCollector(Host(folder)))
        ProcessCollector(registry=self._system)

    def routes(self) -> list[Route]:
        return [Route("/metrics", self._answer)]

    async def _answer(self, request: Request) -> Response:
        if not self._may_read(request):
            raise Problem(ErrorCode.not_found, "There is nothing at this address.")
        text = await self.local()
        if self._worker_metrics is not None:
            text = await self._worker_metrics.aggregated(text)
        return Response(text, headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def local(self) -> bytes:
        """The metrics of this process alone."""
        sources = generate_latest(self._sources)
        # in a thread: it lists the open files, which takes 10 ms with 15,000 connections, and asks a disk
        return sources + await asyncio.to_thread(generate_latest, self._system)

    def _may_read(self, request: Request) -> bool:
        address = parse(self._addresses.verified(request))
        return address is not None and address in self._allowed
