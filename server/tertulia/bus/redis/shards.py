"""What a cluster says of itself: who owns which partition, and which servers there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tertulia.bus.redis.connections import Endpoint, HostPort, execute
from tertulia.bus.redis.partitions import SLOTS


@dataclass(frozen=True, slots=True)
class ShardMap:
    """``is_authoritative`` when who says so is in touch with most of the masters and knows an owner of everything."""

    is_authoritative: bool
    owners: tuple[HostPort | None, ...]
    nodes: frozenset[HostPort]

    def assignments(self) -> dict[HostPort, tuple[int, ...]]:
        """The partitions of each owner."""
        assignments: defaultdict[HostPort, list[int]] = defaultdict(list)
        for partition, owner in enumerate(self.owners):
            if owner is not None:
                assignments[owner].append(partition)
        return {owner: tuple(partitions) for owner, partitions in assignments.items()}


async def fetch_shard_map(server: Endpoint) -> ShardMap:
    """As this server sees them."""
    async with server.connect() as connection:
        info, ranges = await execute(connection, ("CLUSTER", "INFO"), ("CLUSTER", "SLOTS"))
    owners = tuple(_owner(slot, ranges, server) for slot in SLOTS)
    nodes = frozenset(_host_port(node, server) for _, _, *nodes in ranges for node in nodes)
    return ShardMap(b"cluster_state:ok" in info.split() and None not in owners, owners, nodes)


def _owner(slot: int, ranges: Sequence[Any], server: Endpoint) -> HostPort | None:
    for first, last, master, *_ in ranges:
        if first <= slot <= last:
            return _host_port(master, server)
    return None


def _host_port(node: Sequence[Any], server: Endpoint) -> HostPort:
    """Where the node is; one that does not know its own host is at that which was asked."""
    host, port, *_ = node
    return (host or b"").decode() or server.host_port[0], int(port)
