"""The badges of all sites, read at most every few seconds: one added by the command line is known soon everywhere."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from tertulia.core.badges import Words
from tertulia.core.names import skeletons
from tertulia.discussions.single_flight import SingleFlight

FRESH_SECONDS = 5.0
Read = Callable[[], Awaitable[dict[str, dict[str, Words]]]]
_NONE: Mapping[str, Words] = {}


class Badges:
    """What sites call their badges."""

    def __init__(self, read: Read) -> None:
        self._reading = SingleFlight(read)
        self._known: dict[str, dict[str, Words]] = {}
        self._alike: dict[str, frozenset[str]] = {}
        self._read_at = -FRESH_SECONDS

    async def of(self, site: str) -> Mapping[str, Words]:
        """By key, the words of each by language."""
        await self._refresh()
        return self._known.get(site, _NONE)

    async def skeletons_of(self, site: str) -> frozenset[str]:
        """What all words look like that nobody may type as a name."""
        await self._refresh()
        return self._alike.get(site, frozenset())

    async def _refresh(self) -> None:
        if time.monotonic() - self._read_at <= FRESH_SECONDS:
            return
        self._known = await self._reading.ask()
        self._alike = {site: _alike(badges) for site, badges in self._known.items()}
        self._read_at = time.monotonic()


def _alike(badges: Mapping[str, Words]) -> frozenset[str]:
    return frozenset(one for words in badges.values() for word in words.values() for one in skeletons(word))
