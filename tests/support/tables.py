"""The tables of a store, past its commands and queries: what only time, another version or a mistake would write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, Table, select, update

from tertulia.store import Store, schema
from tertulia.store.commands import CommandResult
from tests.support.store_actions import Custom


async def rows(store: Store, of: Table | Select[Any]) -> list[dict[str, Any]]:
    """All rows of a table, or those that a query gives."""
    query = select(of) if isinstance(of, Table) else of
    return await store.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])


async def execute(store: Store, *statements: Any) -> None:
    """In one transaction."""

    def apply(connection: Connection) -> CommandResult[None]:
        for statement in statements:
            connection.execute(statement)
        return CommandResult(None)

    await store.write(Custom(apply))


async def make_older(store: Store, span: timedelta) -> None:
    """As if what people signed in with, and all sessions, had been made so much earlier."""
    by = span // timedelta(milliseconds=1)
    for table in (schema.challenge, schema.session, schema.signin, schema.signin_code):
        moved = {name: table.c[name] - by for name in ("at", "used_at", "expires_at") if name in table.c}
        await execute(store, update(table).values(**moved))
