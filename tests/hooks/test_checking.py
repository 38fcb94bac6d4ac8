"""Checks from outside over HTTP: what a hook is told, what comes of its verdicts, and what where there are none."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tertulia.checks import check
from tertulia.core.hooks import FAILURES, WhenDown
from tertulia.core.words import parse_list
from tertulia.identity import utc_now
from tertulia.store import schema, tasks
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import AddWords, RemoveHook, SweepVerdicts
from tertulia.store.commands.checking import KEPT_DAYS
from tertulia.work import queues
from tests.hooks.checked import (
    causes,
    checking,
    failures,
    first,
    hook,
    idle,
    judged,
    kinds,
    moderator,
    said,
    state,
    verdicts,
)
from tests.people.test_sessions import Instance
from tests.plans.watching import RecordedQuery, postgres_watched, sqlite_watched
from tests.support.receiver import FAILURE, NO_CONTENT, Receiver, answer
from tests.support.waiting import until

# ---- what it is told ------------------------------------------------------------------------------------


async def test_a_hook_is_told_of_a_comment_and_signed_for(one: Instance, receiver: Receiver) -> None:
    secret = await hook(one, receiver)
    _, parent, _ = await said(one, "Is anybody here?")
    await judged(one, "show")
    _, comment_id, _ = await said(one, "I am **here**.", parent_id=parent, url="https://news.example/talk")
    await judged(one, "show", "show")
    asked, message = receiver.asked[-1], receiver.messages()[-1]
    data = message["data"]
    assert (message["type"], data["site"], data["key"], data["version"]) == ("comment.check", "default", "talk", 1)
    assert (data["comment"]["id"], data["comment"]["text"]) == (comment_id, "I am **here**.")
    assert data["comment"]["author"]["name"] == "Ba"
    assert data["author"].keys() == {"id", "kind", "trust", "shown", "removed"}
    assert (data["author"]["kind"], data["author"]["trust"]) == ("guest", 0)
    assert data["parent"]["text"] == "Is anybody here?"
    id_, at = asked.headers["webhook-id"], asked.headers["webhook-timestamp"]
    assert id_ == f"c_{comment_id}_1"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = base64.b64encode(hmac.digest(key, f"{id_}.{at}.".encode() + asked.body, "sha256")).decode()
    assert asked.headers["webhook-signature"] == f"v1,{digest}"
    assert (await kinds(one), await causes(one)) == (["comment.created", "comment.created"], [])
    assert await check(one.server.store) == []


async def test_staff_are_not_checked(one: Instance, receiver: Receiver) -> None:
    await hook(one, receiver)
    staff = await moderator(one)
    answered = await one.say(staff)
    assert answered.status_code == 201
    _, comment_id, _ = await said(one)
    await judged(one, "show")
    edited = await one.ask("PATCH", f"/comments/{comment_id}", staff, json={"body": "As the editors have it."})
    assert edited.status_code == 200
    await idle(one)
    assert receiver.texts() == ["Good evening."]


# ---- what comes of it -----------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["hold", "remove", "spam"])
async def test_a_verdict_against_a_comment_takes_it_back(one: Instance, receiver: Receiver, verdict: str) -> None:
    told = {"verdict": verdict, "score": 0.93, "labels": ["scam", 7, "x" * 999], "note": "It sells pills.", "by": 1}
    receiver.otherwise = answer(told)
    await hook(one, receiver)
    status, comment_id, _ = await said(one)
    assert status == 201, "nobody waits for it"
    await judged(one, verdict)
    assert await state(one, comment_id) == ("removed", "check")
    assert await kinds(one) == ["comment.created", "comment.removed"]
    cause = {"kind": "check", "hook": "spam", "verdict": verdict, "score": 0.93, "labels": ["scam", "x" * 64]}
    assert await causes(one) == [("suspected", [cause])]
    (action,) = [row for row in await one.rows(schema.action) if row["verb"] == "comment.hide"]
    assert (action["actor"], action["reason"], action["data"]["verdicts"]) == ("server", "check", {"spam": verdict})
    assert await check(one.server.store) == []
    staff = await moderator(one)
    item = (await one.ask("GET", f"/staff/items?site=default&id={comment_id}", staff)).json()["items"][0]
    assert item["hidden_by"] == "check"
    assert item["causes"] == [cause | {"note": "It sells pills."}]


async def test_what_its_author_deletes_leaves_nothing_of_the_note(one: Instance, receiver: Receiver) -> None:
    receiver.otherwise = answer({"verdict": "spam", "note": "It says: marker"})
    await hook(one, receiver)
    _, comment_id, token = await said(one)
    await judged(one, "spam")
    assert (await one.ask("DELETE", f"/comments/{comment_id}", token)).status_code == 200
    stored = [str(row) for table in schema.metadata.sorted_tables for row in await one.rows(table)]
    assert "marker" not in "".join(stored)
    assert await check(one.server.store) == []


async def test_the_strictest_of_several_counts(database: str, tmp_path: Path, receiver: Receiver) -> None:
    async with Receiver() as other, checking(database, tmp_path, receiver, other) as one:
        await hook(one, receiver, "mild")
        await hook(one, other, "strict")
        other.hangs, other.otherwise = {"evening"}, answer({"verdict": "hold"})
        _, comment_id, _ = await said(one)
        await judged(one, "show")
        assert await state(one, comment_id) == ("visible", None)
        other.go_on.set()
        await judged(one, "show", "hold")
        assert await state(one, comment_id) == ("removed", "check")
        assert await check(one.server.store) == []


async def test_what_a_word_holds_is_checked_and_waits_with_both_causes(one: Instance, receiver: Receiver) -> None:
    await one.server.store.write(AddWords(OPERATOR, "default", tuple(parse_list(["idiot"])), utc_now()))
    receiver.otherwise = answer({"verdict": "spam"})
    await hook(one, receiver)
    status, comment_id, _ = await said(one, "You idiot.")
    assert status == 202
    await judged(one, "spam")
    ((queue, found),) = await causes(one)
    assert (queue, [cause["kind"] for cause in found]) == ("suspected", ["word", "check"])
    assert await state(one, comment_id) == ("held", None)
    assert await check(one.server.store) == []


async def test_an_edit_is_checked_again_and_a_late_answer_for_the_text_before_changes_nothing(
    one: Instance, receiver: Receiver
) -> None:
    await hook(one, receiver)
    receiver.by_word, receiver.hangs = {"old text": answer({"verdict": "remove"})}, {"old text"}
    _, comment_id, token = await said(one, "An old text.")
    await until(lambda: receiver.asked, "the first text is asked about")
    edited = await one.ask("PATCH", f"/comments/{comment_id}", token, json={"body": "A new one."})
    assert edited.status_code == 200
    await until(lambda: len(receiver.asked) == 2, "the second is, too")
    receiver.go_on.set()
    await idle(one)
    assert [message["data"]["version"] for message in receiver.messages()] == [1, 2]
    assert (await state(one, comment_id), await verdicts(one)) == (("visible", None), ["show"])
    receiver.by_word = {"third": answer({"verdict": "hold"})}
    await one.ask("PATCH", f"/comments/{comment_id}", token, json={"body": "A third one."})
    await judged(one, "show", "hold")
    assert await state(one, comment_id) == ("removed", "check")
    assert await check(one.server.store) == []


async def test_a_moderator_has_the_last_word(one: Instance, receiver: Receiver) -> None:
    await hook(one, receiver)
    staff = await moderator(one)
    receiver.hangs, receiver.otherwise = {"Good"}, answer({"verdict": "remove"})
    _, comment_id, _ = await said(one)
    await until(lambda: receiver.asked, "it is asked about")
    for method, path in (("DELETE", ""), ("POST", "/restore")):
        assert (await one.ask(method, f"/comments/{comment_id}{path}", staff)).status_code == 200
    receiver.go_on.set()
    await idle(one)
    assert await state(one, comment_id) == ("visible", None)
    assert await verdicts(one) == ["remove"], "it is kept what was said"
    assert await causes(one) == []
    assert await check(one.server.store) == []


# ---- before it is shown ---------------------------------------------------------------------------------


async def test_a_comment_that_is_checked_first_is_shown_once_all_have_nothing_against_it(
    database: str, tmp_path: Path, receiver: Receiver
) -> None:
    async with Receiver() as other, checking(database, tmp_path, receiver, other) as one:
        await first(one)
        assert (await said(one))[0] == 201, "there is no hook"
        await hook(one, receiver, "one")
        await hook(one, other, "other")
        other.hangs = {"Later"}
        status, comment_id, _ = await said(one, "Later.")
        assert status == 202
        await judged(one, "show")
        assert await state(one, comment_id) == ("held", "check")
        assert (await causes(one), await check(one.server.store)) == ([], [])
        other.go_on.set()
        await judged(one, "show", "show")
        assert await state(one, comment_id) == ("visible", None)
        assert await kinds(one) == ["comment.created", "comment.created"]
        assert await check(one.server.store) == []


async def test_what_is_checked_first_and_held_waits_for_a_moderator(one: Instance, receiver: Receiver) -> None:
    await first(one)
    receiver.otherwise = answer({"verdict": "spam"})
    await hook(one, receiver)
    _, comment_id, _ = await said(one)
    await judged(one, "spam")
    assert (await state(one, comment_id), await kinds(one)) == (("held", None), [])
    assert [queue for queue, _ in await causes(one)] == ["suspected"]
    assert await check(one.server.store) == []
    staff = await moderator(one)
    assert (await one.ask("POST", f"/comments/{comment_id}/approve", staff)).status_code == 200
    assert await kinds(one) == ["comment.created"]


async def test_an_edit_while_it_waits_is_what_is_shown(one: Instance, receiver: Receiver) -> None:
    await first(one)
    await one.server.store.write(AddWords(OPERATOR, "default", tuple(parse_list(["idiot"])), utc_now()))
    await hook(one, receiver)
    receiver.hangs = {"first text"}
    _, comment_id, token = await said(one, "A first text.")
    _, rude, rude_token = await said(one, "Another first text.")
    await until(lambda: len(receiver.asked) == 2, "both are asked about")
    await one.ask("PATCH", f"/comments/{comment_id}", token, json={"body": "A second one."})
    await one.ask("PATCH", f"/comments/{rude}", rude_token, json={"body": "You idiot."})
    await judged(one, "show", "show")
    assert await state(one, comment_id) == ("visible", None)
    assert await state(one, rude) == ("held", "rule")
    assert [[cause["kind"] for cause in found] for _, found in await causes(one)] == [["word"]]
    receiver.go_on.set()
    await idle(one)
    assert await check(one.server.store) == []


async def test_what_waits_for_a_hook_that_is_removed_is_shown(one: Instance, receiver: Receiver) -> None:
    await first(one)
    await hook(one, receiver)
    receiver.otherwise = FAILURE
    _, comment_id, _ = await said(one)
    await until(lambda: receiver.asked, "it is asked about")
    await one.server.store.write(RemoveHook("default", "spam", utc_now()))
    await idle(one)
    assert await state(one, comment_id) == ("visible", None)
    assert (await said(one))[0] == 201


# ---- without an answer ----------------------------------------------------------------------------------

HOSTILE = {
    "an error": FAILURE,
    "more than 64 KiB": answer({"verdict": "remove", "note": "x" * 66_000}),
    "a redirect": answer({}, 302, "Location: http://127.0.0.1/\r\n"),
    "no JSON": answer(b"{'verdict': 'remove'}"),
    "a name twice": answer(b'{"verdict": "show", "verdict": "remove"}'),
    "no verdict": answer({"score": 1}),
    "another verdict": answer({"verdict": "maybe"}),
    "a list": answer(b'["remove"]'),
    "nothing": answer(b""),
    "packed": answer(b"\x1f\x8b", more="Content-Encoding: gzip\r\n"),
    "no HTTP": b"remove\r\n\r\n",
}


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is tried again without a pause."""
    monkeypatch.setattr(queues, "DELAYS", (0,) * 7)


@pytest.mark.parametrize("answered", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.usefixtures("at_once")
async def test_an_answer_that_is_none_is_asked_for_again_and_then_given_up(
    one: Instance, receiver: Receiver, answered: bytes
) -> None:
    receiver.otherwise = answered
    await hook(one, receiver)
    _, comment_id, _ = await said(one)
    await judged(one, "down")
    assert (len(receiver.asked), await failures(one)) == (4, 4)
    assert len({asked.headers["webhook-id"] for asked in receiver.asked}) == 1
    assert await state(one, comment_id) == ("visible", None)
    assert await causes(one) == []


async def test_an_answer_that_drips_is_waited_for_no_longer_than_it_may_take(one: Instance, receiver: Receiver) -> None:
    receiver.drips = True
    await hook(one, receiver, seconds=1)

    async def has_failed() -> bool:
        return await failures(one) == 1

    await said(one)
    await until(has_failed, "it is given up")
    receiver.go_on.set()


@pytest.mark.usefixtures("at_once")
async def test_what_nobody_answers_for_is_held_where_the_site_wants_it(one: Instance, receiver: Receiver) -> None:
    receiver.otherwise = FAILURE
    await hook(one, receiver, when_down=WhenDown.hold)
    _, comment_id, _ = await said(one)
    await judged(one, "down")
    assert await state(one, comment_id) == ("removed", "check")
    assert await causes(one) == [("suspected", [{"kind": "check", "hook": "spam", "verdict": "down"}])]
    assert await check(one.server.store) == []


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("when_down", "expected"), [(WhenDown.show, ("visible", None)), (WhenDown.hold, ("held", None))]
)
async def test_what_is_checked_first_by_a_dead_hook_is_shown_or_held(
    one: Instance, receiver: Receiver, when_down: WhenDown, expected: tuple[str, str | None]
) -> None:
    await first(one)
    receiver.otherwise = FAILURE
    await hook(one, receiver, when_down=when_down)
    _, comment_id, _ = await said(one)
    await judged(one, "down")
    assert (await state(one, comment_id), len(receiver.asked)) == (expected, 2)
    assert len(await causes(one)) == (1 if when_down is WhenDown.hold else 0)
    assert await check(one.server.store) == []


async def test_what_is_checked_first_waits_no_longer_than_the_hook_may_take(one: Instance, receiver: Receiver) -> None:
    await first(one)
    receiver.hangs = {"Good"}
    await hook(one, receiver, seconds=1)
    _, comment_id, _ = await said(one)
    await judged(one, "down")
    assert (await state(one, comment_id), len(receiver.asked)) == (("visible", None), 1)


# ---- down -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at_once")
async def test_a_hook_that_is_down_is_not_asked_until_it_is_probed(one: Instance, receiver: Receiver) -> None:
    receiver.otherwise = FAILURE
    await hook(one, receiver)
    staff = await moderator(one)

    async def down_since() -> Any:
        return (await one.ask("GET", "/staff/queues?site=default", staff)).json()["checks"]["down_since"]

    assert await down_since() is None
    await said(one, "One.")
    await judged(one, "down")
    await said(one, "Two.")
    await judged(one, "down", "down")
    assert (await failures(one), len(receiver.asked)) == (FAILURES, 5), "the second was given up with the fifth failure"
    since = await down_since()
    assert isinstance(since, str)
    await said(one, "Three.")
    await judged(one, "down", "down", "down")
    assert len(receiver.asked) == FAILURES
    await one.do(update(schema.hook).values(probe_at=0))
    await said(one, "Four.")
    await judged(one, *["down"] * 4)
    assert (len(receiver.asked), await down_since()) == (FAILURES + 1, since), "one asked, and the next has to wait"
    receiver.otherwise = NO_CONTENT
    await one.do(update(schema.hook).values(probe_at=0))
    await said(one, "Five.")
    await judged(one, *["down"] * 4, "show")
    assert (await failures(one), await down_since()) == (0, None)
    assert await check(one.server.store) == []


async def test_one_instance_has_what_another_left_behind(database: str, tmp_path: Path, receiver: Receiver) -> None:
    receiver.otherwise = answer({"verdict": "remove"})
    async with AsyncExitStack() as stack:
        dead = await stack.enter_async_context(checking(database, tmp_path / "a", receiver, work="none"))
        await hook(dead, receiver)
        _, comment_id, _ = await said(dead)
        assert await dead.server.store.write(tasks.ClaimTasks({"check": 1})), "and dies before it has asked"
        alive = await stack.enter_async_context(checking(database, tmp_path / "b", receiver))
        await dead.do(update(schema.task).values(leased_until=0))
        await judged(alive, "remove")
        assert await state(alive, comment_id) == ("removed", "check")
        assert len(receiver.asked) == 1


async def test_verdicts_are_forgotten_after_half_a_year(one: Instance, receiver: Receiver) -> None:
    await hook(one, receiver)
    await said(one)
    await judged(one, "show")
    await one.server.store.write(SweepVerdicts(utc_now()))
    assert await verdicts(one) == ["show"]
    await one.do(update(schema.verdict).values(at=schema.verdict.c.at - (KEPT_DAYS + 1) * 86_400_000))
    await one.server.store.write(SweepVerdicts(utc_now()))
    assert await verdicts(one) == []


# ---- who has none ---------------------------------------------------------------------------------------


@pytest.fixture
def watched(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[RecordedQuery]]:
    watch = sqlite_watched if database.startswith("sqlite") else postgres_watched
    with watch(monkeypatch) as recorded:
        yield recorded


async def test_a_site_without_hooks_pays_nothing(
    database: str, tmp_path: Path, watched: list[RecordedQuery], receiver: Receiver
) -> None:
    async with checking(database, tmp_path, receiver, work="none") as one:
        await hook(one, receiver)
        await one.server.store.write(RemoveHook("default", "spam", utc_now()))
        (site,) = await one.rows(schema.site)
        assert site["settings"] == {}
        staff = await moderator(one)
        await said(one)
        watched.clear()
        _, comment_id, token = await said(one)
        posted = len(watched)
        await one.ask("PATCH", f"/comments/{comment_id}", token, json={"body": "Better said."})
        await one.ask("POST", f"/comments/{comment_id}/reports", token, json={"reason": "spam"})
        for act in ("remove", "restore", "spam"):
            (row,) = [row for row in await one.rows(schema.comment) if row["id"] == comment_id]
            decision = {"comment_id": comment_id, "version": row["version"], "do": act}
            answered = await one.ask(
                "POST", "/staff/decisions", staff, json={"site": "default", "decisions": [decision]}
            )
            assert answered.json()["results"][0]["problem"] is None
        await one.ask("DELETE", f"/comments/{comment_id}", token)
        asked = [str(query.sql) for query in watched]
        assert posted
        assert [sql for sql in asked if re.search(r"\b(hook|verdict|INTO task)\b", sql)] == []
        await hook(one, receiver)
        watched.clear()
        await said(one)
        assert any("INTO task" in str(query.sql) for query in watched), "else nothing was looked for"
