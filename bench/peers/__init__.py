"""Other servers, written as their documentation shows; each broadcasts as many messages as standard input says."""

from __future__ import annotations

from bench.subjects import made
from tertulia.protocol import events_message


def text(number: int) -> str:
    """The message that every server sends."""
    return events_message([made(number).payload])
