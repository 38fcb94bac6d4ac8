"""The sites this server knows, and the origins that may use each."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from tertulia.discussions.single_flight import SingleFlight
from tertulia.errors import ErrorCode, Problem

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

    async def origins(self, site: str) -> frozenset[str]:
        """The origins that may use ``site`` besides the server's own. Raises unknown_site."""
        known = await self._sites()
        if site not in known:
            raise Problem(ErrorCode.unknown_site, "There is no such site.", field="site")
        return known[site]

    async def known_origins(self, site: str) -> frozenset[str]:
        """Like ``origins``; none where the site is not known."""
        return (await self._sites()).get(site, frozenset())

    async def all_origins(self) -> frozenset[str]:
        """The origins of any site."""
        return frozenset[str]().union(*(await self._sites()).values())

    async def _sites(self) -> dict[str, frozenset[str]]:
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            found = await self._reading.ask()
            self._known = {key: frozenset(origins) for key, origins in found.items()}
            self._known[DEFAULT_SITE] = self._known.get(DEFAULT_SITE, frozenset()).union(self._default_origins)
            self._read_at = time.monotonic()
        return self._known
