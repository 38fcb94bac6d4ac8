"""The desk over HTTP: for whoever is signed in to the staff's pages, and for a moderator's token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from pydantic import BaseModel
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from tertulia import protocol
from tertulia.core.causes import Queue
from tertulia.core.text import clean_key, clean_site
from tertulia.desk import Desk
from tertulia.desk.desk import ITEMS
from tertulia.discussions import request_ids
from tertulia.errors import ErrorCode
from tertulia.people import StaffMember
from tertulia.protocol import API
from tertulia.store.queries import Filters
from tertulia.web.operations import BODY_ERRORS, CURSOR, KEY_ERRORS, SITE, SITE_ERRORS, Parameter, limit, operation
from tertulia.web.validation import Query, read_json

Deciding = Callable[[HTTPConnection, str], Awaitable[StaffMember]]
"""Who asks, by the session of the staff's pages or a moderator's token. Raises unauthenticated, forbidden."""
PAGE = 25
_TOKENS = 4_000
"""Elements of JSON in a hundred decisions at most: each has two braces, five names and five values with commas."""
STAFF = "moderator"
STAFF_ERRORS = (*SITE_ERRORS, ErrorCode.unauthenticated, ErrorCode.forbidden)
STAFF_WRITE = (*STAFF_ERRORS, *BODY_ERRORS, ErrorCode.rate_limited, ErrorCode.unavailable, ErrorCode.origin_not_allowed)
_ONCE = Parameter(
    "Idempotency-Key",
    "16-64 visible ASCII characters; the same again has the same answer, and decides nothing twice.",
    {"type": "string", "pattern": "^[!-~]{16,64}$"},
)


class Which(StrEnum):
    """The queues, and all comments."""

    waiting = "waiting"
    reported = "reported"
    suspected = "suspected"
    all = "all"


class DeskApi:
    """The handlers over the use-cases of the desk."""

    def __init__(self, desk: Desk, deciding: Deciding) -> None:
        self._desk = desk
        self._deciding = deciding

    @operation(
        "GET",
        f"{API}/staff/queues",
        "How many comments wait for moderators, and where the desk's stream goes on",
        {200: protocol.DeskCounts},
        parameters=(SITE,),
        errors=STAFF_ERRORS,
        bearer=STAFF,
    )
    async def queues(self, request: Request, query: Query) -> Response:
        site = query.site()
        return private(await self._desk.counts(await self._deciding(request, site), site))

    @operation(
        "GET",
        f"{API}/staff/queue",
        "Comments that wait, with all that a decision needs: what is urgent first, then what waits longest",
        {200: protocol.DeskPage},
        parameters=(
            SITE,
            Parameter("queue", "Which; `all` is every comment, the newest first.", {"enum": [*Which]}, required=True),
            Parameter("key", "Those of one discussion only."),
            Parameter("author", "Those of one author only, by id."),
            CURSOR,
            limit(PAGE, ITEMS),
        ),
        errors=(*STAFF_ERRORS, *KEY_ERRORS, ErrorCode.bad_cursor),
        bearer=STAFF,
    )
    async def queue(self, request: Request, query: Query) -> Response:
        site, which = query.site(), query.choice("queue", Which, Which.waiting)
        member = await self._deciding(request, site)
        key = query.text("key")
        filters = Filters(None if key is None else clean_key(key), query.text("author"))
        count = query.number("limit", least=1, most=ITEMS) or PAGE
        queue = None if which is Which.all else Queue(which.value)
        return private(await self._desk.queue(member, site, queue, filters, count, query.text("cursor")))

    @operation(
        "GET",
        f"{API}/staff/items",
        "Comments by their ids, with all that a decision needs; what is not there is left out",
        {200: protocol.DeskItems},
        parameters=(
            SITE,
            Parameter("id", f"A comment; repeat it, at most {ITEMS} times.", required=True, repeated=True),
        ),
        errors=STAFF_ERRORS,
        bearer=STAFF,
    )
    async def items(self, request: Request, query: Query) -> Response:
        site = query.site()
        return private(await self._desk.items(await self._deciding(request, site), site, query.texts("id")))

    @operation(
        "POST",
        f"{API}/staff/decisions",
        "Decides about comments, each by itself",
        {200: protocol.DecisionResults},
        body=protocol.Decisions,
        headers=(_ONCE,),
        errors=(*STAFF_WRITE, ErrorCode.idempotency_key_required, ErrorCode.empty),
        bearer=STAFF,
    )
    async def decide(self, request: Request, _query: Query) -> Response:
        asked = await read_json(request, protocol.Decisions, _TOKENS)
        member = await self._deciding(request, clean_site(asked.site))
        key = request.headers.get("idempotency-key")
        once = "" if key is None else request_ids.idempotency_key(key)
        return private(await self._desk.decide(member, asked.site, asked.decisions, once))

    @operation(
        "POST",
        f"{API}/staff/undo",
        "Takes decisions back, as long as nothing else has happened to the comment",
        {200: protocol.DecisionResults},
        body=protocol.Undoing,
        errors=STAFF_WRITE,
        bearer=STAFF,
    )
    async def undo(self, request: Request, _query: Query) -> Response:
        asked = await read_json(request, protocol.Undoing, _TOKENS)
        member = await self._deciding(request, clean_site(asked.site))
        return private(await self._desk.undo(member, asked.site, asked.actions))


def private(model: BaseModel, status: int = 200) -> Response:
    """An answer that is kept nowhere."""
    headers = {"Cache-Control": "no-store"}
    return Response(model.model_dump_json(), status, headers=headers, media_type="application/json")
