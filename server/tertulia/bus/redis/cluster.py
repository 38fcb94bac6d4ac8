"""Redis Cluster: sharded pub/sub over a fixed number of partitions, with a link to each shard.

    channel ─▶ partition, its hash tag ─▶ slot ─▶ the shard that owns it ─▶ link

A channel belongs to one of 64 partitions, and its hash tag names which: tertulia:NAME ◀─▶ tertulia:{part17}:NAME.
All instances must agree, so neither the number nor the tags ever change. The slots of these tags give up to ten shards
of equal size nearly equal shares.

A link to a shard is never repaired. When another server owns one of its partitions the link is replaced, and its
pending messages go to its successors.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from redis.crc import key_slot

from tertulia.bus.redis.connections import SHARDED_PUBSUB, Backoff, Endpoint, HostPort, execute
from tertulia.bus.redis.health import PartHealth
from tertulia.bus.redis.link import PubSubLink, probe_channel
from tertulia.bus.redis.port import LinkContext, LinkTarget
from tertulia.bus.redis.urls import ClusterAddress
from tertulia.bus.redis.wire import PREFIX
from tertulia.bus.stats import DropReason

PARTITIONS = 64
TAGS = tuple(f"{{part{partition}}}" for partition in range(PARTITIONS))
PARTITION_SLOTS = tuple(key_slot(tag.encode()) for tag in TAGS)


class ShardAssignment(NamedTuple):
    """A server and the partitions that it owns."""

    owner: HostPort
    partitions: tuple[int, ...]


def partition_of(channel: str) -> int:
    """The partition of a channel by its name without a tag."""
    return key_slot(channel.encode()) % PARTITIONS


def tagged(channel: str, partition: int) -> str:
    return f"{PREFIX}{TAGS[partition]}:{channel.removeprefix(PREFIX)}"


def untagged(name: str) -> str:
    return PREFIX + name.partition("}:")[2]


@dataclass(frozen=True, slots=True)
class ShardMap:
    """Who owns each partition, None where nobody does, and all servers of the cluster.

    ``is_authoritative`` if the server that said so is in touch with most masters and knows every partition's owner.
    """

    is_authoritative: bool
    owners: tuple[HostPort | None, ...]
    nodes: frozenset[HostPort]

    def assignments(self) -> list[ShardAssignment]:
        """The partitions of each owner."""
        owned: defaultdict[HostPort, list[int]] = defaultdict(list)
        for partition, owner in enumerate(self.owners):
            if owner is not None:
                owned[owner].append(partition)
        return [ShardAssignment(owner, tuple(partitions)) for owner, partitions in owned.items()]


async def fetch_shard_map(server: Endpoint) -> ShardMap:
    """The cluster as this server sees it."""
    async with server.connect() as connection:
        info, ranges = await execute(connection, ("CLUSTER", "INFO"), ("CLUSTER", "SLOTS"))
    owners = tuple(_owner(slot, ranges, server) for slot in PARTITION_SLOTS)
    nodes = frozenset(_host_port(node, server) for _, _, *nodes in ranges for node in nodes)
    return ShardMap(b"cluster_state:ok" in info.split() and None not in owners, owners, nodes)


def _owner(slot: int, ranges: Sequence[Any], server: Endpoint) -> HostPort | None:
    for first, last, master, *_ in ranges:
        if first <= slot <= last:
            return _host_port(master, server)
    return None


def _host_port(node: Sequence[Any], server: Endpoint) -> HostPort:
    """Where the node is; one that does not know its own host is at the host that was asked."""
    host, port, *_ = node
    return HostPort((host or b"").decode() or server.host_port.host, int(port))


class ClusterTopology:
    """Keeps a link to each server that owns a partition."""

    def __init__(self, nodes: ClusterAddress, context: LinkContext) -> None:
        self._seeds = nodes.servers
        self._context = replace(
            context,
            on_message=lambda name, data: context.on_message(untagged(name), data),
            on_subscribed=lambda name: context.on_subscribed(untagged(name)),
        )
        self._health = context.health.add_part()
        self._known: frozenset[HostPort] = frozenset()
        self._links: dict[ShardAssignment, tuple[PubSubLink, PartHealth]] = {}
        self._owners: list[PubSubLink | None] = [None] * PARTITIONS
        self._channels: list[dict[str, None]] = [{} for _ in range(PARTITIONS)]
        self._outdated = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # ---- messages ----------------------------------------------------------------------------------------

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

    # ---- links -------------------------------------------------------------------------------------------

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
            # a link that fails sets this again and again
            await backoff.wait()
            try:
                async with asyncio.timeout(self._context.tuning.cluster_refresh):
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
        """The map of an authoritative server, or else the most complete one. Raises ConnectionError if none answers."""
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
        """All known servers in random order: one that a network cut off must not always be asked first."""
        nodes = self._known | {server.host_port for server in self._seeds}
        servers = [self._seeds[0].at(*host_port) for host_port in nodes]
        random.shuffle(servers)
        return servers

    async def _replace_links(self, shards: ShardMap) -> None:
        """Opens links to new owners and closes those whose server or partitions changed."""
        assignments = shards.assignments()
        gone = [self._links.pop(assignment) for assignment in self._links.keys() - set(assignments)]
        self._owners = [None] * PARTITIONS
        for assignment in assignments:
            if assignment not in self._links:
                self._open_link(assignment)
            for partition in assignment.partitions:
                self._owners[partition] = self._links[assignment][0]
        for link, health in gone:
            for name, data in link.end():
                self._publish(partition_of(untagged(name)), name, data)
            self._context.health.remove_part(health)
        await asyncio.gather(*(link.close() for link, _ in gone))

    def _open_link(self, assignment: ShardAssignment) -> None:
        owner, partitions = assignment
        health = self._context.health.add_part(self._outdated.set)
        probes = tagged(probe_channel(), partitions[0])
        link = PubSubLink(LinkTarget(self._seeds[0].at(*owner), SHARDED_PUBSUB, probes), self._context, health)
        self._links[assignment] = link, health
        for partition in partitions:
            for name in self._channels[partition]:
                link.subscribe(name)
        link.start()
