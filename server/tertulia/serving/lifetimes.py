"""Lifetimes: what asyncio and websockets tie into cycles is untied when a connection is lost.

Nothing that comes and goes with clients waits for the cyclic collector: it counts objects, not bytes, so what it has
not looked at yet can be any amount of memory; and what lived through one of its runs, as a connection does, it looks
at again only after millions of others. See docs/decisions/0024-memory-comes-back.md.
"""

from __future__ import annotations

import asyncio

from websockets.protocol import Protocol

_OWN = ("_read_ready_cb", "_protocol")
"""A selector transport holds a bound method of itself, and its protocol."""


def untie_transport(transport: asyncio.BaseTransport) -> None:
    """To be called once the transport has reported connection_lost, its last call."""
    held = getattr(transport, "__dict__", {})
    for name in _OWN:
        if name in held:
            held[name] = None


def untie_parser(parser: Protocol) -> None:
    """Ends the generator that reads frames, whose frame holds the parser; it reads nothing more."""
    parser.parser.close()
    untie_error(parser.handshake_exc)
    untie_error(parser.parser_exc)


def untie_error(error: BaseException | None) -> None:
    """Takes the trace off an error that a connection keeps: it holds all that was called when it was raised."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
