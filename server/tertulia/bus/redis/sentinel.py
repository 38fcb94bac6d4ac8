"""Redis Sentinel: connections to the master of a service, whichever server that is at the moment.

All sentinels are asked at once, and the newest view counts: one that a network cut off keeps the old one. A master that
was replaced goes on taking messages, and does so as a replica, but then they reach nobody elsewhere: a connection ends
when the sentinels name another server. Usually they have cut it before, when they made the old master a replica.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio.connection import AbstractConnection

from tertulia.bus.redis.connections import Endpoint, execute, summary
from tertulia.bus.redis.urls import SentinelAddress

SENTINEL_TIMEOUT = 1.0
"""How long one silent sentinel delays the answers of the others."""


@dataclass(frozen=True, slots=True, order=True)
class MasterView:
    """Where a sentinel sees the master; ``epoch`` rises with every failover, so the greatest view is the newest."""

    epoch: int
    host: str
    port: int


class MasterUnknown(ConnectionError):
    """No sentinel says where the master is."""


class SentinelConnector:
    """Connects to the master, and asks the sentinels every ``watch_seconds`` whether it still is the master."""

    def __init__(self, sentinels: SentinelAddress, watch_seconds: float) -> None:
        self._sentinels = sentinels
        self._watch_seconds = watch_seconds

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AbstractConnection]:
        server = await self._find_master()
        async with server.connect() as connection:
            await _expect_master(connection)
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch(server), name="bus-sentinel")
                yield connection
                watching.cancel()

    async def _watch(self, server: Endpoint) -> None:
        while True:
            await asyncio.sleep(self._watch_seconds)
            try:
                found = await self._find_master()
            except MasterUnknown:
                continue  # without sentinels no other server becomes the master
            if found.host_port != server.host_port:
                raise ConnectionError("the sentinels name another master")

    async def _find_master(self) -> Endpoint:
        answers = await asyncio.gather(*map(self._ask_sentinel, self._sentinels.servers), return_exceptions=True)
        views = [one for one in answers if isinstance(one, MasterView)]
        if not views:
            errors = [one for one in answers if isinstance(one, Exception)]
            raise MasterUnknown(f"no sentinel knows where the master is: {summary(errors[0])}")
        newest = max(views)
        return self._sentinels.master.at(newest.host, newest.port)

    async def _ask_sentinel(self, sentinel: Endpoint) -> MasterView:
        service = self._sentinels.service
        # during a failover the first command still gives the old address, the second the new one
        commands = ("SENTINEL", "MASTER", service), ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)
        async with asyncio.timeout(SENTINEL_TIMEOUT), sentinel.connect() as connection:
            fields, (host, port) = await execute(connection, *commands)
        epoch = dict(zip(fields[::2], fields[1::2], strict=True))[b"config-epoch"]
        return MasterView(int(epoch), host.decode(), int(port))


async def _expect_master(connection: AbstractConnection) -> None:
    ((role, *_),) = await execute(connection, ("ROLE",))
    if role != b"master":
        raise ConnectionError("the server that the sentinels name is not yet the master")
