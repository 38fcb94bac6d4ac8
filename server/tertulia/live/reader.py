"""A reader: where somebody stands in a discussion's log, and the connection that carries it there."""

from __future__ import annotations

from typing import Protocol

from pydantic import ValidationError

from tertulia.errors import CloseCode
from tertulia.live.frames import Frame
from tertulia.protocol import Writing


class Connection(Protocol):
    """What a room writes to. Nothing here waits; a connection that takes no more says so by ``Reader.pause``."""

    def write(self, frame: Frame) -> None:
        """Writes at once or keeps the bytes until the network takes them."""

    def buffered(self) -> int:
        """How many bytes wait for the network."""

    def close(self, code: CloseCode) -> None:
        """Ends with ``code``, and for certain soon after, whether or not the other side listens."""


class RoomPort(Protocol):
    """The room as its readers see it."""

    def on_drained(self, reader: Reader) -> None:
        """The connection takes more."""

    def on_writing(self, reader: Reader) -> None:
        """The reader writes a comment."""

    def leave(self, reader: Reader) -> None:
        """The reader is gone; leaving twice is leaving once."""


class Reader:
    """One connected reader, a slotted object of about a hundred bytes.

    ``cursor`` is the last seq it was sent. ``paused`` while its connection takes no more: nothing is written then, and
    when it drains the reader gets what it missed from its cursor. ``full`` readers get every event in busy times too.
    """

    __slots__ = ("connection", "cursor", "full", "paused", "room", "stalled_at", "stalled_bytes", "writing_until")

    connection: Connection

    def __init__(self, room: RoomPort, *, full: bool = False) -> None:
        self.room = room
        self.full = full
        self.cursor = 0
        self.paused = False
        self.stalled_at = 0.0
        self.stalled_bytes = 0
        self.writing_until = 0.0

    # ---- what its connection calls ----------------------------------------------------------------------

    def pause(self) -> None:
        """The connection's buffer is full."""
        self.paused = True
        self.stalled_at = 0.0

    def resume(self) -> None:
        """The connection's buffer has drained."""
        self.paused = False
        self.room.on_drained(self)

    def on_message(self, text: str) -> CloseCode | None:
        """A message of the client; returns the code to close with, None to go on."""
        try:
            Writing.model_validate_json(text)
        except ValidationError:
            return CloseCode.malformed
        self.room.on_writing(self)
        return None

    def on_disconnect(self) -> None:
        """The connection is lost."""
        self.room.leave(self)
