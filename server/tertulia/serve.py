"""Serving: a listening socket, uvicorn on it, and an end in which every reader is told to come back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from tertulia.errors import StartupError
from tertulia.live.hub import Hub
from tertulia.protocol import BODY_LIMIT

BACKLOG = 2048
GRACE_SECONDS = 10


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises StartupError with what to do."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:  # the second for a name that no host can have
        reason = getattr(error, "strerror", None) or str(error)
        raise StartupError(
            f"Cannot listen on {host} port {port} ({reason}); stop what uses it or choose another with --port."
        ) from error


async def serve(app: ASGIApp, hub: Hub, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serves until SIGINT or SIGTERM; ``ready`` is called when connections are accepted."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="websockets-sansio",
        ws_max_size=BODY_LIMIT,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    await _Server(config, hub, ready).serve(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, hub: Hub, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._hub = hub
        self._ready = ready
        self._loop = asyncio.get_running_loop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # a stream is a request without an end: uvicorn would wait for it, so the readers are told first
        self._loop.call_soon_threadsafe(self._hub.drain)
        super().handle_exit(sig, frame)
        self._captured_signals.clear()  # uvicorn would raise them again: an end that was asked for is no failure
