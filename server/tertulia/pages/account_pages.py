"""What all pages of somebody's own have: who reads, the reader's language, headers, and refusals in words."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tertulia.errors import ErrorCode, Problem
from tertulia.languages import Language, accepted
from tertulia.pages.readers import Readers
from tertulia.pages.rendering import Rendering
from tertulia.pages.site_defaults import SiteDefaults
from tertulia.web.error_messages import isolated, sentence
from tertulia.web.session_cookie import PAGE_HEADERS

_SAID = {
    ErrorCode.bad_code: "bad_code",
    ErrorCode.spent: "code_over",
    ErrorCode.name_needed: "choose_name",
    ErrorCode.unauthenticated: "signin.failed",
    ErrorCode.forbidden: "problem.not_yours",
    ErrorCode.origin_not_allowed: "staff.needs_https",
}
_SAID_OF_FIELDS = {
    (ErrorCode.invalid, "email"): "bad_address",
    (ErrorCode.invalid, "code"): "bad_code",
    (ErrorCode.forbidden, "name"): "me.keeps_name",
    (ErrorCode.invalid, "reason"): "no_reason",
    (ErrorCode.too_long, "note"): "problem.text",
    (ErrorCode.malformed, "note"): "problem.text",
}
_SAID_OF_NAMES = {ErrorCode.empty: "no_name", ErrorCode.too_long: "problem.long_name"}


class AccountPages:
    """Made of the templates of the pages; in the language that the reader's browser asks for."""

    def __init__(self, readers: Readers, rendering: Rendering, defaults: SiteDefaults) -> None:
        self.readers = readers
        self._rendering = rendering
        self._defaults = defaults

    def page(
        self,
        request: HTTPConnection,
        template: str,
        context: Mapping[str, object],
        problem: Problem | None = None,
    ) -> HTMLResponse:
        """The template; where there is a ``problem``, with its sentence and status."""
        language = self.language(request)
        given = {"problem": self.sentence(problem, language) if problem else None, "zone": self._defaults.time_zone}
        headers = dict(PAGE_HEADERS)
        if problem is not None and problem.retry_after is not None:
            headers["Retry-After"] = str(problem.retry_after)
        status = 200 if problem is None else problem.code.value.status
        return self._rendering.page(template, language.tag, {**given, **context}, status=status, headers=headers)

    def refusal(self, request: HTTPConnection, problem: Problem) -> HTMLResponse:
        """A page that says why there is nothing."""
        if problem.code.value.status == 404:
            return self.page(request, "error.html", {"status": 404}, problem)
        return self.page(request, "refusal.html", {}, problem)

    def foreign(self, request: Request) -> HTMLResponse:
        """For a request that did not come from a page of this server; it tells nothing of whoever sent it."""
        problem = Problem(ErrorCode.origin_not_allowed, "This request does not come from a page of this server.")
        said = self.language(request).translate("staff.foreign")
        return self.page(request, "refusal.html", {"problem": said}, problem)

    def language(self, request: HTTPConnection) -> Language:
        asked = request.headers.get("accept-language")
        return accepted(asked) if asked else self._rendering.language(self._defaults.language)

    @staticmethod
    def sentence(problem: Problem, language: Language) -> str:
        key = _SAID_OF_FIELDS.get((problem.code, problem.field or "")) or _SAID.get(problem.code)
        if key is None and problem.field == "name":
            key = _SAID_OF_NAMES.get(problem.code)
        if key is not None:
            return language.translate(key, detail=isolated(problem.detail, language))
        return sentence(problem, language, otherwise="error.other.detail") or isolated(problem.detail, language)


def redirect(where: str) -> Response:
    """To another page of this server, by GET."""
    return RedirectResponse(where, 303, PAGE_HEADERS)
