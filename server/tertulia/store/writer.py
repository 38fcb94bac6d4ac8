"""The writer: the one connection that writes, and the thread that it lives in.

A statement from the event loop to a driver's thread and back costs more than SQLite needs to run it, so a transaction
goes there whole: one change of threads for all the commands of a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")


class Writer:
    """Runs work one after another; ``engine`` has one connection."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` returns, once it is committed; what it raises, once it is rolled back."""

        def run() -> T:
            with self.engine.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    async def connected(self, work: Callable[[Connection], T]) -> T:
        """Like ``transact``, but transactions are the work's own."""

        def run() -> T:
            with self.engine.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    async def close(self) -> None:
        """Waits for what runs, and lets go of the connection."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)
        self._thread.shutdown()
