"""A look before sending: suspect words and one hook, where the rule is on; what fails or is slow says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tertulia.core.hooks import HookKind
from tertulia.core.words import parse_list
from tertulia.discussions import words
from tertulia.hooks import nudging
from tertulia.identity import utc_now
from tertulia.store import administration, schema
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import AddWords
from tests.hooks.checked import hook
from tests.people.test_sessions import Instance, code
from tests.support.receiver import FAILURE, NO_CONTENT, Receiver, answer


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "FRESH_SECONDS", -1.0)


async def switch(one: Instance, nudge: str = "on") -> None:
    change = administration.ChangeSiteRules("default", lambda own: own.changed({"nudge": nudge}), utc_now())
    await one.server.store.write(change)


async def nudges(one: Instance, body: str = "Good evening.", **more: Any) -> list[dict[str, str]]:
    answered = await one.ask("POST", "/nudge", json={"key": "talk", "body": body, **more})
    assert answered.status_code == 200, answered.text
    assert answered.headers["cache-control"] == "no-store"
    found: list[dict[str, str]] = answered.json()["nudges"]
    return found


async def test_the_words_of_the_list_are_told_as_they_were_typed(one: Instance) -> None:
    await one.server.store.write(AddWords(OPERATOR, "default", tuple(parse_list(["idiot", "fool refuse"])), utc_now()))
    assert await nudges(one, "You idiot.") == [], "the rule is off"
    await switch(one)
    assert await nudges(one, "You 1d10t, you IDIOT, you idiot and 1d10t, fool!") == [
        {"code": "word", "word": word} for word in ("1d10t", "IDIOT", "idiot", "fool")
    ]
    assert await nudges(one, "Good evening.") == []
    assert await nudges(one, "You idiot.", key="another") == [{"code": "word", "word": "idiot"}]
    many = " ".join("IDIOT"[:at].lower() + "IDIOT"[at:] for at in range(6))
    assert len(await nudges(one, many)) == nudging.MOST_WORDS
    assert await one.rows(schema.comment) == []


async def test_a_hook_is_asked_and_told_nothing_of_who_writes(one: Instance, receiver: Receiver) -> None:
    await hook(one, receiver, "tone", HookKind.nudge)
    assert await nudges(one, "I hate you.") == []
    assert receiver.asked == [], "the rule is off"
    await switch(one)
    receiver.by_word = {"hate": answer({"verdict": "hold"}), "fine": answer({"verdict": "show"})}
    assert await nudges(one, "I hate you.") == [{"code": "check"}]
    assert await nudges(one, "It is fine.") == []
    assert await nudges(one, "Good evening.") == []
    message = receiver.messages()[0]
    assert message["type"] == "comment.nudge"
    assert message["data"] == {"site": "default", "key": "talk", "text": "I hate you."}
    assert receiver.asked[0].headers["webhook-signature"].startswith("v1,")
    assert await one.rows(schema.verdict) == []


@pytest.mark.parametrize(
    "answered", [FAILURE, NO_CONTENT, answer(b"what?"), answer({"verdict": "rude"}), answer({}, 302)]
)
async def test_a_hook_that_fails_says_nothing(one: Instance, receiver: Receiver, answered: bytes) -> None:
    await hook(one, receiver, "tone", HookKind.nudge)
    await switch(one)
    receiver.otherwise = answered
    assert await nudges(one, "I hate you.") == []
    assert len(receiver.asked) == 1


async def test_a_hook_that_is_slow_says_nothing(
    one: Instance, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nudging, "SECONDS", 0.05)
    await hook(one, receiver, "tone", HookKind.nudge)
    await switch(one)
    receiver.hangs = {"hate"}
    assert await nudges(one, "I hate you.") == []


async def test_a_hook_before_sending_is_not_asked_about_comments(one: Instance, receiver: Receiver) -> None:
    await hook(one, receiver, "tone", HookKind.nudge)
    await one.say(None, author={"name": "Ba"})
    assert [row for row in await one.rows(schema.task) if row["queue"] == "check"] == []


async def test_what_cannot_be_a_comment_is_refused(one: Instance) -> None:
    await switch(one)
    for body, expected in (("", (422, "empty")), ("x" * 10_001, (422, "too_long"))):
        assert code(await one.ask("POST", "/nudge", json={"key": "talk", "body": body})) == expected
    nowhere = {"site": "nowhere", "key": "talk", "body": "Hello."}
    assert code(await one.ask("POST", "/nudge", json=nowhere)) == (404, "unknown_site")
