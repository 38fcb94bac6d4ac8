"""Signing in on this server's own pages, without a script: at a provider, or by a code that is sent by mail; and out.

GET /sign-in ── address ──▶ POST /sign-in/code ──▶ GET /sign-in/code ── code ──▶ POST /sign-in/session ──▶ the page
             └─ provider ─▶ GET /signin/NAME ──▶ … ──▶ its callback ──▶ the page
"""

from __future__ import annotations

from math import ceil
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.core.ids import is_uuid, milliseconds_of
from tertulia.core.text import clean_site
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import utc_now
from tertulia.pages.account_pages import AccountPages, redirect
from tertulia.pages.readers import SIGN_IN, SIGN_OUT, local_address, sign_in_address
from tertulia.people import EMAIL, PROVIDER_CODE, EmailCodes, People
from tertulia.protocol import NewCode, NewSession
from tertulia.store.challenges import CODE_SECONDS
from tertulia.web.client_address import ClientAddress
from tertulia.web.forms import ShortForm, read_short_form
from tertulia.web.origins import OriginPolicy, normal_origin

CODE = f"{SIGN_IN}/code"
SESSION = f"{SIGN_IN}/session"
_NAMING = frozenset({ErrorCode.name_needed, ErrorCode.name_taken, ErrorCode.empty, ErrorCode.too_long})
"""What is wrong where everything else is right, and only the name is missing."""


class WayIn:
    """``codes`` is None where this server can send none."""

    def __init__(
        self,
        pages: AccountPages,
        people: People,
        codes: EmailCodes | None,
        origins: OriginPolicy,
        addresses: ClientAddress,
    ) -> None:
        self._pages = pages
        self._readers = pages.readers
        self._people = people
        self._codes = codes
        self._origins = origins
        self._addresses = addresses

    def routes(self) -> list[Route]:
        return [
            Route(SIGN_IN, self._show_offer, methods=["GET"]),
            Route(CODE, self._show_code_form, methods=["GET"]),
            Route(CODE, self._send_code, methods=["POST"]),
            Route(SESSION, self._enter, methods=["POST"]),
            Route(SIGN_OUT, self._sign_out, methods=["POST"]),
        ]

    # ---- which way --------------------------------------------------------------------------------------

    async def _show_offer(self, request: Request) -> Response:
        given = request.query_params
        try:
            site, return_to = _site(given.get("site", "")), local_address(given.get("return", ""))
            if await self._readers.of(request, site) is not None:
                return redirect(return_to)
            return await self._offer(request, site, return_to)
        except Problem as problem:
            return self._pages.refusal(request, problem)

    async def _offer(
        self, request: Request, site: str, return_to: str, email: str = "", problem: Problem | None = None
    ) -> Response:
        offer = await self._readers.offer(request, site, return_to)
        context = {"offer": offer, "email": email, "return_to": return_to}
        return self._pages.page(request, "sign_in.html", context, problem)

    # ---- a code by mail ---------------------------------------------------------------------------------

    async def _send_code(self, request: Request) -> Response:
        try:
            form = await read_short_form(request)
            site, return_to, email = _site(form.text("site")), local_address(form.text("return")), form.text("email")
        except Problem as problem:
            return self._pages.refusal(request, problem)
        try:
            self._readers.cookie.check(request)
            await self._origins.admit(request, site)
            new = NewCode(site=site, email=email[:320], lang=self._pages.language(request).tag)
            sent = await self._sender().ask(new, self._addresses.of(request))
        except Problem as problem:
            if problem.code.value.status == 404:
                return self._pages.refusal(request, problem)
            return await self._offer(request, site, return_to, email[:320], problem)
        query = {"challenge": sent.challenge, "site": site, "return": return_to}
        return redirect(f"{CODE}?{urlencode(query)}")

    def _sender(self) -> EmailCodes:
        """Raises not_found where this server can send no codes."""
        if self._codes is None:
            raise Problem(ErrorCode.not_found, "This server sends no codes.")
        return self._codes

    async def _show_code_form(self, request: Request) -> Response:
        given = request.query_params
        try:
            self._sender()
            site, return_to = _site(given.get("site", "")), local_address(given.get("return", ""))
        except Problem as problem:
            return self._pages.refusal(request, problem)
        if not is_uuid(given.get("challenge", "")):
            return redirect(sign_in_address(site, return_to))
        new = NewSession(grant=EMAIL, site=site, challenge=given["challenge"])
        return self._form(request, new, return_to, minutes=_minutes_left(given["challenge"]))

    # ---- in, and out ------------------------------------------------------------------------------------

    async def _enter(self, request: Request) -> Response:
        try:
            form = await read_short_form(request)
            return await self.enter(request, _wish(form), local_address(form.text("return")))
        except Problem as problem:
            return self._pages.refusal(request, problem)

    async def enter(self, request: Request, new: NewSession, return_to: str) -> Response:
        """Opens a session, or asks for what is missing."""
        try:
            self._readers.cookie.check(request)
            origin = normal_origin(self._origins.base_url(request))
            opened = await self._people.sign_in(new, self._addresses.of(request), origin)
        except Problem as problem:
            return self._refused(request, new, return_to, problem)
        await self._end_earlier(request)
        answer = redirect(return_to)
        self._readers.cookie.put(request, answer, opened.token)
        return answer

    def _refused(self, request: Request, new: NewSession, return_to: str, problem: Problem) -> Response:
        may_go_on = new.grant == EMAIL or problem.code in _NAMING
        if not may_go_on or problem.code is ErrorCode.unknown_site:
            return self._pages.refusal(request, problem)
        return self._form(request, new, return_to, problem)

    def _form(
        self,
        request: Request,
        new: NewSession,
        return_to: str,
        problem: Problem | None = None,
        minutes: int | None = None,
    ) -> Response:
        """What is still asked for: the code of a mail, a name, or both."""
        is_about_name = problem is not None and problem.code in _NAMING
        context = {
            "new": new,
            "is_email": new.grant == EMAIL,
            "asks_name": new.name is not None or is_about_name,
            # the code was right then, or is not what is wrong
            "is_about_name": is_about_name,
            "return_to": return_to,
            "minutes": minutes,
            # what everybody who is new here is asked is no trouble
            "is_step": problem is not None and problem.code is ErrorCode.name_needed,
            "again": sign_in_address(new.site, return_to),
        }
        return self._pages.page(request, "sign_in_form.html", context, problem)

    async def _sign_out(self, request: Request) -> Response:
        try:
            form = await read_short_form(request)
            await self._end_earlier(request)
        except Problem as problem:
            return self._pages.refusal(request, problem)
        answer = redirect(local_address(form.text("return")))
        self._readers.cookie.remove(request, answer)
        return answer

    async def _end_earlier(self, request: Request) -> None:
        """Ends the session that the browser has so far: a browser has one on these pages."""
        identity = await self._readers.of(request)
        if identity is not None:
            await self._people.sign_out(identity)


def _minutes_left(challenge: str) -> int:
    """In which a code is still good, begun ones too: a challenge says by itself when it was made."""
    left = milliseconds_of(challenge) / 1000 + CODE_SECONDS - utc_now().timestamp()
    return max(0, min(ceil(left / 60), CODE_SECONDS // 60))


def _site(given: str) -> str:
    """Raises unknown_site."""
    return clean_site(given or DEFAULT_SITE)


def _wish(form: ShortForm) -> NewSession:
    """Raises unknown_site; not_found for a way that no form of these pages has."""
    grant = form.text("grant")
    if grant not in (EMAIL, PROVIDER_CODE):
        raise Problem(ErrorCode.not_found, "There is no such way to sign in here.")
    name = form.text("name") if "name" in form else None
    return NewSession(
        grant=grant,
        site=_site(form.text("site")),
        challenge=form.text("challenge")[:64],
        code=form.text("code")[:128],
        verifier=form.text("verifier")[:128],
        name=name,
    )
