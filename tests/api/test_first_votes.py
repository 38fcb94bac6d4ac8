"""A reader who has said nothing votes: a guest is made, once, and is the same one who writes later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import httpx
import jwt
import pytest

from tertulia import identity
from tertulia.identity import RENEW_DAYS, REPEAT_HOURS, utc_now
from tertulia.protocol import API
from tertulia.settings import Settings
from tests.api.app import App, bearer, new_key, opened


async def vote(app: App, comment: str, value: int = 1, *, once: str | None = None, token: str = "") -> httpx.Response:
    headers = (bearer(token) if token else {}) | ({"Idempotency-Key": once} if once else {})
    return await app.client.put(f"{API}/comments/{comment}/vote", json={"value": value}, headers=headers)


async def voted(app: App, comment: str, value: int = 1, **how: Any) -> dict[str, Any]:
    answer = await vote(app, comment, value, **how)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def said(app: App, **details: Any) -> str:
    """A comment's id."""
    comment_id: str = (await app.posted(name="Lan", **details))["comment"]["id"]
    return comment_id


async def test_who_votes_first_is_the_guest_who_writes_later(app: App) -> None:
    comment = await said(app)
    first = await voted(app, comment, once=new_key())
    assert first["votes"] == {"up": 1, "down": 0}
    token = first["token"]
    viewer = (await app.snapshot(token=token))["viewer"]
    assert (viewer["name"], viewer["moderator"]) == ("", False)
    assert (await app.snapshot(token=token))["votes"] == {comment: 1}
    assert (await app.post_comment(token=token)).json()["code"] == "empty", "a comment has a name"
    posted = await app.posted(token=token, name="Minh")
    assert posted["comment"]["author"] == {"id": viewer["id"], "name": "Minh", "badge": None}
    named = await app.snapshot(token=posted["token"])
    assert (named["viewer"]["id"], named["viewer"]["name"]) == (viewer["id"], "Minh")
    assert named["votes"] == {comment: 1}
    own = await vote(app, posted["comment"]["id"], token=posted["token"])
    assert (own.status_code, own.json()["code"]) == (403, "forbidden")
    assert "token" not in await voted(app, comment, 0, token=posted["token"])


async def test_a_repeat_is_the_same_guest_and_no_second_vote(app: App) -> None:
    comment, key = await said(app), new_key()
    answers = [await voted(app, comment, once=key) for _ in range(3)]
    assert {(one["votes"]["up"], one["seq"]) for one in answers} == {(1, 2)}
    assert len({(await app.snapshot(token=one["token"]))["viewer"]["id"] for one in answers}) == 1
    assert (await voted(app, comment, once=new_key()))["votes"] == {"up": 2, "down": 0}, "another reader"
    assert (await voted(app, comment, -1, once=key))["votes"] == {"up": 1, "down": 1}


@pytest.mark.parametrize("is_vote_first", [True, False])
async def test_a_vote_and_a_comment_of_one_key_are_one_guests(app: App, is_vote_first: bool) -> None:
    """Both are on their way, and neither answer has brought a token yet."""
    comment, key = await said(app), new_key()
    if is_vote_first:
        first = await voted(app, comment, once=key)
    posted = await app.posted("At the same time.", name="Minh", once=key)
    if not is_vote_first:
        first = await voted(app, comment, once=key)
    assert (await app.snapshot(token=first["token"]))["viewer"]["id"] == posted["comment"]["author"]["id"]
    assert (await vote(app, posted["comment"]["id"], once=key)).json()["code"] == "forbidden", "one's own"


async def test_without_a_token_and_a_key_nobody_votes(app: App) -> None:
    comment = await said(app)
    assert (await vote(app, comment)).json()["code"] == "unauthenticated"
    assert (await vote(app, comment, once="short")).json()["code"] == "idempotency_key_required"
    assert (await vote(app, new_key(), once=new_key())).json()["code"] == "not_found"
    assert (await app.snapshot())["comments"][0]["votes"] == {"up": 0, "down": 0}


async def test_first_votes_are_bounded_as_comments_are_and_take_nothing_from_them(settings: Settings) -> None:
    bounds = {"post_limit_address": "3/day", "vote_limit_address": "1000/day"}
    async with opened(settings.model_copy(update=bounds)) as app:
        comment = await said(app)
        answers = [await vote(app, comment, once=new_key()) for _ in range(5)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        known = answers[0].json()["token"]
        again = [await vote(app, comment, value, token=known) for value in (0, 1)]
        assert [one.status_code for one in again] == [200, 200], "who has a token is no newcomer"
        assert [(await app.post_comment(name="Ba")).status_code for _ in range(3)] == [201, 201, 429]


@pytest.fixture
def later() -> Iterator[list[timedelta]]:
    """How much later it is than now; a test may change it."""
    passed = [timedelta()]
    with patch("tertulia.discussions.votes.utc_now", lambda: utc_now() + passed[0]):
        yield passed


@pytest.mark.parametrize(("hours", "status"), [(REPEAT_HOURS - 1, 200), (REPEAT_HOURS + 1, 401)])
async def test_the_key_of_an_old_comment_opens_nothing(
    app: App, later: list[timedelta], hours: int, status: int
) -> None:
    comment, key = await said(app), new_key()
    await app.posted("Mine.", name="Minh", once=key)
    later[0] = timedelta(hours=hours)
    assert (await vote(app, comment, once=key)).status_code == status


async def test_who_only_votes_goes_on_being_known(app: App, later: list[timedelta]) -> None:
    comment = await said(app)
    token = (await voted(app, comment, once=new_key()))["token"]
    assert "token" not in await voted(app, comment, -1, token=token)
    later[0] = timedelta(days=RENEW_DAYS + 1)
    fresh = (await voted(app, comment, 1, token=token))["token"]
    before, after = (jwt.decode(one, options={"verify_signature": False}) for one in (token, fresh))
    assert (after["sub"], after["name"]) == (before["sub"], "")
    assert after["iat"] - before["iat"] >= RENEW_DAYS * 86_400
    assert after["exp"] - after["iat"] == identity.GUEST_DAYS * 86_400
