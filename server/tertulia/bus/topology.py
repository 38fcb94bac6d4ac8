"""The port to Redis: which of its servers carries a channel.

lane        one server, or whichever is the master that sentinels name
cluster     a lane for each shard
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tertulia.bus.counts import Counts
from tertulia.bus.doubt import Doubts


@dataclass(frozen=True, slots=True)
class Ends:
    """What all connections of a bus have in common.

    ``heard`` is called with what is said on a channel, ``subscribed`` from when on that is so.
    """

    counts: Counts
    doubts: Doubts
    heard: Callable[[str, bytes], None]
    subscribed: Callable[[str], None]


class Topology(Protocol):
    """Carries what is put to everyone who wants the channel, and says nothing where it cannot but in the doubts."""

    def __len__(self) -> int:
        """Messages that wait."""
        raise NotImplementedError

    def put(self, channel: str, data: bytes) -> None:
        """Takes a message without waiting."""
        raise NotImplementedError

    def want(self, channel: str) -> None:
        raise NotImplementedError

    def unwant(self, channel: str) -> None:
        raise NotImplementedError

    def start(self) -> None:
        raise NotImplementedError

    async def emptied(self, seconds: float) -> None:
        """Waits until everything is sent, but not for longer."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError
