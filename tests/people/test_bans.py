"""Bans: nothing is taken of a person, or all of it waits, at every instance and until the ban ends or is lifted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from tertulia.checks import check
from tertulia.store import schema
from tests.people.test_rules import moderator
from tests.people.test_sessions import Instance, code, instance
from tests.people.test_slow_mode import two

HOUR = 3_600_000
"""Milliseconds."""


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one") as found:
        yield found


async def ban(one: Instance, staff: str, author_id: str, **more: Any) -> httpx.Response:
    return await one.ask("POST", "/staff/bans", staff, json={"author_id": author_id, **more})


async def guest(one: Instance) -> dict[str, Any]:
    """What a guest was answered for a first comment: token, and the comment with its author."""
    answer = await one.say(None, author={"name": "Ba"})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def pass_time(one: Instance, milliseconds: int) -> None:
    until, at = schema.ban.c.until - milliseconds, schema.ban.c.at - milliseconds
    await one.do(update(schema.ban).values(until=until, at=at))


async def test_who_is_banned_at_one_instance_writes_at_no_other(database: str, tmp_path: Path) -> None:
    async with two(database, tmp_path) as (here, there):
        staff, said = await moderator(here), await guest(there)
        author, token = said["comment"]["author"]["id"], said["token"]
        made = await ban(here, staff, author, hours=2, reason="abuse")
        assert made.status_code == 201, made.text
        refused = await there.say(token)
        assert code(refused) == (403, "banned")
        assert 7_100 <= refused.json()["retry_after"] <= 7_200
        edit = {"json": {"body": "And another thing"}}
        path = f"/comments/{said['comment']['id']}"
        assert code(await there.ask("PATCH", path, token, **edit)) == (403, "banned")
        assert (await there.say(None, author={"name": "An"})).status_code == 201, "others write on"
        await pass_time(here, 2 * HOUR)
        assert (await there.say(token)).status_code == 201
        assert (await there.ask("PATCH", path, token, **edit)).status_code == 200
        assert await check(here.server.store) == []


async def test_a_ban_says_why_and_until_when(one: Instance) -> None:
    staff, said = await moderator(one), await guest(one)
    made = (await ban(one, staff, said["comment"]["author"]["id"], hours=2, reason="spam")).json()
    refused = (await one.say(said["token"])).json()["detail"]
    assert refused == f"You may not write here until {made['until'][:16].replace('T', ' ')} UTC. The reason: spam."
    assert (made["reason"], made["effect"]) == ("spam", "refuse")


async def test_what_is_held_waits_with_its_cause(one: Instance) -> None:
    staff, said = await moderator(one), await guest(one)
    assert (await ban(one, staff, said["comment"]["author"]["id"], effect="hold")).status_code == 201
    answer = await one.say(said["token"])
    assert (answer.status_code, answer.json()["comment"]["state"]) == (202, "held")
    [review] = await one.rows(schema.review)
    assert (review["queue"], review["causes"]) == ("waiting", [{"kind": "ban"}])
    path = f"/comments/{said['comment']['id']}"
    assert (await one.ask("PATCH", path, said["token"], json={"body": "Edited"})).status_code == 200


async def test_a_lifted_ban_is_over_and_the_log_has_both(one: Instance) -> None:
    staff, said = await moderator(one), await guest(one)
    author = said["comment"]["author"]["id"]
    first, second = [(await ban(one, staff, author)).json()["id"] for _ in range(2)]
    listed = (await one.ask("GET", "/staff/bans", staff)).json()
    assert [each["id"] for each in listed["bans"]] == [second, first]
    page = (await one.ask("GET", "/staff/bans?limit=1", staff)).json()
    rest = (await one.ask("GET", f"/staff/bans?limit=1&cursor={page['next']}", staff)).json()
    assert ([each["id"] for each in rest["bans"]], rest["next"]) == ([first], None)
    assert (await one.ask("DELETE", f"/staff/bans/{second}", staff)).status_code == 204
    assert code(await one.say(said["token"])) == (403, "banned"), "the other one goes on"
    assert (await one.ask("DELETE", f"/staff/bans/{first}", staff)).status_code == 204
    assert code(await one.ask("DELETE", f"/staff/bans/{first}", staff)) == (404, "not_found")
    assert (await one.say(said["token"])).status_code == 201
    acts = [(act["verb"], act["author_id"]) for act in await one.rows(schema.action) if "ban" in act["verb"]]
    assert sorted(acts) == [("person.ban", author)] * 2 + [("person.unban", author)] * 2
    assert await check(one.server.store) == []


async def test_of_two_bans_the_stricter_one_holds_as_long_as_it_goes_on(one: Instance) -> None:
    staff, said = await moderator(one), await guest(one)
    author = said["comment"]["author"]["id"]
    await ban(one, staff, author, hours=1)
    await ban(one, staff, author, effect="hold", hours=5)
    assert code(await one.say(said["token"])) == (403, "banned")
    await pass_time(one, HOUR)
    assert (await one.say(said["token"])).json()["comment"]["state"] == "held"
    await pass_time(one, 4 * HOUR)
    assert (await one.say(said["token"])).json()["comment"]["state"] == "visible"


async def test_a_guest_who_signs_in_stays_banned(one: Instance) -> None:
    staff, said = await moderator(one), await guest(one)
    assert (await ban(one, staff, said["comment"]["author"]["id"])).status_code == 201
    opened = await one.client.post(
        "/api/v1/sessions", json={"grant": "test", "token": "4711/Ba", "guest": said["token"]}
    )
    assert opened.status_code == 201, opened.text
    assert code(await one.say(opened.json()["token"])) == (403, "banned")
    [row] = (await one.ask("GET", "/staff/bans", staff)).json()["bans"]
    assert row["author_id"] == opened.json()["viewer"]["id"]


async def test_nobody_with_a_role_is_banned_and_nobody_of_elsewhere(one: Instance) -> None:
    staff = await moderator(one)
    mine = (await one.say(staff)).json()["comment"]["author"]["id"]
    assert code(await ban(one, staff, mine)) == (403, "forbidden")
    assert code(await ban(one, staff, "0190a000-0000-7000-8000-00000000ffff")) == (404, "not_found")
    assert await one.rows(schema.ban) == []


async def test_a_repeated_request_is_answered_as_before_the_ban(one: Instance) -> None:
    staff = await moderator(one)
    headers = {"Idempotency-Key": "0123456789abcdef-once"}
    body = {"key": "talk", "body": "Hello", "author": {"name": "Ba"}}
    first = await one.client.post("/api/v1/comments", json=body, headers=headers)
    await ban(one, staff, first.json()["comment"]["author"]["id"])
    again = await one.client.post("/api/v1/comments", json=body, headers=headers)
    assert (again.status_code, again.json()["comment"]["id"]) == (200, first.json()["comment"]["id"])
