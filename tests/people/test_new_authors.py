"""New authors: whose first comments wait, and who may have how many links."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tertulia.checks import check
from tertulia.identity import utc_now
from tertulia.store import schema
from tertulia.store.mapping import milliseconds
from tests.people.test_rules import moderator
from tests.people.test_sessions import Instance, code, instance

MANY = "https://a.example/ and https://b.example/"
ONE = "https://a.example/"


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one", allowed_origins="https://news.example") as found:
        yield found


async def lead(one: Instance, staff: str, **rules: Any) -> None:
    answer = await one.ask("PATCH", "/discussion?key=talk", staff, json={"rules": rules})
    assert answer.status_code == 200, answer.text


async def guest(one: Instance) -> str:
    return str((await one.say(None, key="elsewhere", author={"name": "Ba"})).json()["token"])


async def causes(one: Instance) -> list[list[dict[str, Any]]]:
    """Of each comment that waits, the oldest first."""
    rows = sorted(await one.rows(schema.review), key=lambda row: row["comment_id"])
    return [row["causes"] for row in rows if row["closed_at"] is None]


async def make_older(one: Instance, by: timedelta) -> None:
    await one.do(
        update(schema.comment).values(created_at=schema.comment.c.created_at - by // timedelta(milliseconds=1))
    )


# ---- first ----------------------------------------------------------------------------------------------


async def test_an_authors_first_comments_wait_until_enough_are_shown(one: Instance) -> None:
    staff, member = await moderator(one), await one.token()
    await lead(one, staff, first="hold", first_n=2)
    ids = []
    for body in ("One", "Two", "Three"):
        answer = await one.say(member, body=body)
        assert (answer.status_code, answer.json()["comment"]["state"]) == (202, "held")
        ids.append(answer.json()["comment"]["id"])
    assert await causes(one) == [[{"kind": "first"}]] * 3
    for number, about in enumerate(ids[:2], 1):
        assert (await one.ask("POST", f"/comments/{about}/approve", staff)).status_code == 200
        assert (await one.say(member)).status_code == (202 if number == 1 else 201)
    assert (await one.say(staff)).status_code == 201
    assert (await one.say(None, author={"name": "Ba"})).status_code == 202
    assert await check(one.server.store) == []


async def test_what_is_shown_elsewhere_counts_and_nobody_has_to_approve_it(one: Instance) -> None:
    staff, known = await moderator(one), await guest(one)
    await lead(one, staff, first="hold")
    assert (await one.say(known)).status_code == 201
    await lead(one, staff, first="show")
    assert (await one.say(None, author={"name": "Năm"})).status_code == 201


async def test_a_member_brings_what_was_shown_of_the_guest(one: Instance) -> None:
    staff, was = await moderator(one), await guest(one)
    await lead(one, staff, first="hold")
    answer = await one.sign_in("7/Ba", guest=was)
    assert answer.json()["viewer"]["also"], "the guest became the member"
    assert (await one.say(answer.json()["token"])).status_code == 201


# ---- links ----------------------------------------------------------------------------------------------

LINKS = {
    "new": (201, 202, 201),
    "show": (201, 201, 201),
    "hold": (202, 202, 202),
    "refuse": (422, 422, 422),
}
"""What becomes of one link, of two, and of two by an author who is trusted."""


@pytest.mark.parametrize("links", LINKS)
async def test_a_rule_says_what_becomes_of_links(one: Instance, links: str) -> None:
    staff, new, trusted = await moderator(one), await one.token("1/Lan"), await one.token("2/Minh")
    await one.say(trusted, key="elsewhere")
    await one.do(update(schema.author).where(schema.author.c.name == "Minh").values(trust=2))
    await lead(one, staff, links=links)
    answers = [await one.say(new, body=ONE), await one.say(new, body=MANY), await one.say(trusted, body=MANY)]
    assert tuple(answer.status_code for answer in answers) == LINKS[links]
    assert (await one.say(new)).status_code == (await one.say(staff, body=MANY)).status_code == 201
    assert (
        await one.say(new, body="https://news.example/1 http://news.test/2 https://news.example/3")
    ).status_code == 201
    if links == "refuse":
        assert {code(answer) for answer in answers} == {(422, "links")}
        assert {answer.json()["field"] for answer in answers} == {"body"}
        assert await causes(one) == []
    assert all(found[0]["kind"] == "links" for found in await causes(one))
    assert await check(one.server.store) == []


async def test_by_default_new_authors_have_one_link(one: Instance) -> None:
    assert (await one.say(None, author={"name": "Ba"}, body=ONE)).status_code == 201
    assert (await one.say(None, author={"name": "Ba"}, body=MANY)).status_code == 202
    assert await causes(one) == [[{"kind": "links", "links": 2}]]


async def test_who_is_known_may_link(one: Instance) -> None:
    staff, author = await moderator(one), await guest(one)
    assert (await one.say(author, body=MANY)).status_code == 202
    await make_older(one, timedelta(hours=23))
    assert (await one.say(author, body=MANY)).status_code == 202
    await make_older(one, timedelta(hours=1))
    assert (await one.say(author, body=MANY)).status_code == 201
    removed = (await one.say(author, body="Rude.")).json()["comment"]["id"]
    await one.ask("DELETE", f"/comments/{removed}", staff)
    assert (await one.say(author, body=MANY)).status_code == 202
    for _ in range(5):
        await one.say(author)
    assert (await one.say(author, body=MANY)).status_code == 201, "it is long ago"


async def test_causes_of_all_rules_are_noted(one: Instance) -> None:
    staff = await moderator(one)
    await lead(one, staff, first="hold", links="hold")
    await one.ask("PATCH", "/discussion?key=talk", staff, json={"mode": "held"})
    assert (await one.say(None, author={"name": "Ba"}, body=ONE)).status_code == 202
    assert await causes(one) == [[{"kind": "mode"}, {"kind": "first"}, {"kind": "links", "links": 1}]]


# ---- edits ----------------------------------------------------------------------------------------------


async def test_nobody_gets_past_a_rule_of_links_by_an_edit(one: Instance) -> None:
    staff, author = await moderator(one), await one.token()
    shown = (await one.say(author)).json()["comment"]["id"]
    refused = await one.ask("PATCH", f"/comments/{shown}", author, json={"body": MANY})
    assert code(refused) == (422, "links")
    own = "https://news.example/1 http://news.test/2"
    for body in (ONE, own):
        assert (await one.ask("PATCH", f"/comments/{shown}", author, json={"body": body})).status_code == 200
    assert (await one.ask("PATCH", f"/comments/{shown}", staff, json={"body": MANY})).status_code == 200
    waits = (await one.say(author, body=MANY)).json()["comment"]["id"]
    assert (await one.ask("PATCH", f"/comments/{waits}", author, json={"body": MANY + "!"})).status_code == 200


async def test_how_long_authors_may_edit_is_ruled_and_told(one: Instance) -> None:
    staff, author = await moderator(one), await one.token()
    about = (await one.say(author)).json()["comment"]["id"]
    for minutes, status in ((0, 409), (1, 409), (3, 200), (None, 200)):
        await lead(one, staff, edit=minutes)
        await one.do(update(schema.comment).values(created_at=milliseconds(utc_now() - timedelta(minutes=2))))
        answer = await one.ask("PATCH", f"/comments/{about}", author, json={"body": f"Within {minutes}"})
        assert answer.status_code == status, minutes
        limits = (await one.ask("GET", "/discussion?key=talk")).json()["limits"]
        assert limits["edit_seconds"] == (900 if minutes is None else 60 * minutes)


async def test_what_was_approved_is_not_edited_any_more(one: Instance) -> None:
    staff, author = await moderator(one), await one.token()
    before = (await one.say(author)).json()["comment"]["id"]
    await one.ask("PATCH", "/discussion?key=talk", staff, json={"mode": "held"})
    waits = (await one.say(author)).json()["comment"]["id"]
    assert (await one.ask("PATCH", f"/comments/{waits}", author, json={"body": "Good morning."})).status_code == 200
    await one.ask("POST", f"/comments/{waits}/approve", staff)
    for about in (before, waits):
        refused = await one.ask("PATCH", f"/comments/{about}", author, json={"body": "Buy this."})
        assert code(refused) == (409, "edit_window_over")
        assert (await one.ask("PATCH", f"/comments/{about}", staff, json={"body": "Good night."})).status_code == 200
    await one.ask("PATCH", "/discussion?key=talk", staff, json={"mode": "open"})
    assert (await one.ask("PATCH", f"/comments/{before}", author, json={"body": "Good day."})).status_code == 200
    refused = await one.ask("PATCH", f"/comments/{waits}", author, json={"body": "Buy this."})
    assert code(refused) == (409, "edit_window_over")
