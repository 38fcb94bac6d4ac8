"""Redis Cluster: sharded pub/sub over a fixed number of partitions, with a lane to each shard.

    channel ─▶ partition, its hash tag ─▶ slot ─▶ the shard that owns it ─▶ lane

Nor is a lane ever repaired: where another server owns one of its partitions it is replaced, and what waits in it goes
to its successors.
"""

from __future__ import annotations

import asyncio
import random
import time

from tertulia.bus.addresses import Nodes
from tertulia.bus.connecting import Backoff, Place, Server
from tertulia.bus.counts import Dropped
from tertulia.bus.doubt import Doubt
from tertulia.bus.lane import Lane, probe_channel
from tertulia.bus.partitions import PARTITIONS, partition_of, tagged, untagged
from tertulia.bus.shards import Shards, shards_at
from tertulia.bus.speech import SHARDED
from tertulia.bus.topology import Ends

MAP_SECONDS = 5.0
"""The cluster is asked who owns what this often, and at once when a lane fails."""

Charge = tuple[Place, tuple[int, ...]]
"""A server and the partitions that it owns."""


class Cluster:
    """Keeps a lane to each server that owns a partition."""

    def __init__(self, nodes: Nodes, ends: Ends) -> None:
        self._seeds = nodes.servers
        self._ends = Ends(
            ends.counts,
            ends.doubts,
            lambda name, data: ends.heard(untagged(name), data),
            lambda name: ends.subscribed(untagged(name)),
        )
        self._doubt = ends.doubts.open()
        self._known: frozenset[Place] = frozenset()
        self._lanes: dict[Charge, tuple[Lane, Doubt]] = {}
        self._owners: list[Lane | None] = [None] * PARTITIONS
        self._wanted: list[dict[str, None]] = [{} for _ in range(PARTITIONS)]
        self._outdated = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # ---- what is carried ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        return sum(len(lane) for lane, _ in self._lanes.values())

    def put(self, channel: str, data: bytes) -> None:
        partition = partition_of(channel)
        self._put(partition, tagged(channel, partition), data)

    def want(self, channel: str) -> None:
        partition = partition_of(channel)
        name = tagged(channel, partition)
        self._wanted[partition][name] = None
        if (lane := self._owners[partition]) is not None:
            lane.want(name)

    def unwant(self, channel: str) -> None:
        partition = partition_of(channel)
        name = tagged(channel, partition)
        self._wanted[partition].pop(name, None)
        if (lane := self._owners[partition]) is not None:
            lane.unwant(name)

    def _put(self, partition: int, name: str, data: bytes) -> None:
        lane = self._owners[partition]
        if lane is None:
            self._ends.counts.dropped[Dropped.not_sent] += 1
        else:
            lane.put(name, data)

    # ---- who carries it ----------------------------------------------------------------------------------

    def start(self) -> None:
        self._task = asyncio.create_task(self._following(), name="bus-cluster")

    async def emptied(self, seconds: float) -> None:
        await asyncio.gather(*(lane.emptied(seconds) for lane, _ in self._lanes.values()))

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(lane.close() for lane, _ in self._lanes.values()))

    async def _following(self) -> None:
        backoff = Backoff()
        while True:
            self._outdated.clear()
            try:
                await self._follow()
            except Exception as error:
                self._doubt.begin(error)
                self._outdated.set()
            # lanes that fail ask again and again
            await backoff.wait()
            try:
                async with asyncio.timeout(MAP_SECONDS):
                    await self._outdated.wait()
            except TimeoutError:
                backoff.reset()

    async def _follow(self) -> None:
        asked = time.monotonic()
        shards = await self._shards()
        self._known = shards.places
        if shards.is_sure:
            await self._rearrange(shards)
            self._doubt.end(asked)
        else:
            self._doubt.begin(ConnectionError("the cluster is not whole"))
            self._outdated.set()
            await self._rearrange(shards)

    async def _shards(self) -> Shards:
        """As a server sees them that is in touch with most of the others, or else the most complete view of all."""
        seen: list[Shards] = []
        failure: Exception | None = None
        for server in self._servers():
            try:
                shards = await shards_at(server)
            except Exception as error:
                failure = error
                continue
            if shards.is_sure:
                return shards
            seen.append(shards)
        if not seen:
            raise ConnectionError("no server of the cluster answers") from failure
        return min(seen, key=lambda shards: shards.owners.count(None))

    def _servers(self) -> list[Server]:
        """Whom to ask, each time in another order: one that a network cut off must not always be the first."""
        places = self._known | {server.place for server in self._seeds}
        servers = [self._seeds[0].at(*place) for place in places]
        random.shuffle(servers)
        return servers

    async def _rearrange(self, shards: Shards) -> None:
        """Replaces the lanes that are no longer right."""
        charges = shards.charges().items()
        gone = [self._lanes.pop(charge) for charge in self._lanes.keys() - charges]
        self._owners = [None] * PARTITIONS
        for charge in charges:
            if charge not in self._lanes:
                self._open(charge)
            for partition in charge[1]:
                self._owners[partition] = self._lanes[charge][0]
        for lane, doubt in gone:
            for name, data in lane.end():
                self._put(partition_of(untagged(name)), name, data)
            self._ends.doubts.close(doubt)
        await asyncio.gather(*(lane.close() for lane, _ in gone))

    def _open(self, charge: Charge) -> None:
        place, partitions = charge
        doubt = self._ends.doubts.open(self._outdated.set)
        way = self._seeds[0].at(*place)
        lane = Lane(way, SHARDED, self._ends, doubt, tagged(probe_channel(), partitions[0]))
        self._lanes[charge] = lane, doubt
        for partition in partitions:
            for name in self._wanted[partition]:
                lane.want(name)
        lane.start()
