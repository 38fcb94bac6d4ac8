"""The order in which a write is looked at: whoever is refused for anything else has no text read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tertulia.core import documents, text
from tertulia.core.comments import Block
from tertulia.protocol import API
from tertulia.settings import Settings
from tests.api.app import App, bearer, furnish, new_key, opened

LONG = "What is said at length. " * 100
SHORT = "What is said."


@dataclass
class Reading:
    """What was cleaned and parsed since ``forget``, and in which threads."""

    texts: list[str] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def forget(self) -> None:
        self.texts.clear()
        self.threads.clear()


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    seen = Reading()

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def watching(raw: str, *others: Any, **named: Any) -> str | list[Block]:
            seen.texts.append(raw)
            seen.threads.add(threading.current_thread().name)
            found: str | list[Block] = real(raw, *others, **named)
            return found

        return watching

    monkeypatch.setattr(text, "clean_text", watched(text.clean_text))
    monkeypatch.setattr(text, "clean_title", watched(text.clean_title))
    monkeypatch.setattr(text, "clean_url", watched(text.clean_url))
    monkeypatch.setattr(documents, "parse", watched(documents.parse))
    return seen


def pages(app: App) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app.server.asgi), base_url="http://news.test")


async def refused(answer: httpx.Response, code: str, reading: Reading) -> None:
    assert answer.json()["code"] == code
    assert reading.texts == []


async def test_limits_are_asked_before_a_text_is_read(settings: Settings, reading: Reading) -> None:
    limited = settings.model_copy(update={"post_limit_guest": "1/day", "post_limit_address": "2/day"})
    async with opened(limited) as app:
        lan = await app.guest("Lan")
        posted = await app.posted(token=lan)
        reading.forget()
        for body in (SHORT, LONG):
            await refused(await app.post_comment(body, token=lan), "rate_limited", reading)
            await refused(await app.post_comment(body, name="Minh"), "rate_limited", reading)
            path = f"{API}/comments/{posted['comment']['id']}/reports"
            answer = await app.client.post(path, json={"reason": "spam", "note": body[:900]})
            await refused(answer, "rate_limited", reading)
        form = {"name": "Minh", "body": LONG, "nonce": "n" * 20}
        async with pages(app) as client:
            page = await client.post("/d?key=talk", data=form)
        assert (page.status_code, reading.texts) == (429, [])


async def test_previews_are_counted_before(
    settings: Settings, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.limits.posting.PREVIEWS_A_MINUTE", 1)
    async with opened(settings.model_copy(update={"post_limit_address": "9/day"})) as app:
        assert (await app.client.post(f"{API}/preview", json={"body": SHORT})).status_code == 200
        reading.forget()
        await refused(await app.client.post(f"{API}/preview", json={"body": LONG}), "rate_limited", reading)


async def test_the_target_is_found_before_a_long_text_is_read(app: App, reading: Reading) -> None:
    await furnish(app)
    lan, ids = app.tokens["lan"], app.ids
    reading.forget()
    await refused(await app.post_comment(LONG, key="shut", token=lan), "closed", reading)
    await refused(await app.post_comment(LONG, token=lan, parent_id=ids["removed"]), "bad_parent", reading)
    await refused(await app.post_comment(LONG, key="nowhere", token=lan, parent_id=ids["lans"]), "bad_parent", reading)
    for body in (SHORT, LONG):
        await refused(await app.post_comment(body, name="\u200b"), "empty", reading)
        await refused(await app.post_comment(body, token="x"), "unauthenticated", reading)
        await refused(await app.post_comment(body, token=lan, once="short"), "idempotency_key_required", reading)
        for comment, code in (("minhs", "forbidden"), ("deleted", "forbidden"), ("unknown", "not_found")):
            path = f"{API}/comments/{ids[comment]}"
            await refused(await app.client.patch(path, json={"body": body}, headers=bearer(lan)), code, reading)
            await refused(await app.client.patch(path, json={"body": body}), "unauthenticated", reading)


async def test_the_time_for_editing_is_asked_before(settings: Settings, reading: Reading) -> None:
    async with opened(settings.model_copy(update={"edit_minutes": 0})) as app:
        posted = await app.posted(name="Lan")
        reading.forget()
        path = f"{API}/comments/{posted['comment']['id']}"
        answer = await app.client.patch(path, json={"body": SHORT}, headers=bearer(posted["token"]))
        await refused(answer, "edit_window_over", reading)


async def test_what_can_be_seen_at_once_costs_nothing_and_is_not_counted(settings: Settings, reading: Reading) -> None:
    async with opened(settings.model_copy(update={"post_limit_address": "1/day"})) as app:
        for body in ("", " \n" * 9000):
            await refused(await app.post_comment(body, name="Lan"), "empty", reading)
        reading.forget()
        assert (await app.post_comment(name="Lan")).status_code == 201


async def test_a_repeat_is_answered_although_its_discussion_was_closed(app: App) -> None:
    once = new_key()
    posted = await app.posted(LONG, name="Lan", once=once)
    await app.set_mode("talk", "closed")
    again = await app.post_comment(LONG, name="Lan", once=once)
    assert (again.status_code, again.json()["comment"]["id"]) == (200, posted["comment"]["id"])
    moderator = await app.post_comment(LONG, token=app.tokens["moderator"])
    assert moderator.status_code == 201


async def test_a_long_text_is_read_beside_the_loop_and_a_short_one_on_it(app: App, reading: Reading) -> None:
    loop = threading.current_thread().name
    await app.posted(SHORT, name="Lan")
    assert reading.threads == {loop}
    posted = await app.posted(LONG, name="Lan")
    path, headers = f"{API}/comments/{posted['comment']['id']}", bearer(posted["token"])
    actions = [
        app.post_comment(LONG, name="Minh"),
        app.client.post(f"{API}/preview", json={"body": LONG}),
        app.client.patch(path, json={"body": LONG + "More."}, headers=headers),
    ]
    for act in actions:
        reading.forget()
        assert (await act).status_code in (200, 201)
        assert max(reading.texts, key=len) in (LONG, LONG + "More.")
        assert reading.threads - {loop}


async def test_a_text_whose_tree_would_be_too_large_is_too_long_wherever_it_comes_from(app: App) -> None:
    large = "a\n" * 5000
    posted = await app.posted(name="Lan")
    headers = bearer(posted["token"])
    path = f"{API}/comments/{posted['comment']['id']}"
    answers = [
        await app.post_comment(large, name="Minh"),
        await app.client.post(f"{API}/preview", json={"body": large}),
        await app.client.patch(path, json={"body": large}, headers=headers),
    ]
    assert [(answer.status_code, answer.json()["code"], answer.json()["field"]) for answer in answers] == [
        (422, "too_long", "body")
    ] * 3
    assert "post it in parts" in answers[0].json()["detail"]
    async with pages(app) as client:
        page = await client.post("/d?key=talk", data={"name": "Lan", "body": large, "nonce": "n" * 20})
    assert page.status_code == 422
    assert "fewer if it has many lines" in page.text
