"""How one signs in oneself: what leads to whoever is signed in, attached and removed by them alone.

An account at a provider is attached by a form of these pages and not by the way back, which is a GET that another
page may have begun: it shows which account that would be.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.errors import ErrorCode, Problem
from tertulia.people import EMAIL, PROVIDER_CODE
from tertulia.people.signing_in import BROWSER_COOKIE, WAY_SECONDS, own_verifier
from tertulia.people.staff import StaffMember
from tertulia.people.staff_ways import ATTACH
from tertulia.protocol import NewSession
from tertulia.staff.codes import Codes, new_code, new_session
from tertulia.staff.frame import ROOT, Frame, redirect
from tertulia.web.forms import ShortForm, read_short_form
from tertulia.web.origins import OriginPolicy
from tertulia.web.session_cookie import SessionCookie

PATH = "/ways-in"
WAYS = f"{ROOT}{PATH}"


class OwnWayPages:
    """The ways of a site where one decides: ``site`` in the address, or else the first."""

    def __init__(self, frame: Frame, codes: Codes, origins: OriginPolicy) -> None:
        self._frame = frame
        self._codes = codes
        self._ways = codes.ways
        self._browser = SessionCookie(origins, BROWSER_COOKIE, timedelta(seconds=WAY_SECONDS))

    def routes(self) -> list[Route]:
        return [
            self._frame.route(PATH, self._show),
            self._frame.route(f"{PATH}/code", self._code_form),
            self._frame.route(f"{PATH}/code", self._send_code, "POST"),
            self._frame.route(f"{PATH}/add", self._add, "POST"),
            self._frame.route(f"{PATH}/remove", self._remove, "POST"),
        ]

    async def _show(self, request: Request, member: StaffMember) -> Response:
        return await self._page(request, member, request.query_params.get("site", ""))

    # ---- an address -------------------------------------------------------------------------------------

    async def _send_code(self, request: Request, member: StaffMember) -> Response:
        new = new_code(await read_short_form(request), self._frame.language(request))
        try:
            sent = await self._ways.send_own_code(member, new, self._codes.addresses.of(request))
        except Problem as problem:
            return await self._page(request, member, new.site, new.email, problem)
        return redirect(self._codes.form_address(WAYS, new.site, sent))

    async def _code_form(self, request: Request, member: StaffMember) -> Response:
        return self._codes.form(request, member, WAYS)

    # ---- an account at a provider -----------------------------------------------------------------------

    async def confirm(self, request: Request, new: NewSession, _return_to: str) -> Response:
        """Asks who has come back from a provider whether they want to sign in like this."""

        async def asked(request: Request, member: StaffMember) -> Response:
            proven = await self._ways.proven(member, new, self._codes.origin(request))
            again = f"{WAYS}?{urlencode({'site': new.site})}"
            context = {"proven": proven, "new": new, "again": again}
            return self._frame.page(request, "staff_way.html", member, context)

        return await self._frame.answer(request, asked)

    async def _add(self, request: Request, member: StaffMember) -> Response:
        new = self._proof(request, await read_short_form(request))
        try:
            await self._ways.attach(member, new, self._codes.origin(request))
        except Problem as problem:
            if new.grant == EMAIL and (problem.code is ErrorCode.bad_code or problem.field == "code"):
                return self._codes.form(request, member, WAYS, new, problem)
            return await self._page(request, member, new.site, problem=problem)
        return redirect(f"{WAYS}?{urlencode({'site': new.site})}")

    def _proof(self, request: Request, form: ShortForm) -> NewSession:
        """A code of a mail, or of a provider: what goes with that is made of this browser's cookie, for this alone."""
        if form.text("grant") == EMAIL:
            return new_session(form, EMAIL)
        verifier = own_verifier(self._browser.token(request) or "", ATTACH)
        return new_session(form, PROVIDER_CODE).model_copy(update={"verifier": verifier})

    # ---- shared -----------------------------------------------------------------------------------------

    async def _remove(self, request: Request, member: StaffMember) -> Response:
        form = await read_short_form(request)
        site = form.text("site")
        try:
            await self._ways.detach(member, site, form.text("issuer"), form.text("subject"))
        except Problem as problem:
            return await self._page(request, member, site, problem=problem)
        return redirect(WAYS)

    async def _page(
        self, request: Request, member: StaffMember, site: str, email: str = "", problem: Problem | None = None
    ) -> Response:
        sites = [one for one, _ in await self._frame.staff.sites(member)]
        chosen = site if site in sites else next(iter(sites), "")
        context = {
            "ways": await self._ways.ways(member),
            "sites": sites,
            "site": chosen,
            "providers": await self._codes.providers(chosen, ATTACH, WAYS),
            "by_email": self._ways.sends_codes,
            "email": email,
        }
        return self._frame.page(request, "staff_own_ways.html", member, context, problem=problem)
