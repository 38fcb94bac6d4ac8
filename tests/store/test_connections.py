"""Readers in threads: as many at once as there are connections, and what becomes of those that nobody waits for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from tertulia import checks
from tertulia.errors import ErrorCode, Problem
from tertulia.reporting import Progress
from tertulia.store import Store, connections, queries
from tertulia.store.connections import READ_CONNECTIONS
from tests.support.waiting import PATIENCE, until

ENDLESS = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    yield store
    await store.close()


class Held:
    """Work that lasts until it is released."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self.released = threading.Event()

    def __call__(self, connection: Connection) -> int:
        connection.execute(text("SELECT 1"))
        self.began.release()
        assert self.released.wait(60)
        return 1

    async def runs(self) -> None:
        assert await asyncio.to_thread(self.began.acquire, timeout=PATIENCE)


def in_use(store: Store) -> int:
    pool = store.database.read.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


async def test_more_readers_than_connections_are_told_to_come_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held()
    async with asyncio.TaskGroup() as group:
        reading = [group.create_task(store.read(held)) for _ in range(READ_CONNECTIONS)]
        for _ in reading:
            await held.runs()
        monkeypatch.setattr(connections, "POOL_SECONDS", 0.05)
        with pytest.raises(Problem) as busy:
            await store.read(queries.epoch)
        assert busy.value.code is ErrorCode.unavailable
        monkeypatch.undo()
        waiting = group.create_task(store.read(queries.epoch))
        held.released.set()
    assert [task.result() for task in reading] == [1] * READ_CONNECTIONS
    assert waiting.result() == store.epoch, "who waits is next"


async def test_a_statement_that_nobody_waits_for_is_interrupted(store: Store) -> None:
    began, ended = threading.Event(), list[str]()

    def endless(connection: Connection) -> None:
        connection.execute(text("SELECT 1"))
        began.set()
        try:
            connection.execute(ENDLESS)
        except OperationalError as error:
            ended.append(str(error.orig))
            raise

    for number in range(1, READ_CONNECTIONS + 2):
        task = asyncio.create_task(store.read(endless))
        assert await asyncio.to_thread(began.wait, 60)
        began.clear()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda number=number: len(ended) == number, "the end of the statement")  # type: ignore[misc]
    assert set(ended) == {"interrupted"}
    assert await store.read(queries.epoch) == store.epoch
    assert in_use(store) == 0


async def test_a_check_that_is_given_up_finds_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    began, found = threading.Event(), list[checks.Finding]()

    def endless(connection: Connection, _progress: Progress) -> list[checks.Finding]:
        began.set()
        connection.execute(ENDLESS)
        return []

    monkeypatch.setattr("tertulia.checks.file.check", endless)
    checking = asyncio.create_task(checks.search(store, found.append))
    assert await asyncio.to_thread(began.wait, 60)
    checking.cancel()
    await asyncio.wait([checking])
    assert checking.cancelled()
    await until(lambda: in_use(store) == 0, "the end of the statement")
    assert found == []


async def test_whoever_is_cancelled_leaves_no_connection_behind(store: Store) -> None:
    held = Held()
    reading = [asyncio.create_task(store.read(held)) for _ in range(READ_CONNECTIONS)]
    for _ in reading:
        await held.runs()
    waiting = asyncio.create_task(store.read(queries.epoch))
    await asyncio.sleep(0)
    for task in (*reading, waiting):
        task.cancel()
    await asyncio.wait([*reading, waiting])
    assert all(task.cancelled() for task in (*reading, waiting))
    assert in_use(store) == READ_CONNECTIONS, "what runs keeps its connection"
    held.released.set()
    found = await asyncio.gather(*(store.read(queries.epoch) for _ in range(3 * READ_CONNECTIONS)))
    assert set(found) == {store.epoch}
    await until(lambda: in_use(store) == 0, "all connections are back")


async def test_closing_waits_for_what_is_read(store: Store) -> None:
    held = Held()
    reading = asyncio.create_task(store.read(held))
    await held.runs()
    closing = asyncio.create_task(store.database.read.close())
    await asyncio.sleep(0)
    assert not closing.done()
    held.released.set()
    await closing
    assert await reading == 1
    assert not [one for one in threading.enumerate() if one.name.startswith("reader")]


async def test_what_work_raises_is_raised(store: Store) -> None:
    def wrong(_connection: Connection) -> None:
        raise LookupError("here")

    for _ in range(2 * READ_CONNECTIONS):
        with pytest.raises(LookupError, match="here"):
            await store.read(wrong)
    assert in_use(store) == 0
