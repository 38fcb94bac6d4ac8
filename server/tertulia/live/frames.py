"""A frame: one message made ready once for all readers, in the form that each kind of connection writes.

Server frames are not masked (RFC 6455, section 5.1), and without context takeover a compressed message depends on
nothing that was sent before (RFC 7692, section 7.1.1), so the same bytes are right for every reader.
"""

from __future__ import annotations

import zlib

from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode

WINDOW_BITS = 12  # what the server offers: 4 KiB hold a batch of comments, and cost a client 4 KiB to inflate
_MEMORY_LEVEL = 5
_MIN_DEFLATE_BYTES = 150  # bytes; a shorter message does not get smaller
_RSV1 = 0x40  # the message is compressed (RFC 7692, section 6)
NO_SEQ = -1
_SYNC_TAIL = b"\x00\x00\xff\xff"


class Frame:
    """``text`` is the message as JSON; ``seq`` the last seq that a reader has after it, NO_SEQ where it moves none."""

    __slots__ = ("_deflated", "_plain", "_sse", "seq", "text")

    def __init__(self, text: str, seq: int = NO_SEQ) -> None:
        self.text = text
        self.seq = seq
        self._plain: bytes | None = None
        self._deflated: bytes | None = None
        self._sse: bytes | None = None

    @property
    def plain(self) -> bytes:
        """A WebSocket text frame."""
        if self._plain is None:
            self._plain = WireFrame(Opcode.TEXT, self.text.encode()).serialize(mask=False)
        return self._plain

    @property
    def deflated(self) -> bytes:
        """A WebSocket text frame for connections with permessage-deflate and a window of WINDOW_BITS or more."""
        if self._deflated is None:
            self._deflated = _deflate(self.text.encode()) or self.plain
        return self._deflated

    def sse(self, epoch: str) -> bytes:
        """A Server-Sent Event; its id is where a reader that reconnects goes on."""
        if self._sse is None:
            mark = "" if self.seq == NO_SEQ else f"id: {epoch}:{self.seq}\n"
            self._sse = f"{mark}data: {self.text}\n\n".encode()
        return self._sse


def _deflate(data: bytes) -> bytes | None:
    if len(data) < _MIN_DEFLATE_BYTES:
        return None
    encoder = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -WINDOW_BITS, _MEMORY_LEVEL)
    packed = (encoder.compress(data) + encoder.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_SYNC_TAIL)
    if len(packed) >= len(data):
        return None
    frame = WireFrame(Opcode.TEXT, packed).serialize(mask=False)
    return bytes([frame[0] | _RSV1]) + frame[1:]
