"""h11's parser in bounds: a head is judged before it is parsed, and a body may not be cut into ever smaller pieces.

h11 takes 10 to 40 µs a chunk, whatever its size, so a body that fits in its bytes may still cost a second in chunks of
one byte. What is counted here is what comes over the wire besides the body itself.
"""

from __future__ import annotations

import re
from http import HTTPStatus

import h11

from tertulia.serving import heads
from tertulia.serving.refusals import Refusal, unreadable

SLICE = 4096
"""Bytes that h11 is given at a time: no more than that is parsed past a bound."""
MAX_CHUNKS = 256
"""Of a body. Clients that send chunks fill them with 4 KiB and more; 256 cost at most 10 ms."""
FRAMING_BYTES = 4096
"""What a body's chunks may take besides the body: their sizes, extensions and the trailers; 16 a chunk."""

_HEAD_END = re.compile(rb"\n\r?\n")
_TOO_FINE = Refusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    f"A body comes in at most {MAX_CHUNKS} chunks, with {FRAMING_BYTES} bytes for their sizes and the trailers.",
)
_CHUNK = unreadable("The lines between chunks end with CR and LF.")


class RequestParser(h11.Connection):
    """``refusal`` is what to answer after a RemoteProtocolError, None where h11 itself found the fault."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, heads.HEAD_BYTES)
        self.refusal: Refusal | None = None
        self._ahead = bytearray()
        self._chunks = 0
        self._framing = 0

    @property
    def trailing_data(self) -> tuple[bytes, bool]:
        """What has come and is not parsed, and whether it is the end."""
        given, is_end = super().trailing_data
        return given + self._ahead, is_end

    def receive_data(self, data: bytes) -> None:
        """Keeps it; ``next_event`` gives h11 a slice when that needs more."""
        self._ahead += data

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """As h11's. Raises RemoteProtocolError for what is refused; the connection has to end then."""
        while True:
            state, given = self.their_state, super().trailing_data[0]
            if state is h11.IDLE:
                self._judge_head(given)
            event = super().next_event()
            if isinstance(event, h11.Request):
                self._chunks = self._framing = 0
            elif state is h11.SEND_BODY:
                self._judge_body(given, event)
            if event is not h11.NEED_DATA or not self._ahead:
                return event
            super().receive_data(bytes(self._ahead[:SLICE]))
            del self._ahead[:SLICE]

    def _judge_head(self, given: bytes) -> None:
        end = _HEAD_END.search(given)
        refusal = heads.too_large(len(given)) if end is None else heads.fault(given[: end.end()])
        if refusal is not None:
            self._refuse(refusal)

    def _judge_body(self, given: bytes, event: h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]) -> None:
        left = len(super().trailing_data[0])
        data = len(event.data) if isinstance(event, h11.Data) else 0
        between = given[: len(given) - left - data]  # what is no body: sizes and extensions, or trailers
        self._framing += len(between)
        self._chunks += isinstance(event, h11.Data) and event.chunk_end
        # a line that is not complete waits, and grows
        if self._framing + (left if event is h11.NEED_DATA else 0) > FRAMING_BYTES or self._chunks > MAX_CHUNKS:
            self._refuse(_TOO_FINE)
        is_end = isinstance(event, h11.EndOfMessage)
        if between and (heads.is_bare(between.lstrip(b"\r\n")) or (is_end and not between.endswith(b"\r\n"))):
            self._refuse(_CHUNK)

    def _refuse(self, refusal: Refusal) -> None:
        self.refusal = refusal
        raise h11.RemoteProtocolError(refusal.reason, refusal.status)
