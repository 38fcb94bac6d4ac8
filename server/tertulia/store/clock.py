"""What time it is: on PostgreSQL by the database's clock, that all instances share, since one of theirs may be off."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, literal, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from tertulia.store.mapping import milliseconds, to_datetime

_NOW = literal_column("CAST(extract(epoch from clock_timestamp()) * 1000 AS bigint)", BigInteger)
_BEGUN_SQL = "CAST(extract(epoch from now()) * 1000 AS bigint)"
_BEGUN = literal_column(_BEGUN_SQL, BigInteger)
"""The same in all of a transaction, so that an index can be asked for what is before it."""


def now(connection: Connection) -> int:
    """Milliseconds since 1970 by the clock that all instances share."""
    if connection.dialect.name == "postgresql":
        return connection.execute(select(_NOW)).scalar_one()
    return time.time_ns() // 1_000_000


def shared(connection: Connection, at: datetime) -> datetime:
    """When the transaction began by the clock that all instances share; on SQLite, which one machine has, ``at``."""
    if connection.dialect.name == "postgresql":
        return to_datetime(connection.execute(select(_BEGUN)).scalar_one())
    return at


def instant(connection: Connection, at: datetime, later: timedelta = timedelta()) -> ColumnElement[int]:
    """Like ``shared``, as an expression in milliseconds since 1970, and ``later`` by so much: costs no statement."""
    if connection.dialect.name == "postgresql":
        return _BEGUN + literal(later // timedelta(milliseconds=1), BigInteger)
    return literal(milliseconds(at + later), BigInteger)


class _Shared(FunctionElement[int]):
    inherit_cache = True
    name = "shared"
    type = BigInteger()


@compiles(_Shared)
def _given(element: _Shared, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(_Shared, "postgresql")
def _begun(_element: _Shared, _compiler: SQLCompiler, **_options: Any) -> str:
    return _BEGUN_SQL


SHARED_NOW = _Shared(bindparam("now", type_=BigInteger))
"""Like ``instant`` for statements that are prepared, whose parameter ``now`` PostgreSQL does not ask for."""
