"""The stream of a site's desk: its log, and who looks at what, for whoever decides there, as long as they may."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tertulia.bus import Bus, LookingUpdate
from tertulia.errors import CloseCode, ErrorCode, Problem
from tertulia.live.backlog import Cursor
from tertulia.live.hub import Hub
from tertulia.live.reader import Reader
from tertulia.people import StaffMember
from tertulia.people.staff import require
from tertulia.protocol import API
from tertulia.push.looking import Console, Lookers
from tertulia.push.queued import QueuedConnection
from tertulia.store.desk_log import desk_of
from tertulia.web.validation import Query, check_parameters

Deciding = Callable[[HTTPConnection, str], Awaitable[StaffMember]]
Standing = Callable[[Collection[tuple[StaffMember, str]]], Awaitable[list[bool]]]
"""Whether these still decide at these sites, by what is stored."""
WATCH_SECONDS = 1.0
"""How often it is asked whether those who are connected still may be: who is signed out is gone within two seconds."""
_CLOSE_CODES = {
    ErrorCode.unauthenticated: CloseCode.sign_in_again,
    ErrorCode.forbidden: CloseCode.sign_in_again,
    ErrorCode.origin_not_allowed: CloseCode.origin_not_allowed,
    ErrorCode.unavailable: CloseCode.restarting,
    ErrorCode.unknown_site: CloseCode.gone,
}

log = logging.getLogger(__name__)


class DeskStream:
    """WebSockets from the rooms of desks. Nothing is asked while nobody is connected."""

    def __init__(self, hub: Hub, bus: Bus, deciding: Deciding, standing: Standing) -> None:
        self._hub = hub
        self._deciding = deciding
        self._standing = standing
        self._lookers = Lookers(bus)
        hub.on_looking = self._on_looking
        self._open: dict[QueuedConnection, tuple[StaffMember, str]] = {}
        self._watch: asyncio.Task[None] | None = None

    def routes(self) -> list[BaseRoute]:
        return [WebSocketRoute(f"{API}/staff/live", self.live)]

    async def live(self, socket: WebSocket) -> None:
        await socket.accept()
        try:
            code = await self._stream(socket)
        except WebSocketDisconnect:
            return
        except Problem as problem:
            code = _CLOSE_CODES.get(problem.code, CloseCode.malformed)
        if code is not None:
            with suppress(WebSocketDisconnect, RuntimeError):  # it may have gone meanwhile
                await socket.close(code, code.name)

    async def _stream(self, socket: WebSocket) -> CloseCode | None:
        """Raises Problem where nobody may come in."""
        check_parameters(socket.scope)
        query = Query(socket.query_params, ("site", "epoch", "after", "compress"))
        site, cursor = query.site(), Cursor(query.text("epoch"), query.number("after", least=0))
        member = await self._deciding(socket, site)
        require(member, site)
        room = await self._hub.enter(desk_of(site), cursor)
        if self._hub.draining:
            return CloseCode.restarting
        reader = Reader(room, full=True)
        reader.connection = connection = QueuedConnection(reader)
        room.join(reader, cursor)
        console = Console(room.key, member, reader)
        self._open[connection] = (member, site)
        self._lookers.enter(console)
        self._start_watch()
        try:
            return await connection.run(lambda frame: socket.send_text(frame.text), self._listen(socket, console))
        finally:
            del self._open[connection]
            self._lookers.leave(console, _now())

    async def _listen(self, socket: WebSocket, console: Console) -> CloseCode | None:
        """Until the client leaves, or says something else than what it looks at."""
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return None
            code = self._lookers.on_message(console, message.get("text") or "", _now())
            if code is not None:
                return code

    def _on_looking(self, update: LookingUpdate) -> None:
        self._lookers.receive(update, _now())

    def _start_watch(self) -> None:
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._keep_watch(), name="desk-watch")

    async def _keep_watch(self) -> None:
        """Ends the streams of those who may no more, until nobody is connected."""
        while self._open:
            await asyncio.sleep(WATCH_SECONDS)
            self._lookers.tick(_now())
            asked = list(self._open.items())
            try:
                may = await self._standing([who for _, who in asked])
            except Problem:
                continue  # the database is away: the next look says so
            except Exception:
                log.exception("It could not be asked who still may be at the desk")
                continue
            for (connection, _), is_standing in zip(asked, may, strict=True):
                if not is_standing:
                    connection.close(CloseCode.sign_in_again)

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)


def _now() -> float:
    return asyncio.get_running_loop().time()
