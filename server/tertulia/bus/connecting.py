"""Connections to Redis: from its URL to one that is ready, and how long to wait before the next."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, parse_url

from tertulia.errors import StartupError

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 1.0
FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0

OURS: dict[str, Any] = {
    "db": 0,  # pub/sub knows no databases, and SELECT would be one more permission
    "protocol": 2,  # RESP2 is parsed in about half the time
    # every use here has a timeout around it; the library's own is a wait_for, which swallows a cancellation before 3.12
    "socket_timeout": None,
    "socket_connect_timeout": CONNECT_SECONDS,
    # a connection that comes back by itself has lost messages and says nothing of it
    "retry": None,
    "retry_on_timeout": False,
    "retry_on_error": [],
    "health_check_interval": 0,
    "decode_responses": False,
}


class Address:
    """Where Redis is. Raises StartupError where the URL is none, without repeating it: it may hold a password."""

    def __init__(self, url: str) -> None:
        try:
            given: dict[str, Any] = {**parse_url(url)}
            self._kind: type[AbstractConnection] = given.pop("connection_class", Connection)
            self._arguments = {**given, **OURS}
            self._kind(**self._arguments)
        except Exception:
            line = "TERTULIA_REDIS_URL cannot be read; write it as redis://user:password@host:6379"
            raise StartupError(line) from None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AbstractConnection]:
        """A new connection, thrown away at the end."""
        connection = self._kind(**self._arguments)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.connect()  # type: ignore[no-untyped-call]
            yield connection
        finally:
            await connection.disconnect(nowait=True)


class Backoff:
    """Waits longer after each failure, never as long as the others that failed in the same moment."""

    def __init__(self) -> None:
        self._wait = FIRST_WAIT

    def reset(self) -> None:
        self._wait = FIRST_WAIT

    async def wait(self) -> None:
        await asyncio.sleep(self._wait * random.uniform(0.5, 1.0))  # noqa: S311
        self._wait = min(2 * self._wait, LONGEST_WAIT)


def reason(error: BaseException) -> str:
    """One line that says what went wrong first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
