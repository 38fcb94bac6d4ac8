"""How much one guest and one address may post, in the notation of the `limits` library.

Every post is counted at this instance. Where instances share their counts, those decide; while these are not to be had,
each instance decides by its own, and nobody waits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from limits import RateLimitItem, RateLimitItemPerMinute, parse_many
from limits.aio.strategies import MovingWindowRateLimiter

from tertulia.errors import ErrorCode, Problem
from tertulia.limits.addresses import network
from tertulia.limits.memory import BoundedStorage
from tertulia.limits.shared import SharedCounts, Unavailable, Window

PREVIEWS_A_MINUTE = 60
"""Of one address at one instance. A preview stores nothing, but the worst text takes 0.2 s to read."""


class PostingLimits:
    """Counts posts; a post past a limit is refused with the seconds to wait."""

    def __init__(self, guest: str, address: str, shared: SharedCounts | None = None) -> None:
        self._guest = _parsed(guest)
        self._address = _parsed(address)
        # who does not count addresses, since all have one, does not count their previews either
        self._previews = [RateLimitItemPerMinute(PREVIEWS_A_MINUTE)] if self._address else []
        self._own = MovingWindowRateLimiter(BoundedStorage())
        self._shared = shared

    async def count(self, author_id: str | None, address: str | None) -> None:
        """Counts one post. Raises rate_limited; then nothing was counted."""
        place = network(address)
        windows = [Window(item, "guest", author_id) for item in self._guest] if author_id else []
        windows += [Window(item, "address", place) for item in self._address] if place else []
        _refuse_to_hurry("comments", await self._wait(windows) if windows else 0)

    async def count_preview(self, address: str | None) -> None:
        """Counts one preview, at this instance alone. Raises rate_limited; then it was not counted."""
        place = network(address)
        windows = [Window(item, "preview", place) for item in self._previews] if place else []
        _refuse_to_hurry("previews", await self._wait_here(windows))

    async def _wait(self, windows: Sequence[Window]) -> float:
        if self._shared is None:
            return await self._wait_here(windows)
        try:
            wait = await self._shared.count(windows)
        except Unavailable:
            return await self._wait_here(windows)
        if not wait:
            await self._wait_here(windows)  # counted here, too, for when Redis is away
        return wait

    async def _wait_here(self, windows: Sequence[Window]) -> float:
        for one in windows:
            if not await self._own.test(one.item, one.kind, one.name):
                stats = await self._own.get_window_stats(one.item, one.kind, one.name)
                return max(stats.reset_time - time.time(), 0.001)
        for one in windows:
            await self._own.hit(one.item, one.kind, one.name)
        return 0


def _refuse_to_hurry(what: str, wait: float) -> None:
    """Raises rate_limited where there is something to wait for; ``wait`` is in seconds."""
    if wait > 0:
        seconds = max(1, math.ceil(wait))
        raise Problem(ErrorCode.rate_limited, f"Too many {what}; try again in {seconds} seconds.", retry_after=seconds)


def _parsed(notation: str) -> list[RateLimitItem]:
    return [] if notation == "off" else parse_many(notation)
