"""The two addresses of signing in at a provider: the way there, and back with a code for the page that asked.

They have a cookie: it ties the way to the browser that went it, for ten minutes. A way that begins on a page of this
server ends there in a session, since what the page would keep is made of that cookie.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tertulia.core.text import clean_site
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import Problem
from tertulia.pages.readers import local_address
from tertulia.pages.rendering import Rendering
from tertulia.pages.site_defaults import SiteDefaults
from tertulia.people import PROVIDER_CODE, Failure, HandOver, ProviderResponse, ProviderSignIns, SignInError, SignInWish
from tertulia.people.providers.provider import challenge_of
from tertulia.people.signing_in import BROWSER_COOKIE, WAY_SECONDS, browser_of, own_verifier
from tertulia.protocol import NewSession
from tertulia.web.client_address import ClientAddress
from tertulia.web.origins import OriginPolicy
from tertulia.web.session_cookie import SessionCookie

STATUSES = {Failure.unknown: 404, Failure.limited: 429, Failure.unreachable: 502}
"""Of the pages that say what failed; 400 for the others."""
HEADERS = {
    # without Cross-Origin-Opener-Policy, which would cut this window off from the page that it has to answer
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


SignInEnd = Callable[[Request, NewSession, str], Awaitable[Response]]
"""What opens a session on a page of this server itself, and goes on to an address of it."""


class SignInPages:
    """``sign_ins`` says who may pass; a page is shown at the end of each way, and where one ends too soon.

    ``ends`` are those of ways that begin on this server's own pages, by what they are for.
    """

    def __init__(
        self,
        sign_ins: ProviderSignIns,
        rendering: Rendering,
        defaults: SiteDefaults,
        origins: OriginPolicy,
        addresses: ClientAddress,
        ends: Mapping[str, SignInEnd],
    ) -> None:
        self._sign_ins = sign_ins
        self._rendering = rendering
        self._defaults = defaults
        self._origins = origins
        self._addresses = addresses
        self._ends = ends
        self._cookie = SessionCookie(origins, BROWSER_COOKIE, timedelta(seconds=WAY_SECONDS))

    def routes(self) -> list[Route]:
        return [
            Route("/signin/{provider}", self._begin, methods=["GET"]),
            Route("/signin/{provider}/callback", self._finish, methods=["GET"]),
        ]

    async def _begin(self, request: Request) -> Response:
        """Sends the browser to the provider."""
        asked, browser = self._asked(request), browser_of(self._cookie.token(request))
        purpose = request.query_params.get("as", "")
        if purpose in self._ends:
            asked = self._of_own_page(request, asked, own_verifier(browser, purpose))
        try:
            site = clean_site(asked.site)
            pages = await self._origins.pages_of(request, site)
            address = self._addresses.of(request)
            sent = await self._sign_ins.begin(asked, pages, self._redirect(request), browser, address)
        except SignInError as error:
            return self._failed(error)
        except Problem as problem:
            return self._unable(problem, asked.language)
        answer = RedirectResponse(sent.address, 303, HEADERS)
        self._cookie.put(request, answer, sent.browser)
        return answer

    async def _finish(self, request: Request) -> Response:
        """Takes the browser back, and hands over what the page gets."""
        query, provider = request.query_params, request.path_params["provider"]
        repeated = len(query.multi_items()) > len(query)  # whose value counts, each library decides for itself
        response = ProviderResponse(query.get("code"), query.get("error"), query.get("iss"))
        state = None if repeated else query.get("state")
        cookie = self._cookie.token(request)
        own = {challenge_of(verifier): (end, verifier) for end, verifier in self._own_ends(cookie)}
        try:
            given = await self._sign_ins.finish(provider, state, response, self._redirect(request), cookie, own)
        except SignInError as error:
            return self._failed(error)
        except Problem as problem:
            return self._unable(problem, self._defaults.language)
        if given.challenge not in own:
            return self._handed(given)
        end, verifier = own[given.challenge]
        new = NewSession(grant=PROVIDER_CODE, site=given.site, code=given.code, verifier=verifier)
        return await end(request, new, given.return_to.removeprefix(given.origin))

    def _own_ends(self, browser: str | None) -> Iterator[tuple[SignInEnd, str]]:
        """What a sign-in that this browser began on a page of this server may be for, each with its verifier."""
        for purpose, end in self._ends.items() if browser else ():
            yield end, own_verifier(browser or "", purpose)

    def _of_own_page(self, request: Request, asked: SignInWish, verifier: str) -> SignInWish:
        where = self._origins.base_url(request) + local_address(asked.return_to)
        return replace(asked, state=secrets.token_urlsafe(32), challenge=challenge_of(verifier), return_to=where)

    def _asked(self, request: Request) -> SignInWish:
        query = request.query_params
        return SignInWish(
            site=query.get("site", DEFAULT_SITE),
            provider=request.path_params["provider"],
            state=query.get("state", ""),
            challenge=query.get("challenge", ""),
            return_to=query.get("return", ""),
            language=self._rendering.language(query.get("lang", self._defaults.language)).tag,
        )

    def _redirect(self, request: Request) -> str:
        """The address to come back to: each provider has its own, so that no other's response is taken for its."""
        return f"{self._origins.base_url(request)}/signin/{request.path_params['provider']}/callback"

    def _handed(self, given: HandOver) -> Response:
        return self._rendering.page("signed_in.html", given.language, {"given": given}, headers=HEADERS)

    def _failed(self, error: SignInError) -> Response:
        context = {"failure": str(error.failure), "label": error.label, "return_to": error.return_to}
        status = STATUSES.get(error.failure, 400)
        language = error.language or self._defaults.language
        return self._rendering.page("sign_in_failed.html", language, context, status=status, headers=HEADERS)

    def _unable(self, problem: Problem, language: str) -> Response:
        status = problem.code.value.status
        return self._rendering.page("error.html", language, {"status": status}, status=status, headers=HEADERS)
