"""What moderators do: remove, restore, hold, approve, close, reopen; and what everybody else sees of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tertulia.app import running
from tertulia.identity import new_moderator_token, utc_now
from tertulia.protocol import API
from tertulia.settings import Settings
from tertulia.store import administration
from tests.api.app import App, add_moderator, bearer, new_key, opened
from tests.support.rules import led


async def _kinds(app: App, key: str = "talk") -> list[str]:
    return [event["kind"] for event in (await app.events(key))["events"]]


async def test_a_moderator_speaks_with_a_badge_and_without_a_new_token(app: App) -> None:
    posted = await app.posted("Be kind.", token=app.tokens["moderator"], name="Somebody Else")
    assert posted["comment"]["author"] == {"id": posted["comment"]["author"]["id"], "name": "Mai", "badge": "moderator"}
    assert "token" not in posted
    assert (await app.snapshot(token=app.tokens["moderator"]))["viewer"]["moderator"] is True


async def test_remove_and_restore(app: App) -> None:
    posted = await app.posted("Buy this.", name="Lan")
    comment_id = posted["comment"]["id"]
    removed = (await app.moderate("DELETE", f"/comments/{comment_id}")).json()
    assert (removed["comment"]["state"], removed["seq"]) == ("removed", 2)
    for reader in (None, posted["token"]):
        [tombstone] = (await app.snapshot(token=reader))["comments"]
        assert (tombstone["state"], tombstone["author"], tombstone["body"]) == ("removed", None, None)
    [revealed] = (await app.snapshot(token=app.tokens["moderator"]))["comments"]
    assert revealed["author"]["name"] == "Lan"
    for path in ("events?key=talk", f"comments/{comment_id}", "discussion?key=talk", "feed.atom?key=talk"):
        assert "Buy this" not in (await app.client.get(f"{API}/{path}")).text
    assert (await app.snapshot())["discussion"]["comment_count"] == 0
    restored = (await app.moderate("POST", f"/comments/{comment_id}/restore")).json()
    assert (restored["comment"]["state"], restored["seq"]) == ("visible", 3)
    [comment] = (await app.snapshot())["comments"]
    assert comment["body"] == posted["comment"]["body"]
    assert await _kinds(app) == ["comment.created", "comment.removed", "comment.restored"]
    again = await app.client.post(f"{API}/comments/{comment_id}/restore", headers=bearer(app.tokens["moderator"]))
    assert again.json()["code"] == "bad_state"


async def test_an_act_of_moderation_is_one_line_of_the_log(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "tertulia")
    posted = await app.posted("Buy this.", name="Lan")
    comment_id = posted["comment"]["id"]
    for method, path in (("DELETE", ""), ("POST", "/restore")):
        await app.moderate(method, f"/comments/{comment_id}{path}")
    await app.moderate("PATCH", f"/comments/{comment_id}", json={"body": "Buy nothing."})
    await app.set_mode("talk", "closed")
    acts = [vars(record) for record in caplog.records if record.getMessage() == "moderation"]
    assert [(act["by"], act["act"], act.get("comment")) for act in acts] == [
        ("Mai", "remove", comment_id),
        ("Mai", "restore", comment_id),
        ("Mai", "edit", comment_id),
        ("Mai", "set to closed", None),
    ]
    assert not any("Buy" in str(act) for act in acts), "never what people wrote"


async def test_what_people_do_to_their_own_is_no_act_of_moderation(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "tertulia")
    for token in (None, app.tokens["moderator"]):
        posted = await app.posted("Mine.", token=token, name="Lan", key="own")
        address = f"{API}/comments/{posted['comment']['id']}"
        assert (await app.client.delete(address, headers=bearer(str(posted.get("token") or token)))).status_code == 200
    assert [record for record in caplog.records if record.getMessage() == "moderation"] == []


async def test_a_moderator_edits_what_others_said(app: App) -> None:
    comment_id = (await app.posted("Rude.", name="Lan"))["comment"]["id"]
    changed = (await app.moderate("PATCH", f"/comments/{comment_id}", json={"body": "Kind."})).json()
    assert changed["comment"]["author"]["name"] == "Lan"
    assert "idempotency_key" not in changed["comment"]


async def _hold(app: App) -> tuple[dict[str, Any], str]:
    """A comment that waits, and its author's token."""
    await app.set_mode("talk", "held")
    answer = await app.post_comment("May I?", name="Lan")
    assert answer.status_code == 202
    posted: dict[str, Any] = answer.json()
    return posted, posted["token"]


async def test_a_held_comment_is_its_authors_and_nobody_elses(app: App) -> None:
    posted, lan = await _hold(app)
    minh = await app.guest("Minh", key="elsewhere")
    comment_id = posted["comment"]["id"]
    assert posted["comment"]["state"] == "held"
    assert posted["comment"]["body"] is not None
    assert "seq" not in posted
    [own] = (await app.snapshot(token=lan))["comments"]
    assert (own["id"], own["state"], own["author"]["name"]) == (comment_id, "held", "Lan")
    for other in (None, minh):
        assert (await app.snapshot(token=other))["comments"] == []
        assert (await app.snapshot(token=other))["discussion"]["comment_count"] == 0
    for path in ("feed.atom?key=talk", "events?key=talk", "comments?key=talk", "counts?key=talk"):
        text = (await app.client.get(f"{API}/{path}", headers=bearer(minh) if "comments" in path else {})).text
        assert "May I" not in text
        assert comment_id not in text
    assert (await app.client.get(f"{API}/comments/{comment_id}")).status_code == 404
    assert await _kinds(app) == ["discussion.changed"]


async def test_a_held_comment_is_edited_and_deleted_without_an_event(app: App) -> None:
    posted, lan = await _hold(app)
    path = f"{API}/comments/{posted['comment']['id']}"
    edited = (await app.client.patch(path, json={"body": "Please?"}, headers=bearer(lan))).json()
    assert edited["seq"] is None
    assert edited["comment"]["body"][0]["children"][0]["text"] == "Please?"
    deleted = (await app.client.delete(path, headers=bearer(lan))).json()
    assert (deleted["seq"], deleted["comment"]["state"]) == (None, "deleted")
    assert (await app.moderate("GET", "/moderation/held")).json()["comments"] == []
    assert await _kinds(app) == ["discussion.changed"]


async def test_an_approved_comment_happens_when_it_is_approved(app: App) -> None:
    posted, lan = await _hold(app)
    comment_id = posted["comment"]["id"]
    approved = (await app.moderate("POST", f"/comments/{comment_id}/approve")).json()
    assert (approved["seq"], approved["comment"]["state"]) == (2, "visible")
    assert await _kinds(app) == ["discussion.changed", "comment.created"]
    assert [comment["id"] for comment in (await app.snapshot())["comments"]] == [comment_id]
    again = await app.post_comment("May I?", token=lan, once=posted["comment"]["idempotency_key"])
    assert again.status_code == 200
    assert again.json()["seq"] == 2


async def test_a_held_comment_that_is_removed_may_be_restored(app: App) -> None:
    posted, _ = await _hold(app)
    comment_id = posted["comment"]["id"]
    assert (await app.moderate("DELETE", f"/comments/{comment_id}")).json()["seq"] is None
    assert (await app.snapshot())["comments"] == []
    restored = (await app.moderate("POST", f"/comments/{comment_id}/restore")).json()
    assert restored["seq"] == 2
    assert await _kinds(app) == ["discussion.changed", "comment.created"]


async def test_what_readers_report_is_listed_until_it_is_removed(app: App) -> None:
    said = [await app.posted(f"No. {n}", key=key, name="Lan") for n, key in enumerate(["talk", "another"])]
    first, second = (one["comment"]["id"] for one in said)
    elsewhere = (await app.posted("Over there.", site="second", name="Sáu"))["comment"]["id"]
    minh = await app.guest("Minh", key="elsewhere")
    for comment_id, reason, note, token in (
        (second, "spam", "", None),
        (first, "abuse", "He means me.", minh),
        (second, "other", "Again.", None),
        (elsewhere, "spam", "", None),
    ):
        content = {"reason": reason, "note": note or None}
        headers = bearer(token) if token else {}
        answer = await app.client.post(f"{API}/comments/{comment_id}/reports", json=content, headers=headers)
        assert answer.status_code == 201, answer.text
    found: list[dict[str, Any]] = []
    params = {"limit": "1"}
    while True:
        page = (await app.moderate("GET", "/moderation/reports", params=params)).json()
        found += page["reports"]
        if page["next"] is None:
            break
        params = {"limit": "1", "cursor": page["next"]}
    assert [(one["key"], one["comment"]["id"], one["reason"], one["note"]) for one in found] == [
        ("talk", first, "abuse", "He means me."),
        ("another", second, "other", "Again."),
    ], "the second report of the same reporter is in place of the first"
    assert [one["reporter_id"] is None for one in found] == [False, True]
    await app.moderate("DELETE", f"/comments/{second}")
    left = (await app.moderate("GET", "/moderation/reports")).json()["reports"]
    assert [one["reason"] for one in left] == ["abuse"]


async def test_the_list_of_what_waits_goes_on(app: App) -> None:
    await app.set_mode("talk", "held")
    await app.set_mode("another", "held")
    expected = [
        (key, (await app.posted(f"No. {n}", key=key, name=f"Guest {n}"))["comment"]["id"])
        for n, key in enumerate(["talk", "another", "talk"])
    ]
    await app.posted("Not held.", site="second", name="Sáu")
    found: list[tuple[str, str]] = []
    params = {"limit": "2"}
    while True:
        page = (await app.moderate("GET", "/moderation/held", params=params)).json()
        for one in page["comments"]:
            assert one["site"] == "default"
            assert one["comment"]["body"] is not None
            found.append((one["key"], one["comment"]["id"]))
        if page["next"] is None:
            break
        params = {"limit": "2", "cursor": page["next"]}
    assert found == expected
    second = (await app.moderate("GET", "/moderation/held", params={"site": "second"})).json()
    assert second["comments"] == []


async def test_a_moderator_is_not_held(app: App) -> None:
    await app.set_mode("talk", "held")
    assert (await app.post_comment(token=app.tokens["moderator"])).status_code == 201


async def test_close_and_reopen(app: App) -> None:
    lan = await app.guest("Lan")
    changed = (await app.moderate("PATCH", "/discussion?key=talk", json={"mode": "closed"})).json()
    assert (changed["discussion"]["mode"], changed["seq"]) == ("closed", 2)
    assert (await app.post_comment(token=lan)).json()["code"] == "closed"
    assert (await app.snapshot())["discussion"]["mode"] == "closed"
    assert (await app.post_comment(token=app.tokens["moderator"])).status_code == 201
    assert (await app.moderate("PATCH", "/discussion?key=talk", json={"mode": "closed"})).json()["seq"] == 3
    assert (await app.moderate("PATCH", "/discussion?key=talk", json={"mode": "open"})).json()["seq"] == 4
    assert (await app.post_comment(token=lan)).status_code == 201
    event = (await app.events(after=1))["events"][0]
    assert (event["kind"], event["discussion"]) == ("discussion.changed", led("closed"))


@pytest.mark.parametrize("mode", ["held", "closed"])
async def test_a_discussion_may_be_closed_before_anybody_wrote(app: App, mode: str) -> None:
    await app.set_mode("talk", mode)
    assert (await app.post_comment(name="Lan")).status_code == (202 if mode == "held" else 409)


# ---- a token that is taken back -------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["renew", "remove"])
async def test_a_token_that_is_taken_back_is_refused_at_once_by_every_instance(settings: Settings, how: str) -> None:
    async with opened(settings) as app, running(settings) as second:
        transport = httpx.ASGITransport(second.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as other:
            old = app.tokens["moderator"]
            lans = (await app.posted("Buy this.", name="Lan"))["comment"]["id"]
            mais = (await app.posted("Be kind.", token=old))["comment"]
            await app.moderate("DELETE", f"/comments/{lans}")
            before = app.rows()
            new, hashed = new_moderator_token()
            await app.server.store.write(
                administration.RenewModerator("Mai", hashed)
                if how == "renew"
                else administration.RemoveModerator("Mai", utc_now())
            )
            for client in (app.client, other):
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
            after = app.rows()
            changed = {"moderator"} if how == "renew" else {"moderator", "grant", "action", "taken_name"}
            assert {name for name in after if after[name] != before[name]} == changed
            shown = {comment["id"]: comment for comment in (await app.snapshot())["comments"]}
            assert shown[mais["id"]] == {name: value for name, value in mais.items() if name != "idempotency_key"}
            assert shown[lans]["state"] == "removed"


async def test_who_gets_the_name_of_a_former_moderator_is_somebody_else(app: App) -> None:
    former = (await app.posted("Be kind.", token=app.tokens["moderator"]))["comment"]["author"]
    await app.server.store.write(administration.RemoveModerator("Mai", utc_now()))
    token = await add_moderator(app.server, "Mai")
    author = (await app.posted("I am new here.", token=token))["comment"]["author"]
    assert (author["name"], author["badge"]) == ("Mai", "moderator")
    assert author["id"] != former["id"]
