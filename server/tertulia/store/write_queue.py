"""The write queue: the only way into the database. Commands that wait together are committed together.

    submit(command) ──▶ queue ──▶ one transaction: command.apply ──▶ COMMIT ──▶ on_committed(events) ──▶ answers

A disk that syncs in 5 ms commits 200 times a second, but each time as many commands as have come meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from tertulia.errors import ErrorCode, Problem
from tertulia.store import desk_log, prepared
from tertulia.store.administration import ProbeWrite
from tertulia.store.commands import Command, CommandResult
from tertulia.store.connections import WriteConnection
from tertulia.store.event_log import CommittedEvent
from tertulia.store.failures import Failure, FailureLog, classify
from tertulia.store.locks import hold, lock_discussions
from tertulia.store.stats import WriteStats

T = TypeVar("T")
OnCommitted = Callable[[list[CommittedEvent]], None]
BeforeCommit = Callable[[Connection, list[CommittedEvent]], None]
BATCH = 128
ATTEMPTS = 3
"""Of a batch that met another instance's."""
QUEUE = 10_000
PROVEN_SECONDS = 5.0
"""A commit proves for so long that the database can write: one that is idle commits 12 rows a minute for nobody."""
RETRY_SECONDS = 1.0
"""Between two attempts while the database cannot commit: its recovery is noticed at most this much later."""
REOPENED = frozenset({Failure.read_only, Failure.damaged})
"""Failures after which a connection lives on but can never write again: it leads to a standby, or its file was opened
to read. It is replaced."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Queued:
    command: Command[Any]
    answer: asyncio.Future[Any]
    result: CommandResult[Any] | Exception | None = None


class WriteQueue:
    """Applies commands one batch after the other, each batch in one transaction.

    What ``start`` is given is called after every commit with the batch's events in order, before any command is
    answered; ``on_erased`` after one in which something was deleted. ``before_commit`` stores what else a batch's
    events want, in its transaction; ``on_tasks`` is called after one in which tasks were made.
    """

    def __init__(self, connection: WriteConnection, failures: FailureLog | None = None) -> None:
        self.stats = WriteStats()
        self.on_erased: Callable[[], None] = lambda: None
        self.before_commit: BeforeCommit | None = None
        self.on_tasks: Callable[[], None] = lambda: None
        self._connection = connection
        self._failures = failures or FailureLog()
        self._trouble: Failure | None = None
        self._known_at = -math.inf
        self._probe: asyncio.Task[None] | None = None
        self._on_committed: OnCommitted = lambda events: None
        self._queue: asyncio.Queue[_Queued | None] = asyncio.Queue(QUEUE)
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def waiting(self) -> int:
        """How many commands wait for the next transaction."""
        return self._queue.qsize()

    def start(self, on_committed: OnCommitted) -> None:
        self._on_committed = on_committed
        self._task = asyncio.create_task(self._run(), name="write-queue")

    async def close(self) -> None:
        """Commits what waits, then stops."""
        if self._task is not None:
            self._closing = True
            await self._queue.put(None)
            await self._task
            self._task = None

    @property
    def is_stuck(self) -> bool:
        """Whether the database was out of service for the last transaction."""
        return self._trouble is not None

    async def can_write(self) -> bool:
        """Whether the database commits, as the last transaction says; where that was long ago, one is made for it."""
        known_for = PROVEN_SECONDS if self._trouble is None else RETRY_SECONDS
        if time.monotonic() - self._known_at >= known_for:
            if self._probe is None or self._probe.done():
                self._probe = asyncio.create_task(self._probe_write(), name="write-queue-probe")
            await asyncio.shield(self._probe)
        return self._trouble is None

    async def _probe_write(self) -> None:
        try:
            await self.submit(ProbeWrite())
        except Problem:
            pass  # noted where it was met
        except Exception as error:
            self._note(error, 1)

    async def submit(self, command: Command[T]) -> T:
        """The command's value, once it is durable; raises what the command raises, or unavailable."""
        if self._task is None or self._closing:
            raise Problem(ErrorCode.unavailable, "The server is shutting down; try again in a moment.", retry_after=2)
        if self._queue.full():
            self.stats.turned_away += 1
            raise Problem(ErrorCode.unavailable, "The server is overloaded; try again.", retry_after=1)
        queued = _Queued(command, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(queued)
        value: T = await queued.answer
        return value

    async def _run(self) -> None:
        running = True
        while running:
            batch: list[_Queued] = []
            first = await self._queue.get()
            while first is not None:
                if not first.answer.cancelled():
                    batch.append(first)
                if len(batch) >= BATCH or self._queue.empty():
                    break
                first = self._queue.get_nowait()
            running = first is not None
            if batch:
                await self._commit(batch)

    async def _commit(self, batch: list[_Queued]) -> None:
        began = time.perf_counter()
        try:
            await self._transact(batch)
        except Exception as error:
            self._fail(batch, error)
            if self._trouble in REOPENED:
                await self._connection.reopen()
        else:
            self._succeed(batch, time.perf_counter() - began)
        events = _events(batch)
        if events:
            self._publish(events)
        if (events and self.before_commit is not None) or any(map(_makes_tasks, batch)):
            self.on_tasks()
        for one in batch:
            _answer(one)

    async def _transact(self, batch: list[_Queued]) -> None:
        for _ in range(ATTEMPTS - 1):
            try:
                await self._connection.transact(partial(_apply, batch, self.before_commit))
                return
            except Exception as error:
                if classify(error).fate != "again":
                    raise
        await self._connection.transact(partial(_apply, batch, self.before_commit))

    def _fail(self, batch: list[_Queued], error: Exception) -> None:
        self._note(error, len(batch))
        cause = Problem(ErrorCode.unavailable, "It could not be stored; try again.", retry_after=1)
        cause.__cause__ = error
        self.stats.failed_commits += 1
        for one in batch:
            if not isinstance(one.result, Exception):
                one.result = cause
                self.stats.lost += 1

    def _note(self, error: Exception, commands: int) -> None:
        """Notes why so many commands were not committed."""
        met = self._failures.note(error, "A batch could not be committed", commands=commands)
        if met.fate == "ours":
            log.error("A batch could not be committed", exc_info=error, extra={"commands": commands})
        elif met.fate == "out":
            self._trouble, self._known_at = met, time.monotonic()

    def _succeed(self, batch: list[_Queued], seconds: float) -> None:
        results = [one.result for one in batch if isinstance(one.result, CommandResult)]
        self.stats.commit(len(batch), len(results), seconds)
        if any(result.erases for result in results):
            self.on_erased()
        if any(map(_has_written, batch)):
            self._trouble, self._known_at = None, time.monotonic()

    def _publish(self, events: list[CommittedEvent]) -> None:
        try:
            self._on_committed(events)
        except Exception:
            # what is committed stays committed: readers get it when their room compares itself with the store
            log.exception("Committed events could not be announced", extra={"events": len(events)})


def _apply(batch: list[_Queued], before_commit: BeforeCommit | None, connection: Connection) -> None:
    """Applies all or, where one raises, each by itself: a savepoint a command would cost each more than its share."""
    error = _apply_together(batch, before_commit, connection)
    if error is None:
        return
    if len(batch) == 1:
        batch[0].result = error
        return
    if isinstance(error, Problem):
        # the rollback let go of the locks: one by one they would be taken in the order of the batch
        _lock(batch, connection)
    for one in batch:
        _apply([one], before_commit, connection)


def _apply_together(
    batch: list[_Queued], before_commit: BeforeCommit | None, connection: Connection
) -> Exception | None:
    """Applies all, or none and gives the mistake of one. Raises what the others would meet as well."""
    savepoint = connection.begin_nested()
    try:
        _lock(batch, connection)
        for one in batch:
            one.result = one.command.apply(connection)
        prepared.flush(connection)
        if before_commit is not None and (events := _events(batch)):
            before_commit(connection, events)
        _tell_desks(batch, connection)
    except Exception as error:
        prepared.discard(connection)
        if connection.invalidated or (not isinstance(error, Problem) and classify(error).fate != "ours"):
            raise
        # raises where the database has given up the whole transaction: then nothing of the batch is stored, and what
        # came after would be stored without it
        savepoint.rollback()
        return error
    savepoint.commit()
    return None


def _tell_desks(batch: list[_Queued], connection: Connection) -> None:
    """The events of it belong to the last command: whoever publishes a batch takes them in their order."""
    touched = [one for queued in batch if isinstance(queued.result, CommandResult) for one in queued.result.touched]
    if touched:
        told, last = desk_log.append(connection, touched), batch[-1]
        assert isinstance(last.result, CommandResult)  # noqa: S101 - all were applied
        last.result = replace(last.result, events=(*last.result.events, *told))


def _lock(batch: list[_Queued], connection: Connection) -> None:
    lock_discussions(connection, [one.command.locks for one in batch])
    hold(connection, [name for one in batch for name in one.command.holds])


def _events(batch: list[_Queued]) -> list[CommittedEvent]:
    return [event for one in batch if isinstance(one.result, CommandResult) for event in one.result.events]


def _has_written(one: _Queued) -> bool:
    """Whether it surely changed something: a transaction of refusals and repeats says nothing of the database."""
    return isinstance(one.result, CommandResult) and bool(one.result.events or isinstance(one.command, ProbeWrite))


def _makes_tasks(one: _Queued) -> bool:
    return isinstance(one.result, CommandResult) and one.result.makes_tasks


def _answer(one: _Queued) -> None:
    if one.answer.cancelled():
        return
    if isinstance(one.result, CommandResult):
        one.answer.set_result(one.result.value)
    else:
        one.answer.set_exception(one.result or RuntimeError("the command was not applied"))
