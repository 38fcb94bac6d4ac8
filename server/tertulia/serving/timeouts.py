"""How long clients may take, and how long a shutdown waits for them. Tests pass shorter ones."""

from __future__ import annotations

from dataclasses import dataclass

from tertulia.live.tuning import STALL_SECONDS

HEAD_SECONDS = 5.0
BODY_SECONDS = 10.0
HANDSHAKE_SECONDS = 5.0
LINGER_SECONDS = 2.0
"""How long a client that is still sending may take to notice that it was answered."""
CLOSE_SECONDS = 3.0
IDLE_SECONDS = 4.0
"""How long a shutdown leaves idle connections open, at most: a proxy that keeps them for its next request
(deploy/Caddyfile: 3 s) would otherwise send one into a connection that is being closed, and could only answer 502."""
LAST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. ``head``, ``body`` and ``handshake`` of a request; ``stall`` until a client has to have read
    something; ``linger`` after the last answer and ``close`` after a close frame; on shutdown, ``idle`` for
    connections without a request and ``last`` for the requests of those accepted last.
    """

    head: float = HEAD_SECONDS
    body: float = BODY_SECONDS
    handshake: float = HANDSHAKE_SECONDS
    stall: float = STALL_SECONDS
    linger: float = LINGER_SECONDS
    close: float = CLOSE_SECONDS
    idle: float = IDLE_SECONDS
    last: float = LAST_SECONDS


TIMEOUTS = Timeouts()
