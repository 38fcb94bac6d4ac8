"""A connection over ASGI's ``send``: for Server-Sent Events, and for WebSockets on servers without ready frames.

What the network has not taken waits here; a reader is paused before it becomes much.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tertulia.errors import CloseCode
from tertulia.live.frames import Frame
from tertulia.live.reader import Reader

HIGH_BYTES = 64 * 1024
LOW_BYTES = 16 * 1024
CLOSE_SECONDS = 3.0

Send = Callable[[Frame], Awaitable[None]]


class QueuedConnection:
    """Frames that wait to be sent, which ``run`` does."""

    def __init__(self, reader: Reader) -> None:
        self.closing: CloseCode | None = None
        self._reader: Reader | None = reader
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._has_frames = asyncio.Event()
        self._close_asked = asyncio.Event()

    def write(self, frame: Frame) -> None:
        if self._reader is None:
            return
        self._frames.append(frame)
        self._bytes += len(frame.text)
        self._has_frames.set()
        if self._bytes > HIGH_BYTES and not self._reader.paused:
            self._reader.pause()

    def buffered(self) -> int:
        return self._bytes

    def close(self, code: CloseCode) -> None:
        if self.closing is None:
            self.closing = code
            self._close_asked.set()

    async def run(self, send: Send, disconnected: Coroutine[Any, Any, CloseCode | None]) -> CloseCode | None:
        """Sends until ``disconnected`` returns or the room closes the connection.

        Returns why to close, None when the client is no longer there; raises what ``send`` and ``disconnected`` raise.
        """
        tasks: list[asyncio.Task[CloseCode | None]] = [
            asyncio.create_task(self._send_frames(send)),
            asyncio.create_task(disconnected),
            asyncio.create_task(self._until_close_asked()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._detach()
        return self.closing or next((task.result() for task in tasks if task in done), None)

    def _detach(self) -> None:
        """The reader and this hold each other, and it may be written to once more by who has it in hand."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.on_disconnect()
        self._frames.clear()
        self._bytes = 0

    async def _until_close_asked(self) -> CloseCode | None:
        await self._close_asked.wait()
        return self.closing

    async def _send_frames(self, send: Send) -> CloseCode | None:
        while True:
            await self._has_frames.wait()
            self._has_frames.clear()
            while self._frames:
                frame = self._frames.popleft()
                await send(frame)
                self._bytes -= len(frame.text)
                if self._reader is not None and self._reader.paused and self._bytes < LOW_BYTES:
                    self._reader.resume()
