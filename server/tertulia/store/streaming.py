"""Reading without holding: rows come a few at a time, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Executable, Row

FETCH = 100
"""Rows that are held at once: 10 MB where each is as large as a row may be, and on PostgreSQL one trip over the network
for a hundred."""


def streamed(connection: Connection, query: Executable) -> Iterator[Row[Any]]:
    """The rows of a query by a cursor in the database; several may be open at once in a transaction."""
    result = connection.execute(query, execution_options={"yield_per": FETCH})
    try:
        yield from result
    finally:
        result.close()
