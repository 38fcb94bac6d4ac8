"""What a bus did since it began: plain numbers, so that counting costs a message next to nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class DropReason(StrEnum):
    """Why a message went no further: too many waited, it was not sent, or what arrived is none of ours.

    ``outdated`` is a number of readers from another time: repeated by somebody, or of an instance with a wrong clock.
    """

    queue_full = "queue_full"
    not_sent = "not_sent"
    malformed = "malformed"
    unverified = "unverified"
    outdated = "outdated"


class FailureKind(StrEnum):
    """Why Redis did not do what it was asked: it refused, it did not answer in time, or nobody was there."""

    refused = "refused"
    slow = "slow"
    unreachable = "unreachable"


@dataclass(slots=True)
class BusStats:
    """Messages sent to and received from other instances, connections made, and seconds of the last probe's trip."""

    sent: int = 0
    received: int = 0
    connections: int = 0
    round_trip: float = 0.0
    dropped: dict[DropReason, int] = field(default_factory=lambda: dict.fromkeys(DropReason, 0))
    failures: dict[FailureKind, int] = field(default_factory=lambda: dict.fromkeys(FailureKind, 0))
