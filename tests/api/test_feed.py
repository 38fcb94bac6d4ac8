"""The feed is XML whatever people and pages are called."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from tertulia.protocol import API
from tests.api.app import App, new_key

ATOM = "{http://www.w3.org/2005/Atom}"


async def _feed(app: App, key: str) -> ElementTree.Element:
    answer = await app.client.get(f"{API}/feed.atom", params={"key": key})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/atom+xml")
    return ElementTree.fromstring(answer.content)


def _text(element: ElementTree.Element, path: str) -> str:
    found = element.find(ATOM + path.replace("/", "/" + ATOM))
    assert found is not None, path
    return found.text or ""


def _link(element: ElementTree.Element, rel: str) -> str:
    return next(link.attrib["href"] for link in element.findall(f"{ATOM}link") if link.attrib["rel"] == rel)


async def test_an_empty_feed(app: App) -> None:
    feed = await _feed(app, "quiet & <b>")
    assert _text(feed, "title") == "quiet & <b>"
    assert feed.findall(f"{ATOM}entry") == []
    query = parse_qs(urlsplit(_link(feed, "self")).query)
    assert query == {"site": ["default"], "key": ["quiet & <b>"]}
    assert _link(feed, "self").startswith("http://news.test/api/v1/feed.atom?")
    assert _text(feed, "id") == _link(feed, "self")


async def test_the_newest_comments_come_first(app: App) -> None:
    first = await app.posted("One & <i>two</i>.", name="Lan")
    second = await app.posted("A **reply**.", name="Minh", parent_id=first["comment"]["id"])
    feed = await _feed(app, "talk")
    entries = feed.findall(f"{ATOM}entry")
    assert [_text(entry, "id") for entry in entries] == [f"urn:uuid:{one['comment']['id']}" for one in (second, first)]
    assert _text(entries[0], "author/name") == "Minh"
    assert _text(entries[0], "content") == '<p dir="auto">A <strong>reply</strong>.</p>'
    assert "One &amp; &lt;i&gt;two&lt;/i&gt;." in _text(entries[1], "content")
    assert _text(feed, "updated") == second["comment"]["created_at"]
    assert _link(entries[0], "alternate") == f"http://news.test/c/{second['comment']['id']}"


@pytest.mark.parametrize(
    "name",
    [
        "</name><script>",
        "]]>",
        "<![CDATA[",
        "&amp;&#0;",
        "\"'",
        "--><!--",
        "a\ufffeb",
        "a\uffffb",
        "a\x1b[31mb",
        "🦆\U0001fffe x",
    ],
)
async def test_a_hostile_name_is_a_name(app: App, name: str) -> None:
    posted = await app.posted(f"{name} says so", name=name)
    feed = await _feed(app, "talk")
    assert [_text(entry, "author/name") for entry in feed.findall(f"{ATOM}entry")] == [
        posted["comment"]["author"]["name"]
    ]


@pytest.mark.parametrize("key", ["</title>", "]]>", "a\ufffeb", "a\uffffb", "&\u202e", "\U0001fffe\U0010ffff x"])
async def test_a_hostile_key_is_a_key(app: App, key: str) -> None:
    await app.posted(key=key, name="Lan")
    assert len((await _feed(app, key)).findall(f"{ATOM}entry")) == 1


@pytest.mark.parametrize(
    "url", ["http://news.test/?a=1&b='%22", "http://news.test/\ufffe", "http://news.test/\uffff", "http://news.test/'&"]
)
async def test_a_hostile_address_is_an_address(app: App, url: str) -> None:
    body = {"key": "talk", "body": "x", "author": {"name": "Lan"}, "url": url}
    answer = await app.client.post(f"{API}/comments", json=body, headers={"Idempotency-Key": new_key()})
    assert answer.status_code == 201
    assert len((await _feed(app, "talk")).findall(f"{ATOM}entry")) == 1


async def test_what_is_no_longer_there_is_not_in_the_feed(app: App) -> None:
    comment_id = (await app.posted("Buy this.", name="Lan"))["comment"]["id"]
    await app.posted("Why?", name="Minh", parent_id=comment_id)
    await app.moderate("DELETE", f"/comments/{comment_id}")
    assert len((await _feed(app, "talk")).findall(f"{ATOM}entry")) == 1


async def test_a_feed_that_has_not_changed_is_not_sent_again(app: App) -> None:
    first = (await app.posted("One.", name="Lan"))["comment"]
    path, query = f"{API}/feed.atom", {"key": "talk"}
    before = await app.client.get(path, params=query)
    tag, date = before.headers["etag"], before.headers["last-modified"]
    assert before.headers["cache-control"] == "private, max-age=10"
    for given in ({"If-None-Match": f'"x", {tag}'}, {"If-Modified-Since": date}):
        again = await app.client.get(path, params=query, headers=given)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == "private, max-age=10"
    await app.moderate("DELETE", f"/comments/{first['id']}")
    after = await app.client.get(path, params=query, headers={"If-None-Match": tag, "If-Modified-Since": date})
    assert (after.status_code, len(ElementTree.fromstring(after.content).findall(f"{ATOM}entry"))) == (200, 0)


async def test_an_empty_feed_has_no_date(app: App) -> None:
    answer = await app.client.get(f"{API}/feed.atom", params={"key": "quiet"})
    assert "last-modified" not in answer.headers
    again = await app.client.get(
        f"{API}/feed.atom", params={"key": "quiet"}, headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


async def test_counts_that_have_not_changed_are_not_sent_again(app: App) -> None:
    await app.posted("One.", name="Lan")
    path, query = f"{API}/counts", {"key": ["talk", "quiet"]}
    tag = (await app.client.get(path, params=query)).headers["etag"]
    assert (await app.client.get(path, params=query, headers={"If-None-Match": tag})).status_code == 304
    await app.posted("Two.", name="Lan")
    assert (await app.client.get(path, params=query, headers={"If-None-Match": tag})).status_code == 200
