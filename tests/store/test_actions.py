"""The log of what was decided: nobody changes it, by no statement, on neither database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from tertulia.store import Store, schema
from tests.support.store_actions import StoreActions
from tests.support.tables import execute

ROW: dict[str, Any] = {
    "id": "a",
    "at": 1,
    "site_id": 1,
    "actor_id": "editor",
    "actor": "staff",
    "verb": "remove",
    "comment_id": "c",
    "author_id": "w",
    "discussion_id": 1,
    "reason": "spam",
    "note": "of Lan",
    "data": {"version": 2},
    "undoes": None,
}
OTHER: dict[str, Any] = {name: 7 if isinstance(value, int) else "other" for name, value in ROW.items()}
OTHER["data"] = {"version": 3}
REFUSED = r"actions are kept as they are"


@pytest.fixture
async def actions(store: Store) -> StoreActions:
    actions = StoreActions(store)
    await run(actions, insert(schema.action).values(ROW))
    return actions


async def run(actions: StoreActions, *statements: Any) -> None:
    await execute(actions.store, *statements)


async def rows(actions: StoreActions) -> list[dict[str, Any]]:
    return await actions.store.read(
        lambda connection: [dict(row) for row in connection.execute(select(schema.action)).mappings()]
    )


@pytest.mark.parametrize("name", OTHER)
async def test_no_column_is_changed(actions: StoreActions, name: str) -> None:
    with pytest.raises(IntegrityError, match=REFUSED):
        await run(actions, update(schema.action).values({name: OTHER[name]}))
    assert await rows(actions) == [ROW]


async def test_no_row_goes(actions: StoreActions) -> None:
    with pytest.raises(IntegrityError, match=REFUSED):
        await run(actions, delete(schema.action))
    if actions.store.database.file is None:
        with pytest.raises(IntegrityError, match=REFUSED):
            await run(actions, text("TRUNCATE action"))
    assert await rows(actions) == [ROW]


async def test_a_note_about_a_person_is_emptied(actions: StoreActions) -> None:
    await run(actions, update(schema.action).values(note=""))
    assert await rows(actions) == [ROW | {"note": ""}]


async def test_what_is_old_is_cut_off_by_whoever_says_so_in_the_same_transaction(actions: StoreActions) -> None:
    said = insert(schema.meta).values(name=schema.CUTTING, value="")
    unsaid = delete(schema.meta).where(schema.meta.c.name == schema.CUTTING)
    await run(actions, insert(schema.action).values(ROW | {"id": "b", "at": 2}))
    await run(actions, said, delete(schema.action).where(schema.action.c.at < 2), unsaid)
    assert await rows(actions) == [ROW | {"id": "b", "at": 2}]
    with pytest.raises(IntegrityError, match=REFUSED):
        await run(actions, delete(schema.action))
