"""A small TCP load balancer with a preferred backend, and others for when that one is down.

A new connection goes to the first backend that accepts it. When a backend dies its connections are closed and the
clients reconnect; nothing is moved, retried or buffered here.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from tertulia.showcase.demo.services import LOCALHOST, Instance, ServiceState

CHUNK = 65_536


class LoadBalancer:
    """Listens on one address; use as a context manager. The first of the ``backends`` is the preferred one."""

    def __init__(self, number: int, listener: socket.socket, backends: Sequence[Instance]) -> None:
        self.number = number
        self.port: int = listener.getsockname()[1]
        self.address = f"{LOCALHOST}:{self.port}"
        self._listener = listener
        self._backends = backends
        self._open: dict[StreamWriter, Instance] = {}
        self._relays: set[asyncio.Task[None]] = set()

    @property
    def target(self) -> Instance | None:
        """Where a new connection goes; None if no backend is up."""
        return next((instance for instance in self._backends if instance.state is ServiceState.up), None)

    def backend_of(self, port: int) -> Instance | None:
        """The instance that the connection from this client port leads to."""
        return next(
            (instance for writer, instance in self._open.items() if _peer_port(writer) == port),
            None,
        )

    def fail_back(self) -> None:
        """Closes the connections to other backends once the preferred one is up again."""
        preferred = self._backends[0]
        if preferred.state is ServiceState.up:
            for writer, instance in list(self._open.items()):
                if instance is not preferred:
                    writer.transport.abort()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, sock=self._listener)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        relay = asyncio.create_task(self._serve(reader, writer))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            found = await self._connect()
            if found is None:
                writer.transport.abort()
                return
            instance, onward_reader, onward_writer = found
            self._open[writer] = instance
            try:
                await asyncio.gather(_copy(reader, onward_writer), _copy(onward_reader, writer))
            finally:
                onward_writer.transport.abort()
        finally:
            self._open.pop(writer, None)
            writer.close()

    async def _connect(self) -> tuple[Instance, StreamReader, StreamWriter] | None:
        for instance in self._backends:
            if instance.port is not None:
                with suppress(OSError):
                    return instance, *await asyncio.open_connection(LOCALHOST, instance.port)
        return None


async def _copy(source: StreamReader, target: StreamWriter) -> None:
    try:
        while data := await source.read(CHUNK):
            target.write(data)
            await target.drain()
    except OSError:
        pass
    finally:
        target.close()


def _peer_port(writer: StreamWriter) -> int:
    peer = writer.get_extra_info("peername")
    return int(peer[1]) if peer else 0
