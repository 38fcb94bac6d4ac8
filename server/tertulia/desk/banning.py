"""Who may not write at a site: what its moderators see and decide; see store/bans.py."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from tertulia import protocol
from tertulia.core.ids import is_uuid
from tertulia.core.roles import DECIDING
from tertulia.core.text import clean_text
from tertulia.desk import views
from tertulia.errors import ErrorCode, Problem, no_such_comment
from tertulia.identity import utc_now
from tertulia.limits import PostingLimits, Write
from tertulia.people.staff import StaffMember, require
from tertulia.store import Store, queries
from tertulia.store.bans import BanEffect, Reach
from tertulia.store.commands import (
    REMOVING,
    Act,
    BanAuthor,
    Banned,
    BanNetwork,
    Command,
    DecideComment,
    InRole,
    LiftBan,
    Reason,
    Terms,
)
from tertulia.work import Job, Queue

NETWORK_HOURS = 24 * 7
"""Of a ban of a network, where nothing is said: an address belongs to somebody else soon."""
NETWORK_MOST = 24 * 90
AT_ONCE = 50
"""Comments that are removed together, so that a room gets no more events at once."""
_A_DAY = timedelta(days=1)
_EPOCH = datetime.fromtimestamp(0).astimezone()
_REMOVAL_SECONDS = 600.0
T = TypeVar("T")


class NewlyBanned(NamedTuple):
    """The ban, and the id of the action that tells of it."""

    view: protocol.BanView
    action: str


class Banning:
    """Each raises not_found where somebody has no role at the site, forbidden where it is one that does not decide."""

    def __init__(self, store: Store, limits: PostingLimits, *, networks: bool) -> None:
        """``networks`` is whether it is noted where guests write from, so that networks can be banned."""
        self._store = store
        self._limits = limits
        self._bans_networks = networks

    async def list(
        self, member: StaffMember, site: str, limit: int, cursor: str | None, author_id: str | None = None
    ) -> protocol.Bans:
        """The bans that nobody has lifted, or those of one person. Raises unknown_site, bad_cursor."""
        require(member, site)
        found = await self._store.read(queries.bans_of, site, limit, cursor, author_id)
        return protocol.Bans(bans=[views.ban(one) for one in found.bans], next=found.next)

    async def networks(self, member: StaffMember, site: str, comment_id: str) -> protocol.BanNetworks:
        """How many have written lately from where a comment came from. Raises unknown_site."""
        require(member, site)
        known = self._bans_networks and is_uuid(comment_id)
        found = await self._store.read(queries.networks_of, site, comment_id) if known else None
        return protocol.BanNetworks(near=found and found.near, wide=found and found.wide)

    async def ban(self, member: StaffMember, new: protocol.NewBan) -> NewlyBanned:
        """Bans an author of the site, or the guests of a network.

        Raises unknown_site, not_found, forbidden, invalid, malformed, empty, rate_limited.
        """
        require(member, new.site)
        command = await self._command(member, new, Reach(new.reach))
        banned = await self._do(member, new.site, command)
        return NewlyBanned(views.ban(banned.ban), banned.action)

    async def _command(self, member: StaffMember, new: protocol.NewBan, reach: Reach) -> Command[Banned]:
        now = utc_now()
        terms = _terms(new, reach, now)
        if new.comment_id is not None and not is_uuid(new.comment_id):
            raise no_such_comment()
        if reach is not Reach.author:
            if new.comment_id is None:
                raise Problem(ErrorCode.invalid, "Name the comment whose network is meant.", field="comment_id")
            if not self._bans_networks:
                detail = "This server does not note where guests write from; ban the author."
                raise Problem(ErrorCode.not_found, detail, field="reach")
            return BanNetwork(member.by, new.site, new.comment_id, reach, terms, now)
        author_id = new.author_id
        if new.comment_id is not None:
            wrote = await self._store.read(queries.authors_of, new.site, [new.comment_id])
            author_id = wrote[0] if wrote else None
        elif author_id is None:
            raise Problem(ErrorCode.invalid, "Name an author, or a comment.", field="author_id")
        if author_id is None or not is_uuid(author_id):
            raise Problem(ErrorCode.not_found, "There is no such person at this site.", field="author_id")
        return BanAuthor(member.by, new.site, author_id, terms, now)

    async def lift(self, member: StaffMember, site: str, ban_id: str) -> str:
        """The id of the action that tells of it. Raises unknown_site, not_found, rate_limited."""
        require(member, site)
        if not is_uuid(ban_id):
            raise Problem(ErrorCode.not_found, "There is no such ban, or it was lifted already.")
        return await self._do(member, site, LiftBan(member.by, site, ban_id, utc_now()))

    async def _do(self, member: StaffMember, site: str, command: Command[T]) -> T:
        await self._limits.count(member.author_id, None, Write.moderation)
        return await self._store.write(InRole(member.author_id, site, DECIDING, command, utc_now(), member.session_id))


def _terms(new: protocol.NewBan, reach: Reach, now: datetime) -> Terms:
    """Raises invalid, malformed, empty."""
    hours = new.hours
    if reach is not Reach.author:
        hours = NETWORK_HOURS if hours is None else hours
        if hours > NETWORK_MOST:
            detail = f"A ban of a network ends after {NETWORK_MOST} hours at most: its addresses change hands."
            raise Problem(ErrorCode.invalid, detail, field="hours")
    return Terms(
        effect=BanEffect(new.effect),
        until=None if hours is None else now + timedelta(hours=hours),
        reason=new.reason or "",
        note=clean_text(new.note, field="note") if new.note else "",
        remove_since={"none": None, "day": now - _A_DAY, "all": _EPOCH}[new.remove],
    )


# ---- removing what was written --------------------------------------------------------------------------


def removing(store: Store) -> Queue:
    """Removes what the banned have written, where the ban says so: each comment by itself, as its moderator would."""

    async def remove(job: Job) -> None:
        site_id, ban_id = int(job.payload["site"]), str(job.payload["ban"])
        found = await store.read(queries.removal, site_id, ban_id, str(job.payload["action"]))
        if found is not None:
            for target in found.targets:
                await _remove_all(store, found, site_id, target, int(job.payload["since"]))
        await job.complete()

    return Queue(REMOVING, remove, seconds=_REMOVAL_SECONDS)


async def _remove_all(
    store: Store, removal: queries.Removal, site_id: int, target: tuple[Reach, str], since: int
) -> None:
    """AT_ONCE at a time; ``since`` is in milliseconds since 1970."""
    place: queries.Position | None = None
    is_more = True
    while is_more:
        page = await store.read(queries.removable, site_id, target, since, place, AT_ONCE)
        await asyncio.gather(*(_remove(store, one, removal) for one in page.ids))
        place, is_more = page.place, page.place is not None


async def _remove(store: Store, comment_id: str, removal: queries.Removal) -> None:
    """What was decided or deleted meanwhile stays as it is."""
    try:
        await store.write(
            DecideComment(comment_id, Act.remove, removal.by, utc_now(), why=Reason(reason=removal.reason))
        )
    except Problem as problem:
        if problem.code not in (ErrorCode.bad_state, ErrorCode.gone, ErrorCode.not_found):
            raise
