"""Moving windows in memory, for the `limits` library, whose own has no bound and walks all it holds at each count."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from limits.aio.storage import MemoryStorage

MAX_COUNTED = 20_000
"""Guests and addresses that are remembered, 64 MB with a hundred posts each. The one that posted longest ago is
forgotten first, and starts anew; limits cannot hold back more than this many at once."""


class BoundedStorage(MemoryStorage):
    """Of the times of posts; no locks and no task, since nothing here waits."""

    def __init__(self, clock: Callable[[], float] = time.time, most: int = MAX_COUNTED) -> None:
        super().__init__()
        self._clock = clock
        self._most = most
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._expiries: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._times)

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Counts ``amount`` if that stays within the limit; whether it did."""
        now = self._clock()
        times = self._within(key, expiry, now)
        if len(times) + amount > limit:
            return False
        times.extend([now] * amount)
        self._times[key] = times
        self._expiries[key] = expiry
        self._times.move_to_end(key)
        self._forget(now)
        return True

    def take_back(self, key: str) -> None:
        """Forgets the newest that was counted, if it is still remembered."""
        if self._times.get(key):
            self._times[key].pop()

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest post that counts was made, and how many count."""
        now = self._clock()
        times = self._within(key, expiry, now)
        return (times[0], len(times)) if times else (now, 0)

    def _within(self, key: str, expiry: int, now: float) -> deque[float]:
        times = self._times.get(key, deque())
        while times and times[0] <= now - expiry:
            times.popleft()
        return times

    def _forget(self, now: float) -> None:
        """Removes at most two per post that is counted: expired ones, and the oldest beyond the bound."""
        for _ in range(2):
            oldest = next(iter(self._times))
            is_over = self._times[oldest][-1] <= now - self._expiries[oldest] if self._times[oldest] else True
            if not is_over and len(self._times) <= self._most:
                return
            del self._times[oldest], self._expiries[oldest]
