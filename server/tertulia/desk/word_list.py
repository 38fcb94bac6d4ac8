"""The words that are not said at a site: owners change the list, moderators read it and try what it finds."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, TypeVar

from tertulia.core.text import clean_text
from tertulia.core.words import Finding, compiled, parse_entry, parse_list
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import utc_now
from tertulia.limits import PostingLimits, Write
from tertulia.people.staff import OWNING, StaffMember, require
from tertulia.store import Store, queries
from tertulia.store.commands import AddWords, Command, InRole, RemoveWord, ReplaceWords, WordsChanged
from tertulia.store.queries import ListedWord

T = TypeVar("T")


class Tried(NamedTuple):
    """A text, and what of the list is in it."""

    text: str
    found: list[Finding]


class WordLists:
    """Each raises not_found where somebody has no role at the site, forbidden where it is another."""

    def __init__(self, store: Store, limits: PostingLimits) -> None:
        self._store = store
        self._limits = limits

    async def list(self, member: StaffMember, site: str) -> list[ListedWord]:
        """Raises unknown_site."""
        require(member, site)
        return await self._store.read(queries.words, site)

    async def add(self, member: StaffMember, site: str, lines: str, *, replace: bool) -> WordsChanged:
        """Adds the entries of these lines; with ``replace`` they are the list. Raises invalid, malformed, empty."""
        require(member, site, OWNING)
        entries = tuple(await asyncio.to_thread(parse_list, lines.splitlines()))
        if not entries:
            raise Problem(ErrorCode.empty, "There is no entry in these lines.", field="lines")
        of = ReplaceWords if replace else AddWords
        return await self._do(member, site, of(member.by, site, entries, utc_now()))

    async def remove(self, member: StaffMember, site: str, entry: str) -> WordsChanged:
        """Raises not_found, invalid, malformed."""
        require(member, site, OWNING)
        return await self._do(member, site, RemoveWord(member.by, site, parse_entry(entry).text, utc_now()))

    async def try_out(self, member: StaffMember, site: str, text: str) -> Tried:
        """What of the list is in a text. Raises too_long, empty, malformed, rate_limited."""
        require(member, site)
        await self._limits.count(member.author_id, None, Write.moderation)
        said = clean_text(text)
        found = await self._store.read(queries.word_list, site)
        return Tried(said, await asyncio.to_thread(lambda: compiled(found.entries).find(said)))

    async def _do(self, member: StaffMember, site: str, command: Command[T]) -> T:
        await self._limits.count(member.author_id, None, Write.moderation)
        return await self._store.write(InRole(member.author_id, site, OWNING, command, utc_now(), member.session_id))
