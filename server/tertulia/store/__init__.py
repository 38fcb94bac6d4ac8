"""The store: SQL is the only truth. Writes go through the Ledger, reads through Reads.

Store.open(url) ─┬─ ledger   group commit, events numbered under the discussion's row lock
                 └─ reads    one consistent moment an answer
"""

from __future__ import annotations

from collections.abc import Callable

from tertulia.errors import Problem, StartupError
from tertulia.store.database import Database, open_database
from tertulia.store.erasing import Eraser
from tertulia.store.journal import Happened
from tertulia.store.ledger import Ledger
from tertulia.store.reads import Reads
from tertulia.store.troubles import Troubles, line


class Store:
    """An open database."""

    def __init__(self, database: Database, ledger: Ledger, reads: Reads, epoch: str, troubles: Troubles) -> None:
        self.database = database
        self.ledger = ledger
        self.reads = reads
        self.epoch = epoch
        self._eraser = None if database.file is None else Eraser(database.file)
        self.troubles = troubles

    @classmethod
    async def open(cls, url: str, *, patient: bool = False) -> Store:
        """Opens and migrates; writing is possible once ``start`` was called. Raises StartupError.

        One that is ``patient`` gives every statement the time that it takes, as work on a whole database needs.
        """
        database = await open_database(url, patient=patient)
        troubles = Troubles()
        reads = Reads(database.read, troubles)
        try:
            epoch = await reads.epoch()
        except Problem as problem:
            await database.close()
            raise StartupError(f"{problem.detail} ({line(problem.__cause__ or problem)})") from problem
        return cls(database, Ledger(database.write, troubles), reads, epoch, troubles)

    def start(self, committed: Callable[[list[Happened]], None] = lambda happened: None) -> None:
        """Begins to write; ``committed`` hears of every committed event, in order, before anyone is answered."""
        self.ledger.start(committed)
        if self._eraser is not None:
            self.ledger.erased = self._eraser.ask
            self._eraser.start()

    async def close(self) -> None:
        """Commits what waits and lets go of the database."""
        await self.ledger.close()
        if self._eraser is not None:
            await self._eraser.close()
        await self.database.close()
