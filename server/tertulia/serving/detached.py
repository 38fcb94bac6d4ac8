"""Detached readers: connections that nothing of the application is left of.

The transport gets a slotted object instead: no task, no queue, no parsed request, and no parser until the reader says
something. Rooms write ready frames to it, and it is ended by abort where the other side takes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.protocol import OPEN, SERVER
from websockets.protocol import Protocol as FrameProtocol

from tertulia.errors import CloseCode
from tertulia.live.frames import WINDOW_BITS, Frame
from tertulia.live.reader import Reader
from tertulia.protocol import BODY_LIMIT
from tertulia.serving.lifetimes import untie_parser, untie_transport
from tertulia.serving.limiter import ConnectionLimiter
from tertulia.serving.timeouts import Timeouts
from tertulia.serving.unread import Unread

WRITE_BUFFER = 64 * 1024
MAX_FRAGMENTS = 64
FRAMES_PER_INTERVAL = 40
SEGMENTS_PER_INTERVAL = 512
"""Segments that what a reader says may come in; the page's client says one message of 18 bytes in 5 s."""
INTERVAL_SECONDS = 10.0
SLICE = 256
"""Bytes that are parsed before the frames in them are counted: at most 42 of the smallest, at 10 µs each."""
_POLICY = 1008

QUIET = logging.getLogger("tertulia.serving.frames")
"""For the library's parsers, which would log what people write."""
QUIET.setLevel(logging.CRITICAL)


class Accepted(Protocol):
    """The WebSocket that a reader is attached to; its connection is counted under ``limiter_key``."""

    limiter: ConnectionLimiter
    unread: Unread
    timeouts: Timeouts
    limiter_key: str | None
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    connections: set[Any]


class DetachedReader(asyncio.Protocol):
    """A reader's connection in a few slots. It is what the transport tells of bytes, and what the room writes to."""

    __slots__ = (
        "_close_seconds",
        "_closing",
        "_connections",
        "_deflates",
        "_ending",
        "_frames",
        "_interval_ends",
        "_limiter",
        "_limiter_key",
        "_loop",
        "_message",
        "_parser",
        "_reader",
        "_segments",
        "_transport",
        "_unread",
    )

    def __init__(self, accepted: Accepted, reader: Reader, deflates: bool) -> None:
        self._transport = accepted.transport
        self._loop = accepted.loop
        self._connections = accepted.connections
        self._limiter = accepted.limiter
        self._unread = accepted.unread
        self._close_seconds = accepted.timeouts.close
        self._limiter_key = accepted.limiter_key
        self._reader: Reader | None = reader
        self._deflates = deflates
        self._parser: FrameProtocol | None = None
        self._closing = False
        self._ending: asyncio.TimerHandle | None = None
        self._frames = 0
        self._segments = 0
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
            self._parser = frame_parser(self._deflates)
        if self._are_too_many_segments():
            self._stop_reading()
            return
        for start in range(0, len(data), SLICE):
            if self._transport.is_closing() or self._frames > FRAMES_PER_INTERVAL:
                return
            self._parse(self._parser, data[start : start + SLICE])

    def _parse(self, parser: FrameProtocol, data: bytes) -> None:
        parser.receive_data(data)
        for frame in parser.events_received():
            assert isinstance(frame, WireFrame)  # noqa: S101 - requests and responses come before a reader
            self._on_frame(frame)
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
        if self._limiter_key is not None:
            self._limiter.release(self._limiter_key)
            self._limiter_key = None
        self._closing = True
        if self._ending is not None:
            self._ending.cancel()
        if self._parser is not None:
            untie_parser(self._parser)
            self._parser = None
        untie_transport(self._transport)

    # ---- what the reader says ---------------------------------------------------------------------------

    def on_message(self, text: str | None) -> None:
        """A whole message; None is one that is no text."""
        code = CloseCode.malformed if text is None or self._reader is None else self._reader.on_message(text)
        if code is not None:
            self._end(code, code.name)

    def _on_frame(self, frame: WireFrame) -> None:
        if self._are_too_many_frames():
            self._stop_reading()
        elif self._closing:
            return  # it may answer our close frame, which the parser handles
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._assemble(frame)
        elif frame.opcode is Opcode.BINARY:
            self.on_message(None)

    def _assemble(self, frame: WireFrame) -> None:
        if frame.opcode is Opcode.TEXT:
            self._message = []
        if self._message is None or len(self._message) >= MAX_FRAGMENTS:
            self._end(_POLICY, "too many fragments")
            return
        self._message.append(bytes(frame.data))
        if frame.fin:
            whole, self._message = b"".join(self._message), None
            try:
                self.on_message(whole.decode())
            except UnicodeDecodeError:
                self._end(1007, "text is UTF-8")

    def _are_too_many_segments(self) -> bool:
        now = self._loop.time()
        if now >= self._interval_ends:
            self._interval_ends = now + INTERVAL_SECONDS
            self._frames = self._segments = 0
        self._segments += 1
        return self._segments > SEGMENTS_PER_INTERVAL

    def _are_too_many_frames(self) -> bool:
        self._frames += 1
        return self._frames > FRAMES_PER_INTERVAL

    # ---- the end ----------------------------------------------------------------------------------------

    def _stop_reading(self) -> None:
        """Nothing more is read of who says too much; the kernel keeps what it has until the end."""
        self._end(_POLICY, "too much")
        self._transport.pause_reading()

    def _end(self, code: int, reason: str) -> None:
        """Sends a close frame, waits a little for the other side, then aborts."""
        if self._closing:
            return
        self._closing = True
        if self._parser is None:
            self._parser = frame_parser(self._deflates)
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
        self._ending = self._loop.call_later(self._close_seconds, self._transport.abort)


def frame_parser(deflates: bool) -> FrameProtocol:
    """What reads and makes the frames of a connection after its handshake."""
    parser = FrameProtocol(SERVER, max_size=BODY_LIMIT, logger=QUIET)
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
