"""New databases for tests, copied from one that was migrated: a migration takes a hundred times as long as a copy."""

from __future__ import annotations

import functools
import secrets
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import NullPool, create_engine

from tertulia import private
from tertulia.store.database import migrate

NEW_EPOCH = "UPDATE meta SET value = '{}' WHERE name = 'epoch'"


def new_epoch() -> str:
    """The statement that makes a copy a database of its own; the epoch says which database a cursor is of."""
    return NEW_EPOCH.format(secrets.token_urlsafe(9))


@functools.cache
def _template() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    folder = tempfile.TemporaryDirectory(prefix="template")
    path = Path(folder.name) / "template.db"
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        migrate(connection)
    return folder, path


def new_sqlite(path: Path) -> str:
    """Makes an empty database of the newest schema at ``path``; the address of it."""
    private.make_folder(path.parent)
    shutil.copyfile(_template()[1], path)
    path.chmod(0o600)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(new_epoch())
    return f"sqlite+aiosqlite:///{path}"
