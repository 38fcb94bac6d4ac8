"""Counts that instances share in Redis, as long as it answers at once.

A post waits for them at most REDIS_TIMEOUT seconds. After a failure Redis is not asked for RETRY_SECONDS: each instance
then counts alone. An attacker who can write into Redis can delay posts, but never longer than a window lasts, and
cannot raise anybody's limit, since each instance counts, too.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b

from redis.exceptions import RedisError

from tertulia.bus.redis import clients
from tertulia.bus.redis.connections import failure_kind, summary
from tertulia.bus.stats import FailureKind
from tertulia.limits.counting import Unavailable, Window
from tertulia.logs import Sparing

REDIS_TIMEOUT = 0.25
RETRY_SECONDS = 2.0
AT_ONCE = 16
"""Posts that ask Redis at the same time, each on a connection of its own; others wait for one of them to end."""
PREFIX = "tertulia:{limit}:"
"""The braces keep all keys on one shard of a cluster, so that one script may ask for several of them."""
PROOF = f"{PREFIX}proof"
"""Counted to prove that Redis counts when there are no posts; it expires after a second."""
PROOFS_A_SECOND = 1_000
"""More than all instances make: a count past its limit would not be written, and prove nothing."""
MAX_KEY_BYTES = 64
"""Of a key for BLAKE2b (RFC 7693)."""
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
for i, key in ipairs(KEYS) do
  local first = redis.call('LINDEX', key, ARGV[2 * i - 1] - 1)
  local wait = first and math.min(first, now) + ARGV[2 * i] - now or 0
  if wait > 0 then return tostring(wait) end
end
for i, key in ipairs(KEYS) do
  redis.call('LPUSH', key, string.format('%.6f', now))
  redis.call('LTRIM', key, 0, ARGV[2 * i - 1] - 1)
  redis.call('EXPIRE', key, ARGV[2 * i])
end
return '0'
"""
"""Moving windows: KEYS are lists of the times of the newest posts, ARGV a limit and its seconds for each.

Counts one post in all of them and gives '0', or in none and gives the seconds to wait. It is one call a post, and the
clock is that of Redis, since those of instances differ. A time to come is nobody's post and counts as now.
"""

PROVEN_SECONDS = 5.0
"""An answer proves for so long that Redis counts."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """In seconds: how long a post waits for Redis, how long it is not asked after a failure, and how long an answer
    proves that it counts.
    """

    timeout: float = REDIS_TIMEOUT
    retry: float = RETRY_SECONDS
    proven: float = PROVEN_SECONDS


TIMING = Timing()


class RedisCounts:
    """Counts in one Redis. Raises StartupError if the URL is invalid.

    ``is_degraded`` says whether Redis is known not to answer; keys are hashed with ``secret``.
    """

    def __init__(self, url: str, secret: bytes, is_degraded: Callable[[], bool], timing: Timing = TIMING) -> None:
        self._redis = clients.from_url(url, timing.timeout)
        self._timing = timing
        self._script = self._redis.register_script(SCRIPT)
        self._secret = secret[:MAX_KEY_BYTES]
        self._is_degraded = is_degraded
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._retry_at = 0.0
        self._counted_at = -math.inf
        self._failed = False
        self._sparing = Sparing(log)
        self.failures = dict.fromkeys(FailureKind, 0)

    async def count(self, windows: Sequence[Window]) -> float:
        """Counts one post in all windows, or in none and gives the seconds to wait. Raises Unavailable."""
        if self._is_degraded() or time.monotonic() < self._retry_at:
            raise Unavailable
        bounds = [bound for one in windows for bound in (one.item.amount, one.item.get_expiry())]
        return await self._ask([self._key(one) for one in windows], bounds)

    async def can_count(self) -> bool:
        """Whether Redis counts: by its last answer, or if that is older than PROVEN_SECONDS, by a new one."""
        now = time.monotonic()
        if self._is_degraded() or now < self._retry_at:
            return not self._failed
        if self._failed or now - self._counted_at >= self._timing.proven:
            with suppress(Unavailable):
                await self._ask([PROOF], [PROOFS_A_SECOND, 1])
        return not self._failed

    async def _ask(self, keys: list[str], bounds: list[int]) -> float:
        try:
            async with asyncio.timeout(self._timing.timeout), self._turns:
                wait = float(await self._script(keys, bounds))
        except (RedisError, OSError, TimeoutError) as error:
            self._back_off(error)
            raise Unavailable from error
        if not math.isfinite(wait):
            raise Unavailable
        self._failed, self._counted_at = False, time.monotonic()
        return min(wait, max(bounds[1::2]))

    async def close(self) -> None:
        """Gives the connections back."""
        with suppress(RedisError, OSError):
            await clients.close(self._redis)

    def _key(self, window: Window) -> str:
        """Hashed, so Redis holds no personal data."""
        item = window.item
        counted = json.dumps([window.kind, window.name, item.amount, item.get_expiry()])
        return PREFIX + blake2b(counted.encode(), digest_size=16, key=self._secret).hexdigest()

    def _back_off(self, error: Exception) -> None:
        self._retry_at = time.monotonic() + self._timing.retry
        self._failed = True
        met = failure_kind(error)
        self.failures[met] += 1
        self._sparing.warning(
            "Posting limits are counted by each instance alone until Redis answers again",
            cause=met,
            trouble=met.value,
            reason=summary(error),
        )
