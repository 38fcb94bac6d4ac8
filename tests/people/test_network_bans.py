"""Bans of networks, and what a ban takes away: the guests of a network write nothing more, and what they wrote goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from tertulia.checks import check
from tertulia.identity import utc_now
from tertulia.store import schema
from tertulia.store.origins import SweepOrigins
from tests.people.test_bans import pass_time
from tests.people.test_rules import moderator
from tests.people.test_sessions import Instance, code, instance
from tests.people.test_slow_mode import from_afar, two
from tests.support.waiting import until

HERE, BESIDE, AFAR = "203.0.113.7", "203.0.113.8", "198.51.100.1"
WEEK = 7 * 24 * 3_600


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one", work="all") as found:
        yield found


async def said_from(one: Instance, address: str) -> dict[str, Any]:
    answer = await from_afar(one, address)
    assert answer.status_code == 201, answer.text
    comment: dict[str, Any] = answer.json()["comment"]
    return comment


async def ban(one: Instance, staff: str, comment: dict[str, Any], reach: str = "near", **more: Any) -> httpx.Response:
    return await one.ask("POST", "/staff/bans", staff, json={"comment_id": comment["id"], "reach": reach, **more})


@pytest.mark.parametrize(
    ("first", "same", "around", "outside"),
    [(HERE, HERE, BESIDE, AFAR), ("2001:db8:1:2::5", "2001:db8:1:2:ffff::", "2001:db8:1:3::5", "2001:db8:2:2::5")],
)
async def test_a_near_ban_is_of_one_client_and_a_wide_one_of_its_network_at_every_instance(
    database: str, tmp_path: Path, first: str, same: str, around: str, outside: str
) -> None:
    async with two(database, tmp_path) as (here, there):
        staff, said = await moderator(here), await said_from(there, first)
        made = await ban(here, staff, said)
        assert made.status_code == 201, made.text
        refused = await from_afar(there, same)
        assert code(refused) == (403, "banned")
        assert WEEK - 60 <= refused.json()["retry_after"] <= WEEK, "a week, where nothing is said"
        assert (await from_afar(there, around)).status_code == 201
        assert (await ban(here, staff, said, "wide", effect="hold", hours=2)).status_code == 201
        assert code(await from_afar(here, first)) == (403, "banned"), "the stricter one holds"
        assert (await from_afar(here, around)).json()["comment"]["state"] == "held"
        assert (await from_afar(here, outside)).json()["comment"]["state"] == "visible"
        assert (await here.ask("DELETE", f"/staff/bans/{made.json()['id']}", staff)).status_code == 204
        assert (await from_afar(there, first)).json()["comment"]["state"] == "held"
        assert await check(here.server.store) == []
        await pass_time(here, 2 * 3_600_000)
        assert (await from_afar(there, first)).json()["comment"]["state"] == "visible"


async def test_members_write_on_from_a_banned_network(one: Instance) -> None:
    staff, said = await moderator(one), await said_from(one, HERE)
    member = await one.token()
    assert (await ban(one, staff, said)).status_code == 201
    assert (await from_afar(one, HERE, member)).status_code == 201
    assert (await from_afar(one, HERE, staff)).status_code == 201


async def test_an_editor_is_told_how_many_a_network_stands_for(one: Instance) -> None:
    staff, said = await moderator(one), await said_from(one, HERE)
    for address in (HERE, HERE, BESIDE, AFAR):
        await said_from(one, address)
    path = f"/staff/networks?comment_id={said['id']}"
    assert (await one.ask("GET", path, staff)).json() == {"near": 3, "wide": 4}
    by_member = (await one.say(await one.token())).json()["comment"]["id"]
    unknown = {"near": None, "wide": None}
    for comment_id in (by_member, said["author"]["id"], "nothing"):
        assert (await one.ask("GET", f"/staff/networks?comment_id={comment_id}", staff)).json() == unknown


async def test_where_it_came_from_is_forgotten_and_no_address_is_kept(one: Instance) -> None:
    staff, said = await moderator(one), await said_from(one, HERE)
    [kept] = await one.rows(schema.origin)
    assert HERE not in str(kept)
    await one.server.store.write(SweepOrigins(utc_now(), 1))
    assert await one.rows(schema.origin)
    await one.server.store.write(SweepOrigins(utc_now(), 0))
    assert await one.rows(schema.origin), "slow mode asks for an hour"
    old = "01900000-0000-7000-8000-000000000000"
    await one.do(schema.origin.delete())
    await one.do(schema.origin.insert().values(**{**kept, "comment_id": said["id"]}))
    assert (await ban(one, staff, said)).status_code == 201
    await one.do(schema.origin.delete())
    assert code(await ban(one, staff, said)) == (404, "not_found")
    assert code(await ban(one, staff, {"id": old})) == (404, "not_found")


async def test_nothing_is_noted_where_no_network_can_be_banned(database: str, tmp_path: Path) -> None:
    async with instance(database, tmp_path / "one", origin_days=0) as one:
        staff, said = await moderator(one), await said_from(one, HERE)
        assert await one.rows(schema.origin) == []
        assert code(await ban(one, staff, said)) == (404, "not_found")


async def test_what_is_asked_of_a_ban_has_to_make_sense(one: Instance) -> None:
    staff, said = await moderator(one), await said_from(one, HERE)
    for more in ({"hours": 24 * 90 + 1}, {"reach": "far"}, {"remove": "some"}, {"comment_id": None}):
        answer = await ban(one, staff, said, **more)
        assert code(answer)[0] in (400, 422), answer.text
    assert await one.rows(schema.ban) == []
    by_comment = await ban(one, staff, said, "author", hours=1)
    assert by_comment.json()["author_id"] == said["author"]["id"]


@pytest.mark.parametrize("reach", ["author", "near", "wide"])
async def test_a_ban_takes_away_what_they_wrote_and_each_can_be_undone(one: Instance, reach: str) -> None:
    staff = await moderator(one)
    answer = await from_afar(one, HERE)
    token, said = answer.json()["token"], answer.json()["comment"]
    mine = [said, *[(await from_afar(one, HERE, token)).json()["comment"] for _ in range(60)]]
    other = await said_from(one, AFAR)
    gone, kept = mine[-1], mine[0]
    assert (await one.ask("DELETE", f"/comments/{gone['id']}", token)).status_code == 200
    two_days = 48 * 3_600_000
    for table, column in ((schema.comment, schema.comment.c.created_at), (schema.origin, schema.origin.c.at)):
        its = table.c.id if table is schema.comment else table.c.comment_id
        await one.do(update(table).where(its == kept["id"]).values({column.name: column - two_days}))
    assert (await ban(one, staff, said, reach, reason="spam", remove="day")).status_code == 201

    async def states() -> dict[str, str]:
        return {row["id"]: row["state"] for row in await one.rows(schema.comment)}

    async def are_removed() -> bool:
        return list((await states()).values()).count("removed") == 59

    await until(are_removed, "what they wrote is removed")
    found = await states()
    assert (found[kept["id"]], found[gone["id"]], found[other["id"]]) == ("visible", "deleted", "visible")
    acts = [row for row in await one.rows(schema.action) if row["verb"] == "comment.remove"]
    assert {(row["actor"], row["reason"]) for row in acts} == {("Mai", "spam")}
    assert (await ban(one, staff, said, reach, remove="all")).status_code == 201

    async def is_gone() -> bool:
        return (await states())[kept["id"]] == "removed"

    await until(is_gone, "the older one is removed")
    undone = {"comment_id": acts[0]["comment_id"], "action": acts[0]["id"]}
    answer = await one.ask("POST", "/staff/undo", staff, json={"site": "default", "actions": [undone]})
    assert answer.json()["results"][0]["problem"] is None
    assert await check(one.server.store) == []


async def test_of_a_member_also_what_they_wrote_as_a_guest_goes(one: Instance) -> None:
    staff, said = await moderator(one), await one.say(None, author={"name": "Ba"})
    opened = await one.sign_in("4711/Ba", guest=said.json()["token"])
    by_member = (await one.say(opened.json()["token"])).json()["comment"]
    body = {"author_id": by_member["author"]["id"], "remove": "all"}
    assert (await one.ask("POST", "/staff/bans", staff, json=body)).status_code == 201

    async def all_gone() -> bool:
        return {row["state"] for row in await one.rows(schema.comment)} == {"removed"}

    await until(all_gone, "all is removed")


async def test_whoever_is_banned_neither_votes_nor_reports(one: Instance) -> None:
    staff, said = await moderator(one), await said_from(one, AFAR)
    mine = (await one.say(None, author={"name": "Ba"})).json()
    vote, report = f"/comments/{said['id']}/vote", f"/comments/{said['id']}/reports"
    member = await one.token()
    who = (await one.say(member)).json()["comment"]["author"]["id"]
    for token, author in ((mine["token"], mine["comment"]["author"]["id"]), (member, who)):
        assert (await one.say(token)).status_code == 201
        assert (await one.ask("PUT", vote, token, json={"value": 1})).status_code == 200
        banned = await one.ask("POST", "/staff/bans", staff, json={"author_id": author, "hours": 1})
        assert banned.status_code == 201, banned.text
        assert code(await one.ask("PUT", vote, token, json={"value": -1})) == (403, "banned")
        assert code(await one.ask("POST", report, token, json={"reason": "spam"})) == (403, "banned")
        assert (await one.ask("POST", report, None, json={"reason": "spam"})).status_code == 201
    await pass_time(one, 3_600_000)
    assert (await one.ask("PUT", vote, member, json={"value": -1})).status_code == 200
