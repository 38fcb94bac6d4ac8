"""Workers: every task is done, by one at a time, whatever its handler, its process or its database does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Connection, event, update

from tertulia.errors import ErrorCode, Problem
from tertulia.store import Store, schema, tasks
from tertulia.store.commands import CommandResult
from tertulia.work import Job, Queue, Workers
from tertulia.work.queues import DELAYS, HOUR, RefusedError, delay_after
from tertulia.work.workers import WorkTuning
from tests.support import tables
from tests.support.store_actions import Custom
from tests.support.waiting import until

QUICK = WorkTuning(look=0.05, pause=0.005, prolong=0.05, drain=0.2)


@dataclass(slots=True)
class Handling:
    """A handler that notes what it was given, and waits where ``gate`` is shut."""

    error: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[int] = field(default_factory=list)
    at_once: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def __call__(self, job: Job) -> None:
        self.seen.append(int(job.payload.get("number", 0)))
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        if self.error is not None:
            raise self.error


Start = Callable[..., Awaitable[Workers]]


@pytest.fixture
async def start(store: Store) -> AsyncIterator[Start]:
    """Starts workers for queues; they end with the test."""
    async with AsyncExitStack() as stack:

        async def begin(*queues: Queue, of: Store = store, tuning: WorkTuning = QUICK) -> Workers:
            workers = Workers(of, queues, tuning)
            workers.start()
            stack.push_async_callback(workers.close)
            return workers

        yield begin


async def make(store: Store, count: int = 1, *, queue: str = "mail", name: str | None = None) -> None:
    def enqueue(connection: Connection) -> CommandResult[None]:
        for number in range(count):
            tasks.enqueue(connection, queue, {"number": number}, name=name)
        return CommandResult(None)

    await store.write(Custom(enqueue))


async def rows(store: Store) -> list[dict[str, Any]]:
    return await tables.rows(store, schema.task)


async def is_empty(store: Store) -> bool:
    return not await rows(store)


async def change(store: Store, **values: Any) -> None:
    await tables.execute(store, update(schema.task).values(**values))


async def test_everything_is_done_and_no_more_at_once_than_the_queue_allows(store: Store, start: Start) -> None:
    handling = Handling()
    handling.gate.clear()
    await make(store, 20)
    workers = await start(Queue("mail", handling, at_once=3))
    await until(lambda: handling.at_once == 3, "three at once")
    handling.gate.set()
    await until(lambda: is_empty(store), "the queue to be empty")
    assert sorted(handling.seen) == list(range(20))
    assert handling.most == 3
    assert workers.stats.done == {"mail": 20}


async def test_a_task_that_is_made_here_is_done_without_waiting_for_a_look(store: Store, start: Start) -> None:
    handling = Handling()
    workers = await start(Queue("mail", handling), tuning=WorkTuning(look=3_600, pause=0))
    await until(lambda: workers.stats.waiting == {}, "the first look")
    await make(store)
    workers.wake()
    await until(lambda: is_empty(store), "the task to be done")


async def test_a_task_that_another_instance_made_is_found_by_a_look(store: Store, start: Start) -> None:
    handling = Handling()
    await start(Queue("mail", handling))
    await make(store)
    await until(lambda: is_empty(store), "the task to be done")


async def test_queues_of_others_are_left_alone(store: Store, start: Start) -> None:
    handling = Handling()
    await make(store, queue="push")
    await make(store, queue="mail")
    await start(Queue("mail", handling))
    await until(lambda: _queues(store, ["push"]), "only the push to be left")
    assert handling.seen == [0]


async def _queues(store: Store, expected: list[str]) -> bool:
    return [row["queue"] for row in await rows(store)] == expected


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError("no route to host\nmore"), "OSError: no route to host"),
        (Problem(ErrorCode.invalid, "The address is odd."), "The address is odd."),
    ],
)
async def test_a_task_that_fails_is_tried_again_later(
    store: Store, start: Start, error: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    handling = Handling(error)
    await make(store)
    workers = await start(Queue("mail", handling))
    await until(lambda: _has_failed(store), "the failure to be stored")
    [row] = await rows(store)
    assert (row["error"], row["attempts"], row["dead_at"]) == (reason, 1, None)
    assert 4_000 <= row["run_at"] - row["at"] <= 3_600_000
    assert workers.stats.failed == {"mail": 1}
    assert [vars(record)["reason"] for record in caplog.records] == [reason]
    handling.error = None
    await change(store, run_at=1)
    await until(lambda: is_empty(store), "the second attempt")
    assert handling.seen == [0, 0]


async def _has_failed(store: Store) -> bool:
    return [row["lease"] for row in await rows(store)] == [None] and bool((await rows(store))[0]["error"])


async def test_after_the_last_attempt_a_task_is_dead_and_told(
    store: Store, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    await make(store)
    await change(store, attempts=len(DELAYS))
    await start(Queue("mail", Handling(OSError("gone"))))
    await until(lambda: _is_dead(store), "the task to be dead")
    assert "tertulia work list" in caplog.text


async def test_what_can_never_succeed_is_dead_at_once(store: Store, start: Start) -> None:
    await make(store)
    await start(Queue("mail", Handling(RefusedError("no such mailbox"))))
    await until(lambda: _is_dead(store), "the task to be dead")
    assert [row["attempts"] for row in await rows(store)] == [1]


async def _is_dead(store: Store) -> bool:
    return all(row["dead_at"] is not None for row in await rows(store))


async def test_a_handler_that_takes_too_long_is_ended(store: Store, start: Start) -> None:
    handling = Handling()
    handling.gate.clear()
    await make(store)
    await start(Queue("mail", handling, seconds=0.05))
    await until(lambda: _has_failed(store), "the failure to be stored")
    assert [row["error"] for row in await rows(store)] == ["It took longer than 0.05 s."]
    assert handling.at_once == 0


async def test_a_lease_is_prolonged_while_its_task_is_being_done(store: Store, start: Start) -> None:
    handling = Handling()
    handling.gate.clear()
    await make(store)
    await start(Queue("mail", handling))
    await until(lambda: handling.at_once, "the handler to run")
    await change(store, leased_until=1)

    async def is_prolonged() -> bool:
        return int((await rows(store))[0]["leased_until"]) > 1

    await until(is_prolonged, "the lease to be prolonged")
    handling.gate.set()
    await until(lambda: is_empty(store), "the task to be done")


async def test_what_a_handler_completes_itself_is_stored_with_it(store: Store, start: Start) -> None:
    def apply(connection: Connection) -> CommandResult[str]:
        connection.execute(schema.meta.insert().values(name="effect", value="stored"))
        return CommandResult("value")

    values: list[str] = []

    async def handler(job: Job) -> None:
        values.append(await job.complete(Custom(apply)))

    await make(store)
    await start(Queue("mail", handler))
    await until(lambda: is_empty(store), "the task to be done")
    assert values == ["value"]


async def test_a_task_is_done_again_whose_lease_somebody_else_got(store: Store, start: Start) -> None:
    handling = Handling()
    handling.gate.clear()
    await make(store)
    first = await start(Queue("mail", handling), tuning=WorkTuning(look=0.05, pause=0.005, prolong=3_600))
    await until(lambda: handling.at_once == 1, "the first to begin")
    await change(store, leased_until=1)
    second = await start(Queue("mail", handling))
    await until(lambda: handling.at_once == 2, "the second to begin")
    handling.gate.set()
    await until(lambda: is_empty(store), "the task to be done")
    await until(lambda: handling.at_once == 0, "both to end")
    await until(lambda: first.stats.done + second.stats.done == {"mail": 1}, "one to have done it")


async def test_closing_lets_what_runs_end_and_gives_back_what_does_not(store: Store) -> None:
    quick, slow = Handling(), Handling()
    quick.gate.clear()
    slow.gate.clear()
    await make(store)
    await make(store, queue="push")
    workers = Workers(store, [Queue("mail", quick), Queue("push", slow)], QUICK)
    workers.start()
    await until(lambda: quick.at_once and slow.at_once, "both to run")
    closing = asyncio.create_task(workers.close())
    quick.gate.set()
    await closing
    [left] = await rows(store)
    assert (left["queue"], left["lease"], left["attempts"]) == ("push", None, 0)


async def test_periodic_work_is_done_and_comes_again(store: Store, start: Start) -> None:
    handling = Handling()
    await start(Queue("sweep", handling, period=HOUR))
    await until(lambda: _is_scheduled(store), "the first run")
    assert len(handling.seen) == 1
    await change(store, run_at=1)
    await until(lambda: len(handling.seen) == 2, "the second run")


async def _is_scheduled(store: Store) -> bool:
    found = await rows(store)
    return len(found) == 1 and found[0]["run_at"] > found[0]["at"] and found[0]["lease"] is None


async def test_periodic_work_that_fails_never_dies(store: Store, start: Start) -> None:
    await start(Queue("sweep", Handling(OSError("no")), period=HOUR))
    await until(lambda: _has_failed(store), "a failure")
    await change(store, attempts=50, run_at=1)

    async def has_failed_again() -> bool:
        [row] = await rows(store)
        return row["attempts"] == 51 and row["lease"] is None

    await until(has_failed_again, "another failure")
    [row] = await rows(store)
    assert row["dead_at"] is None


async def test_an_idle_server_writes_nothing(store: Store, start: Start) -> None:
    await start(Queue("sweep", Handling(), period=HOUR))
    await until(lambda: _is_scheduled(store), "the first run")
    commits: list[None] = []
    event.listen(store.database.write.engine, "commit", lambda _connection: commits.append(None))
    looks: list[None] = []
    event.listen(store.database.read.engine, "begin", lambda _connection: looks.append(None))
    await until(lambda: len(looks) > 10, "ten looks")
    assert commits == []


async def test_a_database_that_does_not_answer_is_asked_again(
    store: Store, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    handling = Handling()
    read = store.read
    asked: list[None] = []

    async def refuse(*_arguments: object) -> None:
        asked.append(None)
        raise Problem(ErrorCode.unavailable, "The database does not answer; try again.")

    monkeypatch.setattr(store, "read", refuse)
    await start(Queue("mail", handling))
    await until(lambda: len(asked) > 3, "some attempts")
    monkeypatch.setattr(store, "read", read)
    await make(store)
    await until(lambda: handling.seen, "the task to be done")


def test_delays_grow_spread_and_end() -> None:
    assert [delay_after(attempt, lambda: 0.5) for attempt in range(1, 9)] == [*DELAYS, None]
    assert delay_after(1, lambda: 0.0) == 4_000
    assert delay_after(1, lambda: 1.0) == 6_000
