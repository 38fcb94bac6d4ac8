"""The server: a listening socket, uvicorn on it with our protocol classes, and an end without haste."""

from __future__ import annotations

import asyncio
import gc
import select
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from tertulia.errors import StartupError
from tertulia.live.hub import Hub
from tertulia.protocol import BODY_LIMIT
from tertulia.serving.http import bounded
from tertulia.serving.vitals import Vitals
from tertulia.serving.websocket import live

BACKLOG = 2048
UNACKNOWLEDGED_MILLISECONDS = 20_000
"""How long the kernel waits for a peer that acknowledges nothing, a closed window included (TCP_USER_TIMEOUT)."""
GC_THRESHOLDS = (50_000, 50, 100)
IDLE_SECONDS = 4.0
"""How long an end leaves connections without a request open, at most: a proxy that keeps them for its next request
(deploy/Caddyfile: 3 s) would else send one into a connection that is being closed, and could only answer 502."""
LAST_SECONDS = 1.0
"""How long those that were accepted last may take to send their request."""
LOOK_SECONDS = 0.05
ACCEPT_TURNS = 100
"""How often the loop may accept before listening ends; without a bound a server without free files would never end."""


def listen(host: str, port: int, *, shared: bool = False, backlog: int | None = BACKLOG) -> socket.socket:
    """A listening socket, or without ``backlog`` one that only holds the port. Raises StartupError with what to do.

    One that is ``shared`` lets others listen on the same port (SO_REUSEPORT): the kernel spreads connections over them.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = _bound(family, host, port, shared=shared)
        if backlog is not None:
            listener.listen(backlog)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StartupError(
            f"Cannot listen on {host} port {port} ({reason}); stop what uses it or choose another with --port."
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLISECONDS)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # asyncio sets this only for sockets that name their protocol, which accepted ones do not: a body would wait
    # for the acknowledgement of its head, which Linux delays by 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _bound(family: int, host: str, port: int, *, shared: bool) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound


async def serve(
    app: ASGIApp,
    hub: Hub,
    listener: socket.socket,
    vitals: Vitals,
    drain_seconds: float,
    ready: Callable[[], None],
) -> None:
    """Serves until SIGINT or SIGTERM; ``ready`` is called when connections are accepted."""
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=bounded(vitals.admission, live(vitals.admission)),
        ws_max_size=BODY_LIMIT,
        ws_per_message_deflate=False,  # ours is negotiated in serving.websocket
        ws_ping_interval=None,  # browsers show no ping to their pages: heartbeats are messages
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=round(drain_seconds) or 1,
    )
    try:
        await _Server(config, hub, vitals, drain_seconds, ready).serve(sockets=[listener])
    finally:
        vitals.pauses.stop()


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, hub: Hub, vitals: Vitals, drain_seconds: float, ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._hub = hub
        self._admission = vitals.admission
        self._pauses = vitals.pauses
        self._drain_seconds = drain_seconds
        self._ready = ready
        self._loop = asyncio.get_running_loop()
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # a full collection walks every long-lived object: 300 ms with 20,000 connections
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        self._pauses.start()  # what was collected before made no reader wait
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._drain, sig, frame)

    def _drain(self, sig: int, frame: FrameType | None) -> None:
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain_then_exit(sig, frame))
        else:
            self._exit(sig, frame)  # asked twice: at once

    async def _drain_then_exit(self, sig: int, frame: FrameType | None) -> None:
        """Readers first; then connections, which end by their own answers, then new ones, then the server."""
        self._admission.ending = True
        idle_until = self._loop.time() + min(IDLE_SECONDS, self._drain_seconds / 2)
        await self._hub.drain(self._drain_seconds / 2)
        await self._connections_end(idle_until - self._loop.time())
        await self._stop_listening()
        await self._connections_end(min(LAST_SECONDS, self._drain_seconds / 4))
        self._exit(sig, frame)

    async def _connections_end(self, at_most: float) -> None:
        """Waits until there is no connection, ``at_most`` so many seconds."""
        for _ in range(round(at_most / LOOK_SECONDS)):
            if not self.server_state.connections:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _stop_listening(self) -> None:
        """Whoever connects now is refused, which a proxy takes to another server whatever was to be sent."""
        for server in self.servers:
            for _ in range(ACCEPT_TURNS):
                if not select.select(server.sockets, [], [], 0)[0]:
                    break
                await asyncio.sleep(0)  # what waits to be accepted would be reset
            server.close()

    def _exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._captured_signals.clear()  # uvicorn would raise them again: an end that was asked for is no failure
