"""The connections of a database: the one that writes, a whole transaction at a time, and those that read.

SQLite      here, in threads of their own: a statement from the event loop to a driver's thread and back costs more than
            SQLite needs to run it, so a transaction or a query goes there whole
PostgreSQL  in ``postgresql``, on the event loop: its driver waits for the network anyway
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

T = TypeVar("T")
READ_CONNECTIONS = 4
POOL_SECONDS = 10
INTERRUPT_SECONDS = 0.1
"""Between two attempts to end what nobody waits for: only a statement can be interrupted, not what is made of rows."""


class WriteConnection(Protocol):
    """Runs work one after another."""

    engine: Engine

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` returns, once it is committed; what it raises, once it is rolled back."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Like ``transact``, but ``work`` begins and commits transactions itself."""

    async def reopen(self) -> None:
        """Lets go of the connection: the next transaction makes a new one."""

    async def close(self) -> None:
        """Waits for what runs, and lets go of the connection."""


class ReadConnections(Protocol):
    """Runs as much work at once as there are connections, READ_CONNECTIONS."""

    engine: Engine

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` returns, in a transaction of its own, which is then rolled back; raises what it raises.

        Raises sqlalchemy.exc.TimeoutError where no connection becomes free in POOL_SECONDS.
        """

    async def close(self) -> None:
        """Lets go of the connections."""


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


class ThreadedReadConnections:
    """For a driver that blocks; ``engine`` has READ_CONNECTIONS connections.

    Where a caller is cancelled, what runs for it is interrupted and keeps its thread until it has ended.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._threads = ThreadPoolExecutor(READ_CONNECTIONS, thread_name_prefix="reader")
        self._free = asyncio.Semaphore(READ_CONNECTIONS)
        self._running: set[asyncio.Future[Any]] = set()

    async def run(self, work: Callable[[Connection], T]) -> T:
        await self._reserve()
        reading = _Reading(self.engine, work)
        running = asyncio.get_running_loop().run_in_executor(self._threads, reading)
        self._running.add(running)
        running.add_done_callback(self._on_ended)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            _end(reading, running)
            raise

    async def close(self) -> None:
        """Waits for what runs."""
        if self._running:
            await asyncio.wait(self._running)
        self._threads.shutdown()
        self.engine.dispose()

    async def _reserve(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(POOL_SECONDS):
                await self._free.acquire()
        except TimeoutError as error:
            raise PoolTimeoutError(f"None of {READ_CONNECTIONS} connections became free in {POOL_SECONDS} s") from error

    def _on_ended(self, running: asyncio.Future[Any]) -> None:
        self._running.discard(running)
        self._free.release()


class _Reading(Generic[T]):
    """Work in a thread, whose statements another thread may interrupt."""

    def __init__(self, engine: Engine, work: Callable[[Connection], T]) -> None:
        self._engine = engine
        self._work = work
        self._lock = threading.Lock()
        self._driver_connection: Any = None

    def __call__(self) -> T:
        with self._engine.connect() as connection:
            self._use(connection.connection.driver_connection)
            try:
                return self._work(connection)
            finally:
                self._use(None)  # the connection is somebody else's in a moment

    def interrupt(self) -> None:
        with self._lock:
            if self._driver_connection is not None:
                self._driver_connection.interrupt()

    def _use(self, driver_connection: Any) -> None:
        with self._lock:
            self._driver_connection = driver_connection


def _end(reading: _Reading[Any], running: asyncio.Future[Any]) -> None:
    """Interrupts until it has ended."""
    if not running.done():
        reading.interrupt()
        asyncio.get_running_loop().call_later(INTERRUPT_SECONDS, _end, reading, running)
