"""Health: whether messages may be lost at the moment; one line in the log when that begins and one when it ends.

Each part of a bus that can fail alone has a health of its own. The bus is degraded while any part is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from tertulia.bus.redis.connections import failure_kind, summary
from tertulia.bus.stats import BusStats
from tertulia.logs import Sparing

log = logging.getLogger(__name__)


def _ignore() -> None:
    """Most parts wait by themselves."""


class Health:
    """Of one bus. ``on_recovered`` is called whenever its last degraded part has recovered."""

    def __init__(self, stats: BusStats, on_recovered: Callable[[], None]) -> None:
        self._stats = stats
        self._on_recovered = on_recovered
        self._parts: set[PartHealth] = set()
        self._is_logged = False
        self._sparing = Sparing(log)

    @property
    def is_degraded(self) -> bool:
        return any(part.is_degraded for part in self._parts)

    def add_part(self, on_failed: Callable[[], None] = _ignore) -> PartHealth:
        """The health of a new part; ``on_failed`` is called at each of its failures."""
        part = PartHealth(self, on_failed)
        self._parts.add(part)
        return part

    def remove_part(self, part: PartHealth) -> None:
        """The part has ended, and degrades the bus no longer."""
        self._parts.discard(part)
        if part.is_degraded:
            self.recovered()

    def failed(self, error: Exception) -> None:
        kind = failure_kind(error)
        self._stats.failures[kind] += 1
        if not self._is_logged:
            self._is_logged = True
            self._sparing.warning(
                "Redis is in doubt: readers get what other instances commit from the database, a second later",
                cause=kind,
                trouble=kind.value,
                reason=summary(error),
            )

    def recovered(self) -> None:
        if not self.is_degraded:
            self._is_logged = False
            log.info("Redis carries what instances commit to each other")
            self._on_recovered()


class PartHealth:
    """Degraded from the start, and after a failure until a probe comes back that was sent later."""

    def __init__(self, health: Health, on_failed: Callable[[], None]) -> None:
        self.is_degraded = True
        self._health = health
        self._on_failed = on_failed
        self._failed_at = time.monotonic()

    def failed(self, error: Exception) -> None:
        self.is_degraded = True
        self._failed_at = time.monotonic()
        self._health.failed(error)
        self._on_failed()

    def recovered(self, probed_at: float) -> None:
        """A probe came back that was sent at ``probed_at``, by the monotonic clock. An older failure is over then."""
        if self.is_degraded and probed_at >= self._failed_at:
            self.is_degraded = False
            self._health.recovered()
