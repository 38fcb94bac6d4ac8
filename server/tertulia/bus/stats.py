"""What a bus did since it began: plain numbers, so that counting costs a message next to nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import redis.exceptions
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    ClusterError,
    ResponseError,
    TryAgainError,
)


class DropReason(StrEnum):
    """Why a message went no further: too many waited, it was not sent, or what arrived is none of ours.

    ``outdated`` is a number of readers that was told too long ago, or by a clock that is wrong.
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


def failure_kind(error: BaseException) -> FailureKind:
    """Of what kind it is; a Redis without memory, or without rights for us, refuses."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    is_cluster = isinstance(error, ClusterError | AskError | TryAgainError)  # errors of an answer that say "not here"
    # a refusal of AUTH is to redis-py an error of the connection
    if isinstance(error, ResponseError | AuthenticationError | AuthorizationError) and not is_cluster:
        return FailureKind.refused
    if isinstance(error, TimeoutError | redis.exceptions.TimeoutError):
        return FailureKind.slow
    return FailureKind.unreachable


@dataclass(slots=True)
class BusStats:
    """``round_trip`` is how long the last probe was under way, in seconds."""

    sent: int = 0
    received: int = 0
    connections: int = 0
    round_trip: float = 0.0
    dropped: dict[DropReason, int] = field(default_factory=lambda: dict.fromkeys(DropReason, 0))
