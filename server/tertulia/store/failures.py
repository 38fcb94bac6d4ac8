"""What a database's failures mean: one table for the states of PostgreSQL, one for the codes of SQLite.

again    the same transaction may succeed at once: it is tried again, and nobody hears of it
out      the database is out of service: people are answered 503, the operator one line a minute, and it is counted
ours     a mistake of ours: whoever asked is answered 500, and the log has a trace
"""

from __future__ import annotations

import logging
import sqlite3
import sys
from enum import Enum
from typing import Any, Literal

from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tertulia.logs import Sparing

Fate = Literal["again", "out", "ours"]

log = logging.getLogger(__name__)


class Failure(Enum):
    """Kinds of failures: what is done about each, and what an operator can do."""

    conflict = ("again", "two transactions met; if it lasts, look for a program that holds locks")
    unreachable = ("out", "start the database, or look at the network and the name service before it")
    slow = ("out", "it did not answer in time: look at its disk, its locks and its load")
    busy = ("out", "another program holds the database; end it")
    full = ("out", "make room on the disk of the database")
    read_only = ("out", "let the server write: file permissions, a standby, default_transaction_read_only")
    exhausted = ("out", "it lacks memory, connections or open files; raise its limits")
    refused = ("out", "the role may not do this here: look at its password and its rights")
    damaged = ("out", "its disk fails or its file is damaged: look at the disk, then restore a backup")
    fault = ("ours", "report it, with the trace")

    def __init__(self, fate: Fate, advice: str) -> None:
        self.fate = fate
        self.advice = advice


_T = Failure
SQLSTATES: dict[str, Failure] = {
    # classes of PostgreSQL's Appendix A, and single states that differ from their class
    "00": _T.fault,  # success, warnings, no data: never an error
    "01": _T.fault,
    "02": _T.fault,
    "03": _T.fault,
    "08": _T.unreachable,
    "09": _T.fault,
    "0A": _T.fault,
    "0B": _T.fault,
    "0F": _T.fault,
    "0L": _T.refused,
    "0P": _T.refused,
    "0Z": _T.fault,
    "10": _T.fault,
    "20": _T.fault,
    "21": _T.fault,
    "22": _T.fault,
    "23": _T.fault,
    "24": _T.fault,
    "25": _T.fault,
    "25006": _T.read_only,
    "25P03": _T.conflict,  # this process was held up in the middle of a transaction, which is undone
    "25P04": _T.slow,
    "26": _T.conflict,  # the server forgot a prepared statement: it is prepared anew
    "27": _T.fault,
    "28": _T.refused,
    "2B": _T.fault,
    "2D": _T.fault,
    "2F": _T.fault,
    "2F002": _T.read_only,
    "2F004": _T.read_only,
    "34": _T.fault,
    "38": _T.fault,
    "39": _T.fault,
    "3B": _T.fault,
    "3D": _T.refused,
    "3F": _T.fault,
    "40": _T.conflict,
    "40002": _T.fault,
    "40003": _T.unreachable,  # nobody knows whether it is done: the client asks again, with the same key
    "42": _T.fault,
    "42501": _T.refused,
    "44": _T.fault,
    "53": _T.exhausted,
    "53100": _T.full,
    "54": _T.fault,
    "55": _T.busy,
    "55P02": _T.fault,
    "55P03": _T.conflict,
    "55P04": _T.fault,
    "57": _T.unreachable,
    "57014": _T.slow,
    "58": _T.damaged,
    "58000": _T.exhausted,
    "72": _T.conflict,
    "F0": _T.damaged,
    "HV": _T.fault,
    "P0": _T.fault,
    "XX": _T.damaged,
}
"""By the whole state or by its class, its first two characters; a class that is not here is an extension's own."""

SQLITE_CODES: dict[int, Failure] = {
    # result codes; extended ones that differ from their primary code, which is the lowest byte
    sqlite3.SQLITE_OK: _T.fault,
    sqlite3.SQLITE_ERROR: _T.fault,
    sqlite3.SQLITE_INTERNAL: _T.damaged,
    sqlite3.SQLITE_PERM: _T.read_only,
    sqlite3.SQLITE_ABORT: _T.conflict,
    sqlite3.SQLITE_BUSY: _T.busy,  # after BUSY_MILLISECONDS: whoever asked has waited long enough
    sqlite3.SQLITE_BUSY_RECOVERY: _T.conflict,
    sqlite3.SQLITE_BUSY_SNAPSHOT: _T.conflict,
    sqlite3.SQLITE_LOCKED: _T.conflict,
    sqlite3.SQLITE_NOMEM: _T.exhausted,
    sqlite3.SQLITE_READONLY: _T.read_only,
    sqlite3.SQLITE_INTERRUPT: _T.slow,
    sqlite3.SQLITE_IOERR: _T.damaged,
    sqlite3.SQLITE_IOERR_NOMEM: _T.exhausted,
    sqlite3.SQLITE_CORRUPT: _T.damaged,
    sqlite3.SQLITE_NOTFOUND: _T.fault,
    sqlite3.SQLITE_FULL: _T.full,
    sqlite3.SQLITE_CANTOPEN: _T.unreachable,
    sqlite3.SQLITE_PROTOCOL: _T.conflict,
    sqlite3.SQLITE_EMPTY: _T.fault,
    sqlite3.SQLITE_SCHEMA: _T.conflict,
    sqlite3.SQLITE_TOOBIG: _T.fault,
    sqlite3.SQLITE_CONSTRAINT: _T.fault,
    sqlite3.SQLITE_MISMATCH: _T.fault,
    sqlite3.SQLITE_MISUSE: _T.fault,
    sqlite3.SQLITE_NOLFS: _T.full,
    sqlite3.SQLITE_AUTH: _T.fault,
    sqlite3.SQLITE_FORMAT: _T.fault,
    sqlite3.SQLITE_RANGE: _T.fault,
    sqlite3.SQLITE_NOTADB: _T.damaged,
    sqlite3.SQLITE_NOTICE: _T.fault,
    sqlite3.SQLITE_WARNING: _T.fault,
}
_PRIMARY = 0xFF

_ASYNCPG_SPECIAL = {
    # its own words for what has a state, too, or only looks like a lost connection
    "InvalidCachedStatementError": _T.conflict,  # another instance changed the schema: prepared anew
    "OutdatedSchemaCacheError": _T.conflict,
    "ClientConfigurationError": _T.fault,
    "UnsupportedClientFeatureError": _T.fault,
    "UnsupportedServerFeatureError": _T.fault,
}
_ASYNCPG_OTHERS = {"InterfaceError": _T.unreachable, "InternalClientError": _T.unreachable}
_OTHERS: dict[type[BaseException], Failure] = {
    # what has neither state nor code, the special before the general
    PendingRollbackError: _T.unreachable,
    PoolTimeoutError: _T.slow,
    TimeoutError: _T.slow,
    EOFError: _T.unreachable,
    OSError: _T.unreachable,  # commands and queries open no files: it is the driver's
    sqlite3.OperationalError: _T.unreachable,
}


def driver_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """``others``, and what comes from the drivers where no library is between, or while one cleans up."""
    asyncpg = _asyncpg()
    if asyncpg is None:
        return (*others, sqlite3.Error)
    return (*others, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def _asyncpg() -> Any:
    """The exceptions of asyncpg, None while nobody has imported it: nothing can have raised them then.

    A server on SQLite saves 3 MiB.
    """
    return sys.modules.get("asyncpg.exceptions")


def _classes(names: dict[str, Failure]) -> dict[type[BaseException], Failure]:
    asyncpg = _asyncpg()
    return {} if asyncpg is None else {getattr(asyncpg, name): meant for name, meant in names.items()}


def classify(error: BaseException) -> Failure:
    """What kind of failure it is; ``fault`` for all that no database is to blame for."""
    causes = _causes(error)
    others = _classes(_ASYNCPG_OTHERS) | _OTHERS
    for meant in (_by_class(causes, _classes(_ASYNCPG_SPECIAL)), _by_number(causes), _by_class(causes, others)):
        if meant is not None:
            return meant
    return Failure.fault


def _causes(error: BaseException) -> list[BaseException]:
    """The error, and what the libraries below made it of."""
    causes = [error]
    while isinstance(error, DBAPIError | EmulatedDBAPIException):
        cause = error.orig or error.__cause__
        if cause is None or cause in causes:
            break
        causes.append(cause)
        error = cause
    return causes


def _by_class(causes: list[BaseException], table: dict[type[BaseException], Failure]) -> Failure | None:
    return next((meant for kind, meant in table.items() for one in causes if isinstance(one, kind)), None)


def _by_number(causes: list[BaseException]) -> Failure | None:
    for one in causes:
        state, code = getattr(one, "sqlstate", None), getattr(one, "sqlite_errorcode", None)
        if isinstance(state, str):
            return SQLSTATES.get(state, SQLSTATES.get(state[:2], Failure.fault))
        if isinstance(code, int):
            return SQLITE_CODES.get(code, SQLITE_CODES.get(code & _PRIMARY, Failure.fault))
    return None


def line(error: BaseException) -> str:
    """The first line of what the driver says; never the statement, whose parameters are what people wrote."""
    lines = str(_causes(error)[-1]).splitlines()
    return lines[0] if lines else type(error).__name__


class FailureLog:
    """Counts failures by their kind, and tells of each kind at most once a minute."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(Failure, 0)
        self._sparing = Sparing(log)

    def note(self, error: BaseException, message: str, **fields: object) -> Failure:
        """Its kind, counted; where the database is out of service, ``message`` is logged with what to do."""
        meant = classify(error)
        self.counts[meant] += 1
        if meant.fate != "ours":
            said = {"trouble": meant.name, "reason": line(error), "advice": meant.advice}
            self._sparing.error(message, cause=(message, meant), **said, **fields)
        return meant
