"""Checking: every invariant of a database, counted again; what is wrong is told and never mended.

file    SQLite's own checks                          tables  counts, replies, visibility, in SQL
log     each event, and what it says of its comment  replay  what a reader makes of events
people  who became whom, and where each may act
identities  who is who, and what lets people and programs in
moderating  what waits for moderators, and why
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DatabaseError

from tertulia.checks import file, identities, log, moderating, people, tables
from tertulia.checks.findings import Finding
from tertulia.checks.replay import Replayed, fold
from tertulia.reporting import Progress, silent
from tertulia.store import Store, schema

_COUNTED = {"discussion": schema.discussion, "comment": schema.comment, "event": schema.event}

__all__ = ["Finding", "Replayed", "check", "fold", "search"]


async def check(store: Store) -> list[Finding]:
    """What is wrong, all seen at one moment."""
    findings: list[Finding] = []
    await search(store, findings.append)
    return findings


async def search(store: Store, found: Callable[[Finding], object], progress: Progress = silent) -> dict[str, int]:
    """Tells what is wrong as it is found, all seen at one moment; holds a few rows, however many there are.

    Gives what was looked at: how many there are of each kind, by the word for one.
    """
    return await store.database.read.run(lambda connection: _search(connection, found, progress))


def _search(connection: Connection, found: Callable[[Finding], object], progress: Progress) -> dict[str, int]:
    extent: dict[str, int] = {}
    try:
        for part in (file.check, tables.check, people.check, identities.check, moderating.check, log.check):
            for finding in part(connection, progress):
                found(finding)
        for name, table in _COUNTED.items():
            extent[name] = connection.scalar(select(func.count()).select_from(table)) or 0
    except DatabaseError as error:
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise  # whoever asked has gone: nothing is wrong with the database
        found(Finding("unreadable", "database", " ".join(str(error.orig).split())))
    return extent
