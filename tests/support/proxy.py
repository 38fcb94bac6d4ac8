"""A TCP proxy that makes trouble on demand: cuts what is open, refuses what comes, or WebSockets alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.listener import Listener


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


class Silence(Listener):
    """Stands before a server that listens on a socket of this machine; on demand what they say to each other vanishes.

    ``everybody`` is for connections to come as well, ``silence_open`` for those that are open alone.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.everybody = False
        self.accepted = 0
        self._path = path
        self._silent: set[asyncio.Task[None]] = set()

    def silence_open(self) -> None:
        self._silent |= self._tasks

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        super()._accept(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        onward: asyncio.StreamWriter | None = None
        try:
            answers, onward = await asyncio.open_unix_connection(self._path)
            ways = [self._carry(task, reader, onward), self._carry(task, answers, writer)]
            copying = [asyncio.create_task(way) for way in ways]
            try:
                await asyncio.wait(copying, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for copy in copying:
                    copy.cancel()
                await asyncio.gather(*copying, return_exceptions=True)
        except OSError:
            pass
        finally:
            for end in (writer, onward):
                if end is not None:
                    end.transport.abort()

    async def _carry(
        self, task: asyncio.Task[None], source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        while data := await source.read(65536):
            if not self.everybody and task not in self._silent:
                target.write(data)
                await target.drain()
