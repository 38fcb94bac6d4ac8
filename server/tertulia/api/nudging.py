"""Nudges over HTTP, for whoever is about to send a comment."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tertulia import protocol
from tertulia.api.desk import private
from tertulia.errors import ErrorCode
from tertulia.hooks import Nudging
from tertulia.protocol import API
from tertulia.web.client_address import ClientAddress
from tertulia.web.operations import BODY_ERRORS, operation
from tertulia.web.origins import OriginPolicy
from tertulia.web.validation import Query, read_json


class NudgeApi:
    """The handler over the use-case."""

    def __init__(self, nudging: Nudging, origins: OriginPolicy, addresses: ClientAddress) -> None:
        self._nudging = nudging
        self._origins = origins
        self._addresses = addresses

    @operation(
        "POST",
        f"{API}/nudge",
        "What a writer may want to look at once more before sending it; nothing where the rule `nudge` is off",
        {200: protocol.Nudges},
        body=protocol.NewNudge,
        errors=(
            *BODY_ERRORS,
            ErrorCode.unknown_site,
            ErrorCode.empty,
            ErrorCode.too_long,
            ErrorCode.rate_limited,
        ),
    )
    async def nudge(self, request: Request, _query: Query) -> Response:
        new = await read_json(request, protocol.NewNudge)
        await self._origins.admit(request, new.site)
        return private(await self._nudging.ask(new, self._addresses.of(request)))
