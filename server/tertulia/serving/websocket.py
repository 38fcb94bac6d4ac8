"""WebSocket in bounds, and detached readers.

uvicorn's class does the handshake and runs the application. When the application attaches a reader, the transport gets
a slotted object instead: no task, no queue, no parsed request, and no parser until the reader says something. Rooms
write ready frames to it, and it is ended by abort where the other side takes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN, SERVER, Protocol

from tertulia.errors import CloseCode
from tertulia.live.frames import WINDOW_BITS, Frame
from tertulia.live.reader import Reader
from tertulia.protocol import BODY_LIMIT
from tertulia.serving.admission import Admission

WRITE_BUFFER = 64 * 1024
HANDSHAKE_SECONDS = 5.0
CLOSE_SECONDS = 3.0
FRAGMENTS = 64
FRAMES_PER_INTERVAL = 40
INTERVAL_SECONDS = 10.0
EXTENSION = "tertulia.live"
_POLICY = 1008
_DECLINED = b"compress=0"
_NO_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

log = logging.getLogger(__name__)
_quiet = logging.getLogger("tertulia.serving.frames")
_quiet.setLevel(logging.CRITICAL)


class LiveWebSocket(WebSocketsSansIOProtocol):
    """One WebSocket until a reader is attached; ``place`` is what admission counted it as."""

    admission: Admission

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.place: str | None = None
        self._detached = False
        self._said_something = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self._deadline = self.loop.call_later(HANDSHAKE_SECONDS, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._said_something = self.handshake_complete
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(_NO_HANDSHAKE)  # the library says nothing to a head that it cannot read
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        if _DECLINED not in event.path.encode().partition(b"?")[2].split(b"&"):
            self.conn.available_extensions = [
                ServerPerMessageDeflateFactory(
                    server_no_context_takeover=True,
                    client_no_context_takeover=True,
                    server_max_window_bits=WINDOW_BITS,
                    client_max_window_bits=WINDOW_BITS,
                )
            ]
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            # ASGI has header names in lower case; the head came here as the client wrote it
            self.scope["headers"] = [(name.lower(), value) for name, value in self.scope["headers"]]
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept" and not self.read_paused:
            # what comes before a reader is attached waits in the kernel, not here
            self.read_paused = True
            self.transport.pause_reading()

    def attach(self, reader: Reader) -> None:
        """From now on the transport is the reader's; the application returns and is forgotten."""
        self._stop_deadline()
        parser = self.conn if self._said_something else None
        extensions = self.conn.extensions
        detached = DetachedReader(self, reader, parser, _deflates(extensions), self.place)
        self._detached = True
        self.place = None
        reader.connection = detached
        waiting = [self.queue.get_nowait() for _ in range(self.queue.qsize())]
        self.connections.discard(self)
        self.connections.add(detached)  # type: ignore[arg-type]
        self.transport.set_protocol(detached)
        for message in waiting:
            if message["type"] == "websocket.receive":
                detached.said(message.get("text"))
        if self.transport.is_closing():
            # the transport may have told of it already; told again once the reader has joined its room
            self.loop.call_soon(detached.connection_lost, None)
        else:
            self.transport.resume_reading()

    async def run_asgi(self) -> None:
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException:
            log.exception("A WebSocket failed in the application")
            self.send_500_response()
        self._stop_deadline()
        if self._detached:
            # the scope and this object hold each other: let go now, or they wait for a full collection
            tasks = self.tasks
            self.__dict__.clear()
            self.tasks = tasks
        elif self.close_timer is None:
            self.transport.close()

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _leave(self) -> None:
        self._stop_deadline()
        if self.place is not None:
            self.admission.leave(self.place)
            self.place = None


class DetachedReader(asyncio.Protocol):
    """A reader's connection in a few slots. It is what the transport tells of bytes, and what the room writes to."""

    __slots__ = (
        "_admission",
        "_closing",
        "_connections",
        "_counted",
        "_deflates",
        "_fragments",
        "_interval_ends",
        "_loop",
        "_message",
        "_parser",
        "_place",
        "_reader",
        "_transport",
    )

    def __init__(
        self, accepted: LiveWebSocket, reader: Reader, parser: Protocol | None, deflates: bool, place: str | None
    ) -> None:
        self._transport = accepted.transport
        self._loop = accepted.loop
        self._connections = accepted.connections
        self._admission = accepted.admission
        self._place = place
        self._reader: Reader | None = reader
        self._deflates = deflates
        self._parser = parser
        self._closing = False
        self._counted = 0
        self._fragments = 0
        self._interval_ends = 0.0
        self._message: list[bytes] | None = None

    # ---- what the room asks -----------------------------------------------------------------------------

    def write(self, frame: Frame) -> None:
        if not self._closing:
            self._transport.write(frame.deflated if self._deflates else frame.plain)

    def buffered(self) -> int:
        return self._transport.get_write_buffer_size()

    def close(self, code: CloseCode) -> None:
        self._end(code, code.name)

    def shutdown(self) -> None:
        """uvicorn's word for the end of the server."""
        self._end(CloseCode.restarting, CloseCode.restarting.name)

    # ---- what the transport tells -----------------------------------------------------------------------

    def pause_writing(self) -> None:
        if self._reader is not None:
            self._reader.pause()

    def resume_writing(self) -> None:
        if self._reader is not None:
            self._reader.resume()

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        if self._parser is None:
            self._parser = _parser(self._deflates)
        told_to_stop = self._closing and self._counted > FRAMES_PER_INTERVAL
        self._parser.receive_data(data)
        for frame in self._parser.events_received():
            assert isinstance(frame, WireFrame)  # noqa: S101 - requests and responses come before a reader
            self._take(frame)
            if self._closing:
                break
        output = b"".join(self._parser.data_to_send())
        if self._parser.parser_exc is not None or self._parser.close_rcvd is not None:
            self._finish(output)
        elif told_to_stop:
            self._transport.abort()
        elif output and not self._closing:
            self._transport.write(output)
            if self._transport.get_write_buffer_size() > 4 * WRITE_BUFFER:
                self._transport.abort()  # asks for more pongs than it reads

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.gone()
        if self._place is not None:
            self._admission.leave(self._place)
            self._place = None
        self._parser = None

    # ---- what the reader says ---------------------------------------------------------------------------

    def said(self, text: str | None) -> None:
        """A whole message; None is one that is no text."""
        code = CloseCode.malformed if text is None or self._reader is None else self._reader.said(text)
        if code is not None:
            self._end(code, code.name)

    def _take(self, frame: WireFrame) -> None:
        if self._too_many():
            self._end(_POLICY, "too much")
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._gather(frame)
        elif frame.opcode is Opcode.BINARY:
            self.said(None)

    def _gather(self, frame: WireFrame) -> None:
        if frame.opcode is Opcode.TEXT:
            self._message = []
        if self._message is None or len(self._message) >= FRAGMENTS:
            self._end(_POLICY, "too many fragments")
            return
        self._message.append(bytes(frame.data))
        if frame.fin:
            whole, self._message = b"".join(self._message), None
            try:
                self.said(whole.decode())
            except UnicodeDecodeError:
                self._end(1007, "text is UTF-8")

    def _too_many(self) -> bool:
        now = self._loop.time()
        if now >= self._interval_ends:
            self._interval_ends = now + INTERVAL_SECONDS
            self._counted = 0
        self._counted += 1
        return self._counted > FRAMES_PER_INTERVAL

    # ---- the end ----------------------------------------------------------------------------------------

    def _end(self, code: int, reason: str) -> None:
        """Sends a close frame, waits a little for the other side, then aborts."""
        if self._closing:
            return
        self._closing = True
        if self._parser is None:
            self._parser = _parser(self._deflates)
        if self._parser.state is OPEN and not self._transport.is_closing():
            self._parser.send_close(code, reason)
            self._transport.write(b"".join(self._parser.data_to_send()))
        self._loop.call_later(CLOSE_SECONDS, self._transport.abort)

    def _finish(self, output: bytes) -> None:
        self._closing = True
        if output:
            self._transport.write(output)
        self._transport.close()
        self._loop.call_later(CLOSE_SECONDS, self._transport.abort)


def live(admission: Admission) -> type[LiveWebSocket]:
    """The protocol class of one server."""
    return type("LiveWebSocket", (LiveWebSocket,), {"admission": admission})


def _parser(deflates: bool) -> Protocol:
    parser = Protocol(SERVER, max_size=BODY_LIMIT, logger=_quiet)
    if deflates:
        parser.extensions = [
            PerMessageDeflate(
                remote_no_context_takeover=True,
                local_no_context_takeover=True,
                remote_max_window_bits=15,
                local_max_window_bits=WINDOW_BITS,
            )
        ]
    return parser


def _deflates(extensions: list[Any]) -> bool:
    return any(
        isinstance(extension, PerMessageDeflate) and extension.local_max_window_bits >= WINDOW_BITS
        for extension in extensions
    )
