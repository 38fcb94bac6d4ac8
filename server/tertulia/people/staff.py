"""What owners and moderators do on the staff's pages, each in a session of their own kind.

A look at the roles that the session brought refuses soon; the command asks for them again in its transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, TypeVar

from tertulia.core.ids import is_uuid
from tertulia.core.names import unadorned
from tertulia.core.roles import DECIDING, Role
from tertulia.core.text import clean_name, is_site
from tertulia.errors import ErrorCode, Problem, no_such_site, unauthenticated
from tertulia.identity import (
    INVITATION_PREFIX,
    MODERATOR_PREFIX,
    SESSION_PREFIX,
    new_invitation,
    new_session_token,
    new_site_token,
    token_hash,
    utc_now,
)
from tertulia.limits import PostingLimits, Write
from tertulia.store import Store, queries
from tertulia.store.actions import By, LogPage, log_page
from tertulia.store.commands import (
    AddSiteToken,
    Command,
    EndPersonsSessions,
    EndSessions,
    GiveMember,
    InRole,
    Invite,
    ProlongSession,
    RemoveSiteToken,
    SignInStaff,
    TakeRole,
)
from tertulia.store.commands.staff import IDLE_HOURS, STAFF_DAYS
from tertulia.store.queries import MemberSessions, RoleHeld, SiteToken, WayIn

USED_AGAIN = timedelta(minutes=5)
"""How often at most it is noted that a session is used: so much earlier at most it ends."""
SESSIONS_A_PAGE = 50
ACTIONS_A_PAGE = 50
OWNING = frozenset({Role.owner})
FindMember = Callable[[str, str], Awaitable[str]]
"""The id of the member of a site whom a name, an address or an id means. Raises unknown_site, not_found, invalid."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Who is signed in to the staff's pages. ``roles`` are those of the sites where one decides, None for all sites.

    ``session_id`` is None of whoever comes with a moderator's token.
    """

    session_id: str | None
    author_id: str
    name: str
    roles: Sequence[tuple[str | None, str]]

    @property
    def by(self) -> By:
        return By(self.author_id, self.name)

    def may(self, site: str | None, roles: frozenset[Role] = DECIDING) -> bool:
        """Whether one of these roles is held at the site, or with None at all sites."""
        return any(held in (None, site) and role in roles for held, role in self.roles)

    def decides_anywhere(self) -> bool:
        return any(role in DECIDING for _, role in self.roles)


@dataclass(slots=True, eq=False)
class StaffStats:
    """``refused`` counts sign-ins, ``foreign`` requests that did not come from these pages."""

    signed_in: int = 0
    refused: int = 0
    foreign: int = 0

    @contextmanager
    def signing_in(self) -> Iterator[None]:
        """Counts what comes of it."""
        try:
            yield
        except Problem:
            self.refused += 1
            raise
        self.signed_in += 1


class Shown(NamedTuple):
    """A secret that is shown once, to whoever made it, and whose it is; None where there is none to show."""

    name: str
    secret: str | None


class Staff:
    """The use-cases; each raises not_found where somebody has no role at the site, forbidden where it is another."""

    def __init__(self, store: Store, limits: PostingLimits, find_member: FindMember) -> None:
        self._store = store
        self._limits = limits
        self._find_member = find_member
        self.stats = StaffStats()

    # ---- in and out -------------------------------------------------------------------------------------

    async def sign_in(self, given: str, address: str | None) -> str:
        """The token of a session, for the secret of a link or a moderator's token.

        Raises rate_limited, spent, unauthenticated.
        """
        with self.stats.signing_in():
            await self._limits.count(None, address, Write.staff_sign_in)
            token, hashed = new_session_token()
            link = token_hash(given) if given.startswith(INVITATION_PREFIX) else None
            moderator = token_hash(given) if given.startswith(MODERATOR_PREFIX) else None
            if link is moderator is None:
                raise unauthenticated()
            await self._store.write(SignInStaff(hashed, utc_now(), link, moderator))
        return token

    async def member(self, token: str | None) -> StaffMember | None:
        """Whose session it is, None where there is none that goes on; notes now and then that it is used."""
        if token is None or not token.startswith(SESSION_PREFIX):
            return None
        now = utc_now()
        found = await self._store.read(queries.staff_session, token_hash(token), now)
        if found is None:
            return None
        if found.idle >= USED_AGAIN:
            life, most = timedelta(hours=IDLE_HOURS), timedelta(days=STAFF_DAYS)
            await self._store.write(ProlongSession(found.id, found.author_id, now, life, most))
        return StaffMember(found.id, found.author_id, found.name, found.roles)

    async def sign_out(self, member: StaffMember) -> None:
        await self._store.write(EndSessions(member.author_id, utc_now(), member.session_id))

    async def standing(self, asked: Collection[tuple[StaffMember, str]]) -> list[bool]:
        """Whether each of these still decides at the site: their session goes on, and the role is held."""
        wanted = [(member.session_id, member.author_id, site) for member, site in asked]
        return await self._store.read(queries.standing, wanted, utc_now())

    # ---- who --------------------------------------------------------------------------------------------

    async def sites(self, member: StaffMember) -> list[tuple[str, list[str]]]:
        """The sites where one decides, each with one's roles there."""
        known = sorted(await self._store.read(queries.sites))
        found = [(site, sorted({role for held, role in member.roles if held in (None, site)})) for site in known]
        return [(site, roles) for site, roles in found if not DECIDING.isdisjoint(roles)]

    async def people(self, member: StaffMember, site: str) -> list[RoleHeld]:
        require(member, site)
        return await self._store.read(queries.staff_of, site)

    async def invite(self, member: StaffMember, site: str, name: str, role: str) -> Shown:
        """Gives a role; the secret of a link, None for a person who acts where ``member`` may not.

        Raises empty, too_long, malformed, name_taken; invalid where there is no such role.
        """
        given = _role(role)
        cleaned = unadorned(clean_name(name, "name"))
        token, hashed = new_invitation()
        command = Invite(member.by, cleaned, site, given, hashed, utc_now())
        invited = await self._do(member, site, OWNING, command)
        return Shown(cleaned, token if invited.has_link else None)

    async def give_member(self, member: StaffMember, site: str, given: str, role: str) -> Shown:
        """Gives a role to a member of the site, whom a name or an address means; there is nothing to show.

        Raises not_found, name_taken; invalid where there is no such role, or several are called so.
        """
        require(member, site, OWNING)
        named = await self._find_member(site, given)
        name = await self._do(member, site, OWNING, GiveMember(member.by, named, site, _role(role), utc_now()))
        return Shown(name, None)

    async def remove(self, member: StaffMember, site: str, author_id: str, role: str) -> None:
        """Raises not_found; invalid for the last owner."""
        command = TakeRole(member.by, _known_id(author_id), site, _role(role), utc_now())
        await self._do(member, site, OWNING, command)

    async def sessions(self, member: StaffMember, site: str, cursor: str | None) -> MemberSessions:
        """Raises bad_cursor."""
        require(member, site)
        return await self._store.read(queries.member_sessions, site, utc_now(), SESSIONS_A_PAGE, cursor)

    async def end_sessions(self, member: StaffMember, site: str, author_id: str) -> int:
        """Ends all sessions of a member of the site; how many there were. Raises not_found."""
        command = EndPersonsSessions(member.by, _known_id(author_id), site, utc_now())
        return await self._do(member, site, DECIDING, command)

    # ---- ways in ----------------------------------------------------------------------------------------

    async def ways_in(self, member: StaffMember, site: str) -> list[WayIn]:
        require(member, site, OWNING)
        return await self._store.read(queries.ways_in, site)

    async def tokens(self, member: StaffMember, site: str) -> list[SiteToken]:
        require(member, site, OWNING)
        return await self._store.read(queries.site_tokens, site)

    async def add_token(self, member: StaffMember, site: str, name: str, scopes: Sequence[str]) -> Shown:
        """A new token for a program of the site. Raises empty, too_long, malformed, invalid."""
        cleaned, (token, hashed) = clean_name(name, "name"), new_site_token()
        await self._do(member, site, OWNING, AddSiteToken(member.by, site, cleaned, tuple(scopes), hashed, utc_now()))
        return Shown(cleaned, token)

    async def remove_token(self, member: StaffMember, site: str, name: str) -> None:
        """Raises not_found."""
        cleaned = clean_name(name, "name")
        await self._do(member, site, OWNING, RemoveSiteToken(member.by, site, cleaned, utc_now()))

    # ---- the log ----------------------------------------------------------------------------------------

    async def log(
        self, member: StaffMember, site: str | None, cursor: str | None, limit: int = ACTIONS_A_PAGE
    ) -> LogPage:
        """The actions of a site, or with None all there are. Raises bad_cursor."""
        require(member, site)
        return await self._store.read(log_page, site, limit, cursor)

    async def _do(self, member: StaffMember, site: str, roles: frozenset[Role], command: Command[T]) -> T:
        require(member, site, roles)
        await self._limits.count(member.author_id, None, Write.moderation)
        return await self._store.write(
            InRole(member.author_id, site, roles, command, utc_now(), session_id=member.session_id)
        )


def require(member: StaffMember, site: str | None, roles: frozenset[Role] = DECIDING) -> None:
    """Raises unknown_site where one decides nothing, so as not to say which sites there are; forbidden otherwise."""
    if (site is not None and not is_site(site)) or not member.may(site):
        raise no_such_site()
    if not member.may(site, roles):
        raise Problem(ErrorCode.forbidden, "This needs a role that you do not have.")


def _role(given: str) -> Role:
    try:
        return Role(given)
    except ValueError:
        raise Problem(ErrorCode.invalid, "There is no such role.", field="role") from None


def _known_id(given: str) -> str:
    """Raises not_found for what is no id."""
    if not is_uuid(given):
        raise Problem(ErrorCode.not_found, "There is no such person at this site.", field="person")
    return given
