"""What signing in and attaching a way have in common: the forms of a code by mail, and the links to providers."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from tertulia.core.ids import is_uuid
from tertulia.core.text import clean_site
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import Problem
from tertulia.languages import Language
from tertulia.people import EMAIL, StaffWays
from tertulia.people.staff import StaffMember
from tertulia.protocol import CodeSent, NewCode, NewSession
from tertulia.staff.frame import Frame, own_page, redirect
from tertulia.web.client_address import ClientAddress
from tertulia.web.forms import ShortForm
from tertulia.web.origins import OriginPolicy, normal_origin
from tertulia.web.provider_address import provider_address

_LONGEST_ADDRESS = 320
"""Of an address in a mail (RFC 5321)."""


class Offered(NamedTuple):
    """A provider as a page offers it."""

    label: str
    href: str


class Codes:
    """``root`` of each method is the page that the forms belong to: they stand at ``…/code``."""

    def __init__(self, frame: Frame, ways: StaffWays, origins: OriginPolicy, addresses: ClientAddress) -> None:
        self._frame = frame
        self._origins = origins
        self.ways = ways
        self.addresses = addresses

    def origin(self, request: Request) -> str:
        return normal_origin(self._origins.base_url(request)) or ""

    async def providers(self, site: str, purpose: str, return_to: str) -> list[Offered]:
        found = await self.ways.providers(site)
        return [Offered(one.label, provider_address(one.name, site, return_to, purpose)) for one in found]

    @staticmethod
    def form_address(root: str, site: str, sent: CodeSent, back: str = "") -> str:
        given = {"challenge": sent.challenge, "site": site} | ({"back": back} if back else {})
        return f"{root}/code?{urlencode(given)}"

    def form(
        self,
        request: Request,
        member: StaffMember | None,
        root: str,
        new: NewSession | None = None,
        problem: Problem | None = None,
        back: str = "",
    ) -> Response:
        """Asks for the code of a mail; where none was sent, it goes back to the page. ``back`` is where one goes on."""
        if new is None:
            given = request.query_params
            back = given.get("back", "")
            site, challenge = given.get("site", DEFAULT_SITE), given.get("challenge", "")
            new = NewSession(grant=EMAIL, site=site[:64], challenge=challenge[:64])
        if not is_uuid(new.challenge or ""):
            return redirect(root)
        back = own_page(back, "")
        again = f"{root}?{urlencode({'site': new.site} | ({'back': back} if back else {}))}"
        context = {"new": new, "root": root, "again": again, "back": back}
        return self._frame.page(request, "staff_code.html", member, context, problem=problem)


def new_code(form: ShortForm, language: Language) -> NewCode:
    """Raises unknown_site."""
    return NewCode(site=_site(form), email=form.text("email")[:_LONGEST_ADDRESS], lang=language.tag)


def new_session(form: ShortForm, grant: str) -> NewSession:
    """What a form says of a code. Raises unknown_site."""
    challenge, code = form.text("challenge")[:64], form.text("code")[:128]
    return NewSession(grant=grant, site=_site(form), challenge=challenge, code=code)


def _site(form: ShortForm) -> str:
    return clean_site(form.text("site") or DEFAULT_SITE)
