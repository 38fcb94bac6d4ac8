"""What moderators do: remove, restore, hold, approve, close, reopen; and what everybody else sees of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tertulia.app import running
from tertulia.identity import new_moderator_token
from tertulia.protocol import API
from tertulia.settings import Settings
from tertulia.store import administration
from tests.api.world import World, add_moderator, bearer, new_key, opened


async def _kinds(world: World, key: str = "talk") -> list[str]:
    return [event["kind"] for event in (await world.events(key))["events"]]


async def test_a_moderator_speaks_with_a_badge_and_without_a_new_token(world: World) -> None:
    posted = await world.said("Be kind.", token=world.tokens["moderator"], name="Somebody Else")
    assert posted["comment"]["author"] == {"id": posted["comment"]["author"]["id"], "name": "Mai", "badge": "moderator"}
    assert "token" not in posted
    assert (await world.snapshot(token=world.tokens["moderator"]))["viewer"]["moderator"] is True


async def test_remove_and_restore(world: World) -> None:
    posted = await world.said("Buy this.", name="Lan")
    comment_id = posted["comment"]["id"]
    removed = (await world.moderate("DELETE", f"/comments/{comment_id}")).json()
    assert (removed["comment"]["state"], removed["seq"]) == ("removed", 2)
    for reader in (None, posted["token"]):
        [tombstone] = (await world.snapshot(token=reader))["comments"]
        assert (tombstone["state"], tombstone["author"], tombstone["body"]) == ("removed", None, None)
    [revealed] = (await world.snapshot(token=world.tokens["moderator"]))["comments"]
    assert revealed["author"]["name"] == "Lan"
    for path in ("events?key=talk", f"comments/{comment_id}", "discussion?key=talk", "feed.atom?key=talk"):
        assert "Buy this" not in (await world.client.get(f"{API}/{path}")).text
    assert (await world.snapshot())["discussion"]["comment_count"] == 0
    restored = (await world.moderate("POST", f"/comments/{comment_id}/restore")).json()
    assert (restored["comment"]["state"], restored["seq"]) == ("visible", 3)
    [comment] = (await world.snapshot())["comments"]
    assert comment["body"] == posted["comment"]["body"]
    assert await _kinds(world) == ["comment.created", "comment.removed", "comment.restored"]
    again = await world.client.post(f"{API}/comments/{comment_id}/restore", headers=bearer(world.tokens["moderator"]))
    assert again.json()["code"] == "bad_state"


async def test_a_moderator_edits_what_others_said(world: World) -> None:
    comment_id = (await world.said("Rude.", name="Lan"))["comment"]["id"]
    changed = (await world.moderate("PATCH", f"/comments/{comment_id}", json={"body": "Kind."})).json()
    assert changed["comment"]["author"]["name"] == "Lan"
    assert "idempotency_key" not in changed["comment"]


async def _hold(world: World) -> tuple[dict[str, Any], str]:
    """A comment that waits, and its author's token."""
    await world.set_mode("talk", "held")
    answer = await world.say("May I?", name="Lan")
    assert answer.status_code == 202
    posted: dict[str, Any] = answer.json()
    return posted, posted["token"]


async def test_a_held_comment_is_its_authors_and_nobody_elses(world: World) -> None:
    posted, lan = await _hold(world)
    minh = await world.guest("Minh", key="elsewhere")
    comment_id = posted["comment"]["id"]
    assert posted["comment"]["state"] == "held"
    assert posted["comment"]["body"] is not None
    assert "seq" not in posted
    [own] = (await world.snapshot(token=lan))["comments"]
    assert (own["id"], own["state"], own["author"]["name"]) == (comment_id, "held", "Lan")
    for other in (None, minh):
        assert (await world.snapshot(token=other))["comments"] == []
        assert (await world.snapshot(token=other))["discussion"]["comment_count"] == 0
    for path in ("feed.atom?key=talk", "events?key=talk", "comments?key=talk", "counts?key=talk"):
        text = (await world.client.get(f"{API}/{path}", headers=bearer(minh) if "comments" in path else {})).text
        assert "May I" not in text
        assert comment_id not in text
    assert (await world.client.get(f"{API}/comments/{comment_id}")).status_code == 404
    assert await _kinds(world) == ["discussion.changed"]


async def test_a_held_comment_is_edited_and_deleted_without_an_event(world: World) -> None:
    posted, lan = await _hold(world)
    path = f"{API}/comments/{posted['comment']['id']}"
    edited = (await world.client.patch(path, json={"body": "Please?"}, headers=bearer(lan))).json()
    assert edited["seq"] is None
    assert edited["comment"]["body"][0]["children"][0]["text"] == "Please?"
    deleted = (await world.client.delete(path, headers=bearer(lan))).json()
    assert (deleted["seq"], deleted["comment"]["state"]) == (None, "deleted")
    assert (await world.moderate("GET", "/moderation/held")).json()["comments"] == []
    assert await _kinds(world) == ["discussion.changed"]


async def test_an_approved_comment_happens_when_it_is_approved(world: World) -> None:
    posted, lan = await _hold(world)
    comment_id = posted["comment"]["id"]
    approved = (await world.moderate("POST", f"/comments/{comment_id}/approve")).json()
    assert (approved["seq"], approved["comment"]["state"]) == (2, "visible")
    assert await _kinds(world) == ["discussion.changed", "comment.created"]
    assert [comment["id"] for comment in (await world.snapshot())["comments"]] == [comment_id]
    again = await world.say("May I?", token=lan, once=posted["comment"]["idempotency_key"])
    assert again.status_code == 200
    assert again.json()["seq"] == 2


async def test_a_held_comment_that_is_removed_may_be_restored(world: World) -> None:
    posted, _ = await _hold(world)
    comment_id = posted["comment"]["id"]
    assert (await world.moderate("DELETE", f"/comments/{comment_id}")).json()["seq"] is None
    assert (await world.snapshot())["comments"] == []
    restored = (await world.moderate("POST", f"/comments/{comment_id}/restore")).json()
    assert restored["seq"] == 2
    assert await _kinds(world) == ["discussion.changed", "comment.created"]


async def test_what_readers_report_is_listed_until_it_is_removed(world: World) -> None:
    said = [await world.said(f"No. {n}", key=key, name="Lan") for n, key in enumerate(["talk", "another"])]
    first, second = (one["comment"]["id"] for one in said)
    elsewhere = (await world.said("Over there.", site="second", name="Sáu"))["comment"]["id"]
    minh = await world.guest("Minh", key="elsewhere")
    for comment_id, reason, note, token in (
        (second, "spam", "", None),
        (first, "abuse", "He means me.", minh),
        (second, "other", "Again.", None),
        (elsewhere, "spam", "", None),
    ):
        content = {"reason": reason, "note": note or None}
        headers = bearer(token) if token else {}
        answer = await world.client.post(f"{API}/comments/{comment_id}/reports", json=content, headers=headers)
        assert answer.status_code == 201, answer.text
    found: list[dict[str, Any]] = []
    params = {"limit": "2"}
    while True:
        page = (await world.moderate("GET", "/moderation/reports", params=params)).json()
        found += page["reports"]
        if page["next"] is None:
            break
        params = {"limit": "2", "cursor": page["next"]}
    assert [(one["key"], one["comment"]["id"], one["reason"], one["note"]) for one in found] == [
        ("another", second, "spam", ""),
        ("talk", first, "abuse", "He means me."),
        ("another", second, "other", "Again."),
    ]
    assert [one["reporter_id"] is None for one in found] == [True, False, True]
    await world.moderate("DELETE", f"/comments/{second}")
    left = (await world.moderate("GET", "/moderation/reports")).json()["reports"]
    assert [one["reason"] for one in left] == ["abuse"]


async def test_the_list_of_what_waits_goes_on(world: World) -> None:
    await world.set_mode("talk", "held")
    await world.set_mode("another", "held")
    expected = [
        (key, (await world.said(f"No. {n}", key=key, name=f"Guest {n}"))["comment"]["id"])
        for n, key in enumerate(["talk", "another", "talk"])
    ]
    await world.said("Not held.", site="second", name="Sáu")
    found: list[tuple[str, str]] = []
    params = {"limit": "2"}
    while True:
        page = (await world.moderate("GET", "/moderation/held", params=params)).json()
        for one in page["comments"]:
            assert one["site"] == "default"
            assert one["comment"]["body"] is not None
            found.append((one["key"], one["comment"]["id"]))
        if page["next"] is None:
            break
        params = {"limit": "2", "cursor": page["next"]}
    assert found == expected
    second = (await world.moderate("GET", "/moderation/held", params={"site": "second"})).json()
    assert second["comments"] == []


async def test_a_moderator_is_not_held(world: World) -> None:
    await world.set_mode("talk", "held")
    assert (await world.say(token=world.tokens["moderator"])).status_code == 201


async def test_close_and_reopen(world: World) -> None:
    lan = await world.guest("Lan")
    changed = (await world.moderate("PATCH", "/discussion?key=talk", json={"mode": "closed"})).json()
    assert (changed["discussion"]["mode"], changed["seq"]) == ("closed", 2)
    assert (await world.say(token=lan)).json()["code"] == "closed"
    assert (await world.snapshot())["discussion"]["mode"] == "closed"
    assert (await world.say(token=world.tokens["moderator"])).status_code == 201
    assert (await world.moderate("PATCH", "/discussion?key=talk", json={"mode": "closed"})).json()["seq"] == 3
    assert (await world.moderate("PATCH", "/discussion?key=talk", json={"mode": "open"})).json()["seq"] == 4
    assert (await world.say(token=lan)).status_code == 201
    event = (await world.events(after=1))["events"][0]
    assert (event["kind"], event["discussion"]) == ("discussion.changed", {"mode": "closed"})


@pytest.mark.parametrize("mode", ["held", "closed"])
async def test_a_discussion_may_be_closed_before_anybody_wrote(world: World, mode: str) -> None:
    await world.set_mode("talk", mode)
    assert (await world.say(name="Lan")).status_code == (202 if mode == "held" else 409)


# ---- a token that is taken back -------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["renew", "remove"])
async def test_a_token_that_is_taken_back_is_refused_at_once_by_every_instance(settings: Settings, how: str) -> None:
    async with opened(settings) as world, running(settings) as second:
        transport = httpx.ASGITransport(second.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as other:
            old = world.tokens["moderator"]
            lans = (await world.said("Buy this.", name="Lan"))["comment"]["id"]
            mais = (await world.said("Be kind.", token=old))["comment"]
            await world.moderate("DELETE", f"/comments/{lans}")
            before = world.rows()
            new, hashed = new_moderator_token()
            await world.server.store.write(
                administration.RenewModerator("Mai", hashed)
                if how == "renew"
                else administration.RemoveModerator("Mai")
            )
            for client in (world.client, other):
                for method, path, body in (
                    ("GET", "/moderation/held", None),
                    ("GET", "/discussion?key=talk", None),
                    ("POST", f"/comments/{lans}/restore", None),
                    ("PATCH", f"/comments/{mais['id']}", {"body": "Rude."}),
                    ("DELETE", f"/comments/{mais['id']}", None),
                    ("PATCH", "/discussion?key=talk", {"mode": "closed"}),
                    ("POST", "/comments", {"key": "talk", "body": "Still me."}),
                ):
                    headers = bearer(old) | {"Idempotency-Key": new_key()}
                    answer = await client.request(method, API + path, json=body, headers=headers)
                    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
                answer = await client.get(f"{API}/moderation/held", headers=bearer(new))
                assert answer.status_code == (200 if how == "renew" else 401)
            after = world.rows()
            assert {name for name in after if after[name] != before[name]} == {"moderator"}
            shown = {comment["id"]: comment for comment in (await world.snapshot())["comments"]}
            assert shown[mais["id"]] == {name: value for name, value in mais.items() if name != "idempotency_key"}
            assert shown[lans]["state"] == "removed"


async def test_who_gets_the_name_of_a_former_moderator_is_somebody_else(world: World) -> None:
    former = (await world.said("Be kind.", token=world.tokens["moderator"]))["comment"]["author"]
    await world.server.store.write(administration.RemoveModerator("Mai"))
    token = await add_moderator(world.server, "Mai")
    author = (await world.said("I am new here.", token=token))["comment"]["author"]
    assert (author["name"], author["badge"]) == ("Mai", "moderator")
    assert author["id"] != former["id"]
