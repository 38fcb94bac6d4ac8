"""The store: SQL is the only truth. What changes is a command, what is asked for a query.

await store.write(PostComment(draft)) ──▶ write_queue   group commit, events numbered under the discussion's row lock
await store.read(queries.thread, …)   ──▶ a connection  one consistent snapshot an answer
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from tertulia.errors import ErrorCode, Problem, StartupError
from tertulia.store import queries
from tertulia.store.commands import Command
from tertulia.store.database import Database, OpenMode, open_database
from tertulia.store.erasing import Eraser
from tertulia.store.event_log import CommittedEvent
from tertulia.store.failures import FailureLog, driver_errors, line
from tertulia.store.write_queue import WriteQueue

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """An open database; ``answered_at`` is when it last answered a query, in the seconds of ``time.monotonic``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.failures = FailureLog()
        self.write_queue = WriteQueue(database.write, self.failures)
        self.answered_at = time.monotonic()
        self.epoch = ""
        self._eraser = None if database.file is None else Eraser(database.file)

    @classmethod
    async def open(cls, url: str, *, timeouts: bool = True, opening: OpenMode = "create") -> Store:
        """Opens and migrates; writing is possible once ``start`` was called. Raises StartupError.

        ``opening`` says what to do where there is no database, or only an older one: see ``database``.
        Without ``timeouts`` every statement gets the time that it takes, as work on a whole database needs.
        """
        store = cls(await open_database(url, timeouts=timeouts, opening=opening))
        try:
            store.epoch = await store.read(queries.epoch)
        except Problem as problem:
            await store.database.close()
            raise StartupError(f"{problem.detail} ({line(problem.__cause__ or problem)})") from problem
        return store

    def start(self, on_committed: Callable[[list[CommittedEvent]], None] = lambda events: None) -> None:
        """Begins to write; ``on_committed`` hears of every committed event, in order, before anyone is answered."""
        self.write_queue.start(on_committed)
        if self._eraser is not None:
            self.write_queue.on_erased = self._eraser.ask
            self._eraser.start()

    async def write(self, command: Command[T]) -> T:
        """The command's value, once it is durable; raises what the command raises, or unavailable."""
        return await self.write_queue.submit(command)

    async def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What ``query`` gives for these arguments, in a transaction of its own; raises what it raises.

        Raises unavailable where the database cannot be reached or has no connection to spare.
        """
        try:
            found = await self.database.read.run(lambda connection: query(connection, *args, **kwargs))
        except driver_errors(OSError, EOFError, SQLAlchemyError) as error:
            if self.failures.note(error, "The database cannot be read").fate == "ours":
                raise
            raise Problem(ErrorCode.unavailable, "The database does not answer; try again.", retry_after=2) from error
        self.answered_at = time.monotonic()
        return found

    def bound(self, query: Callable[Concatenate[Connection, P], T]) -> Callable[P, Awaitable[T]]:
        """``read`` bound to this query, for whoever knows nothing of the store."""

        async def read(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.read(query, *args, **kwargs)

        return read

    async def close(self) -> None:
        """Commits what waits and lets go of the database."""
        await self.write_queue.close()
        if self._eraser is not None:
            await self._eraser.close()
        await self.database.close()
