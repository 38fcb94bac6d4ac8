"""The port to Redis: which of its servers carries a channel.

link        one server, or whichever is the master that sentinels name
cluster     a link for each shard
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tertulia.bus.redis.connections import Connector, PubSubCommands
from tertulia.bus.redis.health import Health
from tertulia.bus.redis.tuning import BusTuning
from tertulia.bus.stats import BusStats


@dataclass(frozen=True, slots=True)
class LinkContext:
    """What all links of a bus share.

    ``on_message`` is called with the channel and the data of each message, ``on_subscribed`` with a channel once its
    subscription has taken effect, again after each reconnection.
    """

    stats: BusStats
    health: Health
    tuning: BusTuning
    on_message: Callable[[str, bytes], None]
    on_subscribed: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """Where a link leads, the commands that are understood there, and a channel for this link's probes alone."""

    connector: Connector
    commands: PubSubCommands
    probe_channel: str


class Topology(Protocol):
    """Carries messages to whoever subscribes to their channel, at most once and in order for each channel.

    No method blocks or raises; a failure shows in the health of the bus.
    """

    def __len__(self) -> int:
        """Messages that wait to be sent."""

    def publish(self, channel: str, data: bytes) -> None:
        """Queues a message. Where too many wait the oldest are dropped; all drops are counted."""

    def subscribe(self, channel: str) -> None:
        """Holds until ``unsubscribe``, over reconnections, too."""

    def unsubscribe(self, channel: str) -> None: ...

    def start(self) -> None: ...

    async def drained(self, seconds: float) -> None:
        """Waits until every message is sent, but at most so long."""

    async def close(self) -> None:
        """Drops what still waits."""
