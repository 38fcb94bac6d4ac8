"""Who decides, wherever that is asked over HTTP: the session of the staff's pages, or a moderator's token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection

from tertulia.core.scopes import TokenScope
from tertulia.errors import ErrorCode, Problem, unauthenticated
from tertulia.identity import Identity
from tertulia.people import Staff, StaffMember
from tertulia.web.origins import OriginPolicy
from tertulia.web.same_origin import is_from_own_page
from tertulia.web.session_cookie import SessionCookie

Identify = Callable[[str | None, str | None, TokenScope | None], Awaitable[Identity | None]]


_READS = frozenset({"GET", "HEAD"})


class Access:
    """``identify`` says whom a header names; without one it is whoever the cookie says, on a page of this server."""

    def __init__(self, staff: Staff, cookie: SessionCookie, origins: OriginPolicy, identify: Identify) -> None:
        self._staff = staff
        self._cookie = cookie
        self._origins = origins
        self._identify = identify

    async def deciding(self, request: HTTPConnection, site: str) -> StaffMember:
        """Raises unauthenticated, forbidden, origin_not_allowed; whether it is at this site is asked later."""
        given = request.headers.getlist("authorization")
        if given:
            return await self._by_token(", ".join(given), site)
        member = await self._staff.member(self._cookie.token(request))
        if member is None:
            raise unauthenticated()
        if request.scope.get("method") not in _READS and not is_from_own_page(request, self._origins):
            detail = "Under the staff's cookie this is for pages of this server; programs send a moderator's token."
            raise Problem(ErrorCode.origin_not_allowed, detail)
        if not member.decides_anywhere():
            raise Problem(ErrorCode.forbidden, "You have no role that decides.")
        return member

    async def _by_token(self, authorization: str, site: str) -> StaffMember:
        identity = await self._identify(authorization, site, None)
        if identity is None or not identity.moderator or identity.program:
            raise Problem(ErrorCode.forbidden, "Only a moderator may do this.")
        return StaffMember(None, identity.author_id, identity.name, [(site, role) for role in identity.roles])
