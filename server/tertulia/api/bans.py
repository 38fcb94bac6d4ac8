"""Bans over HTTP, for whoever decides at a site."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tertulia import protocol
from tertulia.api.desk import PAGE, STAFF, STAFF_ERRORS, STAFF_WRITE, Deciding, private
from tertulia.core.text import clean_site
from tertulia.desk import Banning
from tertulia.desk.desk import ITEMS
from tertulia.errors import ErrorCode
from tertulia.protocol import API
from tertulia.web.operations import CURSOR, SITE, Parameter, limit, operation
from tertulia.web.validation import Query, read_json

_WRITE = (*STAFF_WRITE, ErrorCode.not_found)


class BansApi:
    """The handlers over the use-cases."""

    def __init__(self, banning: Banning, deciding: Deciding) -> None:
        self._banning = banning
        self._deciding = deciding

    @operation(
        "GET",
        f"{API}/staff/bans",
        "Who may not write at the site, the newest ban first; those that ended are there until somebody lifts them",
        {200: protocol.Bans},
        parameters=(SITE, CURSOR, limit(PAGE, ITEMS)),
        errors=(*STAFF_ERRORS, ErrorCode.bad_cursor),
        bearer=STAFF,
    )
    async def bans(self, request: Request, query: Query) -> Response:
        site, count = query.site(), query.number("limit", least=1, most=ITEMS) or PAGE
        member = await self._deciding(request, site)
        return private(await self._banning.list(member, site, count, query.text("cursor")))

    @operation(
        "GET",
        f"{API}/staff/networks",
        "How many have written lately from where a comment came from: whom a ban of that network would be of",
        {200: protocol.BanNetworks},
        parameters=(SITE, Parameter("comment_id", "The comment.", required=True)),
        errors=STAFF_ERRORS,
        bearer=STAFF,
    )
    async def networks(self, request: Request, query: Query) -> Response:
        site = query.site()
        member = await self._deciding(request, site)
        return private(await self._banning.networks(member, site, query.text("comment_id") or ""))

    @operation(
        "POST",
        f"{API}/staff/bans",
        "Bans the author of a comment, or the guests of the network that it came from",
        {201: protocol.BanView},
        body=protocol.NewBan,
        errors=(*_WRITE, ErrorCode.empty),
        bearer=STAFF,
    )
    async def ban(self, request: Request, _query: Query) -> Response:
        new = await read_json(request, protocol.NewBan)
        member = await self._deciding(request, clean_site(new.site))
        return private((await self._banning.ban(member, new)).view, 201)

    @operation(
        "DELETE",
        f"{API}/staff/bans/{{ban}}",
        "Lifts a ban",
        {204: None},
        parameters=(SITE,),
        errors=(
            *STAFF_ERRORS,
            ErrorCode.not_found,
            ErrorCode.rate_limited,
            ErrorCode.unavailable,
            ErrorCode.origin_not_allowed,
        ),
        bearer=STAFF,
    )
    async def lift(self, request: Request, query: Query) -> Response:
        site = query.site()
        member = await self._deciding(request, site)
        await self._banning.lift(member, site, request.path_params["ban"])
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
