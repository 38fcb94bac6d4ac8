"""HTTP/1.1 in bounds: the size and number of headers, the time for a head and a body, the end of idle connections.

uvicorn has no deadline for a request that never becomes complete; h11 bounds a head by size alone. What is bounded
here is what a stranger can make a server keep: bytes, objects and sockets.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from tertulia.serving.admission import Admission
from tertulia.serving.handshake import HEAD_END, HEADERS
from tertulia.serving.websocket import LiveWebSocket

HEAD_BYTES = 16 * 1024
HEAD_SECONDS = 5.0
BODY_SECONDS = 10.0
WRITE_BUFFER = 64 * 1024
_UPGRADE = b"\r\nupgrade: websocket"
_log = logging.getLogger("tertulia.serving.http")
_log.setLevel(logging.ERROR)  # uvicorn warns of each request that it cannot read: a stranger could fill the disk
_TWO_LENGTHS = {b"content-length", b"transfer-encoding"}


class BoundedHTTP(H11Protocol):
    """One connection. ``admission`` and ``websocket`` are set on the subclass that ``bounded`` makes for a server."""

    admission: Admission
    websocket: type[LiveWebSocket]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = _log
        self._deadline: asyncio.TimerHandle | None = None
        self._answering: RequestResponseCycle | None = None
        self._place: str | None = None

    # ---- a connection begins and ends -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self._place = self.admission.enter(self.client[0] if self.client else None)
        if self._place is None:
            self._refuse(503, b"Too many connections; come back later.", retry_after=5)
            return
        self._start_deadline(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        if self._place is not None:
            self.admission.leave(self._place)
            self._place = None
        super().connection_lost(exc)

    # ---- a head, a body ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.IDLE:
            begun = self.conn.trailing_data[0]
            if len(begun) + len(data) > HEAD_BYTES and HEAD_END not in (begun + data[:HEAD_BYTES])[: HEAD_BYTES + 4]:
                self._refuse(431, b"The request's head is too large.")
                return
            if not begun and _is_upgrade(data):
                self._upgrade(data)
                return
        super().data_received(data)

    def handle_events(self) -> None:
        super().handle_events()
        state = self.conn.their_state
        if self.transport.get_protocol() is not self:
            return  # upgraded
        if self.transport.is_closing():
            self._stop_deadline()
        elif state is h11.IDLE:
            if self._answering is not None:
                self._answering = None
                self._start_deadline(HEAD_SECONDS)
        elif self.cycle is not self._answering:
            self._answering = self.cycle
            self._begin_request()
        elif state is not h11.SEND_BODY:
            self._stop_deadline()

    def _begin_request(self) -> None:
        """A head is complete; the application has not run yet."""
        names = {name for name, _ in self.headers}
        if len(self.headers) > HEADERS:
            self._refuse(431, b"The request has too many headers.")
        elif names >= _TWO_LENGTHS:
            self._refuse(400, b"A request has a length or is chunked, not both.")
        elif self.conn.their_state is h11.SEND_BODY:
            self._start_deadline(BODY_SECONDS)
        else:
            self._stop_deadline()
        if self.admission.ending and self.cycle is not None:
            self.cycle.default_headers = [*self.cycle.default_headers, CLOSE_HEADER]

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._refuse(400, msg.encode())
        else:
            self.transport.abort()  # an answer is under way or was given

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    # ---- WebSocket --------------------------------------------------------------------------------------

    def _upgrade(self, data: bytes) -> None:
        """Hands the connection over with a whole head, unparsed, and what came with it."""
        self._stop_deadline()
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        place, self._place = self._place, None
        protocol = self.websocket(self.config, self.server_state, self.app_state)
        protocol.place = place
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        protocol.open(data)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        # a head that came in pieces, or was not recognised above
        self._stop_deadline()
        output = [event.method, b" ", event.target, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            output += [name, b": ", value, b"\r\n"]
        self._upgrade(b"".join([*output, b"\r\n", self.conn.trailing_data[0]]))

    # ---- bounds -----------------------------------------------------------------------------------------

    def _start_deadline(self, seconds: float) -> None:
        self._stop_deadline()
        self._deadline = self.loop.call_later(seconds, self._too_late)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        self.transport.abort()

    def _refuse(self, status: int, reason: bytes, retry_after: int | None = None) -> None:
        self._stop_deadline()
        if self.cycle is not None:
            self.cycle.disconnected = True  # the application reads and writes nothing more
        wait = b"" if retry_after is None else b"retry-after: %d\r\n" % retry_after
        self.transport.write(
            b"HTTP/1.1 %d Refused\r\ncontent-type: text/plain; charset=utf-8\r\n%sconnection: close\r\n"
            b"content-length: %d\r\n\r\n%s" % (status, wait, len(reason), reason)
        )
        self.transport.close()
        self.loop.call_later(1.0, self.transport.abort)


def bounded(admission: Admission, websocket: type[LiveWebSocket]) -> type[BoundedHTTP]:
    """The protocol class of one server."""
    return type("BoundedHTTP", (BoundedHTTP,), {"admission": admission, "websocket": websocket})


def _is_upgrade(data: bytes) -> bool:
    head, end, _ = data.partition(HEAD_END)
    return bool(end) and head.startswith(b"GET ") and _UPGRADE in head.lower()
