"""The protocol classes in this process, with an application of the test's own, so that what they do can be counted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from tertulia.serving.http import BoundedHTTP, http_protocol
from tertulia.serving.limiter import ConnectionLimiter
from tertulia.serving.timeouts import Timeouts
from tertulia.serving.unread import MIB, Unread
from tests.support.waiting import until

SHORT = Timeouts(linger=0.5, close=0.2)
"""Bounds are counted here, not waited for."""


@dataclass
class Wire:
    """A listening port, and every connection that was made to it."""

    port: int
    unread: Unread
    limiter: ConnectionLimiter
    state: ServerState
    made: list[BoundedHTTP] = field(default_factory=list)

    async def connect(self, receive_buffer: int | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client of 64 KiB or ``receive_buffer`` bytes; what it does not ask for stays in the kernel."""
        client = socket.socket()
        if receive_buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self.port))
        return await asyncio.open_connection(sock=client, limit=4096)

    def look(self) -> None:
        """As the server does ten times a second."""
        self.unread.look(self.state.connections)  # type: ignore[arg-type]

    @property
    def waiting(self) -> int:
        """Bytes that wait in this process for clients to read them."""
        return sum(one.buffered() for one in self.state.connections)  # type: ignore[union-attr]


@asynccontextmanager
async def wired(
    app: ASGIApp, most_unread: int = 32 * MIB, send_buffer: int | None = None, timeouts: Timeouts = SHORT
) -> AsyncIterator[Wire]:
    """``send_buffer`` bytes are what the kernel takes of an answer that is not read."""
    limiter, unread = ConnectionLimiter(1000, 1000), Unread(most_unread)
    config = uvicorn.Config(app, http=http_protocol(limiter, unread, timeouts), lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIB)  # so that a read could take much at once
    if send_buffer is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    listener.bind(("127.0.0.1", 0))
    wire = Wire(listener.getsockname()[1], unread, limiter, state)

    def make() -> BoundedHTTP:
        made: BoundedHTTP = config.http_protocol_class(config, state, {})  # type: ignore[call-arg, assignment]
        wire.made.append(made)
        return made

    server = await asyncio.get_running_loop().create_server(make, sock=listener)
    try:
        yield wire
    finally:
        server.close()
        for one in tuple(state.connections):
            one.transport.abort() if isinstance(one, BoundedHTTP) else one.cut()  # type: ignore[union-attr]
        await until(lambda: not state.connections, "the end of the connections")
        for task in state.tasks:
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
