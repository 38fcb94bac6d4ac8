"""Erasing: what was deleted stays in SQLite's write-ahead log until that is written over, so it is emptied soon after.

Never on the way of a command: by a connection of its own, in a thread, which gives up at once where somebody reads for
long and tries again.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3

ERASE_SECONDS = 2.0
"""From a deletion to the attempt, and between two attempts: many deletions are one."""
BUSY_MILLISECONDS = 100
"""That an attempt waits for readers at most, and who writes for it."""

log = logging.getLogger(__name__)


class Eraser:
    """Of the database in this file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """Something was deleted, and is committed."""
        self._asked.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="eraser")

    async def close(self) -> None:
        """Tries once more where there is something left: another process may keep the log."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        if self._asked.is_set():
            await self._attempt()

    async def _run(self) -> None:
        while True:
            await self._asked.wait()
            await asyncio.sleep(ERASE_SECONDS)
            await self._attempt()

    async def _attempt(self) -> None:
        self._asked.clear()
        try:
            is_empty = await asyncio.to_thread(_emptied, self._path)
        except sqlite3.Error:
            log.exception("The write-ahead log could not be emptied")
            is_empty = False
        if not is_empty:
            self._asked.set()


def _emptied(path: str) -> bool:
    connection = sqlite3.connect(path, timeout=BUSY_MILLISECONDS / 1000, isolation_level=None)
    try:
        connection.execute("PRAGMA secure_delete=ON")
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        connection.close()
