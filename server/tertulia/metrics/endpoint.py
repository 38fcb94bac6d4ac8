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
from tertulia.limits import SharedCounts
from tertulia.live.hub import Hub
from tertulia.metrics.catalogue import (
    OF_ANSWERS,
    OF_BUILD,
    OF_HUB,
    OF_MACHINE,
    OF_REDIS,
    OF_SERVER,
    OF_SHARED_COUNTS,
    OF_TROUBLES,
    OF_WRITE_QUEUE,
)
from tertulia.metrics.machine import Machine
from tertulia.metrics.siblings import Siblings
from tertulia.serving.stats import ServerStats
from tertulia.store.troubles import Troubles
from tertulia.store.write_queue import WriteQueue
from tertulia.web.answers import Answers
from tertulia.web.client_address import ClientAddress


@dataclass(frozen=True, slots=True)
class Parts(Collector):
    """Reads the parts when it is asked.

    Without ``server_stats``, on another server than ours, theirs are left out, and those of Redis where there is none.
    """

    hub: Hub
    write_queue: WriteQueue
    troubles: Troubles
    answers: Answers
    bus: Bus
    counts: SharedCounts | None
    server_stats: ServerStats | None

    def collect(self) -> Iterator[Family]:
        yield from (metric.family(self.hub) for metric in OF_HUB)
        yield from (metric.family(self.write_queue) for metric in OF_WRITE_QUEUE)
        yield from (metric.family(self.troubles) for metric in OF_TROUBLES)
        yield from (metric.family(self.answers) for metric in OF_ANSWERS)
        if isinstance(self.bus, NetworkBus):
            yield from (metric.family(self.bus) for metric in OF_REDIS)
        if self.counts is not None:
            yield from (metric.family(self.counts) for metric in OF_SHARED_COUNTS)
        if self.server_stats is not None:
            yield from (metric.family(self.server_stats) for metric in OF_SERVER)
        yield from (metric.family(None) for metric in OF_BUILD)


@dataclass(frozen=True, slots=True)
class _OfMachine(Collector):
    machine: Machine

    def collect(self) -> Iterator[Family]:
        yield from (metric.family(self.machine) for metric in OF_MACHINE)


class Metrics:
    """The registries of one application, and who may read them. The library's global registry is not used."""

    def __init__(
        self,
        parts: Parts,
        folder: Path,
        addresses: ClientAddress,
        allowed: Sequence[str],
        siblings: Siblings | None = None,
    ) -> None:
        self._addresses = addresses
        self._siblings = siblings
        self._allowed = Networks(allowed)
        self._parts = CollectorRegistry(auto_describe=False)
        self._parts.register(parts)
        self._system = CollectorRegistry(auto_describe=False)
        self._system.register(_OfMachine(Machine(folder)))
        ProcessCollector(registry=self._system)

    def routes(self) -> list[Route]:
        return [Route("/metrics", self._answer)]

    async def _answer(self, request: Request) -> Response:
        if not self._may_read(request):
            raise Problem(ErrorCode.not_found, "There is nothing at this address.")
        text = await self.own()
        if self._siblings is not None:
            text = await self._siblings.merged(text)
        return Response(text, headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def own(self) -> bytes:
        """The metrics of this process."""
        parts = generate_latest(self._parts)
        # in a thread: it lists the open files, which takes 10 ms with 15,000 connections, and asks a disk
        return parts + await asyncio.to_thread(generate_latest, self._system)

    def _may_read(self, request: Request) -> bool:
        address = parse(self._addresses.verified(request))
        return address is not None and address in self._allowed
