"""Why somebody could not sign in at a provider: in a word for the reader, with a reason for the operator."""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """Stable: pages show the word, and logs and metrics have it."""

    denied = "denied"
    """The reader, or the provider, said no there."""
    over = "over"
    """The way is too old, was gone before, or belongs to another browser."""
    unreachable = "unreachable"
    """The provider does not answer, or not in time."""
    refused = "refused"
    """What the provider sent is not accepted."""
    unknown = "unknown"
    """There is no such provider, site or page of it."""
    limited = "limited"
    """Too many tries from one address."""


class ProviderError(Exception):
    """``reason`` is for the log, and never holds a code, a token or a secret."""

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(f"{failure}: {reason}")
        self.failure = failure
        self.reason = reason
