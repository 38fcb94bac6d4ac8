"""Statements of the busiest ways, a new comment and a new session, in the driver's own words.

SQLAlchemy writes them, once for each kind of database; then they go to the driver directly: most of a short query's
time is SQLAlchemy's. Rows that are queued go to the database together, at the end of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ClauseElement, Connection, Dialect, Table, insert
from sqlalchemy.sql.compiler import SQLCompiler


class CompiledStatement(NamedTuple):
    sql: str
    parameters: tuple[tuple[str, Callable[[Any], Any] | None], ...]


QUEUED = "rows of a batch that are not inserted yet"


class Prepared:
    """A statement whose parameters are the names it binds, or for an insert the columns; there are no constants.

    Values come back as the driver gives them: only columns of plain numbers and texts may be asked for.
    """

    _end = ""
    """What both databases understand at the end of it."""

    def __init__(self, statement: ClauseElement, columns: list[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled_by_dialect: dict[str, CompiledStatement] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """For a statement that gives nothing back: how many rows it changed."""
        cursor = self._execute(connection, values)
        changed: int = cursor.rowcount
        cursor.close()
        return changed

    def row(self, connection: Connection, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The one row by the names of its columns, None where there is none."""
        cursor = self._execute(connection, values)
        found = cursor.fetchone()
        names = [column[0] for column in cursor.description]
        cursor.close()
        return None if found is None else dict(zip(names, found, strict=True))

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows, their values in the order in which they are asked for."""
        cursor = self._execute(connection, values)
        found = [tuple(row) for row in cursor.fetchall()]
        cursor.close()
        return found

    def _execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        known = self._for(connection)
        cursor = connection.connection.cursor()
        cursor.execute(known.sql, self._bound(known, values))
        return cursor

    def _for(self, connection: Connection) -> CompiledStatement:
        dialect = connection.dialect
        return self._compiled_by_dialect.get(dialect.name) or self._translate(dialect)

    @staticmethod
    def _bound(known: CompiledStatement, values: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(values[name] if convert is None else convert(values[name]) for name, convert in known.parameters)

    def _translate(self, dialect: Dialect) -> CompiledStatement:
        compiler = self._statement.compile(dialect=dialect, column_keys=self._columns)
        assert isinstance(compiler, SQLCompiler)  # noqa: S101 - statements are no DDL
        assert compiler.positiontup is not None  # noqa: S101 - the dialects here bind by position
        parameters = tuple(
            (name, compiler.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiler.positiontup
        )
        known = self._compiled_by_dialect[dialect.name] = CompiledStatement(f"{compiler}{self._end}", parameters)
        return known


class Insert(Prepared):
    """The insert of a row of a table: of all its columns, or of those that are named.

    ``is_shared`` of rows that another instance may insert at this moment: what is there stays, and those of a batch
    are inserted in the order of their first column, so that no two batches wait for each other.
    """

    def __init__(self, table: Table, *names: str, is_shared: bool = False) -> None:
        super().__init__(insert(table), list(names) or [column.key for column in table.columns])
        self.order = table.metadata.sorted_tables.index(table)
        self._is_shared = is_shared
        self._end = " ON CONFLICT DO NOTHING" if is_shared else ""

    def queue(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Like ``run``, at the next ``flush``: rows of a whole batch go to the database together."""
        waiting: dict[Insert, list[tuple[Any, ...]]] = connection.info.setdefault(QUEUED, {})
        waiting.setdefault(self, []).append(self._bound(self._for(connection), values))

    def put_all(self, connection: Connection, rows: list[tuple[Any, ...]]) -> None:
        """Inserts rows that were queued."""
        if self._is_shared:
            rows = sorted(rows, key=lambda row: str(row[0]))
        cursor = connection.connection.cursor()
        cursor.executemany(self._for(connection).sql, rows)
        cursor.close()


def flush(connection: Connection) -> None:
    """Inserts what is queued; called before anything is read that may be among it, and before the end.

    A comment's id is told after the commit, so nobody can name one that is still queued.
    """
    queued: dict[Insert, list[tuple[Any, ...]]] = connection.info.pop(QUEUED, {})
    for statement in sorted(queued, key=lambda one: one.order):  # each refers to those before it
        statement.put_all(connection, queued[statement])


def discard(connection: Connection) -> None:
    """Drops what is queued: the transaction it belongs to is rolled back."""
    connection.info.pop(QUEUED, None)
