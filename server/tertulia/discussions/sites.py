"""The sites this server knows, and the origins that may use each."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from tertulia.discussions.single_flight import SingleFlight

FRESH_SECONDS = 5.0
DEFAULT_SITE = "default"


class Sites:
    """Reads the sites at most every few seconds: one added by the command line is known soon, without a restart."""

    def __init__(self, read: Callable[[], Awaitable[dict[str, list[str]]]], default_origins: Sequence[str]) -> None:
        self._reading = SingleFlight(read)
        """Thousands may come in the moment in which what is known has grown old."""
        self._default_origins = tuple(default_origins)
        self._known: dict[str, frozenset[str]] = {}
        self._read_at = -FRESH_SECONDS

    async def known(self) -> Mapping[str, frozenset[str]]:
        """The sites, and the origins that may use each besides the server's own."""
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            found = await self._reading.ask()
            self._known = {key: frozenset(origins) for key, origins in found.items()}
            self._known[DEFAULT_SITE] = self._known.get(DEFAULT_SITE, frozenset()).union(self._default_origins)
            self._read_at = time.monotonic()
        return self._known
