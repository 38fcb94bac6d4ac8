"""Tasks: work that waits in the database to be done, once or again and again, by whichever instance takes it.

enqueue ──▶ claim: a lease ──▶ done outside any transaction ──▶ complete, in the transaction of what came of it
                                └─ fails: again later, or dead ─┘

A task has ids, never text or names: whoever does it reads what is true then. All times are the database's own in
milliseconds: on PostgreSQL an instance's clock may be an hour off.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import (
    Connection,
    CursorResult,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    text,
    update,
)

from tertulia.store import schema
from tertulia.store.clock import now
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.locks import LockTarget
from tertulia.store.prepared import Prepared

T = TypeVar("T")
Payload = Mapping[str, str | int]
LEASE_MILLISECONDS = 60_000
"""How long a task is its taker's without a word of it."""
ERROR_CHARACTERS = 300
LEASE_BYTES = 12

_task, _t = schema.task, schema.task.c


class LeaseLostError(Exception):
    """Somebody else has the task: its lease had ended. What was done of it here is not to be stored."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A task that is ours for now: until ``complete`` or ``FailTask``, or until its lease ends."""

    id: int
    queue: str
    name: str | None
    payload: Payload
    attempts: int
    version: int
    lease: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is due of a queue: how many tasks, and since how many milliseconds the oldest of them has been."""

    due: int
    oldest: int


@dataclass(frozen=True, slots=True)
class QueueSummary:
    """How many tasks of a queue wait, and how many of them are due or being done."""

    queue: str
    waiting: int
    due: int


@dataclass(frozen=True, slots=True)
class DeadTask:
    """A task that failed at its last attempt, at ``dead_at``."""

    id: int
    queue: str
    name: str | None
    attempts: int
    dead_at: int
    error: str


# ---- making ---------------------------------------------------------------------------------------------

_TOUCHED = """
INSERT INTO task (queue, name, payload, run_at, attempts, version, error, at)
VALUES (:queue, :name, :payload, :run_at, 0, 1, '', :at)
ON CONFLICT (name) DO UPDATE SET
    version = task.version + 1,
    run_at = CASE WHEN task.attempts = 0 AND excluded.run_at < task.run_at THEN excluded.run_at ELSE task.run_at END
"""
_TOUCH = Prepared(
    text(_TOUCHED).bindparams(
        bindparam("queue", type_=_t.queue.type),
        bindparam("name", type_=_t.name.type),
        bindparam("payload", type_=_t.payload.type),
        bindparam("run_at", type_=_t.run_at.type),
        bindparam("at", type_=_t.at.type),
    )
)


def enqueue(connection: Connection, queue: str, payload: Payload, *, name: str | None = None, delay: int = 0) -> None:
    """Makes a task in the transaction of whatever wants it done, in ``delay`` milliseconds.

    One with a ``name`` that waits already is touched: it comes no later than this one would, and whoever is doing it
    does it once more afterwards. One that has failed keeps its turn, or a busy discussion would have a broken task
    tried for each comment; one that is dead stays so.
    """
    at = now(connection)
    values = {"queue": queue, "name": name, "payload": dict(payload), "run_at": at + delay, "at": at}
    _TOUCH.run(connection, values)


PERIODIC = "every:"


def missing_periodic(connection: Connection, queues: Iterable[str]) -> list[str]:
    """The queues among these that nobody has made the task of yet that comes again and again."""
    names = {PERIODIC + queue: queue for queue in queues}
    there = connection.scalars(select(_t.name).where(_t.name.in_(sorted(names)))) if names else ()
    return sorted(names[name] for name in names.keys() - set(there))


@dataclass(frozen=True, slots=True)
class AddPeriodic(Command[None]):
    """Makes the tasks of these queues that come again and again, the first time now; one a queue for all instances."""

    queues: Sequence[str]

    def apply(self, connection: Connection) -> CommandResult[None]:
        for queue in self.queues:
            enqueue(connection, queue, {}, name=PERIODIC + queue)
        return CommandResult(None)


# ---- taking ---------------------------------------------------------------------------------------------


def waiting(connection: Connection, queues: Iterable[str]) -> dict[str, Waiting]:
    """What is due of these queues; writes nothing."""
    at = now(connection)
    query = (
        select(_t.queue, func.count().label("due"), func.min(_t.run_at).label("oldest"))
        .where(_t.queue.in_(sorted(queues)), _is_due(at))
        .group_by(_t.queue)
    )
    return {row.queue: Waiting(row.due, at - row.oldest) for row in connection.execute(query)}


def _is_due(at: int) -> Any:
    # in literal words, as the index says it
    free = or_(_t.leased_until.is_(None), _t.leased_until < at)
    return and_(text("dead_at IS NULL"), _t.run_at <= at, free)


@dataclass(frozen=True, slots=True)
class ClaimTasks(Command[list[Claimed]]):
    """Takes up to so many due tasks of each queue, the oldest first. No two instances take one at a time."""

    free: Mapping[str, int]

    def apply(self, connection: Connection) -> CommandResult[list[Claimed]]:
        lease, at = secrets.token_hex(LEASE_BYTES), now(connection)
        found = [one for queue, most in self.free.items() for one in _claim(connection, queue, most, lease, at)]
        return CommandResult(found)


def _claim(connection: Connection, queue: str, most: int, lease: str, at: int) -> list[Claimed]:
    due = select(_t.id).where(_t.queue == queue, _is_due(at)).order_by(_t.run_at, _t.id).limit(most)
    # what another instance is taking just now is not waited for; SQLite has one writer, and no words for it
    due = due.with_for_update(skip_locked=True)
    taken = (
        update(_task)
        .where(_t.id.in_(due))
        .values(lease=lease, leased_until=at + LEASE_MILLISECONDS, attempts=_t.attempts + 1)
        .returning(_t.id, _t.name, _t.payload, _t.attempts, _t.version, _t.run_at)
    )
    rows = sorted(connection.execute(taken).all(), key=lambda row: (row.run_at, row.id))
    return [Claimed(row.id, queue, row.name, row.payload, row.attempts, row.version, lease) for row in rows]


@dataclass(frozen=True, slots=True)
class ProlongLeases(Command[None]):
    """Tasks that take long stay ours."""

    claimed: tuple[Claimed, ...]

    def apply(self, connection: Connection) -> CommandResult[None]:
        at = now(connection)
        for one in self.claimed:
            connection.execute(_ours(update(_task), one).values(leased_until=at + LEASE_MILLISECONDS))
        return CommandResult(None)


# ---- ending ---------------------------------------------------------------------------------------------


def complete(connection: Connection, claimed: Claimed, again_in: int | None = None) -> None:
    """The task is done, in the transaction of what came of it; raises LeaseLostError, and nothing of it is stored.

    It is gone, unless it was touched meanwhile: then it is due at once. With ``again_in`` it is due in so many
    milliseconds.
    """
    untouched = _t.id == claimed.id, _t.lease == claimed.lease, _t.version == claimed.version
    if again_in is None:
        done = _changed(connection, delete(_task).where(*untouched))
    else:
        done = _changed(connection, update(_task).where(*untouched).values(**_due_in(connection, again_in)))
    if not done and not _changed(connection, _ours(update(_task), claimed).values(**_due_in(connection, 0))):
        raise LeaseLostError(claimed.id)


def _due_in(connection: Connection, milliseconds: int) -> dict[str, Any]:
    """The values of a task that nobody has, as if it had never been tried."""
    run_at = now(connection) + milliseconds
    return {"run_at": run_at, "attempts": 0, "lease": None, "leased_until": None, "error": ""}


@dataclass(frozen=True, slots=True)
class CompleteTask(Command[T], Generic[T]):
    """What came of a task, and that it is done, in one transaction: both or neither. Raises LeaseLostError."""

    claimed: Claimed
    effect: Command[T] | None = None
    again_in: int | None = None

    @property
    def locks(self) -> LockTarget:
        return None if self.effect is None else self.effect.locks

    @property
    def holds(self) -> frozenset[str]:
        return frozenset() if self.effect is None else self.effect.holds

    def apply(self, connection: Connection) -> CommandResult[T]:
        came = CommandResult(cast("T", None)) if self.effect is None else self.effect.apply(connection)
        complete(connection, self.claimed, self.again_in)
        return came


@dataclass(frozen=True, slots=True)
class FailTask(Command[None]):
    """It failed for this reason: due again in ``again_in`` milliseconds, or with None dead until ``RetryTasks``."""

    claimed: Claimed
    reason: str
    again_in: int | None

    def apply(self, connection: Connection) -> CommandResult[None]:
        at = now(connection)
        values: dict[str, Any] = {"lease": None, "leased_until": None, "error": self.reason[:ERROR_CHARACTERS]}
        values |= {"dead_at": at} if self.again_in is None else {"run_at": at + self.again_in}
        connection.execute(_ours(update(_task), self.claimed).values(**values))
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class ReleaseTasks(Command[None]):
    """Gives back what was taken and is not begun, or not finished: another instance may have it at once."""

    claimed: tuple[Claimed, ...]

    def apply(self, connection: Connection) -> CommandResult[None]:
        for one in self.claimed:
            freed = _ours(update(_task), one)
            connection.execute(freed.values(lease=None, leased_until=None, attempts=_t.attempts - 1))
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class RetryTasks(Command[int]):
    """Dead tasks, one or all of a queue, are due again; how many they were."""

    id: int | None = None
    queue: str | None = None

    def apply(self, connection: Connection) -> CommandResult[int]:
        chosen = _t.id == self.id if self.queue is None else _t.queue == self.queue
        dead = update(_task).where(chosen, text("dead_at IS NOT NULL"))
        revived = dead.values(dead_at=None, attempts=0, run_at=now(connection), lease=None, leased_until=None)
        return CommandResult(_changed(connection, revived))


def _ours(statement: Update, claimed: Claimed) -> Update:
    return statement.where(_t.id == claimed.id, _t.lease == claimed.lease)


def _changed(connection: Connection, statement: Any) -> int:
    return cast("CursorResult[Any]", connection.execute(statement)).rowcount


# ---- for people -----------------------------------------------------------------------------------------


def summary(connection: Connection) -> list[QueueSummary]:
    """What waits, by queue."""
    due = func.sum(case((_t.run_at <= now(connection), 1), else_=0))
    query = select(_t.queue, func.count(), due).where(text("dead_at IS NULL")).group_by(_t.queue).order_by(_t.queue)
    return [QueueSummary(queue, waits, int(due)) for queue, waits, due in connection.execute(query)]


def dead(connection: Connection, limit: int) -> list[DeadTask]:
    """The tasks that nobody tries any more, the newest first."""
    query = select(_t.id, _t.queue, _t.name, _t.attempts, _t.dead_at, _t.error).where(text("dead_at IS NOT NULL"))
    rows = connection.execute(query.order_by(_t.dead_at.desc(), _t.id.desc()).limit(limit))
    return [DeadTask(*row) for row in rows]


def dead_counts(connection: Connection) -> dict[str, int]:
    """How many tasks of each queue are dead."""
    query = select(_t.queue, func.count().label("dead")).where(text("dead_at IS NOT NULL")).group_by(_t.queue)
    return {row.queue: row.dead for row in connection.execute(query)}
