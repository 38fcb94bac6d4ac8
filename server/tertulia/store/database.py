"""Opening a database: the engines of each kind, and migrations, which instances that start at once run one by one."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tertulia import private
from tertulia.errors import StartupError
from tertulia.store import migrations
from tertulia.store.connections import READERS, ReadConnections, ThreadedConnection, ThreadedReaders, WriteConnection
from tertulia.store.failures import classify, driver_errors, line
from tertulia.store.schema import meta, site

BUSY_MILLISECONDS = 5_000
EPOCH_BYTES = 9
MIGRATING = 0x7E27_01A
"""The advisory lock under which PostgreSQL migrates."""
_EXAMPLES = "sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME"


@dataclass(frozen=True, slots=True)
class Database:
    """Where writes go (one connection, one transaction at a time on SQLite) and where reads come from.

    ``file`` is that of SQLite, where the address names it plainly.
    """

    write: WriteConnection
    read: ReadConnections
    file: str | None = None

    async def close(self) -> None:
        await self.write.close()
        await self.read.close()


async def open_database(address: str, *, timeouts: bool = True) -> Database:
    """Opens and migrates the database; raises StartupError with one line when it cannot.

    Without ``timeouts``, as migrations always are, a statement may take longer than people wait for an answer.
    """
    url = _parsed(address)
    kind = _KINDS.get(url.drivername)
    if kind is None:
        raise StartupError(f"The database {url.drivername} is not supported; use {_EXAMPLES}")
    try:
        migrating = kind(url, timeouts=False)
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise StartupError(f"The database URL {_shown(url)} cannot be used: {line(error)}") from error
    try:
        await migrating.write.run(migrate)
    except driver_errors(SQLAlchemyError, migrations.MigrationError, OSError) as error:
        await migrating.close()
        raise StartupError(_cannot_open(url, error)) from error
    except BaseException:
        await migrating.close()  # the driver's threads would keep the process alive
        raise
    if not timeouts:
        return migrating
    await migrating.close()
    return kind(url, timeouts=True)


def migrate(connection: Connection) -> None:
    """Brings the schema to the newest revision and makes sure that there is an epoch and the site ``default``."""
    is_shared = connection.dialect.name == "postgresql"
    if is_shared:
        connection.execute(select(func.pg_advisory_lock(MIGRATING)))
        connection.commit()
    is_current = migrations.is_current(connection)
    connection.commit()
    if not is_current:
        migrations.upgrade(connection)
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
        return make_url(address)
    except (ArgumentError, ValueError) as error:
        raise StartupError(f"The database URL cannot be read; it looks like {_EXAMPLES}") from error


def _shown(url: URL) -> str:
    """The address without its password."""
    return url.render_as_string(hide_password=True)


def _cannot_open(url: URL, error: BaseException) -> str:
    """What went wrong, and what an operator can do about it."""
    met = classify(error)
    said = f"Cannot open or migrate the database {_shown(url)}: {line(error)}"
    if url.database and url.drivername.startswith("sqlite"):
        path = Path(url.database)
        if path.is_dir():
            return f"{said}; it is a folder: name a file in it"
        if not os.access(path.parent, os.W_OK):
            return f"{said}; the folder {path.parent} cannot be written by this user: let it, or choose another"
        if path.exists() and not os.access(path, os.W_OK):
            return f"{said}; the file cannot be written by this user: let it"
    return said if met.fate == "ours" else f"{said}; {met.advice}"


# ---- SQLite ---------------------------------------------------------------------------------------------


def _sqlite(url: URL, *, timeouts: bool) -> Database:
    _make_folder(url)
    write = _sqlite_engine(url, pool_size=1, begin="BEGIN IMMEDIATE")
    read = _sqlite_engine(url, pool_size=READERS, begin="BEGIN")
    file = None if "uri" in url.query else url.database
    if not timeouts and file is not None:  # once a start: migrations are
        private.make_file(Path(file))
        private.tighten(Path(file + end) for end in ("", "-wal", "-shm"))
    return Database(ThreadedConnection(write), ThreadedReaders(read), file)


def _make_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        raise StartupError("The database URL names no file; it looks like sqlite+aiosqlite:///PATH")
    try:
        private.make_folder(Path(url.database).parent)
    except OSError as error:
        raise StartupError(f"Cannot make the folder of the database {url.database}: {error.strerror}") from error


def _sqlite_engine(url: URL, *, pool_size: int, begin: str) -> Engine:
    """With the driver of the standard library: the one that operators' addresses name has its own hop a statement."""
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"check_same_thread": False},
        hide_parameters=True,
    )

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

    return engine


# ---- PostgreSQL -----------------------------------------------------------------------------------------


def _postgresql(url: URL, *, timeouts: bool) -> Database:
    from tertulia.store import postgresql  # 100 ms and 10 MiB of drivers that a server on SQLite does not need

    return Database(*postgresql.open_connections(url, timeouts=timeouts))


class _Opened(Protocol):
    def __call__(self, url: URL, *, timeouts: bool) -> Database:
        raise NotImplementedError


_KINDS: dict[str, _Opened] = {"sqlite+aiosqlite": _sqlite, "postgresql+asyncpg": _postgresql}
