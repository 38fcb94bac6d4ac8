"""The writer: the one connection that writes, a whole transaction at a time.

SQLite      in a thread of its own: a statement from the event loop to a driver's thread and back costs more than SQLite
            needs to run it, so a transaction goes there whole
PostgreSQL  on the event loop: its driver waits for the network anyway
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
REOPEN_SECONDS = 1.0
"""A server that does not take leave in this time is left without."""


class WriteConnection(Protocol):
    """Runs work one after another."""

    engine: Engine

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` returns, once it is committed; what it raises, once it is rolled back."""
        raise NotImplementedError

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Like ``transact``, but transactions are the work's own."""
        raise NotImplementedError

    async def reopen(self) -> None:
        """Lets go of the connection: the next transaction makes a new one."""
        raise NotImplementedError

    async def close(self) -> None:
        """Waits for what runs, and lets go of the connection."""
        raise NotImplementedError


class ThreadedConnection:
    """The writer of a database whose driver blocks; ``engine`` has one connection."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    async def transact(self, work: Callable[[Connection], T]) -> T:
        def run() -> T:
            with self.engine.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    async def run(self, work: Callable[[Connection], T]) -> T:
        def run() -> T:
            with self.engine.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    async def reopen(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)
        self._thread.shutdown()


class AsyncConnection:
    """The writer of a database with an asynchronous driver; its engine has one connection."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine.sync_engine
        self._engine = engine

    async def transact(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def run(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def reopen(self) -> None:
        with suppress(TimeoutError, SQLAlchemyError, OSError):
            async with asyncio.timeout(REOPEN_SECONDS):
                await self._engine.dispose()

    async def close(self) -> None:
        await self._engine.dispose()
