"""The log of actions: a page of the newest, and all of it as lines of JSON."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tertulia.people.action_log import LINES, log_lines, moment
from tertulia.people.staff import StaffMember, require
from tertulia.staff.frame import HEADERS, ROOT, Frame, of_site
from tertulia.staff.told import details
from tertulia.store.actions import LogPage


class LogPages:
    """Of a site by ``site``; without it, for who decides at all sites, everything."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._staff = frame.staff

    def routes(self) -> list[Route]:
        return [self._frame.route("/log", self._page), self._frame.route("/log.jsonl", self._lines)]

    async def _page(self, request: Request, member: StaffMember) -> Response:
        site = request.query_params.get("site")
        found = await self._staff.log(member, site, request.query_params.get("cursor"))
        language = self._frame.language(request)
        context = {
            **of_site(member, site or "", "log"),
            "site": site,
            "everywhere": member.may(None),
            "actions": [(one, details(one, language, self._frame.zone)) for one in found.actions],
            "more": _address("log", site, found.next) if found.next else None,
            "lines": _address("log.jsonl", site),
        }
        return self._frame.page(request, "staff_log.html", member, context)

    async def _lines(self, request: Request, member: StaffMember) -> Response:
        """``from`` and ``to`` are days or moments; without a zone they are UTC."""
        site = request.query_params.get("site")
        require(member, site)
        since, until = (moment(request.query_params.get(name), name) for name in ("from", "to"))

        async def read(cursor: str | None) -> LogPage:
            return await self._staff.log(member, site, cursor, LINES)

        headers = {**HEADERS, "Content-Disposition": 'attachment; filename="actions.jsonl"'}
        return StreamingResponse(log_lines(read, since, until), headers=headers, media_type="application/jsonl")


def _address(page: str, site: str | None, cursor: str | None = None) -> str:
    query = {name: value for name, value in (("site", site), ("cursor", cursor)) if value}
    return f"{ROOT}/{page}" + (f"?{urlencode(query)}" if query else "")
