"""Doubt: whether messages may be lost at the moment, told once when it begins and once when it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from tertulia.bus.connecting import reason

log = logging.getLogger(__name__)


class Doubt:
    """There is doubt from the start, and until a probe comes back that was sent after the last failure."""

    def __init__(self, settled: Callable[[], None]) -> None:
        self.is_there = True
        self._settled = settled
        self._since = time.monotonic()
        self._told = False

    def begin(self, error: Exception) -> None:
        self.is_there = True
        self._since = time.monotonic()
        if not self._told:
            self._told = True
            log.warning(
                "Redis is in doubt: readers get what other instances commit from the database, a second later",
                extra={"reason": reason(error)},
            )

    def end(self, asked: float) -> None:
        """Messages that were sent at ``asked`` arrived."""
        if self.is_there and asked >= self._since:
            self.is_there = False
            self._told = False
            log.info("Redis carries what instances commit to each other")
            self._settled()
