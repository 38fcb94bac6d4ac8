"""Names of staff, of offices and of the site itself: nobody else may use one, or one that looks like it.

Here a post is refused before its text is read; the names of staff are asked for again where it is written, as are those
of members, which guests may not use.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from functools import cache

from tertulia.core.names import skeletons
from tertulia.discussions.badges import Badges
from tertulia.discussions.single_flight import SingleFlight
from tertulia.errors import name_taken
from tertulia.languages import every

FRESH_SECONDS = 5.0
"""A moderator whom the command line made is known so soon at every instance."""


class Names:
    """Reads the moderators' names, which are few, at most every few seconds."""

    def __init__(self, read: Callable[[], Awaitable[list[str]]], badges: Badges, site_name: str = "") -> None:
        self._reading = SingleFlight(read)
        self._taken: frozenset[str] = frozenset()
        self._badges = badges
        self._sites = skeletons(site_name) if site_name else frozenset()
        self._read_at = -FRESH_SECONDS

    async def check(self, name: str, site: str) -> None:
        """Whether somebody who is no moderator may be called so at a site. Raises name_taken."""
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            self._taken = _alike(await self._reading.ask())
            self._read_at = time.monotonic()
        own = skeletons(name)
        if own & self._taken or own & _job_titles() or own & self._sites or own & skeletons(site):
            raise name_taken()
        if own & await self._badges.skeletons_of(site):
            raise name_taken()


def _alike(names: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*map(skeletons, names))


@cache
def _job_titles() -> frozenset[str]:
    """What moderators and editors are called in each language: nobody's own name."""
    return _alike(title for language in every().values() for title in language.job_titles)
