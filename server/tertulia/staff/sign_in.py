"""In by a link that is good once, or by a moderator's token; and out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.errors import Problem
from tertulia.people.staff import StaffMember
from tertulia.staff.frame import ROOT, SIGN_IN, Frame, redirect
from tertulia.web.client_address import ClientAddress
from tertulia.web.forms import read_short_form

_LONGEST = 200
"""Of what may stand in a link; ours has 46 characters."""


class SignIn:
    """A GET only shows a button: scanners of mail follow links, and would use them up."""

    def __init__(self, frame: Frame, addresses: ClientAddress) -> None:
        self._frame = frame
        self._addresses = addresses

    def routes(self) -> list[Route]:
        return [
            Route(SIGN_IN, self._show, methods=["GET"]),
            Route(SIGN_IN, self._sign_in, methods=["POST"]),
            self._frame.route("/sign-out", self._sign_out, "POST"),
        ]

    async def _show(self, request: Request) -> Response:
        return self._form(request, request.query_params.get("link", "")[:_LONGEST])

    async def _sign_in(self, request: Request) -> Response:
        link = ""
        try:
            self._frame.cookie.check(request)
            form = await read_short_form(request)
            link = form.text("link")[:_LONGEST]
            given = link or form.text("token").strip()
            token = await self._frame.staff.sign_in(given, self._addresses.of(request))
        except Problem as problem:
            return self._form(request, "", problem)
        answer = redirect(ROOT)
        self._frame.cookie.put(request, answer, token)
        return answer

    def _form(self, request: Request, link: str, problem: Problem | None = None) -> Response:
        return self._frame.page(request, "staff_sign_in.html", None, {"link": link}, problem=problem)

    async def _sign_out(self, request: Request, member: StaffMember) -> Response:
        await self._frame.staff.sign_out(member)
        answer = redirect(SIGN_IN)
        self._frame.cookie.remove(request, answer)
        return answer
