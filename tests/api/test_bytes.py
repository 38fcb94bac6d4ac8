"""Answers end at 1 MiB, however much of it a few kilobytes of text can become, and say where they go on."""

from __future__ import annotations

from xml.etree import ElementTree

from tertulia.core.comments import DiscussionKey
from tertulia.protocol import API, PAGE_BYTES
from tests.api.app import App

HEAD_BYTES = 16 * 1024
"""What an answer has besides its comments, entries or events."""
ATOM = "{http://www.w3.org/2005/Atom}"


async def test_a_page_of_events_of_a_warm_room(app: App) -> None:
    """What a room keeps may have four times as much."""
    token = (await app.posted("ộ" * 9_990, name="Lan"))["token"]
    room = await app.server.hub.enter(DiscussionKey("default", "talk"))
    for number in range(49):
        await app.posted(f"{number} " + "ộ" * 9_990, token=token)
    await room.caught_up()
    assert app.server.hub.recent(DiscussionKey("default", "talk"), 1) is not None
    found: list[int] = []
    for after in (1, 0):  # from the room, from the store
        seqs: list[int] = []
        more = True
        while more:
            params: dict[str, str | int] = {"key": "talk", "after": seqs[-1] if seqs else after}
            answer = await app.client.get(f"{API}/events", params=params)
            assert len(answer.content) <= PAGE_BYTES + HEAD_BYTES
            page = answer.json()
            more = page["more"]
            seqs += [event["seq"] for event in page["events"]]
            found.append(len(page["events"]))
        assert seqs == list(range(after + 1, 51))
    assert max(found) < 49


async def test_a_feed_ends_although_its_signs_grow_ninefold(app: App) -> None:
    token = (await app.posted("&" * 10_000, name="Lan"))["token"]
    for _ in range(19):
        await app.posted("&" * 10_000, token=token)
    answer = await app.client.get(f"{API}/feed.atom", params={"key": "talk"})
    assert len(answer.content) <= PAGE_BYTES + HEAD_BYTES
    feed = ElementTree.fromstring(answer.content)
    entries = feed.findall(f"{ATOM}entry")
    assert 5 <= len(entries) < 20
    assert feed.findtext(f"{ATOM}updated") == max(entry.findtext(f"{ATOM}updated") or "" for entry in entries)


async def test_first_and_further_pages_and_their_html(app: App) -> None:
    token = (await app.posted("ộ" * 9_990, name="Lan"))["token"]
    for _ in range(49):
        await app.posted("ộ" * 9_990, token=token)
    first = await app.client.get(f"{API}/discussion", params={"key": "talk", "limit": 100})
    assert len(first.content) <= PAGE_BYTES + HEAD_BYTES
    shown = [comment["id"] for comment in first.json()["comments"]]
    cursor = first.json()["next"]
    assert len(shown) < 50
    while cursor:
        answer = await app.client.get(f"{API}/comments", params={"key": "talk", "limit": 100, "cursor": cursor})
        assert len(answer.content) <= PAGE_BYTES + HEAD_BYTES
        shown += [comment["id"] for comment in answer.json()["comments"]]
        cursor = answer.json()["next"]
    assert len(shown) == len(set(shown)) == 50
    for path in ("/d", "/embed.html"):
        page = await app.client.get(path, params={"key": "talk"})
        assert page.text.count('id="comment-') == len(first.json()["comments"]), path
        assert "cursor=" in page.text, f"{path} says where it goes on"
