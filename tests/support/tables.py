"""The tables of a store, past its commands and queries: what only time, another version or a mistake would write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, Table, select, update

from tertulia.core.ids import lowest_uuid7
from tertulia.identity import utc_now
from tertulia.store import Store, schema
from tertulia.store.commands import CommandResult
from tertulia.store.mapping import milliseconds
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


async def say_earlier(store: Store, comment_id: str, age: timedelta) -> str:
    """A comment, and where it came from, once more, as if it had been said so long ago; its id."""
    made = lowest_uuid7(milliseconds(utc_now() - age))
    for table, key in ((schema.comment, "id"), (schema.origin, "comment_id")):
        for row in await rows(store, select(table).where(table.c[key] == comment_id)):
            own = {"idempotency_key": made} if table is schema.comment else {}
            await execute(store, table.insert().values(**{**row, key: made, **own}))
    return made
