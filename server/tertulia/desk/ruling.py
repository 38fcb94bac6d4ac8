"""The rules of a site and of its discussions: owners change those, whoever decides there changes these."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from tertulia.core.comments import Discussion, DiscussionKey, Mode
from tertulia.core.roles import DECIDING, Role
from tertulia.core.rules import RULES, OwnRules, RuleValue
from tertulia.core.text import clean_key
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import utc_now
from tertulia.limits import PostingLimits, Write
from tertulia.people.staff import OWNING, StaffMember, require
from tertulia.store import Store, queries
from tertulia.store.administration import ChangeSiteRules
from tertulia.store.commands import ChangeDiscussion, Closing, Command, InRole

T = TypeVar("T")


class Ruling:
    """Each raises not_found where somebody has no role at the site, forbidden where it is another."""

    def __init__(self, store: Store, limits: PostingLimits) -> None:
        self._store = store
        self._limits = limits

    async def site(self, member: StaffMember, site: str) -> OwnRules:
        require(member, site)
        return await self._store.read(queries.site_rules, site)

    async def change_site(self, member: StaffMember, site: str, given: Mapping[str, str]) -> None:
        """``given`` as it was typed; what is empty is as by default. Raises unknown_site, invalid, rate_limited."""
        require(member, site, OWNING)
        rules = read(given)
        command = ChangeSiteRules(site, lambda own: own.changed(rules), utc_now(), member.by)
        await self._do(member, site, OWNING, command)

    async def discussion(self, member: StaffMember, site: str, key: str) -> Discussion:
        """Raises unknown_site, and what a key that is none raises."""
        require(member, site)
        return await self._store.read(queries.discussion, DiscussionKey(site, clean_key(key)))

    async def change_discussion(
        self,
        member: StaffMember,
        site: str,
        key: str,
        mode: str,
        closes_at: datetime | None,
        given: Mapping[str, str],
    ) -> None:
        """What is empty of ``given`` is as the site has it. Raises unknown_site, invalid, rate_limited."""
        found = await self.discussion(member, site, key)
        if mode not in [*Mode]:
            raise Problem(ErrorCode.invalid, "There is no such mode.", field="mode")
        closing = Closing(closes_at) if closes_at != found.closes_at else None
        changed = Mode(mode) if mode != found.mode else None
        command = ChangeDiscussion(found.key, utc_now(), mode=changed, rules=read(given), closing=closing, by=member.by)
        await self._do(member, site, DECIDING, command)

    async def _do(self, member: StaffMember, site: str, roles: frozenset[Role], command: Command[T]) -> T:
        await self._limits.count(member.author_id, None, Write.moderation)
        return await self._store.write(InRole(member.author_id, site, roles, command, utc_now(), member.session_id))


def read(given: Mapping[str, str]) -> dict[str, RuleValue | None]:
    """Rules as they were typed; None is for what is empty. Raises invalid."""
    found: dict[str, RuleValue | None] = {}
    for name, typed in given.items():
        rule = RULES[name]
        is_number = rule.choices is None and typed.isascii() and typed.isdigit() and len(typed) <= 6
        try:
            found[name] = rule.read(int(typed) if is_number else typed) if typed else None
        except ValueError as error:
            raise Problem(ErrorCode.invalid, f"{error}.", field=name) from error
    return found
