"""Every statement that reaches a database while it is watched, as its driver was given it, and what it costs.

SQLite      connections and cursors of our own kind: no statement goes past them; the machine's steps are counted
PostgreSQL  the two ways of every cursor to the driver; each statement is planned and run again, twice: with a plan for
            its values, and with the one for any values that a prepared statement may get
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_cursor

GROWING = (
    *("author", "comment", "discussion", "event", "key_alias", "report", "review", "vote"),
    *("challenge", "contact", "identity", "spent_token"),
)
"""The tables that grow with the site. There are few sites and moderators."""
STEPS = 200_000
"""Of SQLite's machine for one statement: 51 threads with 51 replies each are 130,000, 10,000 rows of a scan 100,000."""
ROWS = 12_000
"""That PostgreSQL may meet for one statement, those that it drops again included."""
SORTED = 6_000
"""That may be sorted: the nearest 5,000 replies below a reply."""
_ASKS = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)


@dataclass(slots=True)
class RecordedQuery:
    """A statement as it was asked. ``steps`` is what SQLite's machine did; ``parents`` groups its plan's lines."""

    sql: str
    values: Sequence[Any]
    plan: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    steps: int = 0


# ---- SQLite ---------------------------------------------------------------------------------------------

_BEAT = 1_000


class WatchedCursor(sqlite3.Cursor):
    def execute(self, sql: str, values: Any = (), /) -> WatchedCursor:
        self._note(sql, values)
        super().execute(sql, values)
        return self

    def executemany(self, sql: str, rows: Any, /) -> WatchedCursor:
        rows = list(rows)
        self._note(sql, rows[0] if rows else ())
        super().executemany(sql, rows)
        return self

    def _note(self, sql: str, values: Any) -> None:
        connection = self.connection
        assert isinstance(connection, WatchedConnection)
        connection.current = None
        if connection.asked is None or not _ASKS.match(sql):
            return
        super().execute(f"EXPLAIN QUERY PLAN {sql}", values)
        plan = self.fetchall()
        connection.current = RecordedQuery(sql, tuple(values), [row[3] for row in plan], [row[1] for row in plan])
        connection.asked.append(connection.current)


class WatchedConnection(sqlite3.Connection):
    asked: list[RecordedQuery] | None = None
    current: RecordedQuery | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.set_progress_handler(self._beat, _BEAT)

    def cursor(self, factory: Any = WatchedCursor) -> Any:
        return super().cursor(factory)

    def _beat(self) -> int:
        if self.current is not None:
            self.current.steps += _BEAT
        return 0


@contextmanager
def sqlite_watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[RecordedQuery]]:
    """What is asked of every SQLite database that is opened within."""
    asked: list[RecordedQuery] = []
    connect = sqlite3.connect

    class Connection(WatchedConnection):
        pass

    Connection.asked = asked
    with monkeypatch.context() as patched:
        for module in (sqlite3, sqlite3.dbapi2):
            patched.setattr(module, "connect", lambda *given, **named: connect(*given, factory=Connection, **named))
        yield asked


def sqlite_faults(asked: RecordedQuery) -> list[str]:
    """What of this grows with the site."""
    faults = [line for line in asked.plan if "AUTOMATIC" in line or _scanned(line) in GROWING]
    for at, line in enumerate(asked.plan):
        if "TEMP B-TREE" in line and _first_beside(asked, at) in GROWING:
            faults.append(line)
    if asked.steps > STEPS:
        faults.append(f"{asked.steps:,} steps")
    return faults


def _scanned(line: str) -> str:
    """The table that is read from end to end; what waits for moderators is read in its own order, up to a limit."""
    found = re.match(r"SCAN (\w+)(?! USING (?:COVERING )?INDEX ix_(?:comment_waiting|report_open))", line)
    return found[1] if found else ""


def _first_beside(asked: RecordedQuery, at: int) -> str:
    """Whose rows are sorted: the outermost loop's beside the line. Those of a subquery are counted by its limit."""
    for line, parent in zip(asked.plan, asked.parents, strict=True):
        found = re.match(r"(?:SCAN|SEARCH) (\w+)", line)
        if parent == asked.parents[at] and found:
            return found[1]
    return ""


# ---- PostgreSQL -----------------------------------------------------------------------------------------


@contextmanager
def postgres_watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[RecordedQuery]]:
    """What is asked of every PostgreSQL database within."""
    asked: list[RecordedQuery] = []
    cursor = AsyncAdapt_asyncpg_cursor
    one: Any = cursor._prepare_and_execute
    many: Any = cursor._executemany

    def note(sql: str, values: Sequence[Any]) -> None:
        if _ASKS.match(sql) and "pg_catalog" not in sql:
            asked.append(RecordedQuery(sql, tuple(values)))

    async def on_one(self: AsyncAdapt_asyncpg_cursor, sql: Any, values: Any) -> Any:
        note(sql, values or ())
        return await one(self, sql, values)

    async def on_many(self: AsyncAdapt_asyncpg_cursor, sql: Any, rows: Any) -> Any:
        note(sql, rows[0] if rows else ())
        return await many(self, sql, rows)

    with monkeypatch.context() as patched:
        patched.setattr(cursor, "_prepare_and_execute", on_one)
        patched.setattr(cursor, "_executemany", on_many)
        yield asked


async def postgres_faults(connection: asyncpg.Connection, asked: RecordedQuery) -> list[str]:
    """What of this grows with the site, in the plan for these values or in that for any."""
    faults = []
    reads = asked.sql.lstrip().upper().startswith(("SELECT", "WITH"))
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"PREPARE asked AS {asked.sql}")
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
            values = f"({', '.join(map(_literal, asked.values))})" if asked.values else ""
            analyze = "ANALYZE, TIMING OFF, " if reads else ""
            found = await connection.fetchval(f"EXPLAIN ({analyze}FORMAT JSON) EXECUTE asked{values}")
        finally:
            await transaction.rollback()
            await connection.execute("DEALLOCATE asked")
        plan = json.loads(found)[0]["Plan"]
        asked.plan.append(json.dumps(plan))
        faults += [f"{mode}: {fault}" for fault in _faults_of(plan)]
    return faults


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    if isinstance(value, list | tuple):
        return f"ARRAY[{', '.join(map(_literal, value))}]" if value else "'{}'"
    return "'" + str(value).replace("'", "''") + "'"


def _faults_of(plan: dict[str, Any]) -> Iterator[str]:
    met = 0
    for node in _nodes(plan):
        kind, table = node["Node Type"], node.get("Relation Name")
        loops = node.get("Actual Loops", 1)
        rows = node.get("Actual Rows", 0) * loops
        dropped = sum(
            node.get(f"Rows Removed by {why}", 0) * loops for why in ("Filter", "Join Filter", "Index Recheck")
        )
        if table is not None:
            met += rows + dropped
        if kind == "Seq Scan" and table in GROWING:
            yield f"a scan of {table}"
        if kind in ("Sort", "Incremental Sort") and max(rows, node["Plans"][0].get("Actual Rows", 0)) > SORTED:
            yield f"{rows:,.0f} rows are sorted"
    if met > ROWS:
        yield f"{met:,.0f} rows are met"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
