"""Server-Sent Events (HTML Standard, section 9.2): the WebSocket's messages as ``data:`` lines.

``id:`` is ``epoch:seq``, so that a browser that reconnects by itself goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode, Problem
from tertulia.live.backlog import Cursor
from tertulia.live.frames import Frame
from tertulia.live.hub import Hub
from tertulia.live.reader import Reader
from tertulia.push.queued import CLOSE_SECONDS, HIGH_BYTES, QueuedConnection

MEDIA_TYPE = "text/event-stream"
_RETRY_MILLISECONDS = 2000


Resolve = Callable[[DiscussionKey], Awaitable[DiscussionKey]]
"""From a key to the name of the discussion that it leads to. Raises unavailable."""


async def _as_given(key: DiscussionKey) -> DiscussionKey:
    return key


class EventStream(Response):
    """The answer that does not end until the reader leaves or the room closes it."""

    media_type = MEDIA_TYPE

    def __init__(
        self, hub: Hub, key: DiscussionKey, cursor: Cursor, *, full: bool, resolve: Resolve = _as_given
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._key = key
        self._resolve = resolve
        self._cursor = cursor
        self._full = full

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send(_body(f"retry: {_RETRY_MILLISECONDS}\n\n".encode()))

        async def send_event(frame: Frame) -> None:
            data = frame.sse(self._hub.epoch)
            await send(_body(data))
            if len(data) > HIGH_BYTES:
                # a server takes what comes while little waits, so this waits until it does: then the next is made
                await send(_body(b""))

        try:
            room = await self._hub.enter(await self._resolve(self._key), self._cursor)
        except Problem:
            # the store is away, which was logged where it was met; a browser comes back to a stream that ends
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        reader = Reader(room, full=self._full)
        reader.connection = connection = QueuedConnection(reader)
        room.join(reader, self._cursor)
        if self._hub.draining:
            connection.close(CloseCode.restarting)
        if await connection.run(send_event, _disconnected(receive)) is not None:
            with suppress(TimeoutError):  # who takes nothing does not take the end either
                async with asyncio.timeout(CLOSE_SECONDS):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _body(data: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": True}


async def _disconnected(receive: Receive) -> CloseCode | None:
    message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()
    return None
