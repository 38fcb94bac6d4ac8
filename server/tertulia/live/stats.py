"""What the rooms of a hub did since it began: plain numbers, so that counting costs a message next to nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class GapSource(StrEnum):
    """What found a gap: a message of the bus that leaves one, or the watch that compares heads with the store."""

    bus = "bus"
    reconcile = "watch"


@dataclass(slots=True)
class LiveStats:
    """``deliveries`` are messages of events written to one reader each; ``summaries`` are made once for all of them."""

    events: int = 0
    deliveries: int = 0
    summaries: int = 0
    too_slow: int = 0
    gaps: dict[GapSource, int] = field(default_factory=lambda: dict.fromkeys(GapSource, 0))
