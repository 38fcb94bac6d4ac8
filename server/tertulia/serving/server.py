"""The server: uvicorn on a listening socket with our protocol classes, and a graceful shutdown."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable, Iterable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from tertulia.live.hub import Hub
from tertulia.protocol import BODY_LIMIT
from tertulia.serving.accepting import Accepting, raise_file_limit
from tertulia.serving.http import http_protocol
from tertulia.serving.stats import ServerStats
from tertulia.serving.timeouts import TIMEOUTS, Timeouts

GC_THRESHOLDS = (50_000, 50, 100)
LOOK_SECONDS = 0.05
ACCEPT_TURNS = 100
"""How often the loop may accept before listening ends; without a bound a server without free files would never end."""


async def serve(
    app: ASGIApp,
    hub: Hub,
    listener: socket.socket,
    stats: ServerStats,
    *,
    drain_seconds: float,
    ready: Callable[[], None],
    timeouts: Timeouts = TIMEOUTS,
) -> None:
    """Serves until SIGINT or SIGTERM, and then at most ``drain_seconds`` more, in which readers are told one after
    another to come back. ``ready`` is called when connections are accepted.
    """
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=http_protocol(stats.limiter, stats.unread, timeouts),
        ws_max_size=BODY_LIMIT,
        ws_per_message_deflate=False,  # ours is negotiated in serving.handshake
        ws_ping_interval=None,  # browsers show no ping to their pages: heartbeats are messages
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=round(drain_seconds) or 1,
    )
    try:
        await _Server(config, hub, stats, drain_seconds=drain_seconds, ready=ready, timeouts=timeouts).serve(
            sockets=[listener]
        )
    finally:
        stats.gc_pauses.stop()


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        hub: Hub,
        stats: ServerStats,
        *,
        drain_seconds: float,
        ready: Callable[[], None],
        timeouts: Timeouts,
    ) -> None:
        super().__init__(config)
        self._hub = hub
        self._stats = stats
        self._drain_seconds = drain_seconds
        self._ready = ready
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        def make() -> asyncio.Protocol:
            return self.config.http_protocol_class(self.config, self.server_state, {})  # type: ignore[call-arg]

        files = raise_file_limit()
        self.servers = [Accepting(listener, make, files) for listener in sockets or ()]  # type: ignore[misc]
        self.started = True
        # a full collection walks every long-lived object: 300 ms with 20,000 connections
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        self._stats.gc_pauses.start()  # what was collected before made no reader wait
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        self._stats.unread.look(self.server_state.connections)  # type: ignore[arg-type]  # they are all our classes
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._drain, sig, frame)

    def _drain(self, sig: int, frame: FrameType | None) -> None:
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain_then_exit(sig, frame))
        else:
            self._exit(sig, frame)  # a second signal: at once

    async def _drain_then_exit(self, sig: int, frame: FrameType | None) -> None:
        """Closes readers first, then connections after their answers; then stops listening; then ends."""
        self._stats.limiter.ending = True
        idle_until = self._loop.time() + min(self._timeouts.idle, self._drain_seconds / 2)
        await self._hub.drain(self._drain_seconds / 2)
        await self._connections_end(idle_until - self._loop.time())
        await stop_listening(self.servers)  # type: ignore[arg-type]  # they are our class
        await self._connections_end(min(self._timeouts.last, self._drain_seconds / 4))
        self._exit(sig, frame)

    async def _connections_end(self, at_most: float) -> None:
        """Waits until there is no connection, ``at_most`` so many seconds."""
        for _ in range(round(at_most / LOOK_SECONDS)):
            if not self.server_state.connections:
                return
            await asyncio.sleep(LOOK_SECONDS)

    def _exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._captured_signals.clear()  # uvicorn would raise them again: an end that was asked for is no failure


async def stop_listening(listeners: Iterable[Accepting]) -> None:
    """From now on connections are refused; a proxy then sends the request to another server, whatever its method."""
    for listener in listeners:
        for _ in range(ACCEPT_TURNS):
            if not listener.has_waiting():
                break
            await asyncio.sleep(0)  # what waits to be accepted would be reset
        listener.close()
        await listener.wait_closed()  # what was accepted last is a connection only now
