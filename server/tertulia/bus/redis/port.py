"""The port to Redis: which of its servers carries a channel.

link        one server, or whichever is the master that sentinels name
cluster     a link for each shard
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tertulia.bus.redis.health import Health
from tertulia.bus.stats import BusStats


@dataclass(frozen=True, slots=True)
class LinkContext:
    """What all connections of a bus have in common.

    ``on_message`` is called with what is said on a channel, ``on_subscribed`` from when on that is so.
    """

    stats: BusStats
    health: Health
    on_message: Callable[[str, bytes], None]
    on_subscribed: Callable[[str], None]


class Topology(Protocol):
    """Carries what is put to everyone who wants the channel, and says nothing where it cannot but in its health."""

    def __len__(self) -> int:
        """Messages that wait."""
        raise NotImplementedError

    def publish(self, channel: str, data: bytes) -> None:
        """Takes a message without waiting."""
        raise NotImplementedError

    def subscribe(self, channel: str) -> None:
        raise NotImplementedError

    def unsubscribe(self, channel: str) -> None:
        raise NotImplementedError

    def start(self) -> None:
        raise NotImplementedError

    async def drained(self, seconds: float) -> None:
        """Waits until everything is sent, but not for longer."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError
