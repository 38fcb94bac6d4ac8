"""The pump: carries a stream's messages to a connection until either of them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from tertulia.errors import CloseCode
from tertulia.live.stream import Stream


async def carry(
    stream: Stream, send: Callable[[str], Awaitable[None]], gone: Coroutine[Any, Any, CloseCode | None]
) -> CloseCode | None:
    """Sends until ``gone`` returns or the room closes the stream.

    Returns why to close the connection, None when the client is no longer there. What ``send`` and ``gone``
    raise is raised, unless the stream is being closed.
    """
    pumping = asyncio.create_task(_pump(stream, send))
    watching = asyncio.create_task(gone)
    stream.on_close = pumping.cancel  # also where the connection takes nothing more
    try:
        await asyncio.wait((pumping, watching), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (pumping, watching):
            task.cancel()
        results = await asyncio.gather(pumping, watching, return_exceptions=True)
    if stream.closing is not None:
        return stream.closing
    for result in results:
        if isinstance(result, Exception):
            raise result
    code = results[1]
    return code if isinstance(code, CloseCode) else None


async def _pump(stream: Stream, send: Callable[[str], Awaitable[None]]) -> None:
    async with aclosing(stream.messages()) as messages:
        async for message in messages:
            await send(message)
