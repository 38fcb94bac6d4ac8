"""The database: its schema and history, its pragmas, and what is told when it cannot be opened."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from tertulia.checks import check
from tertulia.errors import StartupError
from tertulia.store import Store, event_log, migrations, queries, schema
from tertulia.store.database import migrate, open_database
from tests.support.inside import awaiting
from tests.support.postgres import Postgres
from tests.support.store_actions import ABROAD, EVA, LAN, MINH, StoreActions, actor, log, tables
from tests.support.waiting import until, within

WITHOUT_SUMS = pytest.mark.filterwarnings("ignore:.*expression-based index")
"""SQLAlchemy cannot read an index of a sum from SQLite; test_indexes_are_what_the_schema_says does."""
UNKNOWN_TO_THE_FIRST = {
    "action": [],
    "taken_name": [],
    "task": ["(1, 'names', 'names', {}, 0, 0, 1, None, None, None, '', 0)"],
}
"""What is left of some tables by a way down to the first revision: what was decided, and the work of noting names."""


_FORGOTTEN = (
    "UPDATE comment SET version = 1, hidden_by = NULL, decision = NULL",
    "UPDATE report SET state = 'open', resolved_at = NULL",
    "DELETE FROM review WHERE closed_at IS NOT NULL",
    "DELETE FROM event WHERE comment_id IS NULL AND kind = 'desk.item'",
    "DELETE FROM discussion WHERE key LIKE '_desk'",
)


async def forget_decisions(store: Store) -> None:
    """What a way down to the first revision loses of comments and reports, and of desks."""

    def forget(connection: Connection) -> None:
        for statement in _FORGOTTEN:
            connection.exec_driver_sql(statement)
        connection.commit()

    await store.database.write.run(forget)


def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def history(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "tertulia.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


# ---- schema ---------------------------------------------------------------------------------------------


def differences(connection: Connection) -> list[object]:
    opts = {"compare_type": True, "compare_server_default": True, "include_name": _is_of_schema}
    context = MigrationContext.configure(connection, opts=opts)
    return list(compare_metadata(context, schema.metadata))


def _is_of_schema(name: str | None, kind: str, _parents: object) -> bool:
    """Each database has the words of the search in tables of its own."""
    return not (kind == "table" and name is not None and name.startswith("search_text"))


@WITHOUT_SUMS
async def test_the_history_makes_what_the_schema_says(store: Store) -> None:
    def look(connection: Connection) -> dict[str, object]:
        assert differences(connection) == []
        return {name: inspect(connection).get_check_constraints(name) for name in TABLES}

    checks = await store.database.write.run(look)
    assert {name for name, found in checks.items() if found} == {"comment", "vote"}


async def test_indexes_are_what_the_schema_says(store: Store) -> None:
    """Alembic compares neither what is in a partial index nor, on SQLite, an index of a sum."""

    def made(connection: Connection) -> dict[str, str]:
        dialect = connection.dialect
        is_sqlite = dialect.name == "sqlite"
        look = "SELECT name, sql FROM sqlite_master WHERE type = 'index'"
        if not is_sqlite:
            look = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
        return {name: sql for name, sql in connection.exec_driver_sql(look) if name.startswith("ix_")}

    def compare(connection: Connection) -> None:
        by_history = made(connection)
        for table in schema.metadata.sorted_tables:
            for index in table.indexes:
                index.drop(connection)
                index.create(connection)
        assert made(connection) == by_history
        connection.rollback()

    await store.database.write.run(compare)


TABLES = [table.name for table in schema.metadata.sorted_tables]


async def test_there_is_one_head_and_it_is_the_one_that_is_asked_for() -> None:
    config = Config()
    config.set_main_option("script_location", "tertulia.store:migrations")
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


LISTS_ALEMBIC = """
import asyncio, sys
from tertulia.store import Store

async def main():
    store = await Store.open(sys.argv[1])
    print([name for name in sys.modules if name.partition(".")[0] == "alembic"])
    await store.close()

asyncio.run(main())
"""


def opened_by_a_process(address: str) -> str:
    """Which modules of Alembic a process has after it opened a database."""
    run = subprocess.run([sys.executable, "-c", LISTS_ALEMBIC, address], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_a_database_of_this_version_is_opened_without_alembic(tmp_path: Path) -> None:
    address = url(tmp_path / "store.db")
    assert "alembic.command" in opened_by_a_process(address), "one that is new is migrated"
    assert opened_by_a_process(address) == "[]"


@WITHOUT_SUMS
async def test_down_and_up_again(store: Store) -> None:
    def down(connection: Connection) -> list[str]:
        command.downgrade(history(connection), "base")
        connection.commit()
        return inspect(connection).get_table_names()

    def and_up(connection: Connection) -> None:
        assert down(connection) == ["alembic_version"]
        connection.rollback()
        migrate(connection)
        assert differences(connection) == []

    await store.database.write.run(and_up)
    actions = await StoreActions(store).begin()
    assert (await actions.post_comment()).seq == 1


async def test_a_migration_and_a_writer_who_wait_for_each_other_both_come_to_their_end(postgres: Postgres) -> None:
    """An instance of the version before writes on: PostgreSQL ends the migration, which is tried again."""
    name = await postgres.create()
    address = postgres.address(name)
    database = await open_database(address)
    await database.write.run(lambda connection: command.downgrade(history(connection), "0007"))
    await database.close()
    writer = await asyncpg.connect(address.replace("+asyncpg", ""))
    await writer.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '2s'")  # whoever waited first is ended
    await writer.execute("SET deadlock_timeout = '1min'")
    await writer.execute("BEGIN; LOCK TABLE author IN ROW EXCLUSIVE MODE")
    opening = asyncio.create_task(open_database(address))

    async def waits() -> bool:
        return bool(await writer.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    await until(waits, "a migration that waits for the writer")
    await within(writer.execute("LOCK TABLE signin IN ROW EXCLUSIVE MODE"), "the lock, once the migration is undone")
    await writer.execute("COMMIT")
    database = await within(opening, "the migration")
    assert await database.read.run(migrations.revision) == migrations.HEAD
    await database.close()
    await writer.close()
    await postgres.drop(name)


async def test_reports_of_what_can_be_read_are_listed_after_the_upgrade(store: Store) -> None:
    """A database of the first version has them without a site; those of removed comments are in no list."""
    actions = await StoreActions(store).begin()
    here, gone = await actions.post_comment(), await actions.post_comment()
    kept = await actions.report(here.comment.id, None)
    await actions.report(gone.comment.id, None)
    abroad = await actions.report((await actions.post_comment(key=ABROAD)).comment.id, None)
    await actions.delete_comment(gone.comment.id, actions.as_moderator)
    await forget_decisions(store)
    before = await tables(store)

    def to_the_first_and_up(connection: Connection) -> None:
        command.downgrade(history(connection), "0001")
        connection.commit()
        assert "open" not in {column["name"] for column in inspect(connection).get_columns("report")}
        connection.rollback()
        migrate(connection)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*expression-based index")
        await store.database.write.run(to_the_first_and_up)
    assert await tables(store) == before | UNKNOWN_TO_THE_FIRST
    for site, expected in (("default", [kept]), ("magazine", [abroad])):
        assert [one.id for one in (await store.read(queries.reported, site, 10, None))[0]] == expected


@WITHOUT_SUMS
async def test_a_log_from_before_loses_what_edits_took_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    actions = await StoreActions(store).begin()
    monkeypatch.setattr(event_log, "_supersede", lambda connection, later: None)
    root = await actions.post_comment("Marker-one, the root")
    reply = await actions.post_comment("A reply", by=MINH, parent=root)
    edited = [await actions.edit(root.comment.id, actions.as_moderator, text) for text in ("Marker-two", "As it is")]
    for voter, comment in ((MINH, root), (LAN, reply), (EVA, root), (EVA, reply)):
        await actions.vote(comment.comment.id, actor(voter), 1)
    await actions.delete_comment(reply.comment.id, actions.as_moderator)
    untouched = await actions.post_comment("Never changed", by=EVA)
    await actions.vote(untouched.comment.id, actor(LAN), 1)
    await forget_decisions(store)
    before = await tables(store)
    assert "Marker" in str(before["event"])
    monkeypatch.undo()

    def upgrade(connection: Connection) -> None:
        command.downgrade(history(connection), "0001")
        connection.commit()
        migrate(connection)

    await store.database.write.run(upgrade)
    after = await tables(store)
    assert "Marker" not in str(after)
    assert [event.seq for event in await log(store)] == list(range(1, 12))
    kinds = [event.kind.removeprefix("comment.") for event in await log(store)]
    assert kinds == [
        "created", "created", "superseded", "edited", "voted", "superseded", "voted", "superseded", "removed",
        "created", "voted",
    ]  # fmt: skip
    shown = [event.comment.body for event in await log(store) if event.comment and event.comment.id == root.comment.id]
    assert shown == [edited[-1].comment.body] * 2
    assert {name: rows for name, rows in after.items() if name != "event"} == {
        name: rows for name, rows in (before | UNKNOWN_TO_THE_FIRST).items() if name != "event"
    }
    assert await check(store) == []
    await actions.edit(root.comment.id, actions.as_moderator, "And on it goes")
    assert await check(store) == []


async def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    store = await Store.open(url(tmp_path / "store.db"))
    store.start()
    await (await StoreActions(store).begin()).post_comment()
    before = await tables(store)
    await store.close()
    again = await Store.open(url(tmp_path / "store.db"))
    assert again.epoch == store.epoch
    assert await tables(again) == before
    await again.close()


OPENS = """
import asyncio, sys
from tertulia.store import Store
async def opens():
    store = await Store.open(sys.argv[1])
    print(store.epoch)
    await store.close()
asyncio.run(opens())
"""


async def test_processes_that_open_a_new_database_at_once_agree(tmp_path: Path) -> None:
    address = url(tmp_path / "deep" / "folder" / "store.db")
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", OPENS, address, stdout=asyncio.subprocess.PIPE)
        for _ in range(6)
    ]
    told = [(await process.communicate())[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6
    store = await Store.open(address)
    assert {one.decode().strip() for one in told} == {store.epoch}
    assert len((await tables(store))["site"]) == 1
    await store.close()


async def test_every_database_has_its_own_epoch(tmp_path: Path) -> None:
    stores = [await Store.open(url(tmp_path / name)) for name in ("one.db", "two.db")]
    assert stores[0].epoch != stores[1].epoch
    for store in stores:
        await store.close()


# ---- pragmas --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("synchronous", 2),
        ("journal_mode", "wal"),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("secure_delete", 1),
        ("busy_timeout", 5000),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_pragmas_of_every_connection(store: Store, name: str, value: object) -> None:
    def ask(connection: Connection) -> object:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    assert await store.database.write.run(ask) == value
    found = await asyncio.gather(*(store.read(ask) for _ in range(8)))
    assert set(found) == {value}


async def test_a_reader_sees_one_moment_while_others_write(store: Store) -> None:
    actions = StoreActions(store)
    await actions.post_comment()
    awaited = awaiting(store)

    def count(connection: Connection) -> int:
        return len(connection.execute(schema.comment.select()).all())

    def count_twice(connection: Connection) -> tuple[int, int]:
        before = count(connection)
        awaited(actions.post_comment())
        return before, count(connection)

    assert await store.read(count_twice) == (1, 1)
    assert await store.read(count) == 2


# ---- refusals -------------------------------------------------------------------------------------------


async def refused(address: str) -> str:
    with pytest.raises(StartupError) as refusal:
        await open_database(address)
    message = str(refusal.value)
    assert "\n" not in message
    assert "PATH" in message or "database" in message
    await until(
        lambda: not any(one.name.startswith(("reader", "writer")) for one in threading.enumerate()), "the threads end"
    )
    return message


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "store.db",
        "foo+bar:///store.db",
        "sqlite+nothing:///store.db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite://host/store.db",
        "sqlite+aiosqlite://host:port/store.db",
        "postgresql+nothing://host/name",
        "mysql://host/name",
        "postgresql://user:secret@host/name",
        # without a driver for asyncio
        "sqlite:///{folder}/store.db",
        "sqlite+pysqlite:///{folder}/store.db",
        # no file: two connections would be two databases
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:///{folder}/store.db?timeout=soon",
    ],
)
async def test_an_address_that_cannot_be_used_is_told_in_one_line(tmp_path: Path, address: str) -> None:
    message = await refused(address.format(folder=tmp_path))
    assert "secret" not in message
    assert not os.listdir(tmp_path), "nothing is made where nothing can be opened"


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_text("This is not a database, and it is long enough to be read as one." * 50)
    before = path.read_bytes()
    assert "file is not a database" in await refused(url(path))
    assert path.read_bytes() == before


async def test_a_folder_where_a_file_should_be(tmp_path: Path) -> None:
    assert "unable to open" in await refused(url(tmp_path))


@pytest.mark.parametrize(
    ("unwritable", "said"), [("", "the folder {folder} cannot be written"), ("store.db", "the file cannot be written")]
)
async def test_what_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unwritable: str, said: str
) -> None:
    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    (tmp_path / "store.db").touch()
    monkeypatch.setattr("tertulia.store.database.migrate", refuse)
    monkeypatch.setattr("os.access", lambda path, _mode: Path(path) != tmp_path / unwritable)
    message = await refused(url(tmp_path / "store.db"))
    assert said.format(folder=tmp_path) in message
    assert "let it" in message


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    message = await refused(url(tmp_path / "file" / "folder" / "store.db"))
    assert message.startswith("Cannot make the folder of the database")
    assert "Not a directory" in message


async def test_a_database_of_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await (await open_database(url(path))).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "9999" in await refused(url(path))


async def test_a_database_that_another_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia.store.database.BUSY_MILLISECONDS", 20)
    path = tmp_path / "store.db"
    await (await open_database(url(path))).close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert "locked" in await refused(url(path))
    holder.execute("ROLLBACK")
    holder.close()
    await (await open_database(url(path))).close()
