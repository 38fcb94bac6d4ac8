"""Reserved names, those of moderators: nobody else may use one, or a name that looks like one."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from functools import cache

from tertulia.core.names import skeletons
from tertulia.discussions.single_flight import SingleFlight
from tertulia.errors import ErrorCode, Problem
from tertulia.languages import every

FRESH_SECONDS = 5.0
"""A moderator whom the command line made is known so soon at every instance."""


class Names:
    """Reads the moderators' names, which are few, at most every few seconds."""

    def __init__(self, read: Callable[[], Awaitable[list[str]]]) -> None:
        self._reading = SingleFlight(read)
        self._taken: frozenset[str] = frozenset()
        self._read_at = -FRESH_SECONDS

    async def check(self, name: str) -> None:
        """Whether somebody who is no moderator may be called so. Raises name_taken."""
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            self._taken = _alike(await self._reading.ask())
            self._read_at = time.monotonic()
        own = skeletons(name)
        if own & self._taken or own & _offices():
            raise Problem(
                ErrorCode.name_taken,
                "This name, or one that looks like it, is somebody else's here; choose another.",
                field="author.name",
            )


def _alike(names: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*map(skeletons, names))


@cache
def _offices() -> frozenset[str]:
    """What moderators and editors are called in each language: nobody's own name."""
    return _alike(office for language in every().values() for office in language.offices)
