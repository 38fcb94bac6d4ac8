"""Opening a database: the engines of each kind, and migrations, which instances that start at once run one by one.

create  make the database where there is none, and bring it to the newest schema: for what serves and what fills it
use     one that is there, brought to the newest schema: a mistyped address makes nothing
read    one that is there and has the newest schema, without writing a byte of it
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from tertulia import private
from tertulia.errors import StartupError
from tertulia.store import migrations
from tertulia.store.connections import (
    READ_CONNECTIONS,
    ReadConnections,
    ThreadedConnection,
    ThreadedReadConnections,
    WriteConnection,
)
from tertulia.store.failures import classify, driver_errors, line
from tertulia.store.schema import meta, site

BUSY_MILLISECONDS = 5_000
EPOCH_BYTES = 9
MIGRATING = 0x7E27_01A
"""The advisory lock under which PostgreSQL migrates."""
ATTEMPTS = 20
"""How often a migration is tried that waits for a writer who waits for it: each time costs a second."""
OpenMode = Literal["create", "use", "read"]
log = logging.getLogger(__name__)
_EXAMPLES = "sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME"


@dataclass(frozen=True, slots=True)
class Database:
    """Where writes go (one connection, one transaction at a time on SQLite) and where reads come from.

    ``file`` is that of SQLite, where the address names it plainly; ``on_closed`` is called last.
    """

    write: WriteConnection
    read: ReadConnections
    file: str | None = None
    on_closed: Callable[[], object] = lambda: None

    async def close(self) -> None:
        await self.write.close()
        await self.read.close()
        self.on_closed()


async def open_database(address: str, *, timeouts: bool = True, opening: OpenMode = "create") -> Database:
    """Opens and migrates the database; raises StartupError with one line when it cannot.

    Without ``timeouts``, as migrations always are, a statement may take longer than people wait for an answer.
    """
    url = _parsed(address)
    kind = _KINDS.get(url.drivername)
    if kind is None:
        raise StartupError(f"The database {url.drivername} is not supported; use {_EXAMPLES}")
    if opening != "create":
        _require_file(url)
    try:
        migrating = kind(url, timeouts=False, read_only=opening == "read")
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise StartupError(f"The database URL {_shown(url)} cannot be used: {line(error)}") from error
    try:
        await migrating.write.run(_step(opening))
    except _MissingError as error:
        await migrating.close()
        raise StartupError(_no_database(_shown(url), str(error))) from error
    except driver_errors(SQLAlchemyError, migrations.MigrationError, OSError) as error:
        await migrating.close()
        if opening != "create" and getattr(getattr(error, "orig", error), "sqlstate", None) == _NO_CATALOG:
            raise StartupError(_no_database(_shown(url), line(error))) from error
        raise StartupError(_cannot_open(url, error)) from error
    except BaseException:
        await migrating.close()  # the driver's threads would keep the process alive
        raise
    if not timeouts:
        return migrating
    await migrating.close()
    return kind(url, timeouts=True, read_only=opening == "read")


class _MissingError(Exception):
    """The database has nothing of Tertulia in it."""


def _migrate_known(connection: Connection) -> None:
    """Like ``migrate``, for a database that is there. Raises _MissingError."""
    _require_schema(connection)
    migrate(connection)


def _require_current(connection: Connection) -> None:
    """Raises _MissingError; MigrationError where the schema is not the newest."""
    _require_schema(connection)
    if not migrations.is_current(connection):
        raise migrations.MigrationError(
            "its schema is of an earlier version; bring it up to date with: tertulia migrate"
        )
    connection.rollback()


def _step(opening: OpenMode) -> Callable[[Connection], None]:
    if opening == "read":
        return _require_current
    return migrate if opening == "create" else _migrate_known


def _require_schema(connection: Connection) -> None:
    if migrations.revision(connection) is None:
        raise _MissingError("it has no tables of Tertulia")
    connection.rollback()


def migrate(connection: Connection) -> None:
    """Brings the schema to the newest revision and makes sure that there is an epoch and the site ``default``."""
    with _migrating(connection):
        is_current = migrations.is_current(connection)
        connection.commit()
        if not is_current:
            _upgrade(connection)
        _insert_first_rows(connection)


def _upgrade(connection: Connection) -> None:
    """Instances of the version before go on writing: PostgreSQL ends one of two that wait for each other's tables.

    A migration is undone then, those before it stay, and it is tried again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            migrations.upgrade(connection)
            connection.commit()
            return
        except DBAPIError as error:
            connection.rollback()
            if attempt == ATTEMPTS or classify(error).fate != "again":
                raise
            log.info("A migration met a writer and is tried again: %s", line(error))


def _insert_first_rows(connection: Connection) -> None:
    with connection.begin():
        if connection.scalar(select(meta.c.value).where(meta.c.name == "epoch")) is None:
            connection.execute(insert(meta).values(name="epoch", value=secrets.token_urlsafe(EPOCH_BYTES)))
        if connection.scalar(select(site.c.id).where(site.c.key == "default")) is None:
            connection.execute(insert(site).values(key="default", origins=[], created_at=time.time_ns() // 1_000_000))


@contextmanager
def _migrating(connection: Connection) -> Iterator[None]:
    """While it lasts no other process migrates this database: each migration is a transaction of its own."""
    if connection.dialect.name != "postgresql":
        file = _file_of(connection.engine.url)
        with _locked(file.parent) if file else nullcontext():
            yield
        return
    connection.execute(select(func.pg_advisory_lock(MIGRATING)))
    connection.commit()
    yield
    connection.execute(select(func.pg_advisory_unlock(MIGRATING)))
    connection.commit()


def _parsed(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise StartupError(f"The database URL cannot be read; it looks like {_EXAMPLES}") from error
    if url.port is not None and not 0 < url.port <= 65535:
        raise StartupError(f"The database URL has the port {url.port}; ports are from 1 to 65535")
    return url


def _shown(url: URL) -> str:
    """The address without its password."""
    return url.render_as_string(hide_password=True)


def _no_database(where: str, why: str = "") -> str:
    said = f"There is no database in {where}"
    return (
        f"{said}{f': {why}' if why else ''}; name another with --data-dir or --database-url; tertulia migrate makes one"
    )


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


def _file_of(url: URL) -> Path | None:
    """The file of SQLite, also where the address writes it as a URI of its own."""
    if not url.database or url.database == ":memory:":
        return None
    return Path(url.database.removeprefix("file:"))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Waits for a lock on a folder. Never on the file: closing it ends SQLite's own locks (How To Corrupt, 2.2)."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # a file system without locks: who starts one process at a time needs none
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _require_file(url: URL) -> None:
    """Raises StartupError where an address of SQLite leads to no database; nothing is made, and nothing opened."""
    path = _file_of(url) if url.drivername.startswith("sqlite") else None
    if path is None or path.is_dir():
        return
    try:
        if path.stat().st_size > 0:
            _require_tables(url, path)
            return
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StartupError(_no_database(str(path))) from error
    except OSError as error:
        raise StartupError(f"Cannot look for a database in {path}: {error.strerror}; let this user read it") from error
    raise StartupError(_no_database(str(path), "the file is empty"))


def _require_tables(url: URL, path: Path) -> None:
    """Raises StartupError for a file that is none of SQLite's, or of another program's, before it is changed."""
    finish = _finishing(path)
    try:
        with closing(sqlite3.connect(_read_only_address(path), uri=True)) as connection:
            connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                raise StartupError(_no_database(str(path), "the file has no tables of Tertulia"))
    except sqlite3.Error as error:
        raise StartupError(_cannot_open(url, error)) from error
    finally:
        finish()


def _read_only_address(path: Path) -> str:
    """For SQLite. What nobody writes, nor this user may, needs no lock, which would be a file beside it."""
    is_still = not _companions(path) and not os.access(path.parent, os.W_OK)
    return f"file:{quote(str(path))}?mode=ro{'&immutable=1' if is_still else ''}"


def _companions(path: Path) -> list[Path]:
    return [beside for end in ("-wal", "-shm") if (beside := Path(f"{path}{end}")).exists()]


def _finishing(path: Path) -> Callable[[], None]:
    """What to call once a connection that only read is closed: it leaves files beside the database, another takes them.

    Only where there were none before; SQLite itself knows whether somebody else uses them by then.
    """
    before = _companions(path)

    def finish() -> None:
        if before or not _companions(path):
            return
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    return finish


def _sqlite_to_read(url: URL) -> Database:
    path = _file_of(url)
    if path is None:
        raise StartupError("The database URL names no file; it looks like sqlite+aiosqlite:///PATH")
    database, _, query = _read_only_address(path.absolute()).partition("?")
    asked = dict(part.split("=") for part in query.split("&")) | {"uri": "true"}
    engines = [
        _sqlite_engine(url.set(database=database, query=asked), pool_size=size, begin="BEGIN", pragmas=_READING)
        for size in (1, READ_CONNECTIONS)
    ]
    return Database(ThreadedConnection(engines[0]), ThreadedReadConnections(engines[1]), None, _finishing(path))


def _sqlite(url: URL, *, timeouts: bool, read_only: bool = False) -> Database:
    if read_only:
        return _sqlite_to_read(url)
    _make_folder(url)
    write = _sqlite_engine(url, pool_size=1, begin="BEGIN IMMEDIATE")
    read = _sqlite_engine(url, pool_size=READ_CONNECTIONS, begin="BEGIN")
    file = None if "uri" in url.query else url.database
    if not timeouts and file is not None:  # once a start: migrations are
        private.make_file(Path(file))
        private.tighten(Path(file + end) for end in ("", "-wal", "-shm"))
    return Database(ThreadedConnection(write), ThreadedReadConnections(read), file)


def _make_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        raise StartupError("The database URL names no file; it looks like sqlite+aiosqlite:///PATH")
    try:
        private.make_folder(Path(url.database).parent)
    except OSError as error:
        raise StartupError(f"Cannot make the folder of the database {url.database}: {error.strerror}") from error


_WRITING = (
    f"busy_timeout={BUSY_MILLISECONDS}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "secure_delete=ON",
)
_READING = (f"busy_timeout={BUSY_MILLISECONDS}", "query_only=ON", "trusted_schema=OFF")


def _sqlite_engine(url: URL, *, pool_size: int, begin: str, pragmas: tuple[str, ...] = _WRITING) -> Engine:
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
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


# ---- PostgreSQL -----------------------------------------------------------------------------------------


def _postgresql(url: URL, *, timeouts: bool, read_only: bool = False) -> Database:
    from tertulia.store import postgresql  # 100 ms and 10 MiB of drivers that a server on SQLite does not need

    return Database(*postgresql.open_connections(url, timeouts=timeouts, read_only=read_only))


class _Opened(Protocol):
    def __call__(self, url: URL, *, timeouts: bool, read_only: bool = False) -> Database:
        raise NotImplementedError


_KINDS: dict[str, _Opened] = {"sqlite+aiosqlite": _sqlite, "postgresql+asyncpg": _postgresql}
_NO_CATALOG = "3D000"
"""PostgreSQL's state for a database that does not exist."""
