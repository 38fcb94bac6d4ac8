"""A front: what a load balancer is to readers. It has a home, and others for when its home is away.

Every new connection goes to the first instance in its order that takes it. A connection whose instance dies ends, and
whoever had it connects again; nothing is moved, repeated or kept here.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from tertulia.demo.parts import HERE, Instance, State

CHUNK = 65_536


class Front:
    """Listens on one address; use as a context manager. ``order`` begins with the home."""

    def __init__(self, number: int, listener: socket.socket, order: Sequence[Instance]) -> None:
        self.number = number
        self.port: int = listener.getsockname()[1]
        self.address = f"{HERE}:{self.port}"
        self._listener = listener
        self._order = order
        self._open: dict[StreamWriter, Instance] = {}
        self._relays: set[asyncio.Task[None]] = set()

    @property
    def at(self) -> Instance | None:
        """Where a new connection goes."""
        return next((instance for instance in self._order if instance.state is State.up), None)

    def instance_of(self, port: int) -> Instance | None:
        """The instance that a connection from this port leads to."""
        return next(
            (instance for writer, instance in self._open.items() if _peer_port(writer) == port),
            None,
        )

    def call_home(self) -> None:
        """Ends the connections that lead elsewhere though the home is there again."""
        home = self._order[0]
        if home.state is State.up:
            for writer, instance in list(self._open.items()):
                if instance is not home:
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
        for instance in self._order:
            if instance.port is not None:
                with suppress(OSError):
                    return instance, *await asyncio.open_connection(HERE, instance.port)
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
