"""What every page of the staff has: whose session it is, the language, the headers, and refusals as pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tertulia.core.text import is_site
from tertulia.errors import ErrorCode, Problem
from tertulia.languages import Language, accepted
from tertulia.people.staff import OWNING, Staff, StaffMember
from tertulia.web.error_messages import isolated, sentence
from tertulia.web.session_cookie import PAGE_HEADERS, SessionCookie

ROOT = "/staff"
SIGN_IN = f"{ROOT}/sign-in"
HEADERS = {**PAGE_HEADERS, "Cross-Origin-Opener-Policy": "same-origin"}
SCRIPTED = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
}
"""Of a page with a script of this server, which asks this server."""
_TEN_MINUTES = 600
_BACK = 2_000
"""Characters of the address of a page of these."""
_SAID = {
    ErrorCode.unauthenticated: "staff.wrong_token",
    ErrorCode.spent: "code_over",
    ErrorCode.bad_code: "bad_code",
    ErrorCode.rate_limited: "staff.too_often",
    ErrorCode.origin_not_allowed: "staff.needs_https",
    ErrorCode.forbidden: "staff.not_allowed",
    ErrorCode.name_taken: "staff.name_taken",
    ErrorCode.too_large: "desk.too_large",
}
_SAID_OF_FIELDS = {
    (ErrorCode.spent, "link"): "staff.link_spent",
    (ErrorCode.forbidden, "role"): "staff.no_role",
    (ErrorCode.invalid, "code"): "bad_code",
    (ErrorCode.invalid, "email"): "bad_address",
    (ErrorCode.invalid, "member"): "staff.several_members",
    (ErrorCode.not_found, "member"): "staff.no_such_member",
    (ErrorCode.name_taken, "way"): "staff.way_taken",
    (ErrorCode.invalid, "way"): "staff.last_way",
    (ErrorCode.invalid, "ways"): "staff.too_many_ways",
    (ErrorCode.invalid, "role"): "staff.last_owner",
    (ErrorCode.invalid, "name"): "staff.token_taken",
    (ErrorCode.invalid, "scopes"): "staff.no_scope",
    (ErrorCode.empty, "name"): "no_name",
    (ErrorCode.too_long, "name"): "problem.long_name",
    (ErrorCode.empty, "lines"): "desk.words.none",
    (ErrorCode.invalid, "closes_at"): "desk.closes_at.wrong",
    (ErrorCode.changed, "desk"): "desk.not_done",
    (ErrorCode.invalid, "pick"): "desk.none_picked",
}

Handler = Callable[[Request, StaffMember], Awaitable[Response]]


class Templates(Protocol):
    """What fills templates in."""

    def html(self, template: str, tag: str, context: Mapping[str, object]) -> str: ...

    def language(self, tag: str) -> Language: ...


@dataclass(frozen=True, slots=True)
class Defaults:
    """The language of whoever asks for none, and the zone of all times."""

    language: str
    time_zone: str


class Frame:
    """Shared by the pages, which are made of it and their own templates."""

    def __init__(self, staff: Staff, cookie: SessionCookie, templates: Templates, defaults: Defaults) -> None:
        self.staff = staff
        self.cookie = cookie
        self._templates = templates
        self._defaults = defaults
        self.zone = defaults.time_zone

    def route(self, path: str, handler: Handler, *methods: str) -> Route:
        """A page of who is signed in and decides somewhere; everybody else is sent to the sign-in, or refused."""

        async def answer(request: Request) -> Response:
            return await self.answer(request, handler)

        return Route(f"{ROOT}{path}", answer, methods=list(methods or ("GET",)))

    async def answer(self, request: Request, handler: Handler) -> Response:
        """What a page answers, once it is known who asks."""
        member = await self.staff.member(self.cookie.token(request))
        if member is None:
            return redirect(
                sign_in_address(request.path_params.get("site") or request.query_params.get("site"), _page(request))
            )
        try:
            if not member.decides_anywhere():
                raise Problem(ErrorCode.forbidden, "You have no role that decides.")
            return await handler(request, member)
        except Problem as problem:
            return self.refusal(request, problem, member)

    def page(
        self,
        request: Request,
        template: str,
        member: StaffMember | None,
        context: Mapping[str, object],
        *,
        problem: Problem | None = None,
        scripted: bool = False,
    ) -> HTMLResponse:
        """The template; where there is a ``problem``, with its sentence and status. Only a ``scripted`` one has any."""
        language = self.language(request)
        given: dict[str, object] = {
            "member": member,
            "problem": self.sentence(problem, language) if problem else None,
            "zone": self._defaults.time_zone,
        }
        status = problem.code.value.status if problem else 200
        headers = {**HEADERS, **(SCRIPTED if scripted else {}), "X-Content-Type-Options": "nosniff"}
        if problem is not None and problem.retry_after is not None:
            headers["Retry-After"] = str(problem.retry_after)
        return HTMLResponse(self._templates.html(template, language.tag, {**given, **context}), status, headers)

    def refusal(self, request: Request, problem: Problem, member: StaffMember | None = None) -> HTMLResponse:
        """A page that says why there is nothing."""
        return self.page(request, "staff_refusal.html", member, {}, problem=problem)

    def foreign(self, request: Request) -> HTMLResponse:
        """For a request that did not come from these pages; it tells nothing of whoever sent it."""
        self.staff.stats.foreign += 1
        problem = Problem(ErrorCode.origin_not_allowed, "This request does not come from a page of this server.")
        said = self.language(request).translate("staff.foreign")
        return self.page(request, "staff_refusal.html", None, {"problem": said}, problem=problem)

    def language(self, request: Request) -> Language:
        asked = request.headers.get("accept-language")
        return accepted(asked) if asked else self._templates.language(self._defaults.language)

    @staticmethod
    def sentence(problem: Problem, language: Language) -> str:
        key = _SAID_OF_FIELDS.get((problem.code, problem.field or "")) or _SAID.get(problem.code)
        if problem.code is ErrorCode.rate_limited and (problem.retry_after or 0) > _TEN_MINUTES:
            key = None  # codes to one address: it takes longer
        if key is None and problem.code.value.status == 404:
            key = "error.404"
        if key is not None:
            return language.translate(key)
        return sentence(problem, language) or isolated(problem.detail, language)


def _page(request: Request) -> str:
    """What was asked for, to come back to; what was sent is not sent again."""
    asked = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return own_page(asked, ROOT) if request.method in ("GET", "HEAD") else ROOT


def sign_in_address(site: str | None, back: str = ROOT) -> str:
    """With the site, whose providers are offered then, where one is asked for, and the page to come back to."""
    given = {"site": site} if site and is_site(site) else {}
    given |= {"back": back} if back != ROOT else {}
    return f"{SIGN_IN}?{urlencode(given)}" if given else SIGN_IN


def own_page(given: str, otherwise: str) -> str:
    """The page to go back to: one of the staff's, and ``otherwise`` where another is given."""
    is_own = given.startswith("/staff/") and len(given) <= _BACK and given.isascii() and given.isprintable()
    return given if is_own and "\\" not in given and " " not in given else otherwise


def redirect(where: str) -> Response:
    """To another of these pages, by GET."""
    return RedirectResponse(where, 303, HEADERS)


def site_of(request: Request) -> str:
    """The site of the address."""
    return str(request.path_params["site"])


def site_address(site: str, page: str = "") -> str:
    """Of a page of a site."""
    return f"{ROOT}/sites/{quote(site, safe='')}" + (f"/{page}" if page else "")


def of_site(member: StaffMember, site: str, page: str) -> dict[str, object]:
    """What all pages of a site show; ``page`` is the one that is open."""
    return {"site": site, "address": site_address(site), "page": page, "owns": member.may(site, OWNING)}
