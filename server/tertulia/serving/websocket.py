"""WebSocket in bounds, and detached readers.

uvicorn's class does the handshake and runs the application. When the application attaches a reader, the transport gets
a slotted object instead: no task, no queue, no parsed request, and no parser until the reader says something. Rooms
write ready frames to it, and it is ended by abort where the other side takes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent, WebSocketAcceptEvent
from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, SERVER, Protocol
from websockets.server import ServerProtocol
from websockets.typing import StatusLike

from tertulia.errors import CloseCode
from tertulia.live.frames import WINDOW_BITS, Frame
from tertulia.live.reader import Reader
from tertulia.protocol import BODY_LIMIT
from tertulia.serving.admission import Admission
from tertulia.serving.handshake import Opening, SharedDeflate, declines, read
from tertulia.serving.heads import END, fault
from tertulia.serving.lifetimes import untie_parser, untie_transport
from tertulia.serving.refusals import CAUTION, NO_HANDSHAKE
from tertulia.serving.unread import Unread

WRITE_BUFFER = 64 * 1024
HANDSHAKE_SECONDS = 5.0
CLOSE_SECONDS = 3.0
FRAGMENTS = 64
FRAMES_PER_INTERVAL = 40
PIECES_PER_INTERVAL = 512
"""Segments that what a reader says may come in; the page's client says one message of 18 bytes in 5 s."""
INTERVAL_SECONDS = 10.0
SLICE = 256
"""Bytes that are parsed before the frames in them are counted: at most 42 of the smallest, at 10 µs each."""
LAST_BYTES = 1024
"""Heard after the application has closed, for the answer to that: a close frame has at most 131."""
EXTENSION = "tertulia.live"
_POLICY = 1008

log = logging.getLogger(__name__)
_quiet = logging.getLogger("tertulia.serving.frames")
_quiet.setLevel(logging.CRITICAL)


class _Handshake(ServerProtocol):
    """The library's handshake, for what is not plain; its refusals are as careful as ours."""

    def reject(self, status: StatusLike, text: str) -> Response:
        answer = super().reject(status, text)
        for name, value in CAUTION:
            answer.headers[name] = value
        return answer


class LiveWebSocket(WebSocketsSansIOProtocol):
    """One WebSocket until a reader is attached; ``place`` is what admission counted it as.

    What the client says meanwhile waits: in ``_early`` what has come, in the kernel the rest.
    """

    admission: Admission
    unread: Unread

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.place: str | None = None
        self._opening: Opening | None = None
        self._early = b""
        self._heard = 0
        self._takes_frames = False
        self._detached = False
        self._deadline: asyncio.TimerHandle | None = None

    @cached_property
    def conn(self) -> Protocol:  # type: ignore[override]
        """What reads and makes frames after a plain handshake; most readers never need it."""
        return _parser(self._opening is not None and self._opening.deflates)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HANDSHAKE_SECONDS, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)
        self._drop_parser()
        untie_transport(self.transport)

    # ---- the handshake ----------------------------------------------------------------------------------

    def open(self, data: bytes) -> None:
        """Begins with a whole head, and what came with it."""
        head, end, self._early = data.partition(END)
        head += end
        self._opening = read(head)
        if self._opening is not None:
            self._run(self._opening)
            return
        refusal = fault(head)
        if refusal is None:
            self._refuse_by_library()
            super().data_received(head)
            if self.conn.handshake_exc is not None and not self.handshake_initiated:
                refusal = NO_HANDSHAKE  # the library says nothing to a head that it cannot read
        if refusal is not None:
            self.transport.write(refusal.answer)
            self.transport.close()

    def send_500_response(self) -> None:
        if not self.handshake_complete:
            self._refuse_by_library()
        super().send_500_response()

    def _refuse_by_library(self) -> None:
        """From now on the library speaks HTTP here."""
        self._drop_parser()
        self.conn = _Handshake(max_size=BODY_LIMIT, logger=_quiet)

    def _run(self, opening: Opening) -> None:
        """Starts the application, as the inherited ``handle_connect`` does."""
        path, _, query = opening.target.partition(b"?")
        self.handshake_initiated = True
        self.scope = {
            "type": "websocket",
            "asgi": {"version": self.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": self.scheme,
            "server": self.server,
            "client": self.client,
            "root_path": self.root_path,
            "path": self.root_path + unquote(path.decode("ascii")),
            "raw_path": self.root_path.encode("ascii") + path,
            "query_string": query,
            "headers": opening.headers,
            "subprotocols": [],
            "state": self.app_state.copy(),
            "extensions": {"websocket.http.response": {}, EXTENSION: self},  # type: ignore[dict-item]
        }
        self.queue.put_nowait({"type": "websocket.connect"})
        task = self.loop.create_task(self.run_asgi())
        task.add_done_callback(self.on_task_complete)
        self.tasks.add(task)

    def handle_connect(self, event: Request) -> None:
        if not declines(event.path.encode()):
            self.conn.available_extensions = [SharedDeflate()]  # type: ignore[attr-defined]
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            # ASGI has header names in lower case; the head came here as the client wrote it
            self.scope["headers"] = [(name.lower(), value) for name, value in self.scope["headers"]]
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    # ---- the application --------------------------------------------------------------------------------

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "websocket.accept" and self._opening is not None and not self.handshake_complete:
            await self.writable.wait()
            if self.disconnected:
                raise ClientDisconnected
            self._accept(self._opening, message)
        else:
            if self._opening is not None and not self.handshake_complete:
                self._refuse_by_library()
            await super().send(message)
        if self.close_sent:
            self._take_frames()

    def _accept(self, opening: Opening, message: WebSocketAcceptEvent) -> None:
        self._drop_parser()  # it waits for the request; from now on there are frames
        self.handshake_complete = True
        headers = [*self.default_headers, *message.get("headers", [])]
        more = b"".join(b"%s: %s\r\n" % (name, value) for name, value in headers)
        self.transport.write(opening.answer + more + b"\r\n")

    async def receive(self) -> ASGIReceiveEvent:
        if self.handshake_complete:
            self._take_frames()
        return await super().receive()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.close_sent:
            self._hear_the_last(data)
        elif self._takes_frames:
            super().data_received(data)
        else:
            self._early += data
            self.transport.pause_reading()

    def _take_frames(self) -> None:
        """The application has no reader to attach, or is at its end: it hears what comes."""
        if self._takes_frames:
            return
        self._takes_frames = True
        early, self._early = self._early, b""
        if early:
            self.transport.resume_reading()
            self.data_received(early)

    def _hear_the_last(self, data: bytes) -> None:
        """Of what comes after the end only its answer is of use."""
        left = LAST_BYTES - self._heard
        self._heard += len(data)
        super().data_received(data[:left])
        if self._heard > LAST_BYTES:
            self.transport.close()

    def buffered(self) -> int:
        """How many bytes wait for the network."""
        return self.transport.get_write_buffer_size()

    def cut(self) -> None:
        """Ends at once, and gives back what waits."""
        self.transport.abort()

    def attach(self, reader: Reader) -> None:
        """From now on the transport is the reader's; the application returns and is forgotten."""
        self._stop_deadline()
        opening = self._opening
        deflates = bool(self.conn.extensions) if opening is None else opening.deflates
        detached = DetachedReader(self, reader, deflates, self.place)
        self._detached = True
        self.place = None
        reader.connection = detached
        self.connections.discard(self)
        self.connections.add(detached)  # type: ignore[arg-type]
        self.transport.set_protocol(detached)
        if self.transport.is_closing():
            # the transport may have told of it already; told again once the reader has joined its room
            self.loop.call_soon(detached.connection_lost, None)
        elif self._early:
            self.transport.resume_reading()
            self.loop.call_soon(detached.data_received, self._early)

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
            # the scope and this object hold each other
            self._drop_parser()
            tasks = self.tasks
            self.__dict__.clear()
            self.tasks = tasks
            return
        del self.scope
        if self.close_timer is None:
            self.transport.close()

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drop_parser(self) -> None:
        parser = vars(self).pop("conn", None)
        if parser is not None:
            untie_parser(parser)

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
        "_ending",
        "_interval_ends",
        "_loop",
        "_message",
        "_parser",
        "_pieces",
        "_place",
        "_reader",
        "_transport",
        "_unread",
    )

    def __init__(self, accepted: LiveWebSocket, reader: Reader, deflates: bool, place: str | None) -> None:
        self._transport = accepted.transport
        self._loop = accepted.loop
        self._connections = accepted.connections
        self._admission = accepted.admission
        self._unread = accepted.unread
        self._place = place
        self._reader: Reader | None = reader
        self._deflates = deflates
        self._parser: Protocol | None = None
        self._closing = False
        self._ending: asyncio.TimerHandle | None = None
        self._counted = 0
        self._pieces = 0
        self._interval_ends = 0.0
        self._message: list[bytes] | None = None

    # ---- what the room asks -----------------------------------------------------------------------------

    def write(self, frame: Frame) -> None:
        if not self._closing:
            self._transport.write(frame.deflated if self._deflates else frame.plain)

    def buffered(self) -> int:
        return self._transport.get_write_buffer_size()

    def cut(self) -> None:
        """Ends at once, and gives back what waits; the reader resumes."""
        self._transport.abort()

    def close(self, code: CloseCode) -> None:
        self._end(code, code.name)

    def shutdown(self) -> None:
        """uvicorn's word for the end of the server."""
        self._end(CloseCode.restarting, CloseCode.restarting.name)

    # ---- what the transport tells -----------------------------------------------------------------------

    def pause_writing(self) -> None:
        if self._reader is not None:
            self._reader.pause()
        self._unread.hold(self)

    def resume_writing(self) -> None:
        self._unread.release(self)
        if self._reader is not None:
            self._reader.resume()

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        if self._parser is None:
            self._parser = _parser(self._deflates)
        if self._are_too_many_pieces():
            self._hush()
            return
        for start in range(0, len(data), SLICE):
            if self._transport.is_closing() or self._counted > FRAMES_PER_INTERVAL:
                return
            self._hear(self._parser, data[start : start + SLICE])

    def _hear(self, parser: Protocol, data: bytes) -> None:
        parser.receive_data(data)
        for frame in parser.events_received():
            assert isinstance(frame, WireFrame)  # noqa: S101 - requests and responses come before a reader
            self._take(frame)
        output = b"".join(parser.data_to_send())
        if parser.parser_exc is not None or parser.close_rcvd is not None:
            self._finish(output)
        elif output and not self._closing:
            self._transport.write(output)
            if self._transport.get_write_buffer_size() > 4 * WRITE_BUFFER:
                self._transport.abort()  # asks for more pongs than it reads

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._unread.release(self)
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.on_disconnect()
        if self._place is not None:
            self._admission.leave(self._place)
            self._place = None
        self._closing = True
        if self._ending is not None:
            self._ending.cancel()
        if self._parser is not None:
            untie_parser(self._parser)
            self._parser = None
        untie_transport(self._transport)

    # ---- what the reader says ---------------------------------------------------------------------------

    def said(self, text: str | None) -> None:
        """A whole message; None is one that is no text."""
        code = CloseCode.malformed if text is None or self._reader is None else self._reader.on_message(text)
        if code is not None:
            self._end(code, code.name)

    def _take(self, frame: WireFrame) -> None:
        if self._are_too_many_frames():
            self._hush()
        elif self._closing:
            return  # it may be the answer to that, which the parser minds
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

    def _are_too_many_pieces(self) -> bool:
        now = self._loop.time()
        if now >= self._interval_ends:
            self._interval_ends = now + INTERVAL_SECONDS
            self._counted = self._pieces = 0
        self._pieces += 1
        return self._pieces > PIECES_PER_INTERVAL

    def _are_too_many_frames(self) -> bool:
        self._counted += 1
        return self._counted > FRAMES_PER_INTERVAL

    # ---- the end ----------------------------------------------------------------------------------------

    def _hush(self) -> None:
        """Nothing more is read of who says too much; the kernel keeps what it has until the end."""
        self._end(_POLICY, "too much")
        self._transport.pause_reading()

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
        self._abort_soon()

    def _finish(self, output: bytes) -> None:
        self._closing = True
        if output:
            self._transport.write(output)
        self._transport.close()
        self._abort_soon()

    def _abort_soon(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._ending = self._loop.call_later(CLOSE_SECONDS, self._transport.abort)


def live(admission: Admission, unread: Unread) -> type[LiveWebSocket]:
    """The protocol class of one server."""
    return type("LiveWebSocket", (LiveWebSocket,), {"admission": admission, "unread": unread})


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
