"""The file: what SQLite itself finds wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from tertulia.checks.findings import Finding


def check(connection: Connection) -> Iterator[Finding]:
    """Codes: integrity, foreign_key. Other databases watch over both by themselves."""
    if connection.dialect.name != "sqlite":
        return
    for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if line != "ok":
            yield Finding("integrity", "database", " ".join(str(line).split()))
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield Finding("foreign_key", f"{table} row {row}", f"the row of {parent} that it names is not there")
