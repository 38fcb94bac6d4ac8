"""How pub/sub is spoken: plain, or that of a cluster, where a channel belongs to one shard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_BATCH_CHANNELS = 500


@dataclass(frozen=True, slots=True)
class PubSubCommands:
    publish: str
    subscribe: str
    unsubscribe: str


GLOBAL_PUBSUB = PubSubCommands("PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE")
SHARDED_PUBSUB = PubSubCommands("SPUBLISH", "SSUBSCRIBE", "SUNSUBSCRIBE")


def batches(channels: Iterable[str]) -> Iterator[list[str]]:
    """Channels that one command may name: in a cluster they have to have the same hash tag."""
    tagged: defaultdict[str, list[str]] = defaultdict(list)
    for channel in channels:
        tagged[channel.rpartition("}")[0]].append(channel)
    for alike in tagged.values():
        for start in range(0, len(alike), MAX_BATCH_CHANNELS):
            yield alike[start : start + MAX_BATCH_CHANNELS]
