"""The endpoints of live delivery, and how a request names the place where its reader goes on."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tertulia.core.comments import DiscussionKey
from tertulia.discussions import Discussions
from tertulia.errors import CloseCode, ErrorCode, Problem
from tertulia.limits import Openings
from tertulia.live.backlog import Cursor
from tertulia.live.hub import Hub
from tertulia.live.reader import Reader
from tertulia.protocol import API, EVENTS_PAGE, Events
from tertulia.push.queued import QueuedConnection
from tertulia.push.sse import MEDIA_TYPE, EventStream
from tertulia.web.client_address import ClientAddress
from tertulia.web.operations import KEY, KEY_ERRORS, SITE, Parameter, limit, operation
from tertulia.web.origins import OriginPolicy
from tertulia.web.validation import Query, check_parameters

_EPOCH = Parameter("epoch", "The epoch that `after` belongs to.")
_AFTER = Parameter("after", "The last seq that is known; without it a stream starts at the head.", {"type": "integer"})
_LAST_EVENT_ID = re.compile(r"([\w-]{1,64}):(\d{1,16})", re.ASCII)
_FULL = Parameter(
    "full",
    "1 asks a stream for every event, also while a discussion is busy. A page of the log always has every event.",
    {"enum": [0, 1]},
)
DETACHING = "tertulia.live"
"""The ASGI extension of our own server: takes a reader off the application's hands; see serving.websocket."""
_CLOSE_CODES = {
    ErrorCode.origin_not_allowed: CloseCode.origin_not_allowed,
    ErrorCode.unknown_site: CloseCode.gone,
    ErrorCode.unavailable: CloseCode.restarting,
    ErrorCode.rate_limited: CloseCode.too_many_connections,
}


@dataclass(frozen=True, slots=True)
class _Subscription:
    """What the request for a stream asks for."""

    key: DiscussionKey
    cursor: Cursor
    full: bool

    @classmethod
    def of(cls, parameters: QueryParams, extra: tuple[str, ...] = ()) -> _Subscription:
        """Raises Problem, also for a parameter that is neither known nor one of ``extra``."""
        query = Query(parameters, ("site", "key", "epoch", "after", "full", *extra))
        cursor = Cursor(query.text("epoch"), query.number("after", least=0))
        return cls(query.discussion(), cursor, query.number("full", least=0, most=1) == 1)


class Push:
    """Streams from the hub's rooms."""

    def __init__(self, discussions: Discussions, hub: Hub, origins: OriginPolicy, addresses: ClientAddress) -> None:
        self._discussions = discussions
        self._hub = hub
        self._origins = origins
        self._addresses = addresses
        self._openings = Openings()

    def routes(self) -> list[BaseRoute]:
        return [WebSocketRoute(f"{API}/live", self.live)]

    async def live(self, socket: WebSocket) -> None:
        await socket.accept()
        try:
            code = await self._stream(socket)
            reason = "" if code is None else code.name
        except WebSocketDisconnect:
            return
        except Problem as problem:
            code = _CLOSE_CODES.get(problem.code, CloseCode.malformed)
            reason = _close_reason(code, problem)
        if code is not None:
            with suppress(WebSocketDisconnect, RuntimeError):  # it may have gone meanwhile
                await socket.close(code, reason)

    async def _stream(self, socket: WebSocket) -> CloseCode | None:
        """Raises Problem where nobody may come in."""
        check_parameters(socket.scope)
        asked = _Subscription.of(socket.query_params, extra=("compress",))
        await self._origins.admit(socket, asked.key.site)
        self._limit_opening(socket, asked.key)
        key = await self._discussions.resolve(asked.key)
        room = await self._hub.enter(key, asked.cursor)
        if self._hub.draining:
            return CloseCode.restarting
        reader = Reader(room, full=asked.full)
        attach = socket.scope.get("extensions", {}).get(DETACHING)
        if attach is not None:
            attach.attach(reader)
            room.join(reader, asked.cursor)
            return None
        reader.connection = connection = QueuedConnection(reader)
        room.join(reader, asked.cursor)
        return await connection.run(lambda frame: socket.send_text(frame.text), _listen(socket, reader))

    @operation(
        "GET",
        f"{API}/events",
        "The events after a seq; as text/event-stream a live stream, when Accept asks for it",
        {200: Events},
        parameters=(SITE, KEY, _EPOCH, _AFTER, limit(EVENTS_PAGE, EVENTS_PAGE), _FULL),
        errors=(*KEY_ERRORS, ErrorCode.rate_limited, ErrorCode.unavailable),
    )
    async def events(self, request: Request, query: Query) -> Response:
        if MEDIA_TYPE in request.headers.get("accept", ""):
            return await self._sse(request)
        key = query.discussion()
        await self._origins.admit(request, key.site)
        after = query.number("after", least=0) or 0
        count = query.number("limit", least=1, most=EVENTS_PAGE) or EVENTS_PAGE
        query.number("full", least=0, most=1)  # a page of the log is always full: one address is right for both forms
        body = await self._discussions.events(key, query.text("epoch"), after, count)
        return Response(body, media_type="application/json")

    async def _sse(self, request: Request) -> Response:
        asked = _Subscription.of(request.query_params)
        await self._origins.admit(request, asked.key.site)
        if self._hub.draining:
            raise Problem(ErrorCode.unavailable, "The server restarts; come back in a moment.", retry_after=2)
        resumed = _LAST_EVENT_ID.fullmatch(request.headers.get("last-event-id", ""))
        cursor = asked.cursor if resumed is None else Cursor(resumed[1], int(resumed[2]))
        if request.method == "HEAD":
            return Response(media_type=MEDIA_TYPE)
        self._limit_opening(request, asked.key)
        return EventStream(self._hub, asked.key, cursor, full=asked.full, resolve=self._discussions.resolve)

    def _limit_opening(self, request: HTTPConnection, key: DiscussionKey) -> None:
        """Raises rate_limited where the room is not there yet, and the address has opened too many."""
        if not self._discussions.has_room(key):
            self._openings.count(self._addresses.single(request))


def _close_reason(code: CloseCode, problem: Problem) -> str:
    """The code's name, or where there are too many connections, the milliseconds after which to come back."""
    return str((problem.retry_after or 1) * 1000) if code is CloseCode.too_many_connections else code.name


async def _listen(socket: WebSocket, reader: Reader) -> CloseCode | None:
    """Reads what the client says until it leaves or says something that is not in the protocol."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        code = reader.on_message(message.get("text") or "")
        if code is not None:
            return code
