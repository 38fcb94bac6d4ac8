"""Whose name is whose: staff's is nobody else's, a member's no guest's at the site; looked up where it is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete

from tertulia.checks import check
from tertulia.identity import new_moderator_token, utc_now
from tertulia.store import administration, names, schema, tasks
from tertulia.store.commands import CommandResult
from tests.people.test_sessions import Instance, code, instance
from tests.support.store_actions import Custom
from tests.support.waiting import until

TAKEN = (409, "name_taken")


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one") as found:
        yield found


async def said(one: Instance, name: str, token: str | None = None, **more: Any) -> tuple[int, str]:
    answer = await one.say(token, author={"name": name}, **more)
    return (answer.status_code, answer.json().get("code", ""))


async def add_moderator(one: Instance, name: str) -> None:
    command = administration.AddModerator(name, new_moderator_token().hash, utc_now())
    await one.server.store.write(command)


async def test_a_guest_is_not_called_as_a_member_of_the_site(one: Instance) -> None:
    await one.server.store.write(administration.AddSite("magazine", [], utc_now()))
    await one.token("1/Lan Nguyễn")
    for name in ("Lan Nguyễn", "lan nguyen", "Lаn Nguyen", "Lan\u200dNguyen"):
        assert await said(one, name) == TAKEN
    assert await said(one, "Lan Nguyen Anh") == (201, "")
    assert await said(one, "Lan Nguyễn", site="magazine") == (201, "")
    assert (await one.sign_in("2/Lan Nguyễn")).status_code == 201, "members share names"
    assert await check(one.server.store) == []


async def test_a_guest_who_was_there_before_goes_on(one: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a statement for it; under another name the guest is asked like everybody."""
    asked: list[str] = []
    require_free = names.require_free

    def counted(connection: Connection, author_id: str, name: str, **more: Any) -> None:
        asked.append(name)
        require_free(connection, author_id, name, **more)

    monkeypatch.setattr(names, "require_free", counted)
    token = (await one.say(None, author={"name": "Lan"})).json()["token"]
    await one.token("1/Lan")
    await one.token("2/Minh")
    assert await said(one, "Lan", token) == (201, "")
    assert asked == ["Lan", "Lan", "Minh"]
    assert await said(one, "Minh", token) == TAKEN
    assert await said(one, "Lan", token) == (201, "")


async def test_who_renames_takes_the_new_name_and_leaves_the_old_one(one: Instance) -> None:
    token = await one.token("1/Lan")
    await one.ask("PATCH", "/me", token, json={"name": "Hoa"})
    assert await said(one, "Hoa") == TAKEN
    assert await said(one, "Lan") == (201, "")
    await one.token("1/Minh")
    assert await said(one, "Minh") == TAKEN
    assert await said(one, "Hoa") == (201, "")


async def test_a_name_of_staff_is_taken_from_its_commit_on(one: Instance) -> None:
    """Although the names of staff that this instance has read are some seconds old."""
    assert await said(one, "Somebody") == (201, "")
    member = await one.token("1/Minh")
    await add_moderator(one, "Lan")
    assert await said(one, "Lаn") == TAKEN
    assert code(await one.sign_in("2/Lan")) == TAKEN
    assert code(await one.ask("PATCH", "/me", member, json={"name": "LAN"})) == TAKEN
    assert code(await one.sign_in("1/Lan")) == TAKEN
    assert (await one.ask("GET", "/me", member)).json()["name"] == "Minh", "a refusal changes nothing"
    await one.server.store.write(administration.RemoveModerator("Lan", utc_now()))
    assert (await one.sign_in("2/Lan")).status_code == 201


async def test_the_sites_own_name_is_nobodys(one: Instance) -> None:
    await one.server.store.write(administration.AddSite("evening-post", [], utc_now()))
    for name in ("Evening Post", "evening-post", "Еvening Pоst"):
        assert await said(one, name, site="evening-post") == TAKEN
    assert await said(one, "Tertulia") == TAKEN, "as the server's pages are called"
    assert await said(one, "Evening Post") == (201, "")


async def test_names_from_before_are_noted_by_the_task_that_the_migration_makes(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.people.names.BATCH", 2)
    async with instance(database, tmp_path / "one") as one:
        for number in range(5):
            await one.token(f"{number}/Member {'ABCDE'[number]}")
        await add_moderator(one, "Lan")
        before = await one.rows(schema.taken_name)

        def from_before(connection: Connection) -> CommandResult[None]:
            connection.execute(delete(schema.taken_name))
            tasks.enqueue(connection, names.QUEUE, {}, name=names.QUEUE)
            return CommandResult(None)

        await one.server.store.write(Custom(from_before))
        assert await one.rows(schema.taken_name) == []
    async with instance(database, tmp_path / "one", work="all") as one:

        async def is_noted() -> bool:
            return names.QUEUE not in {task["queue"] for task in await one.rows(schema.task)}

        await until(is_noted, "the names to be noted")
        found = await one.rows(schema.taken_name)
        assert sorted(map(str, found)) == sorted(map(str, before))
        answers = await asyncio.gather(*(said(one, f"Member {letter}") for letter in "ABCDE"))
        assert answers == [TAKEN] * 5
