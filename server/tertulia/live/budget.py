"""The memory budget: how much the backlogs of all rooms of a process keep together."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

MAX_BYTES = 32 * 1024 * 1024
"""What is kept spares reads of the store, no more: 512 events of one kilobyte are half a MiB, so that sixty discussions
are busy at once before the quietest of them are read again. One room alone could keep 20 MiB, some hundred of them all
the memory there is."""


class Evictable(Protocol):
    """What one room keeps."""

    def evict(self) -> None:
        """Everything of it is given up; the store has it."""
        raise NotImplementedError


class MemoryBudget:
    """Weighs what is kept, in bytes, and takes back what was added to longest ago."""

    def __init__(self) -> None:
        self.bytes = 0
        self._weights: OrderedDict[Evictable, int] = OrderedDict()

    def charge(self, holder: Evictable, weight: int) -> None:
        """It was added to, or something was taken from it, and weighs so much now."""
        self.bytes += weight - self._weights.get(holder, 0)
        self._weights[holder] = weight
        self._weights.move_to_end(holder)
        while self.bytes > MAX_BYTES:
            oldest = next(iter(self._weights))
            self.release(oldest)
            oldest.evict()

    def release(self, holder: Evictable) -> None:
        """It is given up, or its room is."""
        self.bytes -= self._weights.pop(holder, 0)
