"""The one connection that writes, a whole transaction at a time.

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
"""For closing politely: a server that does not answer in this time is left without a farewell."""


class WriteConnection(Protocol):
    """Runs work one after another."""

    engine: Engine

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` returns, once it is committed; what it raises, once it is rolled back."""
        raise NotImplementedError

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Like ``transact``, but ``work`` begins and commits transactions itself."""
        raise NotImplementedError

    async def reopen(self) -> None:
        """Lets go of the connection: the next transaction makes a new one."""
        raise NotImplementedError

    async def close(self) -> None:
        """Waits for what runs, and lets go of the connection."""
        raise NotImplementedError


class ThreadedConnection:
    """For a driver that blocks; ``engine`` has one connection."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    async def transact(self, work: Callable[[Connection], T]) -> T:
        def in_thread() -> T:
            with self.engine.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, in_thread)

    async def run(self, work: Callable[[Connection], T]) -> T:
        def in_thread() -> T:
            with self.engine.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, in_thread)

    async def reopen(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)
        self._thread.shutdown()


class AsyncConnection:
    """For an asynchronous driver; the engine has one connection."""

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
