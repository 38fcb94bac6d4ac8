"""WebSocket in bounds, until the application attaches a reader.

uvicorn's class does what is unusual in a handshake and runs the application, which then attaches a reader and returns:
serving.detached goes on from there. An application that attaches none gets messages as on any other server.
"""

from __future__ import annotations

import asyncio
import logging
from enum import Enum, auto
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent, WebSocketAcceptEvent
from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request, Response
from websockets.protocol import Protocol
from websockets.server import ServerProtocol
from websockets.typing import StatusLike

from tertulia.live.reader import Reader
from tertulia.protocol import BODY_LIMIT
from tertulia.push.endpoints import DETACHING
from tertulia.serving.detached import QUIET, DetachedReader, frame_parser
from tertulia.serving.handshake import Handshake, SharedDeflate, opts_out, read
from tertulia.serving.heads import END, fault
from tertulia.serving.lifetimes import untie_parser, untie_transport
from tertulia.serving.limiter import ConnectionLimiter
from tertulia.serving.refusals import CAUTION, NO_HANDSHAKE
from tertulia.serving.timeouts import Timeouts
from tertulia.serving.unread import Unread

LAST_BYTES = 1024
"""Read after the application has closed, for the answer to that: a close frame has at most 131."""

log = logging.getLogger(__name__)


class _LibraryHandshake(ServerProtocol):
    """The library's handshake, for what is not plain; its refusals are as careful as ours."""

    def reject(self, status: StatusLike, text: str) -> Response:
        answer = super().reject(status, text)
        for name, value in CAUTION:
            answer.headers[name] = value
        return answer


class Input(Enum):
    """Where what the client says goes after its handshake."""

    held = auto()
    """It waits: the application has neither asked for it nor attached a reader."""
    frames = auto()
    """It is parsed, and the application gets the messages."""
    detached = auto()
    """A detached reader has the transport, and this object is forgotten."""


class LiveWebSocket(WebSocketsSansIOProtocol):
    """One WebSocket until a reader is attached; ``limiter_key`` is what it is counted under.

    What the client says meanwhile waits: in ``_early`` what has come, in the kernel the rest.
    """

    limiter: ConnectionLimiter
    unread: Unread
    timeouts: Timeouts

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limiter_key: str | None = None
        self._handshake: Handshake | None = None
        self._early = b""
        self._read_since_close = 0
        self._input = Input.held
        self._deadline: asyncio.TimerHandle | None = None

    @cached_property
    def conn(self) -> Protocol:  # type: ignore[override]
        """What reads and makes frames after a plain handshake; most readers never need it."""
        return frame_parser(self._handshake is not None and self._handshake.deflates)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.timeouts.handshake, self.transport.abort)

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
        self._handshake = read(head)
        if self._handshake is not None:
            self._run(self._handshake)
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
        self.conn = _LibraryHandshake(max_size=BODY_LIMIT, logger=QUIET)

    def _run(self, handshake: Handshake) -> None:
        """Starts the application, as the inherited ``handle_connect`` does."""
        path, _, query = handshake.target.partition(b"?")
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
            "headers": handshake.headers,
            "subprotocols": [],
            "state": self.app_state.copy(),
            "extensions": {"websocket.http.response": {}, DETACHING: self},  # type: ignore[dict-item]
        }
        self.queue.put_nowait({"type": "websocket.connect"})
        task = self.loop.create_task(self.run_asgi())
        task.add_done_callback(self.on_task_complete)
        self.tasks.add(task)

    def handle_connect(self, event: Request) -> None:
        if not opts_out(event.path.encode()):
            self.conn.available_extensions = [SharedDeflate()]  # type: ignore[attr-defined]
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            # ASGI has header names in lower case; the head came here as the client wrote it
            self.scope["headers"] = [(name.lower(), value) for name, value in self.scope["headers"]]
            self.scope["extensions"][DETACHING] = self  # type: ignore[assignment]

    # ---- the application --------------------------------------------------------------------------------

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "websocket.accept" and self._handshake is not None and not self.handshake_complete:
            await self.writable.wait()
            if self.disconnected:
                raise ClientDisconnected
            self._accept(self._handshake, message)
        else:
            if self._handshake is not None and not self.handshake_complete:
                self._refuse_by_library()
            await super().send(message)
        if self.close_sent:
            self._start_reading_frames()

    def _accept(self, handshake: Handshake, message: WebSocketAcceptEvent) -> None:
        self._drop_parser()  # it waits for the request; from now on there are frames
        self.handshake_complete = True
        headers = [*self.default_headers, *message.get("headers", [])]
        more = b"".join(b"%s: %s\r\n" % (name, value) for name, value in headers)
        self.transport.write(handshake.answer + more + b"\r\n")

    async def receive(self) -> ASGIReceiveEvent:
        if self.handshake_complete:
            self._start_reading_frames()
        return await super().receive()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.close_sent:
            self._read_last(data)
        elif self._input is Input.frames:
            super().data_received(data)
        else:
            self._early += data
            self.transport.pause_reading()

    def _start_reading_frames(self) -> None:
        """The application attaches no reader, or is at its end: it gets what comes."""
        if self._input is not Input.held:
            return
        self._input = Input.frames
        early, self._early = self._early, b""
        if early:
            self.transport.resume_reading()
            self.data_received(early)

    def _read_last(self, data: bytes) -> None:
        """Of what comes after the end only its answer is of use."""
        left = LAST_BYTES - self._read_since_close
        self._read_since_close += len(data)
        super().data_received(data[:left])
        if self._read_since_close > LAST_BYTES:
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
        handshake = self._handshake
        deflates = bool(self.conn.extensions) if handshake is None else handshake.deflates
        detached = DetachedReader(self, reader, deflates)
        self._input = Input.detached
        self.limiter_key = None
        reader.connection = detached
        self.connections.discard(self)
        self.connections.add(detached)  # type: ignore[arg-type]
        self.transport.set_protocol(detached)
        if self.transport.is_closing():
            # connection_lost may have been called already; call it again once the reader has joined its room
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
        if self._input is Input.detached:
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
        if self.limiter_key is not None:
            self.limiter.release(self.limiter_key)
            self.limiter_key = None


def websocket_protocol(limiter: ConnectionLimiter, unread: Unread, timeouts: Timeouts) -> type[LiveWebSocket]:
    """The protocol class of one server."""
    shared = {"limiter": limiter, "unread": unread, "timeouts": timeouts}
    return type("LiveWebSocket", (LiveWebSocket,), shared)
