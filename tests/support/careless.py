"""An HTTP proxy that is set up wrongly in the ways that a doctor has to find."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class CarelessProxy:
    """Stands before a server on this machine: ``adds`` headers, may drop Upgrade, may hold streams back."""

    def __init__(self, port: int, *adds: str, strips_upgrade: bool = False, holds_streams: bool = False) -> None:
        self._target = port
        self._adds = "".join(f"\r\n{line}" for line in adds).encode()
        self._strips_upgrade = strips_upgrade
        self._holds_streams = holds_streams
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward: asyncio.StreamWriter | None = None
        try:
            head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
            answers, onward = await asyncio.open_connection("127.0.0.1", self._target)
            lines = [line for line in head.split(b"\r\n") if not (self._strips_upgrade and _is_upgrade(line))]
            onward.write(b"\r\n".join(lines) + self._adds + b"\r\n\r\n")
            if self._holds_streams and b"text/event-stream" in head:
                await answers.read()
            await asyncio.gather(_copy(reader, onward), _copy(answers, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for end in (writer, onward):
                if end is not None:
                    end.transport.abort()


def _is_upgrade(line: bytes) -> bool:
    return line.lower().startswith((b"upgrade:", b"connection:"))


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()
