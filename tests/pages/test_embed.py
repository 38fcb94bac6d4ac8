"""The fragment that other servers put into their pages."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tertulia.app import Running, running
from tertulia.core.comments import DiscussionKey, Mode
from tertulia.identity import utc_now
from tertulia.settings import Settings
from tertulia.store import Store, commands, queries
from tests.pages.posting import HOSTILE, change, post_comment, snapshot

PATH = "/embed.html?key=talk"
GOOD = {"Origin": "https://good.example"}


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Running]:
    async with running(settings.model_copy(update={"allowed_origins": (GOOD["Origin"],)})) as opened:
        yield opened


async def fragment(client: httpx.AsyncClient, path: str = PATH) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


def shown(text: str) -> list[str]:
    return re.findall(r'<article id="comment-([0-9a-f-]+)"', text)


async def test_it_is_the_first_page_of_comments_and_no_page(client: httpx.AsyncClient) -> None:
    first = await post_comment(client, "First.")
    second = await post_comment(client, "Second.", parent_id=first["comment"]["id"])
    text = await fragment(client)
    assert shown(text) == [first["comment"]["id"], second["comment"]["id"]]
    assert text.startswith('<div lang="en" dir="ltr" data-sort="oldest" data-epoch="')
    assert text.rstrip().endswith("</div>")
    assert "All comments [ 2 ]" in text
    for tag in ("<html", "<head>", "<body", "<style", "<link", "<form", "<script src", "<tertulia"):
        assert tag not in text


async def test_every_address_is_absolute_and_leads_somewhere(client: httpx.AsyncClient) -> None:
    posted = await post_comment(client, "First.")
    await post_comment(client, "Second.")
    text = await fragment(client)
    addresses = [html.unescape(found) for found in re.findall(r'(?:href|src|action)="([^"]*)"', text)]
    assert all(address.startswith("http://news.test/") for address in addresses), addresses
    for address in addresses:
        assert (await client.get(address)).status_code in (200, 303), address
    assert "http://news.test/d?site=default&key=talk#your-comments" in addresses
    reply = f"http://news.test/d?site=default&key=talk&reply={posted['comment']['id']}#your-comments"
    assert "You are replying to" in (await client.get(addresses[addresses.index(reply)])).text


@pytest.mark.parametrize("path", [PATH, "/d?key=talk"])
async def test_it_says_which_moment_it_shows(client: httpx.AsyncClient, path: str) -> None:
    await post_comment(client, "First.")
    posted = await post_comment(client, "Second.")
    await change(client, "DELETE", posted, posted)
    now = (await snapshot(client))["discussion"]
    assert now["seq"] == 3
    text = await fragment(client, path)
    assert text.count(f' data-epoch="{now["epoch"]}" data-seq="3">') == 1


async def test_nothing_of_the_moment_that_a_thread_says_is_missing_from_it(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = await post_comment(client, "First.")
    read = Store.read

    async def and_then_somebody_answers(store: Store, query: Any, *given: Any, **named: Any) -> Any:
        found = await read(store, query, *given, **named)
        if query is queries.thread:
            await post_comment(client, "Just too late.", parent_id=posted["comment"]["id"])
        return found

    monkeypatch.setattr(Store, "read", and_then_somebody_answers)
    text = await fragment(client, f"/d?key=talk&thread={posted['comment']['id']}")
    assert "Just too late." not in text
    assert ' data-seq="1">' in text


async def test_language_and_order_are_as_asked_for(client: httpx.AsyncClient) -> None:
    said = [(await post_comment(client, text))["comment"]["id"] for text in ("One.", "Two.")]
    text = await fragment(client, f"{PATH}&lang=vi&sort=newest")
    assert shown(text) == said[::-1]
    assert text.startswith('<div lang="vi" dir="ltr" data-sort="newest"')
    assert "Viết bình luận" in text
    assert (await fragment(client, f"{PATH}&lang=tlh")).startswith('<div lang="en"')


async def test_what_is_closed_asks_for_no_comment(client: httpx.AsyncClient, server: Running) -> None:
    assert "Write a comment" in await fragment(client)
    key = DiscussionKey("default", "talk")
    await server.store.write(commands.ChangeDiscussion(key, utc_now(), Mode.closed))
    text = await fragment(client)
    assert "Write a comment" not in text
    assert "This discussion is closed." in text


async def test_hostile_names_texts_and_keys_stay_text(client: httpx.AsyncClient) -> None:
    key = 'a"><script>alert(1)</script>'
    await post_comment(client, HOSTILE + '"><img src=x onerror=alert(1)>', key=key, author={"name": '"><img src=x>'})
    answer = await client.get("/embed.html", params={"key": key})
    assert "<img" not in answer.text
    assert "<script>" not in answer.text
    assert answer.text.count("<script") == 1, "the data for search engines"
    assert '<bdi class="author">&#34;&gt;&lt;img src=x&gt;</bdi>' in answer.text


@pytest.mark.parametrize(
    ("public_url", "kept"), [("https://comments.example", "public, max-age=10"), (None, "private, max-age=10")]
)
async def test_caches_may_keep_it_for_a_moment(settings: Settings, public_url: str | None, kept: str) -> None:
    """Shared ones, too, where its links are not made of what a request says of the server's address."""
    async with running(settings.model_copy(update={"public_url": public_url})) as opened:
        transport = httpx.ASGITransport(opened.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
            answer = await client.get(PATH)
            assert answer.headers["cache-control"] == kept
            assert ("evil.example" in answer.text) == (public_url is None)
            assert "Origin" in answer.headers["vary"]
            assert "set-cookie" not in answer.headers
            assert answer.headers["x-robots-tag"] == "noindex", "it is found in the page that it is put into"
            known = {"If-None-Match": answer.headers["etag"]}
            again = await client.get(PATH, headers=known)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == answer.headers["etag"]
            assert again.headers["cache-control"] == kept
            assert "Origin" in again.headers["vary"]
            await post_comment(client, "News.")
            assert (await client.get(PATH, headers=known)).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/d?key=talk", PATH, "/api/v1/feed.atom?key=talk", "/api/v1/discussion?key=talk", "/articles/none"]
)
async def test_no_shared_cache_keeps_what_the_host_was_put_into(client: httpx.AsyncClient, path: str) -> None:
    """Without an address of the operator's, what a request says of it may be anybody's."""
    await post_comment(client, "Hello.")
    answer = await client.get(path, headers={"Host": "evil.example"})
    assert "evil.example" not in answer.text or "public" not in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("key=talk&site=unknown", 404, "unknown_site"),
        ("", 422, "invalid"),
        ("key=", 422, "empty"),
        ("key=a%0Ab", 422, "invalid"),
        ("key=" + "a" * 513, 422, "too_long"),
        ("key=talk&sort=best", 422, "invalid"),
        ("key=talk&colour=red", 422, "unknown_field"),
    ],
)
async def test_a_refusal_is_one_of_the_api(client: httpx.AsyncClient, query: str, status: int, code: str) -> None:
    answer = await client.get(f"/embed.html?{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "public" not in answer.headers["cache-control"]


async def test_pages_of_the_site_may_read_it_and_others_may_not(client: httpx.AsyncClient) -> None:
    answer = await client.get(PATH, headers=GOOD)
    assert answer.headers["access-control-allow-origin"] == GOOD["Origin"]
    refused = await client.get(PATH, headers={"Origin": "https://hostile.example"})
    assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in refused.headers
    assert "access-control-allow-origin" not in (await client.get("/d?key=talk", headers=GOOD)).headers
