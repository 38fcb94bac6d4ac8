"""Every address of the staff's pages, and what they are made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.desk import DeskUseCases
from tertulia.people import Staff, StaffWays
from tertulia.people.staff_ways import ATTACH
from tertulia.people.staff_ways import SIGN_IN as AS_STAFF
from tertulia.protocol import NewSession
from tertulia.staff.access import Access, Identify
from tertulia.staff.codes import Codes
from tertulia.staff.desk import HasRoutes, desk_pages
from tertulia.staff.frame import ROOT, Defaults, Frame, Templates
from tertulia.staff.log import LogPages
from tertulia.staff.sign_in import SignIn
from tertulia.staff.site import SitePages
from tertulia.staff.ways import OwnWayPages
from tertulia.store.commands.staff import STAFF_DAYS
from tertulia.web.client_address import ClientAddress
from tertulia.web.origins import OriginPolicy
from tertulia.web.same_origin import SameOrigin, is_under
from tertulia.web.session_cookie import SessionCookie

COOKIE = "tertulia-staff"
SignInEnd = Callable[[Request, NewSession, str], Awaitable[Response]]


class StaffPages:
    """``middleware`` stands before the routes, and belongs to them."""

    def __init__(
        self,
        staff: Staff,
        ways: StaffWays,
        at_desk: DeskUseCases,
        templates: Templates,
        origins: OriginPolicy,
        addresses: ClientAddress,
        *,
        language: str,
        time_zone: str,
        identify: Identify,
    ) -> None:
        cookie = SessionCookie(origins, COOKIE, timedelta(days=STAFF_DAYS))
        self.deciding = Access(staff, cookie, origins, identify).deciding
        self._frame = Frame(staff, cookie, templates, Defaults(language, time_zone))
        self._origins = origins
        codes = Codes(self._frame, ways, origins, addresses)
        self._sign_in = SignIn(self._frame, codes)
        self._ways = OwnWayPages(self._frame, codes, origins)
        self._sites = SitePages(self._frame, at_desk.desk, origins, sends_codes=ways.sends_codes)
        self._desk = desk_pages(self._frame, at_desk)

    def routes(self) -> list[Route]:
        parts: list[HasRoutes] = [self._sign_in, self._ways, *self._desk, self._sites, LogPages(self._frame)]
        return [route for part in parts for route in part.routes()]

    def ends(self) -> dict[str, SignInEnd]:
        """What ways to a provider end in that begin on these pages, by what they are for."""
        return {AS_STAFF: self._sign_in.enter, ATTACH: self._ways.confirm}

    def middleware(self) -> Middleware:
        return Middleware(SameOrigin, origins=self._origins, guarded=_is_staffs, refuse=self._frame.foreign)


def _is_staffs(request: HTTPConnection) -> bool:
    return is_under(request.scope["path"], ROOT)
