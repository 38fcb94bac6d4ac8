"""An upgrade under load: a database of the first version becomes today's while an instance of that version goes on.

`first/` holds dumps of revision 0001 with comments, replies, votes, edits, removals and reports, made by the first
version; the statements below are those that it posts and reads with. Both stay as they are for ever: a revision that
they do not get on with breaks the promise of docs/operating.md, to add first and to remove a version later.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import asyncpg  # type: ignore[import-untyped]
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from tertulia.checks import check
from tertulia.core.ids import uuid7
from tertulia.store import Store, queries
from tests.support.postgres import Postgres
from tests.support.store_actions import EVA, HERE, THERE, StoreActions, listed, log
from tests.support.waiting import PATIENCE, until

FIRST = Path(__file__).parent / "first"
TEXTS = [
    "The market should stay where it was.",
    "It floods there, every year.",
    "Then raise it.",
]
"""What is visible in the dumps' first discussion, oldest first."""
ENOUGH = 5
"""Comments that each side says before, while and after the schema changes."""

POST_CONTEXT = """
SELECT discussion.id, discussion.title, discussion.url, discussion.mode, discussion.seq, discussion.comment_count
FROM discussion JOIN site ON site.id = discussion.site_id WHERE site.key = :site AND discussion.key = :key
"""
ADVANCE = """
UPDATE discussion SET seq = seq + 1, comment_count = comment_count + 1 WHERE id = :discussion
RETURNING seq, comment_count
"""
AUTHOR = "INSERT INTO author (id, name, badge, created_at) VALUES (:id, :name, :badge, :created_at)"
COMMENT = """
INSERT INTO comment (id, discussion_id, parent_id, root_id, author_id, author_name, author_badge, text, body,
    created_at, edited_at, state, published, up, down, reply_count, pinned, idempotency_key, request_digest)
VALUES (:id, :discussion_id, :parent_id, :root_id, :author_id, :author_name, :author_badge, :text, :body,
    :created_at, :edited_at, :state, :published, :up, :down, :reply_count, :pinned, :idempotency_key, :request_digest)
"""
EVENT = """
INSERT INTO event (discussion_id, seq, kind, comment_id, at, payload)
VALUES (:discussion_id, :seq, :kind, :comment_id, :at, :payload)
"""
COMMENTS = """
SELECT id, discussion_id, parent_id, root_id, author_id, author_name, author_badge, text, body, created_at, edited_at,
    state, published, up, down, reply_count, pinned, idempotency_key, request_digest
FROM comment WHERE discussion_id = :discussion ORDER BY created_at, id
"""
EVENTS = (
    "SELECT seq, comment_id, kind, payload FROM event WHERE discussion_id = :discussion AND seq > :after ORDER BY seq"
)


class Driver(Protocol):
    """A connection of the first version."""

    async def run(self, statement: str, **values: object) -> list[Any]:
        raise NotImplementedError

    async def transact(self, work: Callable[[], Awaitable[None]]) -> None:
        raise NotImplementedError


class OfSqlite:
    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=PATIENCE)
        self._connection.execute("PRAGMA foreign_keys=ON")

    async def run(self, statement: str, **values: object) -> list[Any]:
        return await asyncio.to_thread(lambda: self._connection.execute(statement, values).fetchall())

    async def transact(self, work: Callable[[], Awaitable[None]]) -> None:
        await self.run("BEGIN IMMEDIATE")
        await work()
        await self.run("COMMIT")

    def close(self) -> None:
        self._connection.close()


class OfPostgresql:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def run(self, statement: str, **values: object) -> list[Any]:
        names = list(dict.fromkeys(re.findall(r":(\w+)", statement)))
        numbered = re.sub(r":(\w+)", lambda found: f"${names.index(found[1]) + 1}", statement)
        found: list[Any] = await self._connection.fetch(numbered, *(values[name] for name in names))
        return found

    async def transact(self, work: Callable[[], Awaitable[None]]) -> None:
        async with self._connection.transaction():
            await self.run("SELECT id FROM discussion WHERE key = :key FOR UPDATE", key=HERE.key)
            await work()


class Instance:
    """One of the first version, that was started before the upgrade and never again."""

    def __init__(self, driver: Driver) -> None:
        self.said: list[str] = []
        self.read: list[int] = []
        self._driver = driver
        self._author = uuid7()
        self._ending = False

    async def live(self) -> None:
        await self._driver.transact(self._introduce)
        while not self._ending:
            await self._driver.transact(self._say)
            await self._look()

    def end(self) -> None:
        self._ending = True

    async def _introduce(self) -> None:
        await self._driver.run(AUTHOR, id=self._author, name="Old", badge=None, created_at=1)

    async def _say(self) -> None:
        [context] = await self._driver.run(POST_CONTEXT, site=HERE.site, key=HERE.key)
        [(seq, count)] = await self._driver.run(ADVANCE, discussion=context[0])
        [template] = await self._driver.run(
            "SELECT payload FROM event WHERE discussion_id = :discussion AND seq = :seq", discussion=context[0], seq=3
        )
        event = json.loads(template[0])
        comment_id, said = uuid7(), f"Number {len(self.said)} of before"
        body = [{"type": "paragraph", "children": [{"type": "text", "text": said}]}]
        event |= {"seq": seq, "comment_count": count}
        event.pop("parent", None)
        view = event["comment"]
        view |= {"id": comment_id, "parent_id": None, "body": body, "author": view["author"] | {"name": "Old"}}
        view["author"]["id"] = self._author
        created = 1_900_000_000_000 + seq
        view["created_at"] = event["at"] = f"2030-03-17T17:46:40.{seq:03}Z"
        await self._driver.run(
            COMMENT,
            id=comment_id,
            discussion_id=context[0],
            parent_id=None,
            root_id=comment_id,
            author_id=self._author,
            author_name="Old",
            author_badge=None,
            text=said,
            body=json.dumps(body),
            created_at=created,
            edited_at=None,
            state="visible",
            published=True,
            up=0,
            down=0,
            reply_count=0,
            pinned=False,
            idempotency_key=uuid7(),
            request_digest="digest",
        )
        await self._driver.run(
            EVENT,
            discussion_id=context[0],
            seq=seq,
            kind="comment.created",
            comment_id=comment_id,
            at=created,
            payload=json.dumps(event),
        )
        self.said.append(said)

    async def _look(self) -> None:
        [context] = await self._driver.run(POST_CONTEXT, site=HERE.site, key=HERE.key)
        comments = await self._driver.run(COMMENTS, discussion=context[0])
        events = await self._driver.run(EVENTS, discussion=context[0], after=0)
        assert [event[0] for event in events] == [*range(1, len(events) + 1)]
        self.read.append(len(comments))


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a database of each kind without any table: the first version makes its own."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = await server.create(migrated=False)
    yield server.address(name)
    await server.drop(name)


@asynccontextmanager
async def of_first_version(database: str) -> AsyncIterator[Driver]:
    """The database, loaded from the dump, and a connection to it."""
    if database.startswith("sqlite"):
        path = database.removeprefix("sqlite+aiosqlite:///")
        loading = sqlite3.connect(path)
        loading.execute("PRAGMA journal_mode=WAL")
        loading.executescript((FIRST / "sqlite.sql").read_text())
        loading.close()
        driver = OfSqlite(path)
        try:
            yield driver
        finally:
            driver.close()
        return
    address = database.replace("+asyncpg", "")
    loading = await asyncpg.connect(address)
    await loading.execute((FIRST / "postgresql.sql").read_text())
    await loading.close()
    connection = await asyncpg.connect(address)
    try:
        yield OfPostgresql(connection)
    finally:
        await connection.close()


async def revision(store: Store) -> str:
    query = text("SELECT version_num FROM alembic_version")
    return str(await store.read(lambda connection: connection.scalar(query)))


def head() -> str | None:
    config = Config()
    config.set_main_option("script_location", "tertulia.store:migrations")
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config).get_current_head()


async def test_an_instance_of_the_first_version_goes_on_beside_those_of_today(database: str) -> None:
    async with of_first_version(database) as driver, asyncio.timeout(300):
        old = Instance(driver)
        living = asyncio.create_task(old.live())

        async def has_said(count: int) -> None:
            await until(lambda: len(old.said) >= count or living.done(), "the posts of the old version", 120)
            if living.done():
                living.result()  # raises what its statements met

        await has_said(ENOUGH)
        store = await Store.open(database)
        store.start()
        actions = StoreActions(store)
        try:
            assert await revision(store) == head()
            before = len(old.said)
            answers = await asyncio.gather(
                *(actions.post_comment(f"Number {number} of today", by=EVA) for number in range(20))
            )
            await has_said(before + ENOUGH)
            old.end()
            await living
            shown = [comment.text for comment in await listed(store) if comment.state == "visible"]
            assert [one for one in shown if one in TEXTS] == TEXTS
            assert {*old.said, *(answer.comment.text for answer in answers)} == {*shown} - {*TEXTS}
            assert old.read == sorted(old.read)
            assert [event.seq for event in await log(store)] == [*range(1, len(await log(store)) + 1)]
            assert await check(store) == []
        finally:
            old.end()
            await asyncio.gather(living, return_exceptions=True)
            await store.close()


async def test_what_the_first_version_stored_is_what_it_was(database: str) -> None:
    async with of_first_version(database):
        store = await Store.open(database)
        store.start()
        try:
            comments = await listed(store)
            assert [comment.text for comment in comments if comment.state == "visible"] == TEXTS
            assert [(comment.up, comment.down, comment.reply_count) for comment in comments[:2]] == [
                (1, 0, 1),
                (0, 1, 1),
            ]
            assert [comment.state for comment in comments[3:]] == ["removed", "deleted"]
            held, _ = await store.read(queries.held, "default", 50, None)
            assert [(one.key, one.comment.text) for one in held] == [(THERE, "I wait for approval.")]
            reported, _ = await store.read(queries.reported, "default", 50, None)
            assert [one.comment.text for one in reported] == ["It floods there, every year."]
            assert [comment.text for comment in await listed(store, THERE)] == ["I was approved."]
            assert len(await store.read(queries.moderators)) == 1
            assert await check(store) == []
        finally:
            await store.close()


EDITED = "01a2236a-f468-7510-92ba-83dc06e5ac08"
"""The comment that is edited in the dumps, by event 4."""


@pytest.fixture
async def shared(postgres: Postgres) -> AsyncIterator[str]:
    """A PostgreSQL as the first version left it: SQLite lets nobody write beside a migration."""
    name = await postgres.create(migrated=False)
    async with of_first_version(postgres.address(name)):
        yield postgres.address(name)
    await postgres.drop(name)


@asynccontextmanager
async def connected(database: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database.replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()


async def is_waited_for(connection: Any) -> None:
    """Returns once a statement of somebody waits for a lock."""
    for _ in range(6_000):
        if await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waited")


async def test_readers_go_on_while_the_log_is_rewritten(shared: str) -> None:
    async with connected(shared) as busy, connected(shared) as reader:
        async with busy.transaction():
            await busy.execute("SELECT * FROM event FOR UPDATE")
            opening = asyncio.create_task(Store.open(shared))
            await is_waited_for(busy)
            async with asyncio.timeout(5):
                assert await reader.fetchval("SELECT count(*) FROM comment WHERE published") > 0
        store = await opening
        assert await check(store) == []
        await store.close()


async def test_what_the_first_version_removes_while_the_log_is_rewritten_stays_removed(
    shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as until_then:
        upgrade = command.upgrade
        until_then.setattr(command, "upgrade", lambda config, _revision: upgrade(config, "0002"))
        await (await Store.open(shared)).close()
    async with connected(shared) as old:
        async with old.transaction():
            await old.execute("SELECT id FROM discussion WHERE id = 1 FOR UPDATE")
            events = {}
            for row in await old.fetch("SELECT seq, payload FROM event WHERE comment_id = $1", EDITED):
                event = json.loads(row["payload"])
                if "comment" in event:
                    event["comment"] |= {"author": None, "body": None, "state": "removed"}
                    events[row["seq"]] = event
            await old.execute("UPDATE comment SET state = 'removed' WHERE id = $1", EDITED)
            for seq, event in events.items():
                rewrite = "UPDATE event SET payload = $1 WHERE discussion_id = 1 AND seq = $2"
                await old.execute(rewrite, json.dumps(event), seq)
            opening = asyncio.create_task(Store.open(shared))
            await is_waited_for(old)
            advance = "UPDATE discussion SET seq = seq + 1, comment_count = comment_count - 1 WHERE id = 1"
            [(seq, count)] = await old.fetch(f"{advance} RETURNING seq, comment_count")
            removed = events[max(events)]
            removed["comment"] |= {"votes": {"up": 1, "down": 0}, "reply_count": 1}
            removed |= {"seq": seq, "kind": "comment.removed", "at": "2030-03-17T17:46:40.000Z", "comment_count": count}
            insert = "INSERT INTO event VALUES (1, $1, 'comment.removed', $2, 1900000000000, $3)"
            await old.execute(insert, seq, EDITED, json.dumps(removed))
        store = await opening
        assert await check(store) == []
        await store.close()
