"""Words that are not said at a site, over HTTP: what is refused, what waits and why, and what others learn of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tertulia.checks import check
from tertulia.core.words import parse_list
from tertulia.discussions import words
from tertulia.identity import new_moderator_token, new_site_token, utc_now
from tertulia.store import administration, schema
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import AddSiteToken, AddWords, ReplaceWords
from tests.api.app import new_key
from tests.people.test_sessions import Instance, code, instance
from tests.support.waiting import until

LIST = ["địt mẹ refuse", "*viagra* refuse", "lồn", "shit"]
GUEST = {"author": {"name": "Ba"}}
LONG = "Một câu chuyện rất bình thường. " * 40


@pytest.fixture
async def one(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Instance]:
    monkeypatch.setattr(words, "FRESH_SECONDS", -1.0)
    async with instance(database, tmp_path / "one") as found:
        await listed(found, *LIST)
        yield found


async def listed(one: Instance, *lines: str, site: str = "default") -> None:
    await one.server.store.write(AddWords(OPERATOR, site, tuple(parse_list(lines)), utc_now()))


async def staff_token(one: Instance) -> str:
    made = new_moderator_token()
    await one.server.store.write(administration.AddModerator("Mai", made.hash, utc_now()))
    return made.token


async def reviews(one: Instance) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(row["queue"], row["causes"]) for row in await one.rows(schema.review)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"body": "ĐỊT MẸ mày"}, "body"),
        ({"body": f"{LONG} địt\u200b mẹ"}, "body"),
        ({"body": "[here](https://buy-viagra.example/x)"}, "body"),
        ({"body": "https://x.example/%C4%91%E1%BB%8Bt-m%E1%BA%B9"}, "body"),
        ({"author": {"name": "ViagraMan"}}, "author.name"),
        ({"body": "lồn và địt mẹ"}, "body"),
    ],
)
async def test_a_refused_word_is_not_taken_and_not_told(one: Instance, body: dict[str, Any], field: str) -> None:
    answer = await one.say(None, **{**GUEST, **body})
    assert code(answer) == (422, "words")
    assert answer.json()["field"] == field
    assert "viagra" not in answer.text
    assert await one.rows(schema.comment) == []


def _found(cause: dict[str, Any], text: str) -> str:
    """What of the text it is."""
    return text[cause["start"] : cause["end"]]


async def test_what_its_author_deletes_leaves_nothing_of_the_word_behind(one: Instance) -> None:
    staff = await staff_token(one)
    posted = (await one.say(None, **GUEST, body="S-h-i-t it is")).json()
    comment_id = posted["comment"]["id"]
    for path in ("approve", "restore"):
        await one.ask("POST", f"/comments/{comment_id}/{path}", staff)
        await one.ask("DELETE", f"/comments/{comment_id}", staff)
    stored = [str(row) for table in (schema.review, schema.action, schema.event) for row in await one.rows(table)]
    assert "S-h-i-t" not in "".join(stored)
    assert (await one.ask("DELETE", f"/comments/{comment_id}", posted["token"])).status_code == 200
    ((_, causes),) = await reviews(one)
    assert causes == []
    assert await check(one.server.store) == []


async def test_a_suspect_word_waits_with_its_cause_and_its_place(one: Instance) -> None:
    text = "Một câu. Rồi **Lồn**, và s.h.i.t!"
    answer = await one.say(None, **GUEST, body=text)
    assert (answer.status_code, answer.json()["comment"]["state"]) == (202, "held")
    ((queue, causes),) = await reviews(one)
    assert queue == "suspected"
    assert [(cause["kind"], cause["entry"], _found(cause, text)) for cause in causes] == [
        ("word", "lồn", "Lồn"),
        ("word", "shit", "s.h.i.t"),
    ]
    assert {cause["field"] for cause in causes} == {"body"}
    assert (await one.ask("GET", "/discussion?key=talk")).json()["comments"] == []
    assert await check(one.server.store) == []


async def test_a_suspect_name_waits_and_a_long_text_and_what_was_typed_without_accents(one: Instance) -> None:
    for more in ({"author": {"name": "Shit"}}, {"body": f"{LONG} lồn"}, {"body": "dit me may di an com thoi"}):
        answer = await one.say(None, **{**GUEST, **more})
        assert answer.status_code == 202, more
    assert [causes[0]["field"] for _, causes in await reviews(one)] == ["author.name", "body", "body"]


async def test_what_is_found_everywhere_is_told_of_twenty_places(one: Instance) -> None:
    await one.say(None, **GUEST, body="shit " * 500)
    ((_, causes),) = await reviews(one)
    assert len(causes) == words.MOST_FINDINGS


async def test_other_words_are_said_as_before(one: Instance) -> None:
    for body in ("Một lon bia.", "Các bạn ơi!", "Scunthorpe", "He'll shift it."):
        assert (await one.say(None, **GUEST, body=body)).status_code == 201
    assert await reviews(one) == []


async def test_moderators_and_programs_write_what_they_want_and_members_do_not(one: Instance) -> None:
    token, made = await staff_token(one), new_site_token()
    await one.server.store.write(AddSiteToken(OPERATOR, "default", "cms", ("moderate",), made[1], utc_now()))
    said = (await one.say(token, body="Nobody says shit or địt mẹ here.")).json()["comment"]
    assert said["state"] == "visible"
    member = await one.token()
    assert code(await one.say(member, body="địt mẹ")) == (422, "words")
    assert (await one.say(member, body="shit")).status_code == 202
    about = (await one.say(member, body="Hello")).json()["comment"]["id"]
    edited = await one.ask("PATCH", f"/comments/{about}", made[0], json={"body": "shit"})
    assert (edited.status_code, edited.json()["comment"]["state"]) == (200, "visible")


async def test_a_repeated_request_is_answered_as_it_was_before_the_word_was_listed(one: Instance) -> None:
    headers, body = {"Idempotency-Key": new_key()}, {"key": "talk", "body": "What a word", **GUEST}
    first = await one.client.post("/api/v1/comments", json=body, headers=headers)
    for does in ("suspect", "refuse"):
        await listed(one, f"what a word {does}")
        again = await one.client.post("/api/v1/comments", json=body, headers=headers)
        assert (again.status_code, again.json()["comment"]) == (200, first.json()["comment"])
    assert code(await one.say(None, **body)) == (422, "words")


# ---- edits ----------------------------------------------------------------------------------------------


async def test_an_edit_with_a_refused_word_is_not_taken(one: Instance) -> None:
    posted = (await one.say(None, **GUEST)).json()
    path = f"/comments/{posted['comment']['id']}"
    assert code(await one.ask("PATCH", path, posted["token"], json={"body": "địt mẹ"})) == (422, "words")
    assert [row["text"] for row in await one.rows(schema.comment)] == ["Good evening."]


async def test_an_edit_with_a_suspect_word_takes_the_comment_from_view_until_it_was_seen(one: Instance) -> None:
    staff, posted = await staff_token(one), (await one.say(None, **GUEST)).json()
    comment_id = posted["comment"]["id"]
    edited = await one.ask("PATCH", f"/comments/{comment_id}", posted["token"], json={"body": "Oh shit"})
    assert (edited.status_code, edited.json()["comment"]["state"]) == (200, "removed")
    events = (await one.ask("GET", "/events?key=talk&after=0")).json()["events"]
    assert [event["kind"] for event in events] == ["comment.created", "comment.removed"]
    assert "shit" not in str(events)
    assert "Good evening" not in str(events)
    ((queue, causes),) = await reviews(one)
    assert (queue, [_found(cause, "Oh shit") for cause in causes]) == ("suspected", ["shit"])
    (row,) = await one.rows(schema.comment)
    assert (row["text"], row["hidden_by"]) == ("Oh shit", "rule")
    hidden = [(act["actor"], act["reason"]) for act in await one.rows(schema.action) if act["verb"] == "comment.hide"]
    assert hidden == [("server", "words")]
    discussion = (await one.ask("GET", "/discussion?key=talk")).json()["discussion"]
    assert discussion["comment_count"] == 0
    assert await check(one.server.store) == []
    assert (await one.ask("POST", f"/comments/{comment_id}/restore", staff)).status_code == 200
    assert "Oh shit" in (await one.ask("GET", "/discussion?key=talk")).text
    assert await check(one.server.store) == []


async def test_an_edit_of_what_waits_says_why_it_waits_now(one: Instance) -> None:
    posted = (await one.say(None, **GUEST, body="shit")).json()
    path = f"/comments/{posted['comment']['id']}"
    for body, found in (("lồn", ["lồn"]), ("Hello", [])):
        edited = await one.ask("PATCH", path, posted["token"], json={"body": body})
        assert (edited.status_code, edited.json()["comment"]["state"]) == (200, "held")
        ((_, causes),) = await reviews(one)
        assert [_found(cause, body) for cause in causes if cause["kind"] == "word"] == found
    assert await check(one.server.store) == []


async def test_the_same_text_again_changes_nothing(one: Instance) -> None:
    posted = (await one.say(None, **GUEST, body="What a word")).json()
    await listed(one, "what a word")
    path = f"/comments/{posted['comment']['id']}"
    again = await one.ask("PATCH", path, posted["token"], json={"body": "What a word"})
    assert again.json()["comment"]["state"] == "visible"
    assert await reviews(one) == []


async def test_a_moderator_edits_as_they_want(one: Instance) -> None:
    staff, posted = await staff_token(one), (await one.say(None, **GUEST)).json()
    path = f"/comments/{posted['comment']['id']}"
    edited = await one.ask("PATCH", path, staff, json={"body": "địt mẹ"})
    assert (edited.status_code, edited.json()["comment"]["state"]) == (200, "visible")


# ---- where ----------------------------------------------------------------------------------------------


async def test_each_site_has_its_own_list(one: Instance) -> None:
    await one.server.store.write(administration.AddSite("magazine", [], utc_now()))
    await listed(one, "lon", site="magazine")
    for site, body, status in (
        ("default", "một lon", 201),
        ("magazine", "một lon", 202),
        ("default", "shit", 202),
        ("magazine", "shit", 201),
    ):
        assert (await one.say(None, **GUEST, site=site, body=body)).status_code == status


async def test_it_is_said_in_the_readers_language(one: Instance) -> None:
    headers = {"Idempotency-Key": new_key(), "Accept-Language": "vi"}
    body = {"key": "talk", "body": "địt mẹ", **GUEST}
    answer = await one.client.post("/api/v1/comments", json=body, headers=headers)
    assert answer.json()["detail"] == "Bình luận có từ không được phép dùng ở đây. Vui lòng diễn đạt cách khác."


async def test_a_list_that_another_instance_changed_is_obeyed_here(database: str, tmp_path: Path) -> None:
    """Without Redis: the version is asked for once a second."""
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(instance(database, tmp_path / name)) for name in ("a", "b")]
        assert (await there.say(None, **GUEST, body="a word")).status_code == 201

        async def answers(status: int) -> bool:
            return (await there.say(None, **GUEST, body="a word")).status_code == status

        for lines, status in ((["a word refuse"], 422), (["a word"], 202), ([], 201)):
            entries = tuple(parse_list(lines))
            await here.server.store.write(ReplaceWords(OPERATOR, "default", entries, utc_now()))
            await until(partial(answers, status), f"the other instance answers {status}")
        assert await check(here.server.store) == []
