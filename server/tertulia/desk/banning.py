"""Who may not write at a site: what its moderators see and decide; see store/bans.py."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple, TypeVar

from tertulia import protocol
from tertulia.core.ids import is_uuid
from tertulia.core.roles import DECIDING
from tertulia.core.text import clean_text
from tertulia.desk import views
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import utc_now
from tertulia.limits import PostingLimits, Write
from tertulia.people.staff import StaffMember, require
from tertulia.store import Store, queries
from tertulia.store.bans import BanEffect
from tertulia.store.commands import BanAuthor, Command, InRole, LiftBan

T = TypeVar("T")


class NewlyBanned(NamedTuple):
    """The ban, and the id of the action that tells of it."""

    view: protocol.BanView
    action: str


class Banning:
    """Each raises not_found where somebody has no role at the site, forbidden where it is one that does not decide."""

    def __init__(self, store: Store, limits: PostingLimits) -> None:
        self._store = store
        self._limits = limits

    async def list(
        self, member: StaffMember, site: str, limit: int, cursor: str | None, author_id: str | None = None
    ) -> protocol.Bans:
        """The bans that nobody has lifted, or those of one person. Raises unknown_site, bad_cursor."""
        require(member, site)
        found = await self._store.read(queries.bans_of, site, limit, cursor, author_id)
        return protocol.Bans(bans=[views.ban(one) for one in found.bans], next=found.next)

    async def ban(self, member: StaffMember, new: protocol.NewBan) -> NewlyBanned:
        """Bans an author of the site. Raises unknown_site, not_found, forbidden, malformed, empty, rate_limited."""
        require(member, new.site)
        if not is_uuid(new.author_id):
            raise Problem(ErrorCode.not_found, "There is no such person at this site.", field="author_id")
        note = clean_text(new.note, field="note") if new.note else ""
        now = utc_now()
        until = None if new.hours is None else now + timedelta(hours=new.hours)
        effect, reason = BanEffect(new.effect), new.reason or ""
        command = BanAuthor(member.by, new.site, new.author_id, effect, now, until, reason, note)
        banned = await self._do(member, new.site, command)
        return NewlyBanned(views.ban(banned.ban), banned.action)

    async def lift(self, member: StaffMember, site: str, ban_id: str) -> str:
        """The id of the action that tells of it. Raises unknown_site, not_found, rate_limited."""
        require(member, site)
        if not is_uuid(ban_id):
            raise Problem(ErrorCode.not_found, "There is no such ban, or it was lifted already.")
        return await self._do(member, site, LiftBan(member.by, site, ban_id, utc_now()))

    async def _do(self, member: StaffMember, site: str, command: Command[T]) -> T:
        await self._limits.count(member.author_id, None, Write.moderation)
        return await self._store.write(InRole(member.author_id, site, DECIDING, command, utc_now(), member.session_id))
