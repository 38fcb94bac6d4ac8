"""What a cluster says of itself: who owns which partition, and which servers there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tertulia.bus.connecting import Place, Server, answers
from tertulia.bus.partitions import SLOTS


@dataclass(frozen=True, slots=True)
class Shards:
    """``is_sure`` when who says so is in touch with most of the masters and knows an owner of everything."""

    is_sure: bool
    owners: tuple[Place | None, ...]
    places: frozenset[Place]

    def charges(self) -> dict[Place, tuple[int, ...]]:
        """The partitions of each owner."""
        charges: defaultdict[Place, list[int]] = defaultdict(list)
        for partition, owner in enumerate(self.owners):
            if owner is not None:
                charges[owner].append(partition)
        return {owner: tuple(partitions) for owner, partitions in charges.items()}


async def shards_at(server: Server) -> Shards:
    """As this server sees them."""
    async with server.connected() as connection:
        info, ranges = await answers(connection, ("CLUSTER", "INFO"), ("CLUSTER", "SLOTS"))
    owners = tuple(_owner(slot, ranges, server) for slot in SLOTS)
    places = frozenset(_place(node, server) for _, _, *nodes in ranges for node in nodes)
    return Shards(b"cluster_state:ok" in info.split() and None not in owners, owners, places)


def _owner(slot: int, ranges: Sequence[Any], server: Server) -> Place | None:
    for first, last, master, *_ in ranges:
        if first <= slot <= last:
            return _place(master, server)
    return None


def _place(node: Sequence[Any], server: Server) -> Place:
    """Where the node is; one that does not know its own host is at that which was asked."""
    host, port, *_ = node
    return (host or b"").decode() or server.place[0], int(port)
