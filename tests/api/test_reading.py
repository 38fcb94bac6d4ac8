"""What readers are given: the snapshot, pages, replies, permalinks, counts, events."""

from __future__ import annotations

from typing import Any

import pytest

from tertulia import protocol
from tertulia.core.text import NAME_LENGTH, TEXT_LENGTH
from tertulia.discussions import page_cache
from tertulia.languages import CLIENT_GROUPS, every
from tertulia.protocol import API
from tertulia.store.listing import REPLIES_OF_ONE
from tests.api.app import App, bearer
from tests.support.rules import told


def _ids(page: dict[str, Any]) -> list[str]:
    return [comment["id"] for comment in page["comments"]]


async def _several(app: App, count: int, key: str = "talk") -> list[str]:
    token = await app.guest("Lan", key="first words")
    return [(await app.posted(f"No. {n}", key=key, token=token))["comment"]["id"] for n in range(count)]


async def test_a_discussion_nobody_wrote_in_is_there_and_stores_nothing(app: App) -> None:
    before = app.rows()
    snapshot = await app.snapshot("quiet")
    assert snapshot["comments"] == []
    assert snapshot["next"] is None
    assert snapshot["viewer"] is None
    assert snapshot["discussion"] == {
        "site": "default",
        "key": "quiet",
        "title": "",
        "url": "",
        "mode": "open",
        "rules": told(),
        "closes_at": None,
        "comment_count": 0,
        "epoch": app.server.store.epoch,
        "seq": 0,
        "readers": 0,
    }
    assert app.rows() == before


async def test_the_snapshot_says_what_a_client_needs(app: App) -> None:
    token = await app.guest("Lan", body="Phở **bò**.")
    snapshot = await app.snapshot(token=token)
    assert snapshot["discussion"]["seq"] == snapshot["discussion"]["comment_count"] == 1
    assert snapshot["viewer"] == {"id": snapshot["viewer"]["id"], "name": "Lan", "kind": "guest", "moderator": False}
    assert snapshot["limits"] == {
        "name_length": NAME_LENGTH,
        "text_length": TEXT_LENGTH,
        "edit_seconds": 900,
        "depth": 3,
    }
    assert snapshot["server_time"].endswith("Z")
    [comment] = snapshot["comments"]
    assert comment["author"] == {"id": snapshot["viewer"]["id"], "name": "Lan", "badge": None}
    assert comment["body"] == [
        {
            "type": "paragraph",
            "children": [
                {"type": "text", "text": "Phở "},
                {"type": "strong", "children": [{"type": "text", "text": "bò"}]},
                {"type": "text", "text": "."},
            ],
        }
    ]
    assert comment["state"] == "visible"
    assert comment["votes"] == {"up": 0, "down": 0}


@pytest.mark.parametrize("who", ["stranger", "guest"])
async def test_the_snapshot_brings_the_sentences_of_a_language(app: App, who: str) -> None:
    token = await app.guest("Lan", body="Phở.")
    asker = token if who == "guest" else None
    plain = await app.snapshot(token=asker)
    snapshot = await app.snapshot(token=asker, lang="vi-VN")
    strings = snapshot["strings"]
    assert (strings["language"], strings["direction"]) == ("vi", "ltr")
    assert strings["texts"]["reply"] == "Trả lời"
    groups = every()["vi"].groups
    of_client = {key: text for name in CLIENT_GROUPS for key, text in groups[name].items()}
    assert strings["texts"] == of_client, "and none of the pages'"
    without = {"strings": None, "server_time": None}
    assert snapshot | without == plain | without, "nothing else changes"
    assert protocol.Snapshot.model_validate(snapshot).model_dump() == snapshot


async def test_sentences_have_the_forms_and_the_direction_of_their_language(app: App) -> None:
    arabic = (await app.snapshot(lang="ar"))["strings"]
    assert arabic["direction"] == "rtl"
    assert list(arabic["texts"]["new_comments"]) == ["zero", "one", "two", "few", "many", "other"]
    assert (await app.snapshot(lang="DE"))["strings"]["texts"]["new_comments"] == {
        "one": "{n} neuer Kommentar",
        "other": "{n} neue Kommentare",
    }


@pytest.mark.parametrize("lang", ["en", "en-GB", "tlh", "-", "x" * 35])
async def test_english_and_unknown_languages_bring_no_sentences(app: App, lang: str) -> None:
    assert (await app.snapshot(lang=lang))["strings"] is None


async def test_a_first_page_is_kept_once_for_all_languages(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    await app.guest("Lan", body="Phở.")
    await app.snapshot()
    made: list[object] = []
    monkeypatch.setattr(page_cache, "_made", lambda *page: made.append(page))
    assert {(await app.snapshot(lang=tag))["strings"]["language"] for tag in ("vi", "fr", "ko")} == {"vi", "fr", "ko"}
    assert made == []


async def test_the_idempotency_key_is_in_the_answer_to_its_post_alone(app: App) -> None:
    answer = await app.post_comment(name="Lan", once="a key of its author alone".replace(" ", "-"))
    assert answer.json()["comment"]["idempotency_key"] == "a-key-of-its-author-alone"
    token = answer.json()["token"]
    minh = await app.guest("Minh", key="elsewhere")
    for other in (None, minh, token, app.tokens["moderator"]):
        assert "idempotency_key" not in (await app.snapshot(token=other))["comments"][0]
    assert "idempotency_key" not in (await app.events())["events"][0]["comment"]


@pytest.mark.parametrize("sort", ["oldest", "newest", "top"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_give_every_comment_once_in_order(app: App, sort: str, limit: int) -> None:
    ids = await _several(app, 6)
    voter = await app.guest("Minh", key="elsewhere")
    for comment_id, value in ((ids[4], 1), (ids[1], -1)):
        path = f"{API}/comments/{comment_id}/vote"
        assert (await app.client.put(path, json={"value": value}, headers=bearer(voter))).status_code == 200
    expected = {
        "oldest": ids,
        "newest": ids[::-1],
        "top": [ids[4], ids[0], ids[2], ids[3], ids[5], ids[1]],
    }[sort]
    page: dict[str, Any] = await app.snapshot(sort=sort, limit=limit)
    found = _ids(page)
    while page["next"] is not None:
        params = {"key": "talk", "sort": sort, "limit": limit, "cursor": page["next"]}
        page = (await app.client.get(f"{API}/comments", params=params)).json()
        assert 1 <= len(page["comments"]) <= limit
        found += _ids(page)
    assert found == expected


async def test_a_walk_by_votes_has_what_moves_up_meanwhile_and_says_so(app: App) -> None:
    ids = await _several(app, 8)
    voter = await app.guest("Minh", key="elsewhere")

    async def vote(number: int, value: int) -> None:
        path = f"{API}/comments/{ids[number]}/vote"
        assert (await app.client.put(path, json={"value": value}, headers=bearer(voter))).status_code == 200

    async def following(page: dict[str, Any]) -> dict[str, Any]:
        params = {"key": "talk", "sort": "top", "limit": 3, "cursor": page["next"]}
        found: dict[str, Any] = (await app.client.get(f"{API}/comments", params=params)).json()
        return found

    first = await app.snapshot(sort="top", limit=3)
    assert (_ids(first), "changed" in first) == (ids[:3], False)
    await vote(6, 1)
    await vote(0, -1)
    second = await following(first)
    assert (_ids(second), second["changed"]) == ([ids[6], ids[3], ids[4]], True)
    third = await following(second)
    assert (_ids(third), "changed" in third) == ([ids[5], ids[7], ids[0]], False)
    assert third["next"] is None


async def test_replies_stand_under_what_they_answer_and_continue_apart(app: App) -> None:
    token = await app.guest("Lan", key="elsewhere")
    root = (await app.posted("root", token=token))["comment"]["id"]
    later = (await app.posted("later", token=token))["comment"]["id"]
    inner = (await app.posted("inner", token=token, parent_id=root))["comment"]["id"]
    replies = [inner] + [
        (await app.posted(f"reply {n}", token=token, parent_id=(inner if n % 2 else root)))["comment"]["id"]
        for n in range(52)
    ]
    snapshot = await app.snapshot()
    assert _ids(snapshot) == [root, *replies[:50], later]
    assert list(snapshot["replies"]) == [root]
    params = {"key": "talk", "parent": root, "cursor": snapshot["replies"][root]}
    rest = (await app.client.get(f"{API}/comments", params=params)).json()
    assert _ids(rest) == replies[50:]
    assert rest["next"] is None
    below: list[str] = []
    cursor: str | None = None
    while cursor is not None or not below:
        params = {"key": "talk", "parent": inner, "limit": "10"} | ({"cursor": cursor} if cursor else {})
        page = (await app.client.get(f"{API}/comments", params=params)).json()
        below += _ids(page)
        cursor = page["next"]
    assert below == [reply for n, reply in enumerate(replies[1:]) if n % 2]
    by_id = {comment["id"]: comment for comment in snapshot["comments"]}
    assert by_id[root]["reply_count"] == 27
    assert by_id[inner]["reply_count"] == 26


async def test_what_is_beyond_a_page_of_replies_is_counted_whatever_becomes_of_it(app: App) -> None:
    """Of all depths; a snapshot's count and the events after it are the count of now."""
    token = await app.guest("Lan", key="elsewhere")
    root = (await app.posted("root", token=token))["comment"]["id"]
    whole = (await app.posted("whole", token=token))["comment"]["id"]
    await app.posted("its reply", token=token, parent_id=whole)
    said = [(await app.posted("first", token=token, parent_id=root))["comment"]["id"]]
    for number in range(REPLIES_OF_ONE + 2):
        said.append(
            (await app.posted("more", token=token, parent_id=said[-1] if number % 3 else root))["comment"]["id"]
        )
    kept = [await app.snapshot()]

    async def counted(expected: int) -> None:
        kept.append(await app.snapshot())
        assert kept[-1]["thread_counts"] == {root: expected}

    await counted(REPLIES_OF_ONE + 3)
    await app.moderate("DELETE", f"/comments/{said[-1]}")
    await counted(REPLIES_OF_ONE + 2)
    assert (await app.client.delete(f"{API}/comments/{said[3]}", headers=bearer(token))).status_code == 200
    await counted(REPLIES_OF_ONE + 1)
    await app.posted("below one that is deleted", token=token, parent_id=said[4])
    await counted(REPLIES_OF_ONE + 2)
    await app.moderate("POST", f"/comments/{said[-1]}/restore")
    await counted(REPLIES_OF_ONE + 3)
    await app.set_mode("talk", "held")
    waiting = (await app.posted("may I?", token=token, parent_id=said[-1]))["comment"]["id"]
    await counted(REPLIES_OF_ONE + 3)
    await app.moderate("POST", f"/comments/{waiting}/approve")
    await counted(REPLIES_OF_ONE + 4)
    for snapshot in kept:
        after = (await app.events(after=snapshot["discussion"]["seq"]))["events"]
        told = [event["thread_counts"] for event in after if "thread_counts" in event]
        assert {**snapshot["thread_counts"], **(told[-1] if told else {})} == kept[-1]["thread_counts"]


async def test_only_threads_that_are_cut_are_counted_in_a_page(app: App) -> None:
    token = await app.guest("Lan")
    root = (await app.posted("root", token=token))["comment"]["id"]
    for _ in range(REPLIES_OF_ONE):
        await app.posted("reply", token=token, parent_id=root)
    assert "thread_counts" not in await app.snapshot()


async def test_a_permalink_names_the_place_of_a_comment(app: App) -> None:
    ids = await _several(app, 3)
    reply = (await app.posted("reply", name="Minh", parent_id=ids[2]))["comment"]["id"]
    inner = (await app.posted("inner", name="Ba", parent_id=reply))["comment"]["id"]
    found = (await app.client.get(f"{API}/comments/{inner}")).json()
    assert (found["site"], found["key"], found["comment"]["id"]) == ("default", "talk", inner)
    assert [comment["id"] for comment in found["ancestors"]] == [ids[2], reply]
    params = {"key": "talk", "limit": "1", "cursor": found["cursor"]}
    page = (await app.client.get(f"{API}/comments", params=params)).json()
    assert _ids(page) == [ids[2], reply, inner]
    assert (await app.client.get(f"{API}/comments/{ids[0]}")).json()["cursor"] is None


async def test_the_viewers_votes_come_with_the_page(app: App) -> None:
    ids = await _several(app, 2)
    voter = await app.guest("Minh", key="elsewhere")
    await app.client.put(f"{API}/comments/{ids[0]}/vote", json={"value": -1}, headers=bearer(voter))
    assert (await app.snapshot(token=voter))["votes"] == {ids[0]: -1}
    assert (await app.snapshot())["votes"] == {}


async def test_counts_are_in_the_order_asked_for(app: App) -> None:
    await _several(app, 3)
    await app.posted(site="second", name="Sáu")
    params = (("key", "nothing"), ("key", "talk"), ("key", "first words"), ("key", "talk"))
    counts = (await app.client.get(f"{API}/counts", params=params)).json()["counts"]
    assert [(one["key"], one["count"]) for one in counts] == [
        ("nothing", 0),
        ("talk", 3),
        ("first words", 1),
        ("talk", 3),
    ]
    second = (await app.client.get(f"{API}/counts", params=[("site", "second"), ("key", "talk")])).json()
    assert second["counts"] == [{"key": "talk", "count": 1}]


async def test_a_hundred_keys_may_be_counted(app: App) -> None:
    params = tuple(("key", f"k{n}") for n in range(100))
    counts = (await app.client.get(f"{API}/counts", params=params)).json()["counts"]
    assert len(counts) == 100


async def test_counts_may_be_kept_for_a_moment_by_all_of_an_origin(app: App) -> None:
    answer = await app.client.get(f"{API}/counts", params={"key": "talk"})
    assert answer.headers["cache-control"] == "public, max-age=10"
    assert "Origin" in answer.headers["vary"]
    refused = await app.client.get(f"{API}/counts")
    assert refused.headers["cache-control"] == "no-store"


async def test_events_come_in_pages_without_holes(app: App) -> None:
    await _several(app, 5)
    found: list[int] = []
    more, after = True, 0
    while more:
        params = {"key": "talk", "epoch": app.server.store.epoch, "after": str(after), "limit": "2"}
        page = (await app.client.get(f"{API}/events", params=params)).json()
        assert page["seq"] == 5
        found += [event["seq"] for event in page["events"]]
        more, after = page["more"], found[-1]
    assert found == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("cursor", [{"epoch": "another"}, {"epoch": "another", "after": "1"}, {"after": "9"}])
async def test_a_cursor_that_cannot_go_on_gets_no_events(app: App, cursor: dict[str, str]) -> None:
    await _several(app, 2)
    page = (await app.client.get(f"{API}/events", params={"key": "talk", **cursor})).json()
    assert page == {"epoch": app.server.store.epoch, "seq": 2, "events": [], "more": False}


async def test_head_answers_without_a_body_and_without_waiting(app: App) -> None:
    await _several(app, 1)
    for path in ("discussion", "comments", "counts", "feed.atom", "events"):
        answer = await app.client.head(f"{API}/{path}", params={"key": "talk"})
        assert answer.status_code == 200
    stream = await app.client.head(f"{API}/events?key=talk", headers={"Accept": "text/event-stream"})
    assert stream.status_code == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.content == b""
    assert app.server.hub.rooms == {}
