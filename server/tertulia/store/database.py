"""Opening a database: the engines of each kind, and migrations, which instances that start at once run one by one."""

from __future__ import annotations

import secrets
import sqlite3
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, func, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tertulia import private
from tertulia.errors import StartupError
from tertulia.store.schema import meta, site
from tertulia.store.writer import LoopWriter, ThreadWriter, Writer

BUSY_MILLISECONDS = 5_000
READERS = 4
POOL_SECONDS = 10
CONNECT_SECONDS = 5
COMMAND_SECONDS = 10
EPOCH_BYTES = 9
MIGRATING = 0x7E27_01A
"""The advisory lock under which PostgreSQL migrates."""
_EXAMPLES = "sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME"


@dataclass(frozen=True, slots=True)
class Database:
    """Where writes go (one connection, one transaction at a time on SQLite) and where reads come from.

    ``file`` is that of SQLite, where the address names it plainly.
    """

    write: Writer
    read: AsyncEngine
    file: str | None = None

    async def close(self) -> None:
        await self.write.close()
        await self.read.dispose()


async def open_database(address: str, *, patient: bool = False) -> Database:
    """Opens and migrates the database; raises StartupError with one line when it cannot.

    One that is ``patient``, as migrations always are, may take longer for a statement than people wait for an answer.
    """
    url = _parsed(address)
    kind = _KINDS.get(url.drivername)
    if kind is None:
        raise StartupError(f"The database {url.drivername} is not supported; use {_EXAMPLES}")
    try:
        migrating = kind(url, patient=True)
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise StartupError(f"The database URL {_shown(url)} cannot be used: {_line(error)}") from error
    try:
        await migrating.write.connected(migrate)
    except (SQLAlchemyError, sqlite3.Error, CommandError, OSError) as error:
        await migrating.close()
        raise StartupError(f"Cannot open or migrate the database {_shown(url)}: {_line(error)}") from error
    except BaseException:
        await migrating.close()  # the driver's threads would keep the process alive
        raise
    if patient:
        return migrating
    await migrating.close()
    return kind(url, patient=False)


def migrate(connection: Connection) -> None:
    """Brings the schema to the newest revision and makes sure that there is an epoch and the site ``default``."""
    config = Config()
    config.set_main_option("script_location", str(files("tertulia.store") / "migrations"))
    config.attributes["connection"] = connection
    is_shared = connection.dialect.name == "postgresql"
    if is_shared:
        connection.execute(select(func.pg_advisory_lock(MIGRATING)))
        connection.commit()
    command.upgrade(config, "head")
    connection.commit()
    with connection.begin():
        if connection.scalar(select(meta.c.value).where(meta.c.name == "epoch")) is None:
            connection.execute(insert(meta).values(name="epoch", value=secrets.token_urlsafe(EPOCH_BYTES)))
        if connection.scalar(select(site.c.id).where(site.c.key == "default")) is None:
            connection.execute(insert(site).values(key="default", origins=[], created_at=time.time_ns() // 1_000_000))
    if is_shared:
        connection.execute(select(func.pg_advisory_unlock(MIGRATING)))
        connection.commit()


def _parsed(address: str) -> URL:
    try:
        url = make_url(address)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise StartupError(f"The database URL cannot be read; it looks like {_EXAMPLES}") from error
    return url


def _shown(url: URL) -> str:
    """The address without its password."""
    return url.render_as_string(hide_password=True)


def _line(error: BaseException) -> str:
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__


# ---- SQLite ---------------------------------------------------------------------------------------------


def _sqlite(url: URL, *, patient: bool) -> Database:
    _make_folder(url)
    plain = url.set(drivername="sqlite+pysqlite")
    write = create_engine(plain, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False})
    read = create_async_engine(url, pool_size=READERS, max_overflow=0, pool_timeout=POOL_SECONDS)
    _prepare(write, begin="BEGIN IMMEDIATE")
    _prepare(read.sync_engine, begin="BEGIN")
    file = None if "uri" in url.query else url.database
    if patient and file is not None:  # once a start: migrations are
        private.make_file(Path(file))
        private.tighten(Path(file + end) for end in ("", "-wal", "-shm"))
    return Database(ThreadWriter(write), read, file)


def _make_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        raise StartupError("The database URL names no file; it looks like sqlite+aiosqlite:///PATH")
    try:
        private.make_folder(Path(url.database).parent)
    except OSError as error:
        raise StartupError(f"Cannot make the folder of the database {url.database}: {error.strerror}") from error


def _prepare(engine: Engine, *, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not guessed by the driver
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_MILLISECONDS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "trusted_schema=OFF",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


# ---- PostgreSQL -----------------------------------------------------------------------------------------


def _postgresql(url: URL, *, patient: bool) -> Database:
    connecting: dict[str, Any] = {"timeout": CONNECT_SECONDS, "server_settings": {"application_name": "tertulia"}}
    if not patient:
        connecting["command_timeout"] = COMMAND_SECONDS
        # an instance that freezes in the middle of a transaction holds up its discussions no longer than this
        connecting["server_settings"] |= {
            "idle_in_transaction_session_timeout": f"{COMMAND_SECONDS}s",
            "lock_timeout": f"{COMMAND_SECONDS}s",
        }
    # a connection is tried before each use: after a restart of the database none of the old ones work
    common: dict[str, Any] = {"max_overflow": 0, "pool_pre_ping": True, "connect_args": connecting}
    write = create_async_engine(url, pool_size=1, **common)
    read = create_async_engine(
        url, pool_size=READERS, pool_timeout=POOL_SECONDS, isolation_level="REPEATABLE READ", **common
    )
    return Database(LoopWriter(write), read)


class _Opened(Protocol):
    def __call__(self, url: URL, *, patient: bool) -> Database:
        raise NotImplementedError


_KINDS: dict[str, _Opened] = {"sqlite+aiosqlite": _sqlite, "postgresql+asyncpg": _postgresql}
