"""The memory budget: how much the backlogs of all rooms of a process hold together."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

from tertulia.live.tuning import MAX_BYTES


class Evictable(Protocol):
    """What one room holds."""

    def evict(self) -> None:
        """Everything of it is given up; the store has it."""


class MemoryBudget:
    """Adds up what is held, and above ``limit`` bytes evicts whatever was charged longest ago."""

    def __init__(self, limit: int = MAX_BYTES) -> None:
        self.bytes = 0
        self._limit = limit
        self._sizes: OrderedDict[Evictable, int] = OrderedDict()

    def charge(self, holder: Evictable, size: int) -> None:
        """``holder`` has changed, and holds ``size`` bytes now."""
        self.bytes += size - self._sizes.get(holder, 0)
        self._sizes[holder] = size
        self._sizes.move_to_end(holder)
        while self.bytes > self._limit:
            oldest = next(iter(self._sizes))
            self.release(oldest)
            oldest.evict()

    def release(self, holder: Evictable) -> None:
        """``holder`` holds nothing any more."""
        self.bytes -= self._sizes.pop(holder, 0)
