"""One page under all spellings of its address, over every route; and what a discussion keeps of its page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from tertulia.articles import Articles
from tertulia.identity import Tokens, utc_now
from tertulia.protocol import API
from tertulia.settings import Settings, secret_key
from tests.api.app import App, bearer, new_key, opened
from tests.support.rules import led

N = "https://news.example"
FORM = f"{N}/đường"
SPELLINGS = [
    FORM,
    f"{N}/%C4%91%C6%B0%E1%BB%9Dng",
    f"{N}/%c4%91%c6%b0%e1%bb%9dng/",
    "http://NEWS.example/đu\u031bo\u031b\u0300ng?utm_source=x&fbclid=y#top",
    "https://news-example.translate.goog/%C4%91%C6%B0%E1%BB%9Dng?_x_tr_sl=vi",
]


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    async with opened(settings.model_copy(update={"allowed_origins": (N, "https://www.news.example")})) as found:
        yield found


@pytest.mark.parametrize("first", SPELLINGS)
async def test_every_route_knows_every_spelling(app: App, first: str) -> None:
    posted = await app.posted("One.", key=first, name="Lan")
    await app.posted("Two.", key=FORM, name="Minh", parent_id=posted["comment"]["id"])
    client = app.client
    for key in SPELLINGS:
        snapshot = await app.snapshot(key)
        assert (snapshot["discussion"]["key"], snapshot["discussion"]["comment_count"]) == (FORM, 2), key
        assert [event["seq"] for event in (await app.events(key))["events"]] == [1, 2]
        page = await client.get(f"{API}/comments", params={"key": key, "parent": posted["comment"]["id"]})
        assert len(page.json()["comments"]) == 1
        feed = await client.get(f"{API}/feed.atom", params={"key": key})
        assert f"key={quote(FORM, safe='')}" in feed.text
        for path in ("/d", "/embed.html"):
            html = (await client.get(path, params={"key": key})).text
            assert "Two." in html
            assert f"/d?site=default&amp;key={quote(FORM, safe='')}#your-comments" in html, "its links have its name"
        replying = (await client.get("/d", params={"key": key, "reply": posted["comment"]["id"]})).text
        assert 'name="parent_id"' in replying
    counts = (await client.get(f"{API}/counts", params=[("key", key) for key in [*SPELLINGS, "talk"]])).json()["counts"]
    assert [(one["key"], one["count"]) for one in counts] == [*((key, 2) for key in SPELLINGS), ("talk", 0)]
    found = (await client.get(f"{API}/comments/{posted['comment']['id']}")).json()
    assert found["key"] == FORM


async def test_a_form_is_known_before_anybody_writes(app: App) -> None:
    for key in SPELLINGS:
        assert (await app.snapshot(key))["discussion"]["key"] == FORM
    await app.set_mode(SPELLINGS[3], "closed")
    assert (await app.post_comment(key=SPELLINGS[2], name="Lan")).json()["code"] == "closed"


async def test_a_form_posts_without_script(app: App) -> None:
    form = {"name": "Lan", "body": "Without script.", "nonce": new_key()}
    answer = await app.client.post("/d", params={"key": SPELLINGS[2]}, data=form)
    assert answer.status_code == 303
    assert (await app.snapshot(FORM))["discussion"]["comment_count"] == 1


@pytest.mark.parametrize("path", [quote("चुनाव-परिणाम-" * 20), quote("新聞" * 150), "a" * 900, f"a?gclid={'x' * 2000}"])
async def test_a_long_address_is_read_and_written(app: App, path: str) -> None:
    key = f"{N}/{path}"
    await app.posted(key=key, name="Lan")
    discussion = (await app.snapshot(key))["discussion"]
    assert discussion["comment_count"] == 1
    assert len(discussion["key"]) <= 512
    assert (await app.snapshot(discussion["key"]))["discussion"]["comment_count"] == 1
    assert (await app.client.get(f"{API}/counts", params={"key": key})).json()["counts"][0]["count"] == 1


@pytest.mark.parametrize("key", ["undefined", "null", "[object Object]", "{{ page.url }}", "/a/index.html", "A/"])
async def test_a_program_s_key_is_taken_as_it_is(app: App, key: str) -> None:
    """Whoever calls the API knows what a page is called: one about null may be."""
    await app.posted(key=key, name="Lan")
    assert (await app.snapshot(key))["discussion"]["key"] == key


async def test_a_retry_after_the_key_was_learned_is_the_same_post(app: App) -> None:
    once = new_key()
    first = await app.posted("Once.", key=SPELLINGS[2], name="Lan", once=once)
    await app.snapshot(SPELLINGS[2])
    again = await app.post_comment("Once.", key=SPELLINGS[2], name="Lan", once=once)
    assert (again.status_code, again.json()["comment"]["id"]) == (200, first["comment"]["id"])


async def test_an_article_s_key_may_be_an_address(app: App, settings: Settings) -> None:
    settings.articles_dir.mkdir(parents=True, exist_ok=True)
    text = f"---\ntitle: Road\ndate: 2026-01-01\nkey: {SPELLINGS[1]}\n---\nText.\n"
    (settings.articles_dir / "road.md").write_text(text)
    assert Articles(settings.articles_dir).discussing(FORM) is not None
    posted = await app.posted("One.", key=FORM, name="Lan")
    assert "One." in (await app.client.get("/articles/road")).text
    moved = await app.client.get(f"/c/{posted['comment']['id']}")
    assert moved.headers["location"].startswith("/articles/road")


# ---- the page -------------------------------------------------------------------------------------------


@dataclass
class Page:
    """Says what browsers say of a page, and reads what is kept of it."""

    app: App
    key: str = "talk"

    async def said(self, title: str, url: str, token: str | None = None, **more: Any) -> None:
        body = {"key": self.key, "body": "x", "title": title, "url": url, "author": {"name": "Lan"}} | more
        headers = {"Idempotency-Key": new_key()} | (bearer(token) if token else {})
        answer = await self.app.client.post(f"{API}/comments", json=body, headers=headers)
        assert answer.status_code == 201, answer.text

    async def kept(self) -> tuple[str, str]:
        discussion = (await self.app.snapshot(self.key))["discussion"]
        return discussion["title"], discussion["url"]

    async def patched(self, token: str, change: dict[str, Any]) -> tuple[int, str]:
        answer = await self.app.client.patch(
            f"{API}/discussion", params={"key": self.key}, json=change, headers=bearer(token)
        )
        return answer.status_code, answer.json().get("code", "")


def program(settings: Settings, site: str = "default", claim: object = True) -> str:
    import jwt

    now = int(utc_now().timestamp())
    claims = {"iss": "tertulia", "aud": site, "sub": new_key(), "name": "CMS", "iat": now, "exp": now + 600}
    return jwt.encode({**claims, "program": claim}, secret_key(settings), algorithm="HS256")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "javascript:alert(1)",
        "https:///path",
        f"{N}/" + "a" * 3000,
        "about:srcdoc",
        "a b",
        "\\",
    ],
)
async def test_an_address_that_cannot_be_kept_refuses_no_comment(app: App, url: str) -> None:
    page = Page(app)
    await page.said("A page", url)
    assert await page.kept() == ("A page", "")
    await page.said("", f"{N}/a")
    assert await page.kept() == ("A page", f"{N}/a"), "the next one fills it in"


async def test_what_tells_of_a_reader_is_in_no_page_feed_or_data(app: App) -> None:
    page = Page(app)
    await page.said("(3) Inbox – Page", f"{N}/a?email=lan@example.org&fbclid=of-a-reader-z9#top")
    assert await page.kept() == ("Inbox – Page", f"{N}/a")
    for path in ("/d?key=talk", "/embed.html?key=talk", f"{API}/feed.atom?key=talk", f"{API}/discussion?key=talk"):
        text = (await app.client.get(path)).text
        assert "lan@" not in text
        assert "of-a-reader-z9" not in text


async def test_the_query_of_the_page_s_own_name_is_kept(app: App) -> None:
    page = Page(app, f"{N}/?p=5")
    await page.said("A page", f"{N}/?p=5&utm_source=x")
    assert await page.kept() == ("A page", f"{N}/?p=5")


async def test_guests_correct_nothing_and_staff_and_programs_do(app: App, settings: Settings) -> None:
    page = Page(app)
    guest = await app.guest("Lan", key="elsewhere")
    await page.said("A prank", f"{N}/prank")
    await page.said("Another", f"{N}/a", guest)
    assert await page.kept() == ("A prank", f"{N}/prank")
    await page.said("The bridge", f"{N}/a?p=5", app.tokens["moderator"], author=None)
    assert await page.kept() == ("The bridge", f"{N}/a?p=5")
    await page.said("The old bridge", f"{N}/b", program(settings))
    assert await page.kept() == ("The old bridge", f"{N}/b")
    await page.said("", "https://evil.example/", app.tokens["moderator"], author=None)
    assert await page.kept() == ("The old bridge", f"{N}/b"), "nothing is said that could be kept"
    changes = [event["discussion"] for event in (await app.events())["events"] if event["kind"] == "discussion.changed"]
    assert changes == [
        led() | {"title": "The bridge", "url": f"{N}/a?p=5"},
        led() | {"title": "The old bridge", "url": f"{N}/b"},
    ]
    member = Tokens(secret_key(settings)).issue(new_key(), "Minh", "default", utc_now())
    await page.said("A guess", f"{N}/c", member)
    assert await page.kept() == ("The old bridge", f"{N}/b")


async def test_a_change_says_only_what_changes(app: App, settings: Settings) -> None:
    page, moderator = Page(app), app.tokens["moderator"]
    await page.said("First", f"{N}/a")
    for change, kept in (
        ({"title": "  (500) Days\n of Summer "}, ("(500) Days of Summer", f"{N}/a")),
        ({"url": f"{N}/b?p=5&utm_source=x"}, ("(500) Days of Summer", f"{N}/b?p=5")),
        ({"title": "", "url": ""}, ("", "")),
        ({"title": "Both", "url": "http://news.test/c", "mode": "held"}, ("Both", "http://news.test/c")),
        ({"mode": "open"}, ("Both", "http://news.test/c")),
    ):
        assert await page.patched(moderator, change) == (200, "")
        assert await page.kept() == kept
    assert await page.patched(program(settings), {"title": "Ours"}) == (200, "")
    last = (await app.events())["events"][-1]
    assert (last["kind"], last["discussion"]) == ("discussion.changed", led() | {"title": "Ours"})


async def test_who_may_not_change_and_what_may_not_be(app: App, settings: Settings) -> None:
    page, moderator = Page(app), app.tokens["moderator"]
    guest = await app.guest("Lan")
    before = app.rows()
    for token, change, refused in (
        (guest, {"title": "x"}, (403, "forbidden")),
        (program(settings), {"mode": "closed"}, (403, "forbidden")),
        (program(settings, "second"), {"title": "x"}, (403, "forbidden")),
        (program(settings, claim="yes"), {"title": "x"}, (401, "unauthenticated")),
        (moderator, {}, (422, "invalid")),
        (moderator, {"url": "https://evil.example/"}, (422, "invalid")),
        (moderator, {"url": "javascript:alert(1)"}, (422, "invalid")),
        (moderator, {"url": f"{N}/" + "a" * 3000}, (422, "too_long")),
        (moderator, {"title": "a" * 301}, (422, "too_long")),
        (moderator, {"title": 1}, (422, "invalid")),
        (moderator, {"name": "x"}, (422, "unknown_field")),
        (moderator, {"title": "a\0"}, (400, "malformed")),
    ):
        assert await page.patched(token, change) == refused, change
    assert app.rows() == before
