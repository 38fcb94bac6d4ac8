"""Opening a database: engines, SQLite's pragmas, and migrations."""

from __future__ import annotations

import secrets
import sqlite3
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tertulia.errors import StartupError
from tertulia.store.schema import meta, site
from tertulia.store.writer import Writer

BUSY_MILLISECONDS = 5_000
READERS = 4


@dataclass(frozen=True, slots=True)
class Database:
    """Where writes go (one connection, one transaction at a time on SQLite) and where reads come from."""

    write: Writer
    read: AsyncEngine

    async def close(self) -> None:
        await self.write.close()
        await self.read.dispose()


async def open_database(address: str) -> Database:
    """Opens and migrates the database; raises StartupError with one line when it cannot."""
    url = _parsed(address)
    if url.drivername != "sqlite+aiosqlite":
        raise StartupError(f"The database {url.drivername} is not supported; use sqlite+aiosqlite:///PATH")
    _make_folder(url)
    try:
        plain = url.set(drivername="sqlite+pysqlite")
        write = create_engine(plain, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False})
        read = create_async_engine(url, pool_size=READERS, max_overflow=0, pool_timeout=10)
    except (SQLAlchemyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise StartupError(f"The database URL {url.render_as_string()} cannot be used: {reason}") from error
    _prepare(write, begin="BEGIN IMMEDIATE")
    _prepare(read.sync_engine, begin="BEGIN")
    database = Database(Writer(write), read)
    try:
        await database.write.connected(migrate)
    except (SQLAlchemyError, sqlite3.Error, CommandError, OSError) as error:
        await database.close()
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise StartupError(f"Cannot open or migrate the database {url.render_as_string()}: {reason}") from error
    except BaseException:
        await database.close()  # the driver's threads would keep the process alive
        raise
    return database


def migrate(connection: Connection) -> None:
    """Brings the schema to the newest revision and makes sure that there is an epoch and the site ``default``."""
    config = Config()
    config.set_main_option("script_location", str(files("tertulia.store") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
    with connection.begin():
        if connection.scalar(select(meta.c.value).where(meta.c.name == "epoch")) is None:
            connection.execute(insert(meta).values(name="epoch", value=secrets.token_urlsafe(9)))
        if connection.scalar(select(site.c.id).where(site.c.key == "default")) is None:
            connection.execute(insert(site).values(key="default", origins=[], created_at=time.time_ns() // 1_000_000))


def _parsed(address: str) -> URL:
    try:
        url = make_url(address)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise StartupError("The database URL cannot be read; it looks like sqlite+aiosqlite:///PATH") from error
    return url


def _make_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        raise StartupError("The database URL names no file; it looks like sqlite+aiosqlite:///PATH")
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
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
