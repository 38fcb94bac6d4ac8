"""How much one guest and one address may post, in the notation of the `limits` library."""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from tertulia.errors import ErrorCode, Problem


class PostingLimits:
    """Counts posts; a post past a limit is refused with the seconds to wait."""

    def __init__(self, guest: str, address: str) -> None:
        self._guest = _parsed(guest)
        self._address = _parsed(address)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def count(self, author_id: str | None, address: str | None) -> None:
        """Counts one post. Raises rate_limited; then nothing was counted."""
        place = network(address)
        wanted = [(item, "guest", author_id) for item in self._guest] if author_id else []
        wanted += [(item, "address", place) for item in self._address] if place else []
        for item, kind, name in wanted:
            if not await self._limiter.test(item, kind, name):
                stats = await self._limiter.get_window_stats(item, kind, name)
                wait = max(1, math.ceil(stats.reset_time - time.time()))
                raise Problem(
                    ErrorCode.rate_limited, f"Too many comments; try again in {wait} seconds.", retry_after=wait
                )
        for item, kind, name in wanted:
            await self._limiter.hit(item, kind, name)


def _parsed(notation: str) -> list[RateLimitItem]:
    return [] if notation == "off" else parse_many(notation)


def network(address: str | None) -> str | None:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 customer has."""
    if address is None:
        return None
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64)) + "/64"
    return str(parsed)
