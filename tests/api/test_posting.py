"""Saying, editing, deleting, voting, reporting; who a token is good for, and where."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import pytest

from tertulia.identity import Tokens, utc_now
from tertulia.protocol import API
from tertulia.settings import Settings, secret_key
from tests.api.app import App, bearer, furnish, new_key, opened


async def test_a_first_comment_answers_with_a_token(app: App) -> None:
    posted = await app.posted("Hello.", name=" Nguyễn  Lan ")
    assert posted["seq"] == 1
    assert posted["comment"]["author"]["name"] == "Nguyễn Lan"
    assert posted["comment"]["parent_id"] is None
    answer = await app.post_comment("Again.", token=posted["token"])
    assert answer.status_code == 201
    assert answer.json()["comment"]["author"] == posted["comment"]["author"]
    assert "token" not in answer.json()
    assert answer.json()["seq"] == 2


async def test_a_long_text_is_previewed_said_and_edited(app: App) -> None:
    long = "A long story, " * 100
    preview = await app.client.post(f"{API}/preview", json={"body": long})
    assert preview.status_code == 200
    posted = await app.posted(long, name="Lan")
    assert posted["comment"]["body"] == preview.json()["body"]
    path = f"{API}/comments/{posted['comment']['id']}"
    answer = await app.client.patch(path, json={"body": long * 2}, headers=bearer(posted["token"]))
    assert answer.status_code == 200
    assert (await app.snapshot())["comments"] == [answer.json()["comment"]]


async def test_another_name_renews_the_token_and_stays_the_same_author(app: App) -> None:
    first = await app.posted(name="Lan")
    second = await app.posted(name="Lan Anh", token=first["token"])
    assert second["comment"]["author"]["id"] == first["comment"]["author"]["id"]
    assert (await app.snapshot(token=second["token"]))["viewer"]["name"] == "Lan Anh"
    assert (await app.snapshot(token=first["token"]))["viewer"]["name"] == "Lan"
    names = [comment["author"]["name"] for comment in (await app.snapshot())["comments"]]
    assert names == ["Lan", "Lan Anh"], "what was said before keeps its name"


@pytest.mark.parametrize("claims", [{"member": True}, {"program": True}, {"member": True, "program": True}])
@pytest.mark.parametrize("days", [0, 100])
async def test_a_token_that_the_site_made_is_never_exchanged_for_a_guests(
    settings: Settings, claims: dict[str, bool], days: int
) -> None:
    """A guest's would outlive it, and be good for any name."""
    key = secret_key(settings)
    issued = Tokens(key).issue(new_key(), "Lan ★", "default", utc_now() - timedelta(days=days))
    said = jwt.decode(issued, options={"verify_signature": False})
    token = jwt.encode(said | claims, key, algorithm="HS256")
    async with opened(settings) as app:
        answers = [await app.posted(token=token)]
        if "member" not in claims:
            answers.append(await app.posted(token=token, name="Mai Anh"))
        other = await app.posted(name="An")
        vote = await app.client.put(
            f"{API}/comments/{other['comment']['id']}/vote", json={"value": 1}, headers=bearer(token)
        )
        answers.append(vote.json())
        assert vote.status_code == 200
    assert [answer for answer in answers if "token" in answer] == []


async def test_the_page_is_told_of_the_first_title_and_address(app: App) -> None:
    body = {
        "key": "talk",
        "body": "x",
        "author": {"name": "Lan"},
        "title": " The bridge\n",
        "url": "http://news.test/b",
    }
    for title in (body["title"], "Another"):
        headers = {"Idempotency-Key": new_key()}
        answer = await app.client.post(f"{API}/comments", json={**body, "title": title}, headers=headers)
        assert answer.status_code == 201
    discussion = (await app.snapshot())["discussion"]
    assert (discussion["title"], discussion["url"]) == ("The bridge", "http://news.test/b")


async def test_the_same_key_again_is_the_same_comment(app: App) -> None:
    once = new_key()
    first = await app.post_comment("Once.", name="Lan", once=once)
    again = await app.post_comment("Once.", name="Lan", once=once)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["comment"] == first.json()["comment"]
    assert again.json()["seq"] == first.json()["seq"]
    token = again.json()["token"]
    assert (await app.snapshot(token=token))["viewer"]["id"] == first.json()["comment"]["author"]["id"]
    known = await app.post_comment("Once.", token=first.json()["token"], once=once)
    assert known.status_code == 200
    assert len((await app.snapshot())["comments"]) == 1


async def test_two_guests_may_use_the_same_key(app: App) -> None:
    once = new_key()
    lan, minh = await app.guest("Lan"), await app.guest("Minh")
    for token in (lan, minh):
        assert (await app.post_comment("Hello.", token=token, once=once)).status_code == 201


async def test_ones_own_comment_is_edited(app: App) -> None:
    posted = await app.posted("Tpyo.", name="Lan")
    path, headers = f"{API}/comments/{posted['comment']['id']}", bearer(posted["token"])
    changed = (await app.client.patch(path, json={"body": "Typo."}, headers=headers)).json()
    assert changed["seq"] == 2
    assert changed["comment"]["body"][0]["children"] == [{"type": "text", "text": "Typo."}]
    assert changed["comment"]["edited_at"] >= changed["comment"]["created_at"]
    [comment] = (await app.snapshot())["comments"]
    assert comment["body"] == changed["comment"]["body"]
    assert [event["kind"] for event in (await app.events())["events"]] == ["comment.created", "comment.edited"]


async def test_ones_own_comment_is_deleted_and_its_place_stays(app: App) -> None:
    posted = await app.posted("I take it back.", name="Lan")
    await app.posted("Why?", name="Minh", parent_id=posted["comment"]["id"])
    path = f"{API}/comments/{posted['comment']['id']}"
    answer = await app.client.delete(path, headers=bearer(posted["token"]))
    assert answer.status_code == 200
    assert answer.json()["comment"]["state"] == "deleted"
    for reader in (None, posted["token"], app.tokens["moderator"]):
        tombstone = (await app.snapshot(token=reader))["comments"][0]
        assert (tombstone["state"], tombstone["author"], tombstone["body"]) == ("deleted", None, None)
    assert (await app.snapshot())["discussion"]["comment_count"] == 1
    for row in app.rows()["event"] + app.rows()["comment"]:
        assert "take it back" not in repr(row)
    assert "take it back" not in (await app.client.get(f"{API}/events?key=talk")).text
    assert (await app.client.get(path)).json()["comment"]["state"] == "deleted"


async def test_votes_are_counted_once_and_taken_back(app: App) -> None:
    comment_id = (await app.posted(name="Lan"))["comment"]["id"]
    minh = await app.guest("Minh", key="elsewhere")
    path = f"{API}/comments/{comment_id}/vote"
    expected = [(1, 1, 0, 2), (1, 1, 0, 2), (-1, 0, 1, 3), (0, 0, 0, 4), (0, 0, 0, 4)]
    for value, up, down, seq in expected:
        voted = (await app.client.put(path, json={"value": value}, headers=bearer(minh))).json()
        assert voted == {"votes": {"up": up, "down": down}, "value": value, "seq": seq}
    *earlier, event = (await app.events(after=1))["events"]
    assert (event["kind"], event["comment_id"], event["votes"]) == ("comment.voted", comment_id, {"up": 0, "down": 0})
    assert [(one["seq"], one["kind"]) for one in earlier] == [(2, "comment.superseded"), (3, "comment.superseded")]


@pytest.mark.parametrize("who", [None, "minh", "moderator"])
async def test_a_comment_is_reported(app: App, who: str | None) -> None:
    await furnish(app)
    headers = bearer(app.tokens[who]) if who else {}
    path = f"{API}/comments/{app.ids['lans']}/reports"
    answer = await app.client.post(path, json={"reason": "other", "note": "SiteDefaults."}, headers=headers)
    assert answer.status_code == 201
    [row] = app.rows()["report"]
    assert answer.json()["id"] in row
    assert "SiteDefaults." in row


# ---- a token is good for one site -----------------------------------------------------------------------


async def _try_everything(app: App, token: str, comment_id: str, key: str, site: str) -> dict[str, Any]:
    headers = bearer(token)
    where = f"{API}/comments/{comment_id}"
    named = {"site": site, "key": key}
    client = app.client
    said = {**named, "body": "x"}
    return {
        "snapshot": await client.get(f"{API}/discussion", params=named, headers=headers),
        "page": await client.get(f"{API}/comments", params=named, headers=headers),
        "thread": await client.get(f"{API}/comments", params={**named, "parent": comment_id}, headers=headers),
        "say": await client.post(f"{API}/comments", json=said, headers=headers | {"Idempotency-Key": new_key()}),
        "reply": await client.post(
            f"{API}/comments", json={**said, "parent_id": comment_id}, headers=headers | {"Idempotency-Key": new_key()}
        ),
        "edit": await client.patch(where, json={"body": "x"}, headers=headers),
        "conceal": await client.delete(where, headers=headers),
        "vote": await client.put(f"{where}/vote", json={"value": 1}, headers=headers),
        "report": await client.post(f"{where}/reports", json={"reason": "spam"}, headers=headers),
        "restore": await client.post(f"{where}/restore", headers=headers),
        "approve": await client.post(f"{where}/approve", headers=headers),
        "held": await client.get(f"{API}/moderation/held", params={"site": site}, headers=headers),
        "mode": await client.patch(f"{API}/discussion", params=named, json={"mode": "closed"}, headers=headers),
    }


async def test_a_token_opens_nothing_on_another_site(app: App) -> None:
    await furnish(app)
    before = app.rows()
    for token, comment, site in (("second", "lans", "default"), ("lan", "foreign", "second")):
        answers = await _try_everything(app, app.tokens[token], app.ids[comment], "talk", site)
        codes = {name: answer.json().get("code") for name, answer in answers.items()}
        assert codes == {
            **dict.fromkeys(("snapshot", "page", "thread", "say", "reply"), "unauthenticated"),
            **dict.fromkeys(("edit", "conceal", "vote", "report"), "not_found"),
            **dict.fromkeys(("restore", "approve", "held", "mode"), "forbidden"),
        }
    assert app.rows() == before


async def test_a_reply_cannot_reach_into_another_site(app: App) -> None:
    await furnish(app)
    before = app.rows()
    answer = await app.post_comment(token=app.tokens["lan"], parent_id=app.ids["foreign"])
    assert answer.json()["code"] == "bad_parent"
    page = await app.client.get(f"{API}/comments", params={"key": "talk", "parent": app.ids["foreign"]})
    assert page.json()["code"] == "not_found"
    assert app.rows() == before


async def test_the_same_key_on_two_sites_is_two_discussions(app: App) -> None:
    await furnish(app)
    second = await app.snapshot(site="second")
    assert [comment["id"] for comment in second["comments"]] == [app.ids["foreign"]]
    assert app.ids["foreign"] not in [comment["id"] for comment in (await app.snapshot())["comments"]]
    assert len((await app.events(site="second"))["events"]) == 1


async def test_a_key_of_another_server_signs_nothing_here(app: App, settings: Settings) -> None:
    there = settings.model_copy(
        update={"secret_key": "another key of the tests, no secret", "data_dir": settings.data_dir / "b"}
    )
    async with opened(there) as other:
        token = await other.guest("Lan")
    assert (await app.post_comment(token=token)).json()["code"] == "unauthenticated"


HARD_TO_READ = [
    "A **bold** word, *another*, `code` and https://news.example/a?b=1.",
    "> quoted\n\n1. one\n2. two\n\n```py\nprint()\n```",
    "\u202eturned\u200b  a\u0301" + "\u0301" * 20 + "\r\n\r\n\r\n\r\n[a](javascript:alert(1)) <b>x</b>",
]


@pytest.mark.parametrize("body", HARD_TO_READ)
async def test_a_preview_is_what_the_comment_will_be_and_stores_nothing(app: App, body: str) -> None:
    before = app.rows()
    preview = await app.client.post(f"{API}/preview", json={"body": body})
    assert preview.status_code == 200
    assert app.rows() == before
    assert preview.json() == {"body": (await app.posted(body, name="Lan"))["comment"]["body"]}


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        (["Bearer TOKEN"], True),
        (["bearer TOKEN"], True),
        (["BEARER TOKEN"], True),
        (["Bearer   TOKEN"], True),
        (["Bearer\tTOKEN"], False),
        (["Bearer \tTOKEN"], False),
        (["Bearer \xa0TOKEN"], False),
        (["Bearer TOKEN\xa0"], False),
        (["Bearer TOKEN="], False),
        (["Bearer TOKEN TOKEN"], False),
        (["Bearer TOKEN,"], False),
        (["BearerTOKEN"], False),
        (["Bearer TOKEN", "Bearer TOKEN"], False),
        (["Bearer TOKEN", "Basic dTpw"], False),
        (["", "Bearer TOKEN"], False),
    ],
)
@pytest.mark.parametrize("who", ["guest", "moderator"])
async def test_a_token_is_written_in_one_way(app: App, who: str, headers: list[str], known: bool) -> None:
    token = app.tokens["moderator"] if who == "moderator" else await app.guest("Lan")
    sent = [(b"authorization", header.replace("TOKEN", token).encode("latin-1")) for header in headers]
    answer = await app.client.get(f"{API}/discussion", params={"key": "talk"}, headers=sent)
    assert answer.status_code == (200 if known else 401), answer.text


async def test_two_keys_are_none(app: App) -> None:
    headers = [("Idempotency-Key", new_key()), ("Idempotency-Key", new_key())]
    body = {"key": "talk", "body": "Hello.", "author": {"name": "Lan"}}
    answer = await app.client.post(f"{API}/comments", json=body, headers=headers)
    assert answer.json()["code"] == "idempotency_key_required"
