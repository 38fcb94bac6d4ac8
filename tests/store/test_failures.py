"""What a database's failures mean: the tables are whole, and what the drivers raise is found in them."""

from __future__ import annotations

import inspect
import sqlite3
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tertulia.errors import ErrorCode, Problem
from tertulia.store.failures import SQLITE_CODES, SQLSTATES, Failure, FailureLog, classify, line

DBAPI: Any = AsyncAdapt_asyncpg_dbapi(asyncpg)  # type: ignore[no-untyped-call]
KNOWN = {
    state: kind
    for kind in vars(asyncpg.exceptions).values()
    if inspect.isclass(kind) and (state := getattr(kind, "sqlstate", None))
}


def of_sqlite(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
    error = kind("database trouble")
    error.sqlite_errorcode = code
    return error


def translated(error: Exception) -> Exception:
    """As SQLAlchemy hands it on from asyncpg, where a statement goes to the driver directly."""
    for kind in type(error).__mro__:
        if kind in DBAPI._asyncpg_error_translate:
            made: Exception = DBAPI._asyncpg_error_translate[kind](error.args[0], error)
            made.__cause__ = error
            return made
    return error


def test_every_class_of_states_is_sorted() -> None:
    assert {state[:2] for state in KNOWN} <= SQLSTATES.keys()
    assert all(len(state) == 2 or state in KNOWN for state in SQLSTATES)


def test_every_result_code_of_sqlite_is_sorted() -> None:
    """Those of the file sqlite3.h from 0 to 28; 100 and 101 are no errors."""
    assert {code & 0xFF for code in SQLITE_CODES} == {*range(29)}


@pytest.mark.parametrize(
    ("state", "meant"),
    [
        ("53100", Failure.full),
        ("25006", Failure.read_only),
        ("53200", Failure.exhausted),
        ("53300", Failure.exhausted),
        ("40001", Failure.conflict),
        ("40P01", Failure.conflict),
        ("55P03", Failure.conflict),
        ("57P01", Failure.unreachable),
        ("57P03", Failure.unreachable),
        ("08006", Failure.unreachable),
        ("57014", Failure.slow),
        ("28P01", Failure.refused),
        ("42501", Failure.refused),
        ("3D000", Failure.refused),
        ("58030", Failure.damaged),
        ("XX001", Failure.damaged),
        ("25P03", Failure.conflict),
        ("22021", Failure.fault),
        ("23505", Failure.fault),
        ("42P01", Failure.fault),
        ("54000", Failure.fault),
        ("P0001", Failure.fault),
        ("ZZ123", Failure.fault),
    ],
)
def test_a_state_means_the_same_however_it_is_met(state: str, meant: Failure) -> None:
    kind = KNOWN.get(state, asyncpg.PostgresError)
    error = kind("it failed")
    error.sqlstate = state
    raw = translated(error)
    assert [classify(one) for one in (error, raw, DBAPIError("INSERT", {}, raw))] == [meant] * 3


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        (sqlite3.SQLITE_FULL, Failure.full),
        (sqlite3.SQLITE_READONLY, Failure.read_only),
        (sqlite3.SQLITE_READONLY_DBMOVED, Failure.read_only),
        (sqlite3.SQLITE_IOERR_WRITE, Failure.damaged),
        (sqlite3.SQLITE_BUSY, Failure.busy),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Failure.conflict),
        (sqlite3.SQLITE_CANTOPEN, Failure.unreachable),
        (sqlite3.SQLITE_CORRUPT_INDEX, Failure.damaged),
        (sqlite3.SQLITE_NOTADB, Failure.damaged),
        (sqlite3.SQLITE_NOMEM, Failure.exhausted),
        (sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, Failure.fault),
        (sqlite3.SQLITE_ERROR, Failure.fault),
        (sqlite3.SQLITE_TOOBIG, Failure.fault),
    ],
)
def test_a_code_of_sqlite_means_what_its_own_or_its_primary_code_does(code: int, meant: Failure) -> None:
    error = of_sqlite(code)
    assert [classify(one) for one in (error, OperationalError("INSERT", {}, error))] == [meant] * 2


@pytest.mark.parametrize(
    ("error", "meant"),
    [
        (ConnectionResetError("cut"), Failure.unreachable),
        (OSError("no route"), Failure.unreachable),
        (EOFError(), Failure.unreachable),
        (TimeoutError(), Failure.slow),
        (PoolTimeoutError("all are in use"), Failure.slow),
        (PendingRollbackError("the connection is gone"), Failure.unreachable),
        (asyncpg.InterfaceError("connection is closed"), Failure.unreachable),
        (asyncpg.InternalClientError("got a result for an unknown state"), Failure.unreachable),
        (asyncpg.InvalidCachedStatementError("the schema changed"), Failure.conflict),
        (asyncpg.OutdatedSchemaCacheError("a type changed"), Failure.conflict),
        (asyncpg.DataError("invalid input for query argument $1: 'secret'"), Failure.fault),
        (asyncpg.ClientConfigurationError("a bad address"), Failure.fault),
        (sqlite3.OperationalError("no active connection"), Failure.unreachable),
        (sqlite3.ProgrammingError("a wrong number of bindings"), Failure.fault),
        (Problem(ErrorCode.gone, "It is gone."), Failure.fault),
        (KeyError("a mistake of ours"), Failure.fault),
        (MemoryError(), Failure.fault),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_what_has_neither_is_known_by_its_class(error: Exception, meant: Failure) -> None:
    raw = translated(error)
    assert [classify(one) for one in (error, raw)] == [meant] * 2
    assert classify(DBAPIError("SELECT", {}, raw)) == meant


def test_the_line_of_an_error_holds_no_statement_and_no_values() -> None:
    error = asyncpg.NotNullViolationError("null value in column")
    error.args = ("null value in column\nDETAIL:  Failing row contains (secret).",)
    assert line(DBAPIError("INSERT", {"text": "secret"}, translated(error))) == "null value in column"


def test_a_trouble_is_told_once_a_minute_and_counted_each_time(caplog: pytest.LogCaptureFixture) -> None:
    failures = FailureLog()
    errors: list[Any] = [of_sqlite(sqlite3.SQLITE_FULL), of_sqlite(sqlite3.SQLITE_IOERR)] * 50
    for error in errors:
        failures.note(error, "It could not be written")
    told = [(record.levelname, vars(record)["trouble"], record.exc_info) for record in caplog.records]
    assert told == [("ERROR", "full", None), ("ERROR", "damaged", None)]
    assert (failures.counts[Failure.full], failures.counts[Failure.damaged]) == (50, 50)
    assert "make room" in vars(caplog.records[0])["advice"]
