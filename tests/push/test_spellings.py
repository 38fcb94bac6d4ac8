"""Readers who came by different spellings of a page's address are in one room, and live together."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from urllib.parse import urlencode

import httpx

from tertulia.app import Running
from tertulia.core.comments import DiscussionKey
from tests.push.test_fallback import connected
from tests.support.api_client import AsyncApiClient
from tests.support.rules import led

FORM = "https://news.example/đường"
SPELLINGS = ("http://news.example/%C4%91%C6%B0%E1%BB%9Dng/?utm_source=x", "https://NEWS.example/%c4%91ường#top", FORM)


def query(key: str) -> str:
    return urlencode({"key": key, "full": 1})


async def test_windows_of_all_spellings_get_one_comment_whoever_came_first(
    server: Running, client: httpx.AsyncClient
) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connected(server, query(key))) for key in SPELLINGS]
        for socket in sockets:
            assert (await socket.until("hello"))["seq"] == 0
        assert list(server.hub.rooms) == [DiscussionKey("default", FORM)]
        for seq, key in enumerate(SPELLINGS, 1):
            posted = await AsyncApiClient(client, key).post_comment(f"From {key}")
            for socket in sockets:
                [event] = (await socket.until("events"))["events"]
                assert (event["seq"], event["comment"]["id"]) == (seq, posted["comment"]["id"])
        snapshot = (await client.get("/api/v1/discussion", params={"key": SPELLINGS[1]})).json()
        assert snapshot["discussion"]["readers"] == len(SPELLINGS)
        sockets[0].receive_text('{"type":"writing"}')
        while not (await sockets[1].until("presence"))["writing"]:
            pass


async def test_a_reader_by_another_spelling_resumes(server: Running, client: httpx.AsyncClient) -> None:
    await AsyncApiClient(client, SPELLINGS[0]).post_comment("one")
    await AsyncApiClient(client, SPELLINGS[1]).post_comment("two")
    where = urlencode({"key": SPELLINGS[1], "epoch": server.store.epoch, "after": 1, "full": 1})
    async with connected(server, where) as socket:
        assert (await socket.until("hello"))["seq"] == 2
        assert [event["seq"] for event in (await socket.until("events"))["events"]] == [2]
    polled = await client.get("/api/v1/events", params={"key": SPELLINGS[0], "epoch": server.store.epoch, "after": 1})
    assert [event["seq"] for event in json.loads(polled.text)["events"]] == [2]


async def test_a_corrected_title_reaches_open_pages(server: Running, client: httpx.AsyncClient) -> None:
    from tests.api.app import add_moderator, bearer

    token = await add_moderator(server, "Mai")
    await AsyncApiClient(client, FORM).post_comment("one")
    async with connected(server, query(SPELLINGS[1])) as socket:
        await socket.until("hello")
        change = {"title": "The road"}
        answer = await client.patch(
            "/api/v1/discussion", params={"key": SPELLINGS[0]}, json=change, headers=bearer(token)
        )
        assert answer.json()["discussion"]["title"] == "The road"
        [event] = (await socket.until("events"))["events"]
        assert (event["kind"], event["discussion"]) == ("discussion.changed", led() | {"title": "The road"})
