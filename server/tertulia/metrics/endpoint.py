"""GET /metrics, for addresses that may read it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.bus import Bus
from tertulia.bus.redis import RedisBus
from tertulia.errors import ErrorCode, Problem
from tertulia.live.hub import Hub
from tertulia.metrics.catalogue import OF_BUILD, OF_HUB, OF_LEDGER, OF_REDIS, OF_SERVER
from tertulia.metrics.siblings import Siblings
from tertulia.serving.vitals import Vitals
from tertulia.store.ledger import Ledger
from tertulia.web.gate import Gate


class Parts(Collector):
    """Reads the parts when it is asked.

    Without ``vitals``, on another server than ours, theirs are left out, and those of Redis where there is none.
    """

    def __init__(self, hub: Hub, ledger: Ledger, bus: Bus, vitals: Vitals | None) -> None:
        self._hub = hub
        self._ledger = ledger
        self._bus = bus
        self._vitals = vitals

    def collect(self) -> Iterator[Family]:
        yield from (metric.family(self._hub) for metric in OF_HUB)
        yield from (metric.family(self._ledger) for metric in OF_LEDGER)
        if isinstance(self._bus, RedisBus):
            yield from (metric.family(self._bus) for metric in OF_REDIS)
        if self._vitals is not None:
            yield from (metric.family(self._vitals) for metric in OF_SERVER)
        yield from (metric.family(None) for metric in OF_BUILD)


class Metrics:
    """The registries of one application, and who may read them. The library's global registry is not used."""

    def __init__(self, parts: Parts, gate: Gate, allowed: Sequence[str], siblings: Siblings | None = None) -> None:
        self._gate = gate
        self._siblings = siblings
        self._allowed = [ip_network(network, strict=False) for network in allowed]
        self._parts = CollectorRegistry(auto_describe=False)
        self._parts.register(parts)
        self._process = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._process)

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
        # in a thread: it lists the open files, which takes 10 ms with 15,000 connections
        return parts + await asyncio.to_thread(generate_latest, self._process)

    def _may_read(self, request: Request) -> bool:
        address = self._gate.certain_address(request)
        return address is not None and any(ip_address(address) in network for network in self._allowed)
