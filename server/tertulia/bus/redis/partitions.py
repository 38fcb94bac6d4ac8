"""Channels of a cluster: each belongs to one of 64 partitions, which its hash tag names.

    tertulia:NAME  ◀─▶  tertulia:{part17}:NAME

All instances have to agree, so neither the number nor the tags ever change. These tags lie in slots such that up to ten
shards of equal size get nearly equal shares.
"""

from __future__ import annotations

from redis.crc import key_slot

from tertulia.bus.redis.wire import PREFIX

PARTITIONS = 64
TAGS = tuple(f"{{part{partition}}}" for partition in range(PARTITIONS))
SLOTS = tuple(key_slot(tag.encode()) for tag in TAGS)


def partition_of(channel: str) -> int:
    return key_slot(channel.encode()) % PARTITIONS


def tagged(channel: str, partition: int) -> str:
    return f"{PREFIX}{TAGS[partition]}:{channel.removeprefix(PREFIX)}"


def untagged(name: str) -> str:
    return PREFIX + name.partition("}:")[2]
