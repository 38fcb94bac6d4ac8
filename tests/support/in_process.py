"""The application on our protocol classes, listening in this process, so that a test can look into both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from tertulia.serving.http import http_protocol
from tertulia.serving.listening import listen
from tertulia.serving.stats import ServerStats


@asynccontextmanager
async def listening(app: ASGIApp, stats: ServerStats) -> AsyncIterator[int]:
    """Gives its port."""
    protocol = http_protocol(stats.limiter, stats.unread)
    config = uvicorn.Config(
        app,
        http=protocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
    )
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()
    with listen("127.0.0.1", 0) as listener:
        server = await loop.create_server(lambda: protocol(config, state, {}), sock=listener)
        yield listener.getsockname()[1]
        server.close()
