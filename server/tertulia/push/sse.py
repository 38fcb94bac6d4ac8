"""Server-Sent Events (HTML Standard, section 9.2): the WebSocket's messages as ``data:`` lines.

``id:`` is ``epoch:seq`` after each message, so that a browser that reconnects by itself goes on where it was.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tertulia.errors import CloseCode
from tertulia.live.stream import Stream
from tertulia.push.pump import carry

MEDIA_TYPE = "text/event-stream"
_RETRY_MILLISECONDS = 2000


class EventStream(Response):
    """The answer that does not end until the reader leaves or the room closes it."""

    media_type = MEDIA_TYPE

    def __init__(self, stream: Stream) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        await send(_body(f"retry: {_RETRY_MILLISECONDS}\n\n"))

        async def send_event(message: str) -> None:
            stream = self._stream
            await send(_body(f"id: {stream.epoch}:{stream.seq}\ndata: {message}\n\n"))

        closing = await carry(self._stream, send_event, _gone(receive))
        if closing is not None:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _body(text: str) -> dict[str, object]:
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}


async def _gone(receive: Receive) -> CloseCode | None:
    message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()
    return None
