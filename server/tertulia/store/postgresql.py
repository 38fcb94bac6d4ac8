"""PostgreSQL: its engines, and connections on the event loop. A server on SQLite loads neither this nor a driver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tertulia.store import connections, schema
from tertulia.store.failures import driver_errors

T = TypeVar("T")
CONNECT_SECONDS = 2.0
"""Timeout of one attempt to connect; the next caller tries anew, which gets past an attempt that hangs."""
PING_SECONDS = 1.0
"""An idle connection that does not answer in this time is replaced, as one whose packets vanish has to be."""
COMMAND_SECONDS = 10
START_CONNECT_SECONDS = 10.0
"""At a start, when nobody waits for an answer yet."""
REOPEN_SECONDS = 1.0
"""For closing politely: a server that does not answer in this time is left without a farewell."""
NEW = "is new"


class AsyncReadConnections:
    """For an asynchronous driver; the engine has READ_CONNECTIONS connections."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine.sync_engine
        self._engine = engine

    async def run(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()


class AsyncConnection(AsyncReadConnections):
    """What writes, too; the engine has one connection."""

    async def transact(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def reopen(self) -> None:
        with suppress(TimeoutError, SQLAlchemyError, OSError):
            async with asyncio.timeout(REOPEN_SECONDS):
                await self._engine.dispose()


def open_connections(
    url: URL, *, timeouts: bool, read_only: bool = False
) -> tuple[AsyncConnection, AsyncReadConnections]:
    """The connection that writes and those that read. Raises SQLAlchemyError for options that the driver refuses."""
    schema.complete_for_postgresql()
    connect_seconds = CONNECT_SECONDS if timeouts else START_CONNECT_SECONDS
    connecting: dict[str, Any] = {"timeout": connect_seconds, "server_settings": {"application_name": "tertulia"}}
    if read_only:
        connecting["server_settings"]["default_transaction_read_only"] = "on"
    if timeouts:
        connecting["command_timeout"] = COMMAND_SECONDS
        # an instance that freezes in the middle of a transaction holds up its discussions no longer than this
        connecting["server_settings"] |= {
            "idle_in_transaction_session_timeout": f"{COMMAND_SECONDS}s",
            "lock_timeout": f"{COMMAND_SECONDS}s",
        }
    common: dict[str, Any] = {"max_overflow": 0, "connect_args": connecting, "hide_parameters": True}
    write = create_async_engine(url, pool_size=1, **common)
    read = create_async_engine(
        url,
        pool_size=connections.READ_CONNECTIONS,
        pool_timeout=connections.POOL_SECONDS,
        isolation_level="REPEATABLE READ",
        **common,
    )
    for engine in (write, read):
        event.listen(engine.sync_engine, "connect", _is_new)
        event.listen(engine.sync_engine, "checkout", _try_out)
    return AsyncConnection(write), AsyncReadConnections(read)


def _try_out(connection: Any, record: Any, _proxy: Any) -> None:
    """Tries a connection before each use: after a restart of the database none of the old ones work.

    The pool's own way of doing so waits as long as for any statement, and then for a farewell.
    """
    if NEW in record.info:
        del record.info[NEW]
        return
    try:
        connection.run_async(_ping)
    except driver_errors(OSError, EOFError) as error:
        connection.driver_connection.terminate()
        raise InvalidatePoolError from error


def _is_new(_connection: Any, record: Any) -> None:
    record.info[NEW] = True


async def _ping(connection: Any) -> None:
    await connection.execute("SELECT 1", timeout=PING_SECONDS)
