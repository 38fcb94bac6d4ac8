"""One process that serves: on its own, or as one of several under a supervisor.

A supervisor writes the config as one line of JSON to standard input and holds it open: where that ends, the supervisor
is gone, and the worker ends as if it were asked to. On standard output the worker says one line, READY or why it cannot
start.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack

from tertulia import logs
from tertulia.app import running
from tertulia.errors import StartupError
from tertulia.metrics.aggregation import WorkerMetrics
from tertulia.serving.limiter import ConnectionLimiter
from tertulia.serving.listening import listen
from tertulia.serving.server import serve
from tertulia.serving.stats import ServerStats
from tertulia.serving.timeouts import TIMEOUTS, Timeouts
from tertulia.serving.unread import MIB, Unread
from tertulia.settings import Settings
from tertulia.workers.config import READY, WorkerConfig


async def serve_one(
    settings: Settings,
    listener: socket.socket,
    ready: Callable[[], None],
    worker_metrics: WorkerMetrics | None = None,
    *,
    timeouts: Timeouts = TIMEOUTS,
) -> None:
    """Serves on the listener until SIGINT or SIGTERM. Raises StartupError."""
    limiter = ConnectionLimiter(settings.connections, settings.connections_per_address, settings.trusted_proxies)
    server_stats = ServerStats(limiter, Unread(settings.unread_mib * MIB))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(settings, server_stats, worker_metrics))
        if worker_metrics is not None:
            await stack.enter_async_context(worker_metrics.exposed(server.metrics.local))
        await serve(
            server.asgi,
            server.hub,
            listener,
            server_stats,
            drain_seconds=settings.drain_seconds,
            ready=ready,
            timeouts=timeouts,
        )


async def work() -> int:
    """The life of one worker; its exit code."""
    config = WorkerConfig.model_validate_json(await asyncio.to_thread(sys.stdin.readline))
    logs.configure(config.settings.log_format, config.settings.log_level, worker=config.number)
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _on_supervisor_gone)
    try:
        with listen(config.host, config.port, shared=True) as listener:
            await serve_one(config.settings, listener, _ready, WorkerMetrics(config.folder, config.number))
    except StartupError as error:
        print(error, flush=True)
        return 1
    return 0


def _ready() -> None:
    print(READY, flush=True)


def _on_supervisor_gone() -> None:
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    os.kill(os.getpid(), signal.SIGTERM)
