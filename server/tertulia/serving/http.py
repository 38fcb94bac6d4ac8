"""HTTP/1.1 in bounds: heads, bodies and their pieces, the time for each, answers that are not read, idle connections.

uvicorn has no deadline for a request that never becomes complete nor for an answer that is never read; h11 bounds a
head by size alone. What is bounded here is what a stranger can make a server keep or do: bytes, objects, sockets, calls
of the parser.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from enum import Enum, auto
from functools import cached_property
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from tertulia.serving.heads import END
from tertulia.serving.lifetimes import untie_error, untie_transport
from tertulia.serving.limiter import ConnectionLimiter
from tertulia.serving.parser import RequestParser
from tertulia.serving.refusals import FULL, NOT_HTTP, Refusal, unreadable
from tertulia.serving.timeouts import TIMEOUTS, Timeouts
from tertulia.serving.unread import Unread
from tertulia.serving.websocket import LiveWebSocket, websocket_protocol

MAX_SEGMENTS = 512
"""Segments that a head, and again a body, may come in; 64 KiB take 123 of the smallest usual size."""
WRITE_BUFFER = 64 * 1024
READ_BYTES = 64 * 1024
"""Taken from the kernel at a time, and so kept at most of requests that wait for the answer to an earlier one."""
LEAST_READ = 16 * 1024
"""Of an answer, in STALL_SECONDS: 1 KiB/s, slower than any network that pages are read over."""
LINGER_PAUSE = 0.05
"""Between two reads of what it sends meanwhile, which is thrown away: 40 reads at most, of READ_BYTES each."""
_UPGRADE = b"\r\nupgrade: websocket"
_log = logging.getLogger("tertulia.serving.http")
_log.setLevel(logging.ERROR)  # uvicorn warns of each request that it cannot read: a stranger could fill the disk
_IN_SEGMENTS = unreadable(f"A request comes in at most {MAX_SEGMENTS} pieces.")
_READ = (h11.IDLE, h11.DONE, h11.MUST_CLOSE, h11.CLOSED)


class _ResponseTransport:
    """The transport as an answer sees it: its end is the connection's own, which knows what was not read."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, connection: BoundedHTTP) -> None:
        self.write = connection.transport.write
        self.is_closing = connection.transport.is_closing
        self.close = connection.end

    def detach(self) -> None:
        """Lets go of the connection: the two hold each other."""
        self.close = _nothing


class Phase(Enum):
    """What a connection does with what comes."""

    serving = auto()
    """Reads requests, and answers each before the next."""
    answered = auto()
    """Reads no request until the client has taken the answer to the last one."""
    over = auto()
    """Discards everything: the last answer was given, and the end of the stream sent."""


class BoundedHTTP(H11Protocol):
    """One connection. What has no value here, ``http_protocol`` sets on a subclass for each server."""

    limiter: ConnectionLimiter
    unread: Unread
    timeouts: Timeouts
    websocket: type[LiveWebSocket]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        del self.conn
        self.logger = _log
        self._deadline: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._unread_before = 0
        self._answering: RequestResponseCycle | None = None
        self._response_transport: _ResponseTransport | None = None
        self._phase = Phase.serving
        self.segments = 0
        self._limiter_key: str | None = None

    @cached_property
    def conn(self) -> RequestParser:  # type: ignore[override]
        """The parser; a plain handshake never needs it."""
        return RequestParser()

    # ---- a connection begins and ends -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        transport.max_size = READ_BYTES  # type: ignore[attr-defined]  # asyncio's own name for what it reads at once
        self._limiter_key = self.limiter.acquire(self.client[0] if self.client else None)
        if self._limiter_key is None:
            self._reject()
            return
        self._start_deadline(self.timeouts.head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        self._stop_stall_timer()
        self._unset_keepalive_if_required()
        self.unread.release(self)
        if self._limiter_key is not None:
            self.limiter.release(self._limiter_key)
            self._limiter_key = None
        super().connection_lost(exc)
        self._detach_response_transport()
        untie_transport(self.transport)

    def shutdown(self) -> None:
        """uvicorn's word for the end of the server."""
        if self._phase is Phase.over:
            self.transport.close()
        else:
            super().shutdown()

    # ---- a head, a body ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._phase is Phase.over:
            self._discard_input()
            return
        if self.transport.is_closing():
            return
        self.segments += 1
        if self.segments > MAX_SEGMENTS:
            self._refuse(_IN_SEGMENTS)
        elif self._is_between_requests() and _is_upgrade(data):
            self._upgrade(data)
        else:
            super().data_received(data)

    def _is_between_requests(self) -> bool:
        if "conn" not in self.__dict__:
            return True
        return self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]

    def handle_events(self) -> None:
        super().handle_events()
        if self._phase is Phase.over or self.transport.get_protocol() is not self:
            return  # refused, or upgraded
        state = self.conn.their_state
        if self.transport.is_closing():
            self._stop_deadline()
        elif state is h11.IDLE:
            if self._answering is not None:
                self._answering = None
                self.segments = 0
                self._start_deadline(self.timeouts.head)
        elif self.cycle is not self._answering:
            self._answering = self.cycle
            self._begin_request()
        elif state is not h11.SEND_BODY:
            self._end_request()

    def _detach_response_transport(self) -> None:
        if self._response_transport is not None:
            self._response_transport.detach()
            self._response_transport = None

    def _begin_request(self) -> None:
        """A head is complete; the application has not run yet."""
        self.segments = 0
        if self._response_transport is None:
            self._response_transport = _ResponseTransport(self)
        self.cycle.transport = self._response_transport  # type: ignore[assignment]
        if self.conn.their_state is h11.SEND_BODY:
            self._start_deadline(self.timeouts.body)
            # an answer before the body has come is the last one: what follows is not read
            self.cycle.default_headers = [*self.cycle.default_headers, CLOSE_HEADER]
        else:
            self._end_request()

    def _end_request(self) -> None:
        """It is complete: only the end of the server makes its answer the last one."""
        self._stop_deadline()
        last = [CLOSE_HEADER] if self.limiter.ending else []
        self.cycle.default_headers = [*self.server_state.default_headers, *last]

    def send_400_response(self, msg: str) -> None:
        untie_error(sys.exception())  # h11 raises it in a method of its own: it holds itself by its trace
        self._refuse(self.conn.refusal or NOT_HTTP)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._start_stall_timer()

    # ---- WebSocket --------------------------------------------------------------------------------------

    def _upgrade(self, data: bytes) -> None:
        """Hands the connection over with a whole head, unparsed, and what came with it."""
        self._stop_deadline()
        self._unset_keepalive_if_required()
        self._detach_response_transport()
        self.connections.discard(self)
        key, self._limiter_key = self._limiter_key, None
        protocol = self.websocket(self.config, self.server_state, self.app_state)
        protocol.limiter_key = key
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        protocol.open(data)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        # a head that came in pieces, or was not recognised above
        output = [event.method, b" ", event.target, b" HTTP/%s\r\n" % event.http_version]
        for name, value in self.headers:
            output += [name, b": ", value, b"\r\n"]
        self._upgrade(b"".join([*output, b"\r\n", self.conn.trailing_data[0]]))

    # ---- answers that are not read ----------------------------------------------------------------------

    def buffered(self) -> int:
        """How many bytes wait for the network."""
        return self.transport.get_write_buffer_size()

    def cut(self) -> None:
        """Ends at once, and gives back what waits."""
        self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_stall_timer()
        self.unread.hold(self)

    def resume_writing(self) -> None:
        self.unread.release(self)
        if not self.transport.is_closing():
            self._stop_stall_timer()
        super().resume_writing()
        if self._phase is Phase.answered:
            self._phase = Phase.serving
            self.on_response_complete()

    def on_response_complete(self) -> None:
        """The next request waits until this answer is read: otherwise both answers would wait in memory."""
        if self._phase is Phase.over:
            return
        if self.flow.write_paused and not self.transport.is_closing():
            self._phase = Phase.answered
        else:
            super().on_response_complete()

    def _start_stall_timer(self) -> None:
        """From now on the client has to take LEAST_READ bytes of what waits in each of its timeouts."""
        if self._stall_timer is None and self.buffered():
            self._unread_before = self.buffered()
            self._stall_timer = self.loop.call_later(self.timeouts.stall, self.check_stalled)

    def check_stalled(self) -> None:
        """Ends a connection that took too little since it was checked last."""
        self._stall_timer = None
        if self._unread_before - self.buffered() < LEAST_READ:
            self.transport.abort()
        else:
            self._start_stall_timer()

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    # ---- the end ----------------------------------------------------------------------------------------

    def _refuse(self, refusal: Refusal) -> None:
        """Sends the last answer of this connection; nothing is parsed any more."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()  # an answer is under way or was given
            return
        self._stop_deadline()
        self._unset_keepalive_if_required()
        if self.cycle is not None:
            self.cycle.disconnected = True  # the application reads and writes nothing more
            self.cycle.message_event.set()
        self.transport.write(refusal.answer)
        self._linger()

    def _reject(self) -> None:
        self.transport.write(FULL.answer)
        self.transport.close()  # it is not counted, so it may not linger: a flood has to cost nothing
        self.loop.call_later(self.timeouts.linger, self.transport.abort)

    def end(self) -> None:
        """Ends after the last answer: at once if all input is read, otherwise so that the client still gets it."""
        if self.transport.is_closing() or self._phase is Phase.over:
            return
        self._stop_deadline()
        if self.conn.their_state in _READ and not self.conn.trailing_data[0]:
            self.transport.close()
            self._start_stall_timer()
        else:
            self._linger()

    def _linger(self) -> None:
        """Sends the end of the stream, and discards what the client still sends for a while.

        A socket that is closed with input unread is reset, and a reset takes the answer with it (RFC 9112, 9.6).
        """
        self._phase = Phase.over
        try:
            self.transport.write_eof()
        except OSError:  # it is gone already
            self.transport.abort()
            return
        self.transport.resume_reading()
        self.loop.call_later(self.timeouts.linger, self._stop_lingering)

    def _discard_input(self) -> None:
        self.transport.pause_reading()
        self.loop.call_later(LINGER_PAUSE, self.transport.resume_reading)

    def _stop_lingering(self) -> None:
        self.transport.close()
        self._start_stall_timer()

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


def http_protocol(limiter: ConnectionLimiter, unread: Unread, timeouts: Timeouts = TIMEOUTS) -> type[BoundedHTTP]:
    """The protocol class of one server; its connections become WebSockets where a client asks for that."""
    shared = {"limiter": limiter, "unread": unread, "timeouts": timeouts}
    return type("BoundedHTTP", (BoundedHTTP,), shared | {"websocket": websocket_protocol(limiter, unread, timeouts)})


def _is_upgrade(data: bytes) -> bool:
    head, end, _ = data.partition(END)
    return bool(end) and head.startswith(b"GET ") and _UPGRADE in head.lower()


def _nothing() -> None:
    return None
