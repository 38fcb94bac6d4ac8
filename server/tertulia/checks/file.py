"""The file: what SQLite itself finds wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

from tertulia.checks.findings import Finding
from tertulia.reporting import Progress
from tertulia.store.streaming import streamed


def check(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Codes: integrity, foreign_key. Other databases watch over both by themselves."""
    if connection.dialect.name != "sqlite":
        return
    progress("Checking the file")
    for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if line != "ok":
            yield Finding("integrity", "database", " ".join(str(line).split()))
    for row in streamed(connection, text("PRAGMA foreign_key_check")):
        detail = f"the row of {row.parent} that it names is not there"
        yield Finding("foreign_key", f"{row.table} row {row.rowid}", detail)
