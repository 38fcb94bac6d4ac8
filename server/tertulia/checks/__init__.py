"""Checking: every invariant of a database, counted again; what is wrong is told and never mended.

file    SQLite's own checks                          tables  counts, replies, visibility, in SQL
log     each discussion's events against its tables  replay  what a reader makes of events
"""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from tertulia.checks import file, log, tables
from tertulia.checks.findings import Finding
from tertulia.checks.replay import Replayed, fold
from tertulia.store import Store

__all__ = ["Finding", "Replayed", "check", "fold"]


async def check(store: Store) -> list[Finding]:
    """What is wrong, all seen at one moment; memory is bounded by the largest discussion."""
    async with store.database.read.connect() as connection:
        return await connection.run_sync(_check)


def _check(connection: Connection) -> list[Finding]:
    findings: list[Finding] = []
    try:
        for part in (file.check, tables.check, log.check):
            findings.extend(part(connection))
    except DatabaseError as error:
        findings.append(Finding("unreadable", "database", " ".join(str(error.orig).split())))
    return findings
