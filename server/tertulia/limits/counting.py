"""The port to the counts that instances share, and what is counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from limits import RateLimitItem

from tertulia.bus.stats import FailureKind


class Unavailable(Exception):
    """The shared counts are not available at the moment."""


@dataclass(frozen=True, slots=True)
class Window:
    """How much one guest or one address may post in some time."""

    item: RateLimitItem
    kind: str
    name: str


class SharedCounter(Protocol):
    """Counts posts for all instances together."""

    @property
    def failures(self) -> Mapping[FailureKind, int]:
        """How often they were not available, by kind."""

    async def count(self, windows: Sequence[Window]) -> float:
        """Counts one post in all windows and returns 0, or in none and returns the seconds to wait.

        Raises Unavailable, within a fraction of a second.
        """

    async def can_count(self) -> bool:
        """Whether posts are counted for all instances at the moment."""


@asynccontextmanager
async def open_shared_counter(
    redis_url: str | None, secret: bytes, is_degraded: Callable[[], bool]
) -> AsyncIterator[SharedCounter | None]:
    """The counts in the Redis at this URL, None without one. Raises StartupError if the URL is invalid.

    ``secret`` hides who is counted; while ``is_degraded()`` Redis is not asked.
    """
    if redis_url is None:
        yield None
        return
    # here, since redis-py costs 60 ms and 6 MiB that a server without a Redis need not pay
    from tertulia.limits.shared import RedisCounts

    counts = RedisCounts(redis_url, secret, is_degraded)
    try:
        yield counts
    finally:
        await counts.close()
