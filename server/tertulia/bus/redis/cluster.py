"""Redis Cluster: sharded pub/sub over a fixed number of partitions, with a link to each shard.

    channel ─▶ partition, its hash tag ─▶ slot ─▶ the shard that owns it ─▶ link

Nor is a link ever repaired: where another server owns one of its partitions it is replaced, and what waits in it goes
to its successors.
"""

from __future__ import annotations

import asyncio
import random
import time

from tertulia.bus.redis.connections import Backoff, Endpoint, HostPort
from tertulia.bus.redis.health import PartHealth
from tertulia.bus.redis.link import PubSubLink, probe_channel
from tertulia.bus.redis.partitions import PARTITIONS, partition_of, tagged, untagged
from tertulia.bus.redis.port import LinkContext
from tertulia.bus.redis.shards import ShardMap, fetch_shard_map
from tertulia.bus.redis.speech import SHARDED_PUBSUB
from tertulia.bus.redis.urls import ClusterAddress
from tertulia.bus.stats import DropReason

REFRESH_SECONDS = 5.0
"""The cluster is asked who owns what this often, and at once when a link fails."""

ShardAssignment = tuple[HostPort, tuple[int, ...]]
"""A server and the partitions that it owns."""


class ClusterTopology:
    """Keeps a link to each server that owns a partition."""

    def __init__(self, nodes: ClusterAddress, context: LinkContext) -> None:
        self._seeds = nodes.servers
        self._context = LinkContext(
            context.stats,
            context.health,
            lambda name, data: context.on_message(untagged(name), data),
            lambda name: context.on_subscribed(untagged(name)),
        )
        self._health = context.health.add_part()
        self._known: frozenset[HostPort] = frozenset()
        self._links: dict[ShardAssignment, tuple[PubSubLink, PartHealth]] = {}
        self._owners: list[PubSubLink | None] = [None] * PARTITIONS
        self._channels: list[dict[str, None]] = [{} for _ in range(PARTITIONS)]
        self._outdated = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # ---- what is carried ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        return sum(len(link) for link, _ in self._links.values())

    def publish(self, channel: str, data: bytes) -> None:
        partition = partition_of(channel)
        self._publish(partition, tagged(channel, partition), data)

    def subscribe(self, channel: str) -> None:
        partition = partition_of(channel)
        name = tagged(channel, partition)
        self._channels[partition][name] = None
        if (link := self._owners[partition]) is not None:
            link.subscribe(name)

    def unsubscribe(self, channel: str) -> None:
        partition = partition_of(channel)
        name = tagged(channel, partition)
        self._channels[partition].pop(name, None)
        if (link := self._owners[partition]) is not None:
            link.unsubscribe(name)

    def _publish(self, partition: int, name: str, data: bytes) -> None:
        link = self._owners[partition]
        if link is None:
            self._context.stats.dropped[DropReason.not_sent] += 1
        else:
            link.publish(name, data)

    # ---- who carries it ----------------------------------------------------------------------------------

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch_topology(), name="bus-cluster")

    async def drained(self, seconds: float) -> None:
        await asyncio.gather(*(link.drained(seconds) for link, _ in self._links.values()))

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(link.close() for link, _ in self._links.values()))

    async def _watch_topology(self) -> None:
        backoff = Backoff()
        while True:
            self._outdated.clear()
            try:
                await self._refresh_topology()
            except Exception as error:
                self._health.failed(error)
                self._outdated.set()
            # links that fail ask again and again
            await backoff.wait()
            try:
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._outdated.wait()
            except TimeoutError:
                backoff.reset()

    async def _refresh_topology(self) -> None:
        asked = time.monotonic()
        shards = await self._fetch_shard_map()
        self._known = shards.nodes
        if shards.is_authoritative:
            await self._replace_links(shards)
            self._health.recovered(asked)
        else:
            self._health.failed(ConnectionError("the cluster is not whole"))
            self._outdated.set()
            await self._replace_links(shards)

    async def _fetch_shard_map(self) -> ShardMap:
        """As a server sees them that is in touch with most of the others, or else the most complete view of all."""
        seen: list[ShardMap] = []
        failure: Exception | None = None
        for server in self._endpoints():
            try:
                shards = await fetch_shard_map(server)
            except Exception as error:
                failure = error
                continue
            if shards.is_authoritative:
                return shards
            seen.append(shards)
        if not seen:
            raise ConnectionError("no server of the cluster answers") from failure
        return min(seen, key=lambda shards: shards.owners.count(None))

    def _endpoints(self) -> list[Endpoint]:
        """Whom to ask, each time in another order: one that a network cut off must not always be the first."""
        nodes = self._known | {server.host_port for server in self._seeds}
        servers = [self._seeds[0].at(*host_port) for host_port in nodes]
        random.shuffle(servers)
        return servers

    async def _replace_links(self, shards: ShardMap) -> None:
        """Replaces the links that are no longer right."""
        assignments = shards.assignments().items()
        gone = [self._links.pop(assignment) for assignment in self._links.keys() - assignments]
        self._owners = [None] * PARTITIONS
        for assignment in assignments:
            if assignment not in self._links:
                self._open_link(assignment)
            for partition in assignment[1]:
                self._owners[partition] = self._links[assignment][0]
        for link, health in gone:
            for name, data in link.end():
                self._publish(partition_of(untagged(name)), name, data)
            self._context.health.remove_part(health)
        await asyncio.gather(*(link.close() for link, _ in gone))

    def _open_link(self, assignment: ShardAssignment) -> None:
        host_port, partitions = assignment
        health = self._context.health.add_part(self._outdated.set)
        endpoint = self._seeds[0].at(*host_port)
        link = PubSubLink(endpoint, SHARDED_PUBSUB, self._context, health, tagged(probe_channel(), partitions[0]))
        self._links[assignment] = link, health
        for partition in partitions:
            for name in self._channels[partition]:
                link.subscribe(name)
        link.start()
