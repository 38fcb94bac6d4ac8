"""Akismet: what it is asked, what its answers come to, what it is taught; and of whom nothing is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from sqlalchemy import update

from tertulia.checks import check
from tertulia.core.hooks import HookKind
from tertulia.identity import utc_now
from tertulia.store import schema
from tertulia.store.origins import SweepOrigins
from tests.hooks.checked import causes, failures, hook, judged, moderator, said, state
from tests.people.test_sessions import Instance
from tests.support.receiver import Receiver, answer
from tests.support.tables import say_earlier
from tests.support.waiting import until

SPAM, HAM = answer(b"true"), answer(b"false")
THANKS = answer(b"Thanks for making the web a better place.")
BROWSER = "Marker/1.0 (of a browser)"
ADDRESS = "192.0.2.77"


@pytest.fixture
def akismet(receiver: Receiver) -> Receiver:
    receiver.otherwise = HAM
    receiver.by_path = {"/1.1/submit-spam": THANKS, "/1.1/submit-ham": THANKS}
    return receiver


async def asked_by(one: Instance, akismet: Receiver, *, traced: bool) -> None:
    more: dict[str, Any] = {"blog": "https://news.example/", "traced": traced}
    await hook(one, akismet, "akismet", HookKind.akismet, secret="a key", address=akismet.base, **more)
    one.client.headers.update({"User-Agent": BROWSER, "X-Forwarded-For": ADDRESS})


def fields(akismet: Receiver) -> list[tuple[str, dict[str, str]]]:
    """What it was asked, and how."""
    return [
        (one.target.removeprefix("/1.1/"), {key: values[0] for key, values in parse_qs(one.body.decode()).items()})
        for one in akismet.asked
    ]


async def everything(one: Instance) -> str:
    return repr([await one.rows(table) for table in schema.metadata.sorted_tables])


async def due(one: Instance) -> None:
    """What is to be taught is taught now."""
    await one.do(update(schema.task).where(schema.task.c.queue == "teach").values(run_at=0))


async def test_it_is_asked_as_its_documents_say(one: Instance, akismet: Receiver) -> None:
    await asked_by(one, akismet, traced=False)
    _, parent, _ = await said(one, "Is anybody here?")
    await judged(one, "show")
    await one.do(update(schema.discussion).values(url="https://news.example/talk"))
    await said(one, "I am.", parent_id=parent)
    await judged(one, "show", "show")
    ((what, told), (_, reply)) = fields(akismet)
    assert what == "comment-check"
    assert told.pop("comment_date_gmt").endswith("Z")
    assert told == {
        "api_key": "a key",
        "blog": "https://news.example/",
        "comment_type": "comment",
        "comment_author": "Ba",
        "comment_content": "Is anybody here?",
        "blog_charset": "UTF-8",
    }
    assert (reply["comment_type"], reply["permalink"]) == ("reply", "https://news.example/talk")
    assert akismet.asked[0].headers["content-type"].startswith("application/x-www-form-urlencoded")


@pytest.mark.parametrize(("tip", "labels"), [("", []), ("X-akismet-pro-tip: discard\r\n", ["discard"])])
async def test_what_it_takes_for_spam_goes(one: Instance, akismet: Receiver, tip: str, labels: list[str]) -> None:
    akismet.otherwise = answer(b"true", more=tip)
    await asked_by(one, akismet, traced=False)
    _, comment_id, _ = await said(one)
    await judged(one, "spam")
    assert await state(one, comment_id) == ("removed", "check")
    ((_, (cause,)),) = await causes(one)
    assert cause.get("labels", []) == labels
    assert await check(one.server.store) == []


async def test_an_invalid_key_is_no_answer(one: Instance, akismet: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    akismet.otherwise = answer(b"invalid", more="X-akismet-debug-help: We were unable to parse your key\r\n")
    await asked_by(one, akismet, traced=False)
    await said(one)

    async def has_failed() -> bool:
        return await failures(one) == 1

    await until(has_failed, "it is noted")
    assert "unable to parse your key" in str([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize("traced", [True, False])
async def test_address_and_browser_are_kept_sealed_and_only_where_that_is_on(
    one: Instance, akismet: Receiver, traced: bool
) -> None:
    await asked_by(one, akismet, traced=traced)
    await said(one)
    await one.say(await one.token("1/Lan"))
    await judged(one, "show", "show")
    stored = await everything(one)
    assert "Marker" not in stored
    assert ADDRESS not in stored
    told = [{name: found.get(name) for name in ("user_ip", "user_agent")} for _, found in fields(akismet)]
    wanted = {"user_ip": ADDRESS, "user_agent": BROWSER} if traced else {"user_ip": None, "user_agent": None}
    assert told == [wanted, wanted], "of guests and of members"
    found = await one.rows(schema.origin)
    assert [row["sealed"] is not None for row in found] == ([True, True] if traced else [False]), "a guest's, always"
    store, said_now = one.server.store, found[0]["comment_id"]
    young, old = [await say_earlier(store, said_now, timedelta(days=days)) for days in (13, 15)]
    await store.write(SweepOrigins(utc_now(), 30))
    sealed = {row["comment_id"]: row["sealed"] is not None for row in await one.rows(schema.origin)}
    assert (sealed[young], sealed[old]) == (traced, False), "networks are noted for longer than addresses"
    await store.write(SweepOrigins(utc_now(), 0))
    left = {row["comment_id"] for row in await one.rows(schema.origin)}
    assert (young in left, old in left) == (traced, False)


async def decide(one: Instance, staff: str, comment_id: str, act: str) -> str:
    """The action's id."""
    (row,) = [row for row in await one.rows(schema.comment) if row["id"] == comment_id]
    decision = {"comment_id": comment_id, "version": row["version"], "do": act}
    answered = await one.ask("POST", "/staff/decisions", staff, json={"site": "default", "decisions": [decision]})
    (result,) = answered.json()["results"]
    assert result["problem"] is None, result
    return str(result["action"])


async def test_it_is_taught_where_moderators_decide_otherwise(one: Instance, akismet: Receiver) -> None:
    akismet.by_word = {"Good": SPAM}
    await asked_by(one, akismet, traced=True)
    staff = await moderator(one)
    _, good, _ = await said(one, "Good evening.")
    _, bad, _ = await said(one, "Buy pills!")
    await judged(one, "spam", "show")
    await decide(one, staff, good, "keep")
    await decide(one, staff, bad, "spam")
    await due(one)
    await until(lambda: len(akismet.asked) == 4, "both are taught")
    taught = {what: found for what, found in fields(akismet) if what != "comment-check"}
    assert {what: found["comment_content"] for what, found in taught.items()} == {
        "submit-ham": "Good evening.",
        "submit-spam": "Buy pills!",
    }
    assert taught["submit-spam"]["user_ip"] == ADDRESS
    assert await state(one, good) == ("visible", None)


async def test_it_is_not_taught_what_it_said_itself_nor_what_is_taken_back(one: Instance, akismet: Receiver) -> None:
    akismet.by_word = {"pills": SPAM}
    await asked_by(one, akismet, traced=False)
    staff = await moderator(one)
    _, same, _ = await said(one, "Buy pills!")
    _, undone, _ = await said(one, "Good evening.")
    _, removed, _ = await said(one, "What a fool.")
    await judged(one, "spam", "show", "show")
    await decide(one, staff, same, "spam")
    action = await decide(one, staff, undone, "spam")
    await decide(one, staff, removed, "remove")
    undoing = {"site": "default", "actions": [{"comment_id": undone, "action": action}]}
    assert (await one.ask("POST", "/staff/undo", staff, json=undoing)).json()["results"][0]["problem"] is None
    await due(one)

    async def is_done() -> bool:
        return all(row["queue"] != "teach" for row in await one.rows(schema.task))

    await until(is_done, "nothing is left to be taught")
    assert {what for what, _ in fields(akismet)} == {"comment-check"}
