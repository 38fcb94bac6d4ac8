"""The store: SQL is the only truth. Writes go through the WriteQueue, reads through Reads.

Store.open(url) ─┬─ write_queue  group commit, events numbered under the discussion's row lock
                 └─ reads    one consistent moment an answer
"""

from __future__ import annotations

from collections.abc import Callable

from tertulia.errors import Problem, StartupError
from tertulia.store.database import Database, open_database
from tertulia.store.erasing import Eraser
from tertulia.store.event_log import CommittedEvent
from tertulia.store.queries import Reads
from tertulia.store.troubles import Troubles, line
from tertulia.store.write_queue import WriteQueue


class Store:
    """An open database."""

    def __init__(
        self, database: Database, write_queue: WriteQueue, reads: Reads, epoch: str, troubles: Troubles
    ) -> None:
        self.database = database
        self.write_queue = write_queue
        self.reads = reads
        self.epoch = epoch
        self._eraser = None if database.file is None else Eraser(database.file)
        self.troubles = troubles

    @classmethod
    async def open(cls, url: str, *, timeouts: bool = True) -> Store:
        """Opens and migrates; writing is possible once ``start`` was called. Raises StartupError.

        Without ``timeouts`` every statement gets the time that it takes, as work on a whole database needs.
        """
        database = await open_database(url, timeouts=timeouts)
        troubles = Troubles()
        reads = Reads(database.read, troubles)
        try:
            epoch = await reads.epoch()
        except Problem as problem:
            await database.close()
            raise StartupError(f"{problem.detail} ({line(problem.__cause__ or problem)})") from problem
        return cls(database, WriteQueue(database.write, troubles), reads, epoch, troubles)

    def start(self, committed: Callable[[list[CommittedEvent]], None] = lambda happened: None) -> None:
        """Begins to write; ``committed`` hears of every committed event, in order, before anyone is answered."""
        self.write_queue.start(committed)
        if self._eraser is not None:
            self.write_queue.erased = self._eraser.ask
            self._eraser.start()

    async def close(self) -> None:
        """Commits what waits and lets go of the database."""
        await self.write_queue.close()
        if self._eraser is not None:
            await self._eraser.close()
        await self.database.close()
