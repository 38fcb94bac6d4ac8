"""Unread output: what was written to clients that have not taken it yet, bounded for the whole process.

The kernel takes what it can; the rest waits in this process, for readers of streams and of answers alike. A connection
reports when its buffer is full, and smaller buffers are summed up once a second. Beyond the bound the connections are
cut off that would take longest to read the rest: clients that read are served, and readers that resume lose nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

MIB = 1024 * 1024
LOOK_SECONDS = 1.0
"""Between two looks at all connections: 2 ms for 15,000 of them."""
RELIEF = 7 / 8
"""Cut down to this part of the bound, so that a crowd of slow clients is sorted once, not once for each of them."""
REPORT_SECONDS = 60.0
_LEAST_TAKEN = 1024  # bytes; a connection that has just filled up has taken nothing yet, and is not slow for that

log = logging.getLogger(__name__)


class Holder(Protocol):
    """A connection with output that waits."""

    def buffered(self) -> int:
        """How many bytes wait for the network."""

    def cut(self) -> None:
        """Ends it at once, and gives back what waits."""


@dataclass(slots=True)
class _Held:
    since: float
    first: int
    size: int

    def seconds_left(self, now: float) -> float:
        """How long reading the rest would take at the pace so far."""
        return self.size * (now - self.since) / max(self.first - self.size, _LEAST_TAKEN)


class Unread:
    """At most ``most`` bytes; ``cut`` counts the connections that were cut off for it."""

    def __init__(self, most: int, clock: Callable[[], float] = monotonic) -> None:
        self.most = most
        self.cut = 0
        self._clock = clock
        self._held: dict[Holder, _Held] = {}
        self._sum = 0
        self._others = 0
        self._looks_at = 0.0
        self._reports_at = 0.0
        self._reported = 0

    @property
    def bytes(self) -> int:
        """As of the last look, or more."""
        return self._sum + self._others

    def hold(self, holder: Holder) -> None:
        """More waits for this one than its buffer takes."""
        size = holder.buffered()
        self.release(holder)
        self._held[holder] = _Held(self._clock(), size, size)
        self._sum += size
        if self.bytes > self.most:
            self._relieve()

    def release(self, holder: Holder) -> None:
        """It has drained, or is gone. Calling it twice does no harm."""
        held = self._held.pop(holder, None)
        if held is not None:
            self._sum -= held.size

    def look(self, connections: Collection[Holder]) -> None:
        """Called ten times a second: also counts what buffers hold that are not full, more often if that is much."""
        now = self._clock()
        if now < self._looks_at and self.bytes <= self.most / 2:
            return
        self._looks_at = now + LOOK_SECONDS
        self._others = sum(one.buffered() for one in connections if one not in self._held)
        if self.bytes > self.most:
            self._relieve()
        if self.bytes > self.most:
            self._relieve_of_small(connections)
        self._report(now)

    def _relieve(self) -> None:
        now = self._clock()
        for holder, held in self._held.items():
            held.size = holder.buffered()
        self._sum = sum(held.size for held in self._held.values())
        if self.bytes <= self.most:
            return
        slowest = sorted(self._held, key=lambda holder: self._held[holder].seconds_left(now), reverse=True)
        for holder in slowest:
            if self.bytes <= self.most * RELIEF:
                return
            self.release(holder)
            self._end(holder)

    def _relieve_of_small(self, connections: Collection[Holder]) -> None:
        for holder in sorted(connections, key=lambda one: one.buffered(), reverse=True):
            if self.bytes <= self.most * RELIEF:
                return
            self._others -= holder.buffered()
            self._end(holder)

    def _end(self, holder: Holder) -> None:
        self.cut += 1
        holder.cut()

    def _report(self, now: float) -> None:
        if self.cut > self._reported and now >= self._reports_at:
            fields = {"connections": self.cut - self._reported, "bound_mib": round(self.most / MIB, 1)}
            log.warning("Clients that did not read were cut off: too much waited for them", extra=fields)
            self._reported, self._reports_at = self.cut, now + REPORT_SECONDS
