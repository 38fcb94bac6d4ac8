"""HTTP responses counted by kind of request and class of status: a fixed set of numbers."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["api_read", "api_write", "page", "form", "operation"]
Status = Literal["2xx", "3xx", "4xx", "429", "5xx", "503", "none"]
OPERATIONS = frozenset({"/healthz", "/acceptz", "/readyz", "/metrics"})
"""Asked every few seconds by machines."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_SINGLE: dict[int, Status] = {429: "429", 503: "503"}
_CLASSES: tuple[Status, ...] = ("2xx", "3xx", "4xx", "5xx")


def kind(method: str, path: str) -> Kind:
    """Never the path itself: clients make paths up, and each would be a time series of its own."""
    if path.startswith("/api/"):
        return "api_read" if method in _READING else "api_write"
    if path in OPERATIONS:
        return "operation"
    return "page" if method in _READING else "form"


class ResponseCounts:
    """The counts of one process; ``none`` is for clients that left before the answer."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[tuple[str, ...], int] = {
            (kind, status): 0 for kind in get_args(Kind) for status in get_args(Status)
        }

    def count(self, method: str, path: str, status: int | None) -> None:
        self.counts[kind(method, path), _status(status)] += 1


def _status(status: int | None) -> Status:
    if status is None:
        return "none"
    return _SINGLE.get(status) or _CLASSES[min(max(status // 100, 2), 5) - 2]
