"""A TCP proxy that makes trouble on demand: cuts what is open, refuses what comes, or WebSockets alone."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class Proxy:
    """Stands before a server on this machine; use as a context manager."""

    def __init__(self, port: int) -> None:
        self.refusing = False
        self.refusing_sockets = False
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def aim(self, port: int) -> None:
        """From now on another server stands behind."""
        self._target = port

    def cut(self) -> None:
        """Resets every open connection, as a network does that goes away."""
        for writer in self._writers:
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.refusing = True
        self.cut()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, onward_writer}
        self._writers |= pair
        try:
            head = await reader.read(65536)
            if self.refusing_sockets and b"\r\nupgrade: websocket" in head.lower():
                writer.transport.abort()
                return
            onward_writer.write(head)
            await asyncio.gather(_copy(reader, onward_writer), _copy(onward_reader, writer))
        except OSError:
            pass
        finally:
            onward_writer.close()
            self._writers -= pair


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    except OSError:
        pass
    finally:
        target.close()
