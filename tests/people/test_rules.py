"""Who may write: the rules of a site and of a discussion, from the next comment on and on open pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tertulia.checks import check
from tertulia.core.rules import NONE_OWN, OwnRules
from tertulia.identity import new_moderator_token, utc_now
from tertulia.protocol import API
from tertulia.store import administration, queries, schema
from tests.people.test_sessions import Instance, code, instance
from tests.support.rules import led, told
from tests.support.waiting import until

OTHERS = {"all": "members", "members": "all", "nobody": "all"}


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one", work="all") as found:
        yield found


async def moderator(one: Instance, name: str = "Mai") -> str:
    token, hashed = new_moderator_token()
    await one.server.store.write(administration.AddModerator(name, hashed, utc_now()))
    return token


async def site_rule(one: Instance, who: str | None, site: str = "default") -> None:
    change = administration.ChangeSiteRules(site, lambda own: own.changed({"who": who}), utc_now())
    await one.server.store.write(change)


async def own_rule(one: Instance, staff: str, who: str | None, key: str = "talk") -> httpx.Response:
    return await one.ask("PATCH", f"/discussion?key={key}", staff, json={"rules": {"who": who}})


async def snapshot(one: Instance, key: str = "talk") -> dict[str, Any]:
    found: dict[str, Any] = (await one.ask("GET", f"/discussion?key={key}")).json()["discussion"]
    return found


async def said(one: Instance, token: str | None, **more: Any) -> tuple[int, str]:
    author = {} if token else {"author": {"name": "Ba"}}
    answer = await one.say(token, **author, **more)
    return answer.status_code, answer.json().get("code", "")


REFUSED = {
    "all": ((201, ""), (201, ""), (201, "")),
    "members": ((403, "members_only"), (201, ""), (201, "")),
    "nobody": ((409, "closed"), (409, "closed"), (201, "")),
}


@pytest.mark.parametrize("body", ["Good evening.", "long " * 200], ids=["a sentence", "a long text"])
@pytest.mark.parametrize("of", ["site", "discussion"])
@pytest.mark.parametrize("who", REFUSED)
async def test_a_rule_says_who_may_write(one: Instance, who: str, of: str, body: str) -> None:
    staff, member = await moderator(one), await one.token()
    guest = (await one.say(None, key="elsewhere", author={"name": "Ba"})).json()["token"]
    if of == "site":
        await site_rule(one, who)
    else:
        await site_rule(one, OTHERS[who])
        assert (await own_rule(one, staff, who)).json()["discussion"]["rules"] == told(who=who)
    expected = dict(zip((None, member, staff), REFUSED[who], strict=True))
    expected[guest] = expected[None]
    for token, answer in expected.items():
        assert await said(one, token, body=body) == answer, token
    names = [row["author_name"] for row in await one.rows(schema.comment)]
    assert len(names) == 1 + [status for status, _ in expected.values()].count(201), "nothing of the refused is stored"
    assert (await snapshot(one))["rules"] == told(who=who)
    assert await check(one.server.store) == []


async def test_a_guest_who_may_not_write_votes_and_reports(one: Instance) -> None:
    about = (await one.say(await one.token())).json()["comment"]["id"]
    guest = (await one.say(None, author={"name": "Ba"})).json()["token"]
    await site_rule(one, "members")
    assert (await one.ask("PUT", f"/comments/{about}/vote", guest, json={"value": 1})).status_code == 200
    assert (await one.ask("POST", f"/comments/{about}/reports", guest, json={"reason": "spam"})).status_code == 201


async def test_what_was_said_before_the_rule_is_answered_again(one: Instance) -> None:
    headers = {"Idempotency-Key": "0190b7a2-4c1e-7a52-8a3c-0123456789ab"}
    body = {"key": "talk", "body": "Good evening.", "author": {"name": "Ba"}}
    first = await one.client.post(f"{API}/comments", json=body, headers=headers)
    await site_rule(one, "members")
    again = await one.client.post(f"{API}/comments", json=body, headers=headers)
    assert (again.status_code, again.json()["comment"]) == (200, first.json()["comment"])


async def test_a_discussion_goes_by_its_site_again(one: Instance) -> None:
    staff = await moderator(one)
    await own_rule(one, staff, "nobody")
    await site_rule(one, "members")
    assert (await snapshot(one))["rules"] == told(who="nobody")
    back = (await own_rule(one, staff, None)).json()
    assert back["discussion"]["rules"] == told(who="members")
    [first, last] = (await one.ask("GET", "/events?key=talk&after=0")).json()["events"]
    assert first["discussion"] == led(who="nobody")
    assert last["discussion"] == led(who="members")
    await site_rule(one, None)
    assert (await snapshot(one))["rules"] == told()
    assert [row["rules"] for row in await one.rows(schema.discussion)] == [None], "who says nothing stores nothing"


@pytest.mark.parametrize(
    ("who", "body", "expected"),
    [
        ("guest", {"rules": {"who": "all"}}, (403, "forbidden")),
        ("nobody", {"rules": {"who": "all"}}, (401, "unauthenticated")),
        ("moderator", {"rules": {"who": "everyone"}}, (422, "invalid")),
        ("moderator", {"rules": {"who": 1}}, (422, "invalid")),
        ("moderator", {"rules": {"whom": "all"}}, (422, "unknown_field")),
        ("moderator", {"rules": "all"}, (422, "invalid")),
        ("moderator", {"rules": {}}, (422, "invalid")),
        ("moderator", {"rules": None}, (422, "invalid")),
        ("moderator", {"rules": {"first": "wait"}}, (422, "invalid")),
        ("moderator", {"rules": {"first_n": 0}}, (422, "invalid")),
        ("moderator", {"rules": {"first_n": "1"}}, (422, "invalid")),
        ("moderator", {"rules": {"links": True}}, (422, "invalid")),
        ("moderator", {"rules": {"slow": 4}}, (422, "invalid")),
        ("moderator", {"rules": {"slow": 3601}}, (422, "invalid")),
        ("moderator", {"rules": {"slow": 30.0}}, (422, "invalid")),
        ("moderator", {"rules": {"slow": False}}, (422, "invalid")),
        ("moderator", {"rules": {"hide_after": -1}}, (422, "invalid")),
        ("moderator", {"rules": {"edit": 2**70}}, (422, "invalid")),
        ("moderator", {"rules": {"check": None, "nudge": "maybe"}}, (422, "invalid")),
        ("moderator", {"rules": {"who": "members", "slow": 1}}, (422, "invalid")),
    ],
)
async def test_what_is_no_rule_changes_nothing(
    one: Instance, who: str, body: dict[str, object], expected: tuple[int, str]
) -> None:
    guest = (await one.say(None, author={"name": "Ba"})).json()["token"]
    token = {"guest": guest, "nobody": None, "moderator": await moderator(one)}[who]
    before = await one.rows(schema.discussion)
    assert code(await one.ask("PATCH", "/discussion?key=talk", token, json=body)) == expected
    assert await one.rows(schema.discussion) == before


async def test_a_rule_of_the_site_is_told_to_each_of_its_discussions_but_those_with_their_own(one: Instance) -> None:
    staff = await moderator(one)
    await one.server.store.write(administration.AddSite("magazine", [], utc_now()))
    for number in range(120):  # more than two batches
        await one.say(None, key=f"talk {number}", author={"name": "Ba"})
    await one.say(None, key="abroad", site="magazine", author={"name": "Ba"})
    everything = {**told(), "edit": 15}
    await one.ask("PATCH", "/discussion?key=own", staff, json={"rules": everything})
    await site_rule(one, "members")

    async def is_told() -> bool:
        return not await one.rows(schema.task) or all(
            task["queue"] != administration.SITE_RULES for task in await one.rows(schema.task)
        )

    await until(is_told, "the discussions are told")
    rows = {row["key"]: row["seq"] for row in await one.rows(schema.discussion)}
    assert rows == {f"talk {number}": 2 for number in range(120)} | {"abroad": 1, "own": 1}
    event = (await one.ask("GET", "/events?key=talk 7&after=1")).json()["events"]
    assert [one_["discussion"] for one_ in event] == [led(who="members")]
    assert await check(one.server.store) == []


async def test_the_same_rule_again_tells_nobody(one: Instance) -> None:
    await one.say(None, author={"name": "Ba"})
    await site_rule(one, None)
    assert [task["queue"] for task in await one.rows(schema.task) if task["queue"] == administration.SITE_RULES] == []
    assert await one.server.store.read(queries.site_rules, "default") == NONE_OWN


async def test_what_else_a_site_has_stays(one: Instance) -> None:
    await one.do(schema.site.update().values(settings={"badges": {"host": {"en": "Author"}}}))
    await site_rule(one, "members")
    [row] = await one.rows(schema.site)
    assert row["settings"] == {"badges": {"host": {"en": "Author"}}, "rules": {"who": "members"}}
    assert row["version"] == 2
    assert await one.server.store.read(queries.site_rules, "default") == OwnRules({"who": "members"})


async def test_a_rule_that_another_instance_changed_holds_for_the_next_comment_here(
    database: str, tmp_path: Path
) -> None:
    """Without Redis: what holds is read in the transaction that writes."""
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(instance(database, tmp_path / name)) for name in ("a", "b")]
        staff = await moderator(here)
        guest = (await there.say(None, author={"name": "Ba"})).json()["token"]
        for who, expected in (("members", (403, "members_only")), ("all", (201, ""))):
            await site_rule(here, who)
            assert await said(there, guest) == expected
            await own_rule(here, staff, who)
            assert await said(there, guest) == expected
            await own_rule(here, staff, None)


async def test_the_log_of_actions_has_what_was_and_what_is(one: Instance) -> None:
    staff = await moderator(one)
    for who in ("members", "nobody", "nobody", None):
        await own_rule(one, staff, who)
    rows = [row for row in await one.rows(schema.action) if row["verb"] == "discussion.change"]
    told = [(row["actor"], row["data"]["rules"]["who"]) for row in rows]
    assert told == [("Mai", [None, "members"]), ("Mai", ["members", "nobody"]), ("Mai", ["nobody", None])]
    assert {row["discussion_id"] for row in rows} == {(await one.rows(schema.discussion))[0]["id"]}


OBEYED: dict[str, tuple[dict[str, Any], int]] = {
    "mode": ({"mode": "held"}, 202),
    "first": ({"rules": {"first": "hold", "first_n": 100}}, 202),
    "links": ({"rules": {"links": "refuse"}}, 422),
    "slow": ({"rules": {"slow": 3_600}}, 429),
    "closes_at": ({"closes_at": "2026-01-01T00:00:00Z"}, 409),
}
BACK = {"mode": "open", "rules": dict.fromkeys(("first", "first_n", "links", "slow")), "closes_at": None}


@pytest.mark.parametrize("name", OBEYED)
async def test_every_rule_is_obeyed_by_the_next_comment_at_another_instance(
    database: str, tmp_path: Path, name: str
) -> None:
    change, refused = OBEYED[name]
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(instance(database, tmp_path / where)) for where in ("a", "b")]
        staff, member = await moderator(here), await here.token()
        assert (await there.say(member)).status_code == 201
        for body, expected in ((change, refused), (BACK, 201), (change, refused)):
            assert (await here.ask("PATCH", "/discussion?key=talk", staff, json=body)).status_code == 200
            assert (await there.say(member, body="https://a.example/")).status_code == expected
