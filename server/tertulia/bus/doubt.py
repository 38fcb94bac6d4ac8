"""Doubt: whether messages may be lost at the moment, told once when it begins and once when it ends.

Each part of a bus that can fail by itself has a doubt of its own; the bus is in doubt while one of them is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from tertulia.bus.connecting import reason
from tertulia.bus.counts import Failure, failure
from tertulia.logs import Sparing

log = logging.getLogger(__name__)


def nobody() -> None:
    """Needs not be told."""


class Doubts:
    """Those of one bus. ``settled`` is called whenever the last one ends; ``failures`` counts what began them."""

    def __init__(self, settled: Callable[[], None]) -> None:
        self.failures = dict.fromkeys(Failure, 0)
        self._settled = settled
        self._parts: set[Doubt] = set()
        self._told = False
        self._sparing = Sparing(log)

    @property
    def are_there(self) -> bool:
        return any(part.is_there for part in self._parts)

    def open(self, failed: Callable[[], None] = nobody) -> Doubt:
        """That of a new part. ``failed`` is called at each of its failures."""
        doubt = Doubt(self, failed)
        self._parts.add(doubt)
        return doubt

    def close(self, doubt: Doubt) -> None:
        """The part is no longer needed."""
        self._parts.discard(doubt)
        if doubt.is_there:
            self.ended()

    def begun(self, error: Exception) -> None:
        met = failure(error)
        self.failures[met] += 1
        if not self._told:
            self._told = True
            self._sparing.warning(
                "Redis is in doubt: readers get what other instances commit from the database, a second later",
                cause=met,
                trouble=met.value,
                reason=reason(error),
            )

    def ended(self) -> None:
        if not self.are_there:
            self._told = False
            log.info("Redis carries what instances commit to each other")
            self._settled()


class Doubt:
    """There is doubt from the start, and until a probe comes back that was sent after the last failure."""

    def __init__(self, whole: Doubts, failed: Callable[[], None]) -> None:
        self.is_there = True
        self._whole = whole
        self._failed = failed
        self._since = time.monotonic()

    def begin(self, error: Exception) -> None:
        self.is_there = True
        self._since = time.monotonic()
        self._whole.begun(error)
        self._failed()

    def end(self, asked: float) -> None:
        """Messages that were sent at ``asked`` arrived."""
        if self.is_there and asked >= self._since:
            self.is_there = False
            self._whole.ended()
