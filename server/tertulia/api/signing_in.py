"""What comes before a session: which ways there are to sign in, and a code by e-mail."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from tertulia import protocol
from tertulia.errors import ErrorCode
from tertulia.people import PROVIDER_CODE, EmailCodes, ProviderSignIns
from tertulia.protocol import API
from tertulia.web.client_address import ClientAddress
from tertulia.web.operations import BODY_ERRORS, SITE, SITE_ERRORS, operation
from tertulia.web.origins import OriginPolicy
from tertulia.web.validation import Query, read_json


class SignInApi:
    """``grants`` are all that this server has; that of providers is a site's where the site has one."""

    def __init__(self, sign_ins: ProviderSignIns, grants: Iterable[str], origins: OriginPolicy) -> None:
        self._sign_ins = sign_ins
        self._grants = sorted(grants)
        self._origins = origins

    @operation(
        "GET",
        f"{API}/signin/options",
        "Which ways to sign in a site has",
        {200: protocol.SignInOptions},
        parameters=(SITE,),
        errors=SITE_ERRORS,
    )
    async def options(self, request: Request, query: Query) -> Response:
        site = query.site()
        await self._origins.admit(request, site)
        providers = await self._sign_ins.options(site)
        grants = [grant for grant in self._grants if providers or grant != PROVIDER_CODE]
        found = protocol.SignInOptions(grants=grants, providers=providers)
        headers = {"Cache-Control": "no-store"}
        return Response(found.model_dump_json(), headers=headers, media_type="application/json")


class CodesApi:
    """Codes by e-mail, where this server can send any."""

    def __init__(self, codes: EmailCodes, origins: OriginPolicy, addresses: ClientAddress) -> None:
        self._codes = codes
        self._origins = origins
        self._addresses = addresses

    @operation(
        "POST",
        f"{API}/codes",
        "Sends a code to an e-mail address; the answer does not tell whether it is known",
        {202: protocol.CodeSent},
        body=protocol.NewCode,
        errors=(*BODY_ERRORS, ErrorCode.unknown_site, ErrorCode.rate_limited, ErrorCode.unavailable),
    )
    async def ask(self, request: Request, _query: Query) -> Response:
        new = await read_json(request, protocol.NewCode)
        await self._origins.admit(request, new.site)
        sent = await self._codes.ask(new, self._addresses.of(request))
        headers = {"Cache-Control": "no-store"}
        return Response(sent.model_dump_json(), 202, headers=headers, media_type="application/json")
