"""In by a link that is good once, by a moderator's token, by a code that is sent by mail, or at a provider; and out.

GET /staff/sign-in ── address ──▶ POST …/code ──▶ GET …/code ── code ──▶ POST …/session ──▶ /staff
                   └─ provider ─▶ GET /signin/NAME ──▶ … ──▶ its callback ──▶ /staff
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.core.text import clean_site
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import ErrorCode, Problem
from tertulia.people import EMAIL
from tertulia.people.staff import StaffMember
from tertulia.people.staff_ways import SIGN_IN as AS_STAFF
from tertulia.protocol import NewCode, NewSession
from tertulia.staff.codes import Codes, new_code, new_session
from tertulia.staff.frame import ROOT, SIGN_IN, Frame, own_page, redirect
from tertulia.web.forms import read_short_form

_LONGEST = 200
"""Of what may stand in a link; ours has 46 characters."""


class SignIn:
    """A GET only shows a button: scanners of mail follow links, and would use them up."""

    def __init__(self, frame: Frame, codes: Codes) -> None:
        self._frame = frame
        self._codes = codes
        self._ways = codes.ways

    def routes(self) -> list[Route]:
        return [
            Route(SIGN_IN, self._show, methods=["GET"]),
            Route(SIGN_IN, self._sign_in, methods=["POST"]),
            Route(f"{SIGN_IN}/code", self._code_form, methods=["GET"]),
            Route(f"{SIGN_IN}/code", self._send_code, methods=["POST"]),
            Route(f"{SIGN_IN}/session", self._enter, methods=["POST"]),
            self._frame.route("/sign-out", self._sign_out, "POST"),
        ]

    async def _show(self, request: Request) -> Response:
        given = request.query_params
        back = own_page(given.get("back", ""), ROOT)
        return await self._form(request, given.get("site", ""), given.get("link", "")[:_LONGEST], back=back)

    async def _sign_in(self, request: Request) -> Response:
        site, back = "", ROOT
        try:
            self._frame.cookie.check(request)
            form = await read_short_form(request)
            site, back = form.text("site"), own_page(form.text("back"), ROOT)
            given = form.text("link")[:_LONGEST] or form.text("token").strip()
            token = await self._frame.staff.sign_in(given, self._codes.addresses.of(request))
        except Problem as problem:
            return await self._form(request, site, back=back, problem=problem)
        return self._opened(request, token, back)

    # ---- a code by mail ---------------------------------------------------------------------------------

    async def _send_code(self, request: Request) -> Response:
        new, back = NewCode(site="", email=""), ROOT
        try:
            form = await read_short_form(request)
            back = own_page(form.text("back"), ROOT)
            new = new_code(form, self._frame.language(request))
            self._frame.cookie.check(request)
            sent = await self._ways.send_code(new, self._codes.addresses.of(request))
        except Problem as problem:
            return await self._form(request, new.site, email=new.email, back=back, problem=problem)
        return redirect(self._codes.form_address(SIGN_IN, new.site, sent, back if back != ROOT else ""))

    async def _code_form(self, request: Request) -> Response:
        return self._codes.form(request, None, SIGN_IN)

    async def _enter(self, request: Request) -> Response:
        form = await read_short_form(request)
        try:
            new = new_session(form, EMAIL)
        except Problem as problem:
            return await self._form(request, "", problem=problem)
        return await self.enter(request, new, form.text("back"))

    async def enter(self, request: Request, new: NewSession, return_to: str) -> Response:
        """Opens a session for who has proven an address, or has come back from a provider."""
        back = own_page(return_to, ROOT)
        try:
            self._frame.cookie.check(request)
            token = await self._ways.sign_in(new, self._codes.addresses.of(request), self._codes.origin(request))
        except Problem as problem:
            if problem.code is ErrorCode.bad_code or problem.field == "code":
                return self._codes.form(request, None, SIGN_IN, new, problem, back)
            return await self._form(request, new.site, back=back, problem=problem)
        return self._opened(request, token, back)

    # ---- shared -----------------------------------------------------------------------------------------

    def _opened(self, request: Request, token: str, back: str) -> Response:
        answer = redirect(back)
        self._frame.cookie.put(request, answer, token)
        return answer

    async def _form(
        self,
        request: Request,
        given: str,
        link: str = "",
        *,
        email: str = "",
        back: str = ROOT,
        problem: Problem | None = None,
    ) -> Response:
        try:
            site = clean_site(given or DEFAULT_SITE)
        except Problem as unknown:
            site, problem = DEFAULT_SITE, problem or unknown
        is_safe = self._frame.cookie.is_safe(request)
        context = {
            "link": link,
            "site": site,
            "names_site": await self._ways.has_sites(),
            "providers": await self._codes.providers(site, AS_STAFF, back) if is_safe else [],
            "by_email": is_safe and self._ways.sends_codes,
            "email": email,
            "back": back if back != ROOT else "",
        }
        return self._frame.page(request, "staff_sign_in.html", None, context, problem=problem)

    async def _sign_out(self, request: Request, member: StaffMember) -> Response:
        await self._frame.staff.sign_out(member)
        answer = redirect(SIGN_IN)
        self._frame.cookie.remove(request, answer)
        return answer
