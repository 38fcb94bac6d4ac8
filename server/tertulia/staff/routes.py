"""Every address of the staff's pages, and what they are made of."""

from __future__ import annotations

from datetime import timedelta

from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.routing import Route

from tertulia.people.staff import Staff
from tertulia.staff.frame import ROOT, Defaults, Frame, Templates
from tertulia.staff.log import LogPages
from tertulia.staff.sign_in import SignIn
from tertulia.staff.site import SitePages
from tertulia.store.commands.staff import STAFF_DAYS
from tertulia.web.client_address import ClientAddress
from tertulia.web.origins import OriginPolicy
from tertulia.web.same_origin import SameOrigin, is_under
from tertulia.web.session_cookie import SessionCookie

COOKIE = "tertulia-staff"


class StaffPages:
    """``middleware`` stands before the routes, and belongs to them."""

    def __init__(
        self,
        staff: Staff,
        templates: Templates,
        origins: OriginPolicy,
        addresses: ClientAddress,
        *,
        language: str,
        time_zone: str,
    ) -> None:
        cookie = SessionCookie(origins, COOKIE, timedelta(days=STAFF_DAYS))
        self._frame = Frame(staff, cookie, templates, Defaults(language, time_zone))
        self._origins = origins
        self._addresses = addresses

    def routes(self) -> list[Route]:
        parts = (SignIn(self._frame, self._addresses), SitePages(self._frame, self._origins), LogPages(self._frame))
        return [route for part in parts for route in part.routes()]

    def middleware(self) -> Middleware:
        return Middleware(SameOrigin, origins=self._origins, guarded=_is_staffs, refuse=self._frame.foreign)


def _is_staffs(request: HTTPConnection) -> bool:
    return is_under(request.scope["path"], ROOT)
