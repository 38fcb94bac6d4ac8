"""Signing in and out over HTTP, and what is one's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from tertulia import protocol
from tertulia.core.scopes import TokenScope
from tertulia.errors import ErrorCode
from tertulia.identity import Identity
from tertulia.people import People
from tertulia.protocol import API
from tertulia.web.client_address import ClientAddress
from tertulia.web.operations import BODY_ERRORS, PROGRAM, operation
from tertulia.web.origins import OriginPolicy, normal_origin
from tertulia.web.validation import Query, read_json

Identify = Callable[[str | None, str | None, TokenScope | None], Awaitable[Identity | None]]
_BODY = (*BODY_ERRORS, ErrorCode.unavailable)
_SIGNED_IN = (ErrorCode.unauthenticated, ErrorCode.wrong_session)
_OWN = (*_SIGNED_IN, ErrorCode.unavailable)
_SIGN_IN = (
    ErrorCode.unauthenticated,
    ErrorCode.unknown_site,
    ErrorCode.spent,
    ErrorCode.bad_code,
    ErrorCode.name_needed,
)
_NAME = (ErrorCode.empty, ErrorCode.too_long, ErrorCode.name_taken, ErrorCode.rate_limited)


class PeopleApi:
    """The handlers; ``identify`` says whom a header names."""

    def __init__(self, people: People, identify: Identify, origins: OriginPolicy, addresses: ClientAddress) -> None:
        self._people = people
        self._identify = identify
        self._origins = origins
        self._addresses = addresses

    @operation(
        "POST",
        f"{API}/sessions",
        "Signs in: the token in the answer is good until the session ends",
        {201: protocol.SessionOpened},
        body=protocol.NewSession,
        errors=(*_BODY, *_NAME, *_SIGN_IN),
    )
    async def sign_in(self, request: Request, _query: Query) -> Response:
        new = await read_json(request, protocol.NewSession)
        await self._origins.admit(request, new.site)
        origin = normal_origin(request.headers.get("origin", ""))
        return _private(await self._people.sign_in(new, self._addresses.of(request), origin), 201)

    @operation(
        "DELETE",
        f"{API}/sessions/current",
        "Signs out: ends the session that asks",
        {200: protocol.SessionsEnded},
        errors=_OWN,
        bearer="session",
    )
    async def sign_out(self, request: Request, _query: Query) -> Response:
        await self._people.sign_out(await self._viewer(request))
        return _private(protocol.SessionsEnded(ended=1))

    @operation(
        "GET",
        f"{API}/me",
        "Whom the token names",
        {200: protocol.Person},
        errors=(ErrorCode.unauthenticated,),
        bearer="required",
    )
    async def me(self, request: Request, _query: Query) -> Response:
        return _private(await self._people.me(await self._viewer(request)))

    @operation(
        "PATCH",
        f"{API}/me",
        "Changes one's name, for what one will say",
        {200: protocol.Person},
        body=protocol.PersonChange,
        errors=(*_BODY, *_OWN, *_NAME, ErrorCode.forbidden),
        bearer="session",
    )
    async def rename(self, request: Request, _query: Query) -> Response:
        change = await read_json(request, protocol.PersonChange)
        return _private(await self._people.rename(change, await self._viewer(request)))

    @operation(
        "GET",
        f"{API}/me/sessions",
        "Where one is signed in, the newest first",
        {200: protocol.Sessions},
        errors=_SIGNED_IN,
        bearer="session",
    )
    async def sessions(self, request: Request, _query: Query) -> Response:
        return _private(await self._people.sessions(await self._viewer(request)))

    @operation(
        "DELETE",
        f"{API}/me/sessions",
        "Signs out everywhere: ends all of one's sessions, the one that asks too, or a guest's tokens",
        {200: protocol.SessionsEnded},
        errors=(*_OWN, ErrorCode.rate_limited),
        bearer="required",
    )
    async def end_all(self, request: Request, _query: Query) -> Response:
        return _private(await self._people.end_all(await self._viewer(request)))

    @operation(
        "DELETE",
        f"{API}/people/{{issuer}}/{{subject:path}}/sessions",
        "Signs a member out everywhere whose account at an issuer of the site was closed; nothing where there is none",
        {204: None},
        errors=(
            ErrorCode.unauthenticated,
            ErrorCode.not_found,
            ErrorCode.empty,
            ErrorCode.too_long,
            ErrorCode.malformed,
            ErrorCode.rate_limited,
            ErrorCode.unavailable,
        ),
        bearer=PROGRAM,
        scope=TokenScope.people,
    )
    async def end_account(self, request: Request, _query: Query) -> Response:
        issuer, subject = request.path_params["issuer"], request.path_params["subject"]
        await self._people.end_account(issuer, subject, await self._viewer(request, TokenScope.people))
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    async def _viewer(self, request: Request, scope: TokenScope | None = None) -> Identity | None:
        given = request.headers.getlist("authorization")
        return await self._identify(", ".join(given) if given else None, None, scope)


def _private(model: BaseModel, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(model.model_dump_json(), status, headers=headers, media_type="application/json")
