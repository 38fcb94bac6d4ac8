"""What a server counts while it serves."""

from __future__ import annotations

import gc
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tertulia.serving.limiter import ConnectionLimiter
from tertulia.serving.unread import Unread


class GcPauses:
    """How long garbage collections made everything wait, from ``start`` to ``stop``."""

    __slots__ = ("_began", "count", "longest", "seconds")

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        self.longest = 0.0
        self._began = 0.0

    def start(self) -> None:
        gc.callbacks.append(self.on_gc)

    def stop(self) -> None:
        """Does nothing if it never started."""
        with suppress(ValueError):
            gc.callbacks.remove(self.on_gc)

    def on_gc(self, phase: str, _info: dict[str, Any]) -> None:
        """What the collector calls at the start and at the end of each collection."""
        now = time.perf_counter()
        if phase == "start":
            self._began = now
        elif self._began:  # else it began before this was started
            took = now - self._began
            self.count += 1
            self.seconds += took
            self.longest = max(self.longest, took)


@dataclass(frozen=True, slots=True)
class ServerStats:
    """Made before the server, so that metrics can read them while it serves."""

    limiter: ConnectionLimiter
    unread: Unread
    gc_pauses: GcPauses = field(default_factory=GcPauses)
