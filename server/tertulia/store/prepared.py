"""The statements of the busiest way, that of a new comment, in the driver's own words.

SQLAlchemy writes them, once for each kind of database; then they go to the driver directly: most of a short query's
time is SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import (
    ClauseElement,
    Connection,
    Dialect,
    Table,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.sql.compiler import SQLCompiler

from tertulia.store import mapping, schema


class CompiledStatement(NamedTuple):
    sql: str
    parameters: tuple[tuple[str, Callable[[Any], Any] | None], ...]


QUEUED = "rows of a batch that are not inserted yet"


class Prepared:
    """A statement whose parameters are the names it binds, or for an insert the columns; there are no constants.

    Values come back as the driver gives them: only columns of plain numbers and texts may be asked for.
    """

    def __init__(self, statement: ClauseElement, columns: list[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled_by_dialect: dict[str, CompiledStatement] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """For a statement that gives nothing back."""
        self._execute(connection, values).close()

    def put(self, connection: Connection, values: Mapping[str, Any], *, queued: bool) -> None:
        """Inserts a row now, or where it is ``queued`` at the next ``flush``, together with others of the batch."""
        if queued:
            self._queue(connection, values)
        else:
            self.run(connection, values)

    def _queue(self, connection: Connection, values: Mapping[str, Any]) -> None:
        waiting: dict[Prepared, list[tuple[Any, ...]]] = connection.info.setdefault(QUEUED, {})
        waiting.setdefault(self, []).append(self._bound(self._for(connection), values))

    def row(self, connection: Connection, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The one row by the names of its columns, None where there is none."""
        cursor = self._execute(connection, values)
        found = cursor.fetchone()
        names = [column[0] for column in cursor.description]
        cursor.close()
        return None if found is None else dict(zip(names, found, strict=True))

    def _execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        known = self._for(connection)
        cursor = connection.connection.cursor()
        cursor.execute(known.sql, self._bound(known, values))
        return cursor

    def insert(self, connection: Connection, rows_: list[tuple[Any, ...]]) -> None:
        """Inserts rows that were queued."""
        cursor = connection.connection.cursor()
        cursor.executemany(self._for(connection).sql, rows_)
        cursor.close()

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
        known = self._compiled_by_dialect[dialect.name] = CompiledStatement(str(compiler), parameters)
        return known


def _inserting(table: Table) -> Prepared:
    return Prepared(insert(table), [column.key for column in table.columns])


_a, _c, _d = schema.author.c, schema.comment.c, schema.discussion.c
COMMENT = select(schema.comment).where(_c.id == bindparam("comment"))
REQUEST = select(schema.comment).where(
    _c.author_id == bindparam("author"), _c.idempotency_key.in_([bindparam("request"), bindparam("bare")])
)
"""At most one comment; two where servers of an earlier version, which know bare keys alone, go on beside this one."""
AUTHOR_NAME = select(_a.name).where(_a.id == bindparam("author"))
POST_CONTEXT = Prepared(
    mapping.discussions()
    .where(schema.site.c.key == bindparam("site"), _d.key == bindparam("key"))
    .add_columns(AUTHOR_NAME.scalar_subquery().label("author_name"))
    .add_columns(REQUEST.with_only_columns(func.min(_c.id)).scalar_subquery().label("repeated"))
)
"""What a new comment depends on: its discussion, the name its author is known by, the same request made before."""
NEW_AUTHOR = _inserting(schema.author)
NEW_COMMENT = _inserting(schema.comment)
NEW_EVENT = _inserting(schema.event)
ADVANCE = Prepared(
    update(schema.discussion)
    .where(_d.id == bindparam("discussion"))
    .values(seq=_d.seq + literal_column("1"), comment_count=_d.comment_count + bindparam("shown"))
    .returning(
        _d.seq,
        _d.comment_count,
        _d.key,
        select(schema.site.c.key).where(schema.site.c.id == _d.site_id).scalar_subquery().label("site"),
    )
)
COUNT_REPLY = Prepared(
    update(schema.comment)
    .where(_c.id == bindparam("parent"))
    .values(reply_count=_c.reply_count + bindparam("shown"))
    .returning(_c.reply_count)
)


def flush(connection: Connection) -> None:
    """Inserts what waits; called before anything is read that may be among it, and before the end.

    A comment's id is told after the commit, so nobody can name one that still waits.
    """
    waiting: dict[Prepared, list[tuple[Any, ...]]] = connection.info.get(QUEUED, {})
    for statement in (NEW_AUTHOR, NEW_COMMENT, NEW_EVENT):  # each refers to those before it
        rows_ = waiting.pop(statement, None)
        if rows_:
            statement.insert(connection, rows_)


def discard(connection: Connection) -> None:
    """Drops what waits: the transaction it belongs to is rolled back."""
    connection.info.pop(QUEUED, None)
