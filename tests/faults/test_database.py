"""A database that goes away, or cannot be written, and comes back: what people and operators are told meanwhile.

Nothing that was answered is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from tertulia.app import Running, running
from tertulia.checks import check
from tertulia.discussions import sites
from tertulia.errors import CloseCode
from tertulia.settings import Settings
from tertulia.store import Store, administration, postgresql, queries, write_queue
from tertulia.store.failures import Failure
from tertulia.web.readiness import BUSY_SECONDS
from tests.push.test_fallback import connected
from tests.support.postgres import Postgres, running_postgres
from tests.support.proxy import Silence
from tests.support.waiting import until


async def test_a_database_that_goes_away_is_told_and_comes_back(tmp_path: Path) -> None:
    with running_postgres() as postgres:
        settings = Settings(data_dir=tmp_path, database_url=postgres.address(), secret_key="s" * 32)
        async with running(settings) as server:
            transport = httpx.ASGITransport(server.asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:

                async def say(key: str) -> httpx.Response:
                    said = {"key": "x", "body": "Still here.", "author": {"name": "Lan"}}
                    return await client.post("/api/v1/comments", json=said, headers={"Idempotency-Key": key * 16})

                assert (await say("a")).status_code == 201
                assert (await client.get("/readyz")).status_code == 200
                await asyncio.to_thread(postgres.crash)
                answers = [await say("b"), await client.get("/api/v1/discussion?key=x"), await client.get("/d?key=x")]
                assert [answer.status_code for answer in answers] == [503, 503, 503]
                assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
                assert answers[0].json()["code"] == answers[1].json()["code"] == "unavailable"
                assert (await client.get("/readyz")).status_code == 503
                assert (await client.get("/healthz")).status_code == 200
                await asyncio.to_thread(postgres.start_again)

                async def ready() -> bool:
                    return (await client.get("/readyz")).status_code == 200

                await until(ready, "a server that is ready again")
                assert (await say("b")).status_code == 201
                page = (await client.get("/api/v1/discussion?key=x")).json()
                assert [comment["body"] for comment in page["comments"]]
                assert page["discussion"]["comment_count"] == 2
            assert await check(server.store) == []


@pytest.mark.parametrize("fresh", [sites.FRESH_SECONDS, 0.0])
async def test_who_comes_while_the_database_is_away_is_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: float
) -> None:
    """Whether the sites are known still or not: a client that is told to stop would never come back."""
    monkeypatch.setattr(sites, "FRESH_SECONDS", fresh)
    with running_postgres() as postgres:
        settings = Settings(data_dir=tmp_path, database_url=postgres.address(), secret_key="s" * 32)
        async with running(settings) as server:
            async with connected(server, "key=x") as socket:
                assert (await socket.until("hello"))["seq"] == 0
            await asyncio.to_thread(postgres.crash)
            async with connected(server, "key=y") as socket:
                closed = await socket.next()
                assert (closed["type"], closed["code"]) == ("websocket.close", CloseCode.restarting)
            await asyncio.to_thread(postgres.start_again)
            async with connected(server, "key=y") as socket:
                assert (await socket.until("hello"))["seq"] == 0


# ---- one that reads and does not write ------------------------------------------------------------------


class Trial:
    """Posts and probes while a database cannot be written."""

    def __init__(self, server: Running, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
        self._server = server
        self._client = client
        self._caplog = caplog
        self._posts = 0

    async def say(self) -> httpx.Response:
        self._posts += 1
        said = {"key": "x", "body": "Still here.", "author": {"name": "Lan"}}
        return await self._client.post(
            "/api/v1/comments", json=said, headers={"Idempotency-Key": f"{self._posts:0>32}"}
        )

    async def ready(self) -> tuple[int, str]:
        await asyncio.sleep(0)  # what is abandoned has to have a turn
        answer = await self._client.get("/readyz")
        return answer.status_code, answer.json()["status"]

    async def answers(self, holds: Callable[[tuple[int, str]], bool], what: str) -> None:
        """Waits until the probe is answered so."""

        async def reached() -> bool:
            return holds(await self.ready())

        await until(reached, what, 120)

    async def passes(self, met: Failure) -> None:
        """What everybody is answered while it lasts."""
        counts = self._server.store.write_queue.stats
        self._caplog.clear()
        before = counts.failed_commits
        answers = await asyncio.gather(*(self.say() for _ in range(30)))
        assert {answer.status_code for answer in answers} == {503}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
        assert {answer.json()["code"] for answer in answers} == {"unavailable"}
        assert counts.failed_commits > before
        assert self._server.store.failures.counts[met] >= counts.failed_commits
        assert (await self._client.get("/api/v1/discussion?key=x")).status_code == 200
        assert await self.ready() == (503, "the database cannot write")
        records = [record for record in self._caplog.records if record.levelname in ("WARNING", "ERROR")]
        assert len(records) <= 1, "once a minute"
        assert all(record.exc_info is None for record in self._caplog.records)

    async def is_over(self) -> None:
        """What they are answered after it, without a post by anybody."""
        assert await self.ready() == (200, "ok")
        assert (await self.say()).status_code == 201


@asynccontextmanager
async def trial(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Running, Trial]]:
    monkeypatch.setattr(write_queue, "PROVEN_SECONDS", 0.0)
    monkeypatch.setattr(write_queue, "RETRY_SECONDS", 0.0)
    async with running(settings) as server:
        transport = httpx.ASGITransport(server.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:
            it = Trial(server, client, caplog)
            assert (await it.say()).status_code == 201
            yield server, it


@pytest.fixture
async def own_database(postgres: Postgres) -> AsyncIterator[str]:
    name = await postgres.create(migrated=False)
    yield name
    await postgres.drop(name)


async def test_a_postgresql_that_turns_read_only_is_out_of_service_for_writers(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_postgres() as postgres:
        changed = settings.model_copy(update={"database_url": postgres.address()})
        async with trial(changed, caplog, monkeypatch) as (server, it):
            await postgres.run("ALTER SYSTEM SET default_transaction_read_only = on")
            await postgres.run("SELECT pg_reload_conf()")
            # found though nobody posts, as soon as the server has read its configuration
            await it.answers(lambda found: found[0] != 200, "a server that is not ready")
            await it.passes(Failure.read_only)
            await postgres.run("ALTER SYSTEM RESET default_transaction_read_only")
            await postgres.run("SELECT pg_reload_conf()")
            await it.answers(lambda found: found[0] == 200, "a server that is ready")
            await it.is_over()
            assert await check(server.store) == []


FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON comment EXECUTE FUNCTION full_disk();
CREATE TRIGGER full_disk BEFORE INSERT ON meta EXECUTE FUNCTION full_disk();
"""


async def test_a_postgresql_whose_disk_is_full_is_out_of_service_for_writers(
    postgres: Postgres,
    own_database: str,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = settings.model_copy(update={"database_url": postgres.address(own_database)})
    async with trial(changed, caplog, monkeypatch) as (server, it):
        await postgres.run(FULL, own_database)
        await it.passes(Failure.full)
        await postgres.run("DROP FUNCTION full_disk CASCADE", own_database)
        await it.is_over()
        assert await check(server.store) == []


async def test_a_sqlite_whose_disk_is_full_is_out_of_service_for_writers(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trial(settings, caplog, monkeypatch) as (server, it):
        engine = server.store.database.write.engine

        def pages(most: int) -> None:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"PRAGMA max_page_count={most}")

        pages(1)  # as many as there are
        while (await it.say()).status_code == 201:
            pass  # into what is free in pages that are there
        await it.passes(Failure.full)
        pages(1_000_000)
        await it.is_over()
        assert await check(server.store) == []


async def test_a_sqlite_that_cannot_be_written_is_opened_again_until_it_can(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was opened to read alone would stay so, whatever the operator does."""
    async with trial(settings, caplog, monkeypatch) as (server, it):
        engine = server.store.database.write.engine
        opened = 0

        def read_only(connection: Any, _record: object) -> None:
            nonlocal opened
            opened += 1
            connection.execute("PRAGMA query_only=ON")

        event.listen(engine, "connect", read_only)
        await server.store.database.write.reopen()
        await it.passes(Failure.read_only)
        assert opened > 1
        event.remove(engine, "connect", read_only)
        await it.is_over()
        assert await check(server.store) == []


# ---- packets that vanish --------------------------------------------------------------------------------


@pytest.fixture
async def silence(postgres: Postgres) -> AsyncIterator[Silence]:
    async with Silence(postgres.socket) as proxy:
        yield proxy


def behind(silence: Silence, name: str) -> str:
    return f"postgresql+asyncpg://postgres@127.0.0.1:{silence.port}/{name}"


async def test_a_probe_is_answered_while_packets_vanish_and_again_when_they_do_not(
    silence: Silence,
    own_database: str,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A statement may take an hour: nothing that is asked for a probe waits so long."""
    monkeypatch.setattr(postgresql, "COMMAND_SECONDS", 3600)
    monkeypatch.setattr(postgresql, "PING_SECONDS", 0.2)
    changed = settings.model_copy(update={"database_url": behind(silence, own_database)})
    async with trial(changed, caplog, monkeypatch) as (server, it), asyncio.timeout(120):
        silence.everybody = True
        server.store.answered_at -= BUSY_SECONDS  # as if nothing had been read for so long
        assert [await it.ready() for _ in range(5)] == [(503, "the database does not answer")] * 5
        silence.everybody = False
        silence.silence_open()  # what was said before is lost for good
        await it.answers(lambda found: found == (200, "ok"), "a server that is ready")
        assert await check(server.store) == []


async def test_a_connection_that_says_nothing_is_replaced_by_the_next_who_needs_one(
    silence: Silence, own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a failover whose old server could not take leave. A statement may take an hour, a sign of life not."""
    monkeypatch.setattr(postgresql, "COMMAND_SECONDS", 3600)
    monkeypatch.setattr(postgresql, "PING_SECONDS", 0.1)
    store = await Store.open(behind(silence, own_database))
    store.start()
    try:
        async with asyncio.timeout(120):
            assert await store.write_queue.can_write()
            silence.silence_open()
            before = silence.accepted
            assert await store.read(queries.epoch) == store.epoch
            await store.write(administration.ProbeWrite())
            assert silence.accepted >= before + 2
    finally:
        await store.close()
