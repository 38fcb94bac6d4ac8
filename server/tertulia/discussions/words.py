"""The words that are not said at a site, looked for in what somebody wants to say there.

A list that was changed holds at every instance for what is said a second after the change was committed: while people
write it is asked, once a second at most, which sites have a list and of which version; a list is read and compiled
where that is another. Sites without one cost nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from tertulia.core.causes import Cause, CauseKind
from tertulia.core.words import Does, Finding, Matcher, compiled
from tertulia.discussions.content import SLOW_TEXT
from tertulia.discussions.single_flight import SingleFlight
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import Identity
from tertulia.store.queries import WordList

FRESH_SECONDS = 1.0
KNOWN_LISTS = 16
"""Compiled, those used last: a list of 5,000 takes 8 MB."""
MOST_FINDINGS = 20
"""Told of one comment: a text of nothing else has thousands."""


class TextField(NamedTuple):
    """What is looked at, and what its field is called."""

    field: str
    text: str


class _Compiled(NamedTuple):
    version: int
    matcher: Matcher


class Words:
    """``versions`` are those of the sites that have a list; ``read`` reads one."""

    def __init__(
        self, versions: Callable[[], Awaitable[dict[str, int]]], read: Callable[[str], Awaitable[WordList]]
    ) -> None:
        self._asking = SingleFlight(versions)
        self._read = read
        self._versions: dict[str, int] = {}
        self._asked_at = -FRESH_SECONDS
        self._known: OrderedDict[str, _Compiled] = OrderedDict()
        self._compiling = asyncio.Lock()

    async def check(self, site: str, said: Iterable[TextField]) -> tuple[Cause, ...]:
        """Why a comment has to wait, of which this is said. Raises words where it is not taken."""
        matcher = await self._matcher(site)
        if matcher is None:
            return ()
        found = [(one.field, finding) for one in said for finding in await _find(matcher, one.text)]
        for field, finding in found:
            if finding.does is Does.refuse:
                raise Problem(ErrorCode.words, "This has a word that is not allowed here.", field=field)
        return tuple(_cause(field, finding) for field, finding in found[:MOST_FINDINGS])

    async def suspect(self, site: str, said: str) -> list[str]:
        """The words of it that are in the site's list, as they were typed, each once."""
        matcher = await self._matcher(site)
        found = [] if matcher is None else await _find(matcher, said)
        return list(dict.fromkeys(one.found for one in found))

    async def _matcher(self, site: str) -> Matcher | None:
        if time.monotonic() - self._asked_at > FRESH_SECONDS:
            asked_at = time.monotonic()
            self._versions = await self._asking.ask()
            self._asked_at = asked_at
        version = self._versions.get(site)
        if version is None:
            return None
        async with self._compiling:
            return await self._compiled(site, version)

    async def _compiled(self, site: str, version: int) -> Matcher:
        """A list is compiled in a thread: one of 5,000 takes 0.1 s."""
        known = self._known.get(site)
        if known is None or known.version < version:
            found = await self._read(site)
            known = _Compiled(found.version, await asyncio.to_thread(compiled, found.entries))
            self._known[site] = known
        self._known.move_to_end(site)
        if len(self._known) > KNOWN_LISTS:
            self._known.popitem(last=False)
        return known.matcher


def skips_words(identity: Identity | None) -> bool:
    """Moderators, others of the staff and the site's programs say what they want."""
    return identity is not None and (identity.moderator or identity.program or bool(identity.roles))


async def _find(matcher: Matcher, text: str) -> list[Finding]:
    """In a long text in a thread, as it is read in one."""
    return matcher.find(text) if len(text) <= SLOW_TEXT else await asyncio.to_thread(matcher.find, text)


def _cause(field: str, finding: Finding) -> Cause:
    """Says where it is, and not how it was written: what is deleted leaves nothing of its text behind."""
    place = {"field": field, "start": finding.start, "end": finding.end}
    return Cause(CauseKind.word, {"entry": finding.entry, **place})
