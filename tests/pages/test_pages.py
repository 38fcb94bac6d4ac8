from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from tertulia.app import Running, running
from tertulia.core.comments import DiscussionKey, Mode
from tertulia.identity import utc_now
from tertulia.languages import TAGS
from tertulia.pages.discussion_page import PAGE
from tertulia.pages.rendering import HEADERS
from tertulia.protocol import API
from tertulia.settings import Settings
from tertulia.store import commands
from tests.api.app import add_moderator, bearer
from tests.support.api_client import AsyncApiClient

MARKET = """---
title: The market <moves>
date: 2026-09-11 06:30
language: en
time_zone: Asia/Ho_Chi_Minh
author: Mai Phương
summary: One "sentence".
---

First paragraph.

Second paragraph with <b>HTML</b>.
"""
PHO = "---\ntitle: Bát phở sáng\ndate: 2026-10-22\nlanguage: vi\nkey: https://news.test/pho\n---\nMột đoạn."
FIELDS = {"name": "Đặng Thị Hường", "body": "Tôi **đồng ý**."}


@pytest.fixture(autouse=True)
def _articles(settings: Settings) -> None:
    settings.articles_dir.mkdir(parents=True)
    (settings.articles_dir / "market.md").write_text(MARKET, "utf-8")
    (settings.articles_dir / "pho.md").write_text(PHO, "utf-8")


async def post(client: httpx.AsyncClient, path: str = "/articles/market", **fields: str) -> str:
    """Posts by the form; the address that the answer leads to."""
    answer = await client.post(path, data=FIELDS | fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def text(client: httpx.AsyncClient, path: str, status: int = 200) -> str:
    answer = await client.get(path)
    assert answer.status_code == status
    return answer.text


def ids(page: str) -> list[str]:
    return re.findall(r'<article id="comment-([0-9a-f-]+)"', page)


def comment_id(location: str) -> str:
    return location.rpartition("#comment-")[2]


async def set_mode(server: Running, mode: Mode, key: str = "market") -> None:
    named = DiscussionKey("default", key)
    await server.store.write(commands.ChangeDiscussion(named, utc_now(), mode))


# ---- reading --------------------------------------------------------------------------------------------


async def test_the_front_page_lists_articles_with_their_counts(client: httpx.AsyncClient) -> None:
    await post(client)
    page = await text(client, "/")
    assert page.index("Bát phở sáng") < page.index("The market &lt;moves&gt;")
    assert "11 September 2026" in page
    assert '<a href="/articles/market#comments">1 comment</a>' in page
    assert "/articles/pho#comments" not in page


async def test_an_empty_newspaper_says_so(client: httpx.AsyncClient, settings: Settings) -> None:
    for file in settings.articles_dir.iterdir():
        file.unlink()
    assert "Nothing has been published yet." in await text(client, "/")


async def test_the_front_page_goes_on(client: httpx.AsyncClient, settings: Settings) -> None:
    for day in range(1, 32):
        article = f"---\ntitle: Day {day}\ndate: 2026-11-{day - 1:02}\n---\n" if day > 1 else PHO
        (settings.articles_dir / f"day-{day}.md").write_text(article, "utf-8")
    first = await text(client, "/")
    assert (first.count('class="teaser"'), '<a href="/?page=2">Older articles</a>' in first) == (30, True)
    second = await text(client, "/?page=2")
    assert (second.count('class="teaser"'), '<a href="/">Newer articles</a>' in second) == (3, True)
    for number in ("3", "0", "-1", "x", "٢", "9" * 5000):
        await text(client, f"/?page={number}", 404)


async def test_an_article_is_complete_without_javascript(client: httpx.AsyncClient) -> None:
    await post(client, body="Said first.")
    page = await text(client, "/articles/market")
    parts = [
        '<p class="name"><a href="/">Tertulia</a></p>',
        '<h1 dir="auto">The market &lt;moves&gt;</h1>',
        "Mai Phương",
        "11 September 2026",
        "<p>First paragraph.</p>",
        "&lt;b&gt;HTML&lt;/b&gt;",
        "Share this post",
        "Other posts",
        "Bát phở sáng",
        '<tertulia-discussion class="discussion" site="default" key="market" lang="en" sort="oldest" '
        'composer="bottom" time="absolute" timezone="Asia/Ho_Chi_Minh" data-epoch="',
        "All comments [ 1 ]",
        '<bdi class="author">Đặng Thị Hường</bdi>',
        '<p dir="auto">Said first.</p>',
        "Your comments",
        '<form class="composer" method="post" action="/articles/market#your-comments">',
        "</tertulia-discussion>",
        '<script src="/embed.js" defer></script>',
    ]
    places = [page.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    assert re.search(r'<time dir="auto" datetime="[-0-9T:.]+Z">\d\d/\d\d/\d\d \d\d:\d\d</time>', page)


async def test_the_head_names_the_page(client: httpx.AsyncClient) -> None:
    page = await text(client, "/articles/pho?sort=newest")
    assert '<link rel="canonical" href="http://news.test/articles/pho">' in page
    feed = "/api/v1/feed.atom?site=default&amp;key=https%3A%2F%2Fnews.test%2Fpho"
    assert f'<link rel="alternate" type="application/atom+xml" title="Bình luận" href="{feed}">' in page
    assert '<meta property="og:title" content="Bát phở sáng">' in page
    assert (await client.get(html.unescape(feed))).status_code == 200


async def test_an_article_speaks_its_language(client: httpx.AsyncClient) -> None:
    page = await text(client, "/articles/pho")
    assert '<html lang="vi" dir="ltr">' in page
    for part in (
        "Tất cả bình luận [ 0 ]",
        "Chia sẻ bài viết",
        "Bài viết khác",
        "Bình luận của bạn",
        "22 tháng 10, 2026",
    ):
        assert part in page


async def test_a_page_in_arabic_runs_from_right_to_left(client: httpx.AsyncClient, settings: Settings) -> None:
    (settings.articles_dir / "souk.md").write_text(
        "---\ntitle: السوق\ndate: 2026-10-22\nlanguage: ar\n---\nنص.", "utf-8"
    )
    page = await text(client, "/articles/souk")
    assert '<html lang="ar" dir="rtl">' in page
    assert "22 أكتوبر 2026" in page
    assert '<div class="prose">' in page, "the direction of the page is the text's"


async def test_a_text_in_a_language_that_pages_do_not_speak_has_its_own_direction(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    (settings.articles_dir / "shuk.md").write_text(
        "---\ntitle: השוק\ndate: 2026-10-22\nlanguage: he\n---\nטקסט.", "utf-8"
    )
    page = await text(client, "/articles/shuk")
    assert '<html lang="en" dir="ltr">' in page
    assert '<article class="post" lang="he">' in page
    assert '<div class="prose" dir="auto">' in page


async def test_names_stand_apart_in_every_language(client: httpx.AsyncClient, settings: Settings) -> None:
    (settings.articles_dir / "ichiba.md").write_text(
        "---\ntitle: 市場\ndate: 2026-10-22\nlanguage: ja\n---\n本文。", "utf-8"
    )
    said = comment_id(await post(client, "/articles/ichiba", name="<Lan>"))
    page = await text(client, f"/articles/ichiba?reply={said}")
    assert f'<p class="answering"><a href="#comment-{said}"><bdi>&lt;Lan&gt;</bdi></a>に返信しています</p>' in page


async def test_sharing_needs_nobody_elses_script(client: httpx.AsyncClient) -> None:
    page = await text(client, "/articles/market")
    assert "https://www.facebook.com/sharer/sharer.php?u=http%3A%2F%2Fnews.test%2Farticles%2Fmarket" in page
    assert "mailto:?subject=The%20market%20%3Cmoves%3E&amp;body=http%3A%2F%2Fnews.test%2Farticles%2Fmarket" in page
    assert re.findall(r'<script src="(/[a-z]+)', page) == ["/page", "/embed"]


async def test_names_of_share_links_begin_with_what_is_seen(client: httpx.AsyncClient, settings: Settings) -> None:
    """Who speaks to the page says what is written there (WCAG 2.5.3)."""
    for tag in TAGS:
        article = settings.articles_dir / f"shared-{tag}.md"
        article.write_text(f"---\ntitle: A\ndate: 2026-10-22\nlanguage: {tag}\n---\nText.", "utf-8")
        page = await text(client, f"/articles/shared-{tag}")
        share = page.partition('<ul class="share">')[2].partition("</ul>")[0]
        links = re.findall(r'<a [^>]*aria-label="([^"]+)"[^>]*>([^<]+)</a>', share)
        assert len(links) == share.count("<a ")
        for name, seen in links:
            assert name.startswith(seen), tag
            assert name.count(seen) == 1, tag


async def test_a_new_file_is_a_new_page(client: httpx.AsyncClient, settings: Settings) -> None:
    await text(client, "/articles/fresh", 404)
    (settings.articles_dir / "fresh.md").write_text(MARKET, "utf-8")
    await text(client, "/articles/fresh")


@pytest.mark.parametrize(
    "path",
    [
        *("/articles/none", "/articles/..%2Fsecret-key", "/d", "/d?key=", "/d?site=unknown&key=x", "/nowhere"),
        *("/c/none", "/c/019abcde-0000-7000-8000-000000000000", "/articles/market?thread=none"),
    ],
)
async def test_where_nothing_is_a_calm_page_says_so(client: httpx.AsyncClient, path: str) -> None:
    page = await text(client, path, 404)
    assert "Page not found" in page
    assert "<!doctype html>" in page


async def test_a_method_that_is_not_offered_is_a_page_too(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/articles/market")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_cursor_of_another_list_is_refused_calmly(client: httpx.AsyncClient) -> None:
    assert "Something went wrong" in await text(client, "/articles/market?cursor=x", 400)


async def test_head_is_answered(client: httpx.AsyncClient) -> None:
    for path in ("/", "/articles/market", "/d?key=x", "/robots.txt"):
        assert (await client.head(path)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/articles/market", "/articles/none", "/d?key=x", "/nowhere"])
async def test_every_page_has_the_headers_of_caution_and_no_cookie(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "set-cookie" not in answer.headers
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text


# ---- posting --------------------------------------------------------------------------------------------


async def test_what_is_posted_is_shown_where_the_answer_leads(client: httpx.AsyncClient) -> None:
    location = await post(client)
    assert re.fullmatch(r"/articles/market#comment-[0-9a-f-]{36}", location)
    page = await text(client, location)
    assert ids(page) == [comment_id(location)]
    assert "Tôi <strong>đồng ý</strong>." in page


async def test_what_is_posted_is_shown_among_the_others(client: httpx.AsyncClient) -> None:
    said = [comment_id(await post(client, body=body)) for body in ("one", "two")]
    location = await post(client, body="three")
    assert location == f"/articles/market#comment-{comment_id(location)}"
    assert ids(await text(client, location)) == [*said, comment_id(location)]


async def test_a_second_click_makes_no_second_comment(client: httpx.AsyncClient) -> None:
    found = re.search(r'name="nonce" value="([^"]+)"', await text(client, "/articles/market"))
    assert found is not None
    first = await post(client, nonce=found[1])
    assert await post(client, nonce=found[1]) == first
    assert await post(client, nonce=found[1], body="Another text.") != first
    assert len(ids(await text(client, "/articles/market"))) == 2


async def test_a_refused_text_is_kept_with_the_reason_beside_it(client: httpx.AsyncClient) -> None:
    answer = await client.post("/articles/market", data={"name": 'Hường "&', "body": "</textarea><b>" * 1000})
    assert answer.status_code == 422
    assert "Your comment is too long" in answer.text
    assert 'value="Hường &#34;&amp;"' in answer.text
    assert "&lt;/textarea&gt;&lt;b&gt;" * 1000 in answer.text
    assert 'aria-invalid="true" aria-errormessage="trouble">' in answer.text
    assert "<tertulia-discussion" not in answer.text, "the client would take the typed text away"
    assert "/embed.js" not in answer.text


async def test_a_missing_name_is_asked_for(client: httpx.AsyncClient) -> None:
    answer = await client.post("/articles/pho", data={"name": " ", "body": "Có."})
    assert answer.status_code == 422
    assert "Vui lòng nhập tên của bạn." in answer.text
    assert "Có.</textarea>" in answer.text


async def test_the_longest_comment_fits_into_a_form(client: httpx.AsyncClient) -> None:
    longest = "🏮" * 10_000  # 12 bytes each in a form
    assert longest in await text(client, (await post(client, body=longest)).partition("#")[0])


@pytest.mark.parametrize("announced", [True, False])
async def test_a_form_that_is_too_large_is_answered_with_the_page(client: httpx.AsyncClient, announced: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"body=" + b"a" * 16_384 + b"&"

    content = b"body=" + b"a" * 200_000 if announced else pieces()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.post("/articles/market", content=content, headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith("text/html")
    assert "That was too much at once. A comment can have at most 10,000 characters." in answer.text
    assert "<form" in answer.text


async def test_what_is_no_form_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/articles/market", json=FIELDS)).status_code == 415


async def test_other_pages_may_not_post_here(client: httpx.AsyncClient) -> None:
    answer = await client.post("/articles/market", data=FIELDS, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    own = await client.post("/articles/market", data=FIELDS, headers={"Origin": "http://news.test"})
    assert own.status_code == 303


async def test_too_many_posts_have_to_wait(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", secret_key="s" * 32, post_limit_address="1/hour")
    async with running(settings) as server:
        transport = httpx.ASGITransport(server.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:
            await post(client)
            answer = await client.post("/articles/market", data=FIELDS | {"body": "More."})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "a lot in a short time" in answer.text
    assert "More.</textarea>" in answer.text


async def test_a_closed_discussion_is_read_and_not_written(client: httpx.AsyncClient, server: Running) -> None:
    await post(client, body="Before.")
    await set_mode(server, Mode.closed)
    page = await text(client, "/articles/market")
    assert "Before." in page
    assert "This discussion is closed." in page
    assert "<form" not in page
    assert ">Reply<" not in page
    answer = await client.post("/articles/market", data=FIELDS)
    assert answer.status_code == 409
    assert "Tôi **đồng ý**.</textarea>" in answer.text


async def test_a_held_comment_waits(client: httpx.AsyncClient, server: Running) -> None:
    await set_mode(server, Mode.held)
    assert "once a moderator has approved them" in await text(client, "/articles/market")
    location = await post(client, body="Not yet.")
    assert location == "/articles/market?waiting=1#your-comments"
    page = await text(client, location)
    assert "Your comment will appear once" in page
    assert "Not yet." not in page
    assert "<tertulia-discussion" not in page, "the client would take the notice away"


async def test_hostile_names_and_texts_stay_text(client: httpx.AsyncClient) -> None:
    await post(client, name="<script>alert(1)</script>", body='"><img src=x onerror=alert(1)>')
    for path in ("/articles/market", "/d?key=market"):
        page = await text(client, path)
        assert "<script>alert" not in page
        assert "<img" not in page
        assert '<bdi class="author">&lt;script&gt;alert(1)&lt;/script&gt;</bdi>' in page


# ---- replies, orders and further pages ------------------------------------------------------------------


async def test_a_reply_is_written_without_javascript(client: httpx.AsyncClient) -> None:
    first = comment_id(await post(client))
    page = await text(client, "/articles/market")
    assert f'href="/articles/market?reply={first}#your-comments"' in page
    form = await text(client, f"/articles/market?reply={first}")
    assert f'<input type="hidden" name="parent_id" value="{first}">' in form
    assert f'You are replying to <a href="#comment-{first}"><bdi>Đặng Thị Hường</bdi></a>' in form
    end = '<button type="submit">Post reply</button> <a class="cancel" href="/articles/market#your-comments">Cancel</a>'
    assert end in form
    assert 'class="cancel"' not in page
    assert '<button type="submit">Post comment</button>' in page
    await post(client, body="No.", parent_id=first)
    page = await text(client, "/articles/market")
    assert page.index("Tôi <strong>") < page.index('<ol class="replies">') < page.index("No.")


@pytest.mark.parametrize("reply", ["none", "019abcde-0000-7000-8000-000000000000", "OTHER"])
async def test_only_comments_of_the_discussion_can_be_answered(client: httpx.AsyncClient, reply: str) -> None:
    other = comment_id(await post(client, "/articles/pho"))
    page = await text(client, f"/articles/market?reply={reply.replace('OTHER', other)}")
    assert "parent_id" not in page
    answer = await client.post("/articles/market", data=FIELDS | {"parent_id": other})
    assert answer.status_code == 409
    assert "can no longer be answered" in answer.text
    assert "Tôi **đồng ý**.</textarea>" in answer.text


async def test_deep_replies_go_on_flat(client: httpx.AsyncClient) -> None:
    parent = comment_id(await post(client, name="A"))
    for name in "BCDE":
        parent = comment_id(await post(client, name=name, parent_id=parent))
    page = await text(client, "/articles/market")
    assert page.count('<ol class="replies">') == 3
    assert re.search(r'replying to <a href="#comment-[0-9a-f-]+"><bdi>D</bdi></a>', page)


async def test_orders_are_links(client: httpx.AsyncClient) -> None:
    said = [comment_id(await post(client, body=body)) for body in ("one", "two")]
    page = await text(client, "/articles/market")
    assert ids(page) == said
    assert '<a href="/articles/market?sort=newest#comments">Newest first</a>' in page
    page = await text(client, "/articles/market?sort=newest")
    assert ids(page) == said[::-1]
    assert 'sort="newest" composer' in page
    assert '<a href="/articles/market#comments">Oldest first</a>' in page


async def test_further_pages_are_links_and_a_comment_is_found_on_its_page(client: httpx.AsyncClient) -> None:
    locations = [await post(client, body=f"Number {at}.") for at in range(PAGE + 2)]
    said = [comment_id(location) for location in locations]
    first = await text(client, "/articles/market")
    assert ids(first) == said[:PAGE]
    onward = re.search(r'<a href="([^"]+)" rel="next">More comments</a>', first)
    assert onward is not None
    second = await text(client, html.unescape(onward[1]))
    assert ids(second) == said[PAGE:]
    assert '<a href="/articles/market#comments" rel="prev">From the start</a>' in second
    assert said[-1] in ids(await text(client, locations[-1]))
    answer = await client.get(f"/c/{said[-1]}")
    assert (answer.status_code, answer.headers["location"]) == (303, locations[-1])


async def test_a_long_thread_goes_on_and_its_comments_are_found(client: httpx.AsyncClient) -> None:
    root = comment_id(await post(client))
    locations = [await post(client, body=f"Number {at}.", parent_id=root) for at in range(PAGE + 2)]
    page = await text(client, "/articles/market")
    assert len(ids(page)) == 1 + PAGE
    onward = re.search(r'<a href="([^"]+)">2 more replies to <bdi>Đặng Thị Hường</bdi></a>', page)
    assert onward is not None
    rest = await text(client, html.unescape(onward[1]))
    assert ids(rest) == [root, *(comment_id(location) for location in locations[PAGE:])]
    assert "All comments [ 53 ]" in rest
    assert '<a href="/articles/market#comments">View the whole discussion</a>' in rest
    last = comment_id(locations[-1])
    assert locations[-1] == f"/articles/market?thread={last}#comment-{last}"
    alone = await text(client, locations[-1])
    assert ids(alone) == [last]
    assert f'replying to <a href="/c/{root}"><bdi>Đặng Thị Hường</bdi></a>' in alone


async def test_what_a_thread_has_beyond_its_page_is_counted_in_all_depths(
    client: httpx.AsyncClient, server: Running
) -> None:
    root = comment_id(await post(client))
    said = [comment_id(await post(client, body="First.", parent_id=root))]
    for at in range(PAGE + 1):
        said.append(comment_id(await post(client, body=f"Number {at}.", parent_id=said[-1] if at % 2 else root)))

    async def left() -> str | None:
        found = re.search(r"(\d+ more repl\w+) to <bdi>", await text(client, "/articles/market"))
        return found and found[1]

    assert await left() == "2 more replies"
    moderator = await add_moderator(server, "Mai")
    for gone, then in ((said[-1], "1 more reply"), (said[1], "1 more reply"), (said[-2], None)):
        answer = await client.delete(f"{API}/comments/{gone}", headers=bearer(moderator))
        assert answer.status_code == 200
        assert await left() == then


async def test_a_permanent_link_leads_to_the_page_of_the_comment(client: httpx.AsyncClient) -> None:
    await post(client, "/articles/pho", body="Before.")
    for path, key, count in (
        ("/articles/pho", "https://news.test/pho", 2),
        ("/d?site=default&key=elsewhere", "elsewhere", 1),
    ):
        location = await post(client, path)
        answer = await client.get(f"/c/{comment_id(location)}")
        assert (answer.status_code, answer.headers["location"]) == (303, location)
        assert (await client.get("/api/v1/counts", params={"key": key})).json()["counts"][0]["count"] == count


async def test_a_tombstone_is_one_line(client: httpx.AsyncClient) -> None:
    author = AsyncApiClient(client, "market", name="Minh Triết")
    posted = await author.post_comment("Gone.")
    author.token = posted["token"]
    await author.delete(posted["comment"]["id"])
    gone = "This comment was deleted by its author."
    page = await text(client, "/articles/market")
    assert gone not in page
    assert "Minh Triết" not in page
    assert "parent_id" not in await text(client, f"/articles/market?reply={posted['comment']['id']}")


async def test_a_tombstone_is_there_as_long_as_something_answers_it(client: httpx.AsyncClient) -> None:
    gone = "This comment was deleted by its author."
    author = AsyncApiClient(client, "market", name="Minh Triết")
    posted = await author.post_comment("Gone.")
    author.token = posted["token"]
    answer = await author.post_comment("An answer to it.", parent_id=posted["comment"]["id"])
    await author.delete(posted["comment"]["id"])
    for path in ("/articles/market", "/embed.html?key=market"):
        assert (page := await text(client, path)).count(gone) == 1
        assert "An answer to it." in page
    await author.delete(answer["comment"]["id"])
    assert gone not in await text(client, "/articles/market")
    here = (await client.get(f"/c/{posted['comment']['id']}")).headers["location"]
    assert gone in await text(client, here), "who has its address is told what became of it"


async def test_readers_are_led_past_pages_of_tombstones_alone(client: httpx.AsyncClient) -> None:
    author = AsyncApiClient(client, "market", name="Minh Triết")
    for number in range(PAGE + 2):
        posted = await author.post_comment(f"Advertisement {number}")
        author.token = author.token or posted["token"]
        await author.delete(posted["comment"]["id"])
    await post(client, body="Said in earnest.")
    assert "Said in earnest." in await text(client, "/articles/market")


async def test_votes_are_counted(client: httpx.AsyncClient) -> None:
    first = comment_id(await post(client))
    author = AsyncApiClient(client, "market", name="Minh Triết")
    author.token = (await author.post_comment("Yes."))["token"]
    for value, shown in ((1, "<span>1 like</span>"), (-1, "<span>1 dislike</span>")):
        await author.vote(first, value)
        assert shown in await text(client, "/articles/market")


def ballots(page: str) -> list[tuple[str, str, str]]:
    """The buttons of the list: what they send, and what they are called."""
    button = r'<button class="(?:up|down)" form="votes" name="(\w+)" value="([^"]+)" title="[^"]+" aria-label="([^"]+)"'
    return re.findall(button, page)


def nonce(page: str) -> str:
    found = re.search(
        r'<form id="votes" method="post" action="[^"]+"><input type="hidden" name="nonce" value="(.+?)">', page
    )
    assert found is not None
    return found[1]


async def test_every_comment_can_be_liked_without_javascript(client: httpx.AsyncClient) -> None:
    said = [comment_id(await post(client, body=body)) for body in ("one", "two")]
    page = await text(client, "/articles/market")
    assert ballots(page) == [
        (name, one, f"{label}, 0") for one in said for name, label in (("like", "Like"), ("dislike", "Dislike"))
    ]
    answer = await client.post("/articles/market", data={"like": said[1], "nonce": nonce(page)})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/articles/market#comment-{said[1]}")
    labels = [label for _, _, label in ballots(await text(client, "/articles/market"))]
    assert labels == ["Like, 0", "Dislike, 0", "Like, 1", "Dislike, 0"]
    assert "set-cookie" not in answer.headers


async def test_nobody_votes_twice_by_loading_a_page_twice(client: httpx.AsyncClient) -> None:
    """Nothing is known of the reader but the address: its first press of the day counts."""
    first = comment_id(await post(client))
    for pressed in ("like", "like", "dislike"):
        fields = {pressed: first, "nonce": nonce(await text(client, "/articles/market"))}
        assert (await client.post("/articles/market", data=fields)).status_code == 303
    assert [label for _, _, label in ballots(await text(client, "/articles/market"))] == ["Like, 1", "Dislike, 0"]


async def test_a_vote_on_what_is_not_here_says_so(client: httpx.AsyncClient, server: Running) -> None:
    elsewhere = comment_id(await post(client, "/articles/pho"))
    for name in (elsewhere, "x", "019abcde-0000-7000-8000-000000000000"):
        answer = await client.post("/articles/market", data={"like": name})
        assert (answer.status_code, "This comment no longer exists." in answer.text) == (410, True)
    foreign = await client.post("/articles/pho", data={"like": elsewhere}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert [label for _, _, label in ballots(await text(client, "/articles/pho"))] == ["Thích, 0", "Không thích, 0"]
    await set_mode(server, Mode.closed, "https://news.test/pho")
    assert ballots(await text(client, "/articles/pho")) == []


@pytest.mark.parametrize(
    ("name", "body", "where"), [("", "Có.", "name"), ("x" * 65, "Có.", "name"), ("Lan", " ", "text")]
)
async def test_an_error_stands_under_its_field(client: httpx.AsyncClient, name: str, body: str, where: str) -> None:
    page = (await client.post("/articles/market", data={"name": name, "body": body})).text
    for one in ("name", "text"):
        found = re.search(rf'<(?:input|textarea) id="{one}"[^>]*>', page)
        assert found is not None
        assert ('aria-invalid="true"' in found[0]) == (one == where)
        described = re.search(r'aria-describedby="([^"]*)"', found[0])
        named = described[1].split() if described else []
        assert ("trouble" in named, "text-help" in named) == (one == where, one == "text")
    assert page.count('id="trouble"') == 1
    trouble = page.index('id="trouble"')
    assert page.index('id="name"') < trouble
    assert (trouble < page.index('<label for="text">')) == (where == "name")


# ---- a discussion alone ---------------------------------------------------------------------------------


async def test_a_discussion_alone_reads_and_posts(client: httpx.AsyncClient) -> None:
    path = "/d?site=default&key=https%3A%2F%2Fblog.example%2Fa%3Fb%3D1%26c"
    assert "All comments [ 0 ]" in await text(client, path)
    location = await post(client, path)
    assert location.startswith(f"{path}#comment-")
    page = await text(client, location)
    assert ids(page) == [comment_id(location)]
    assert 'key="https://blog.example/a?b=1&amp;c"' in page
    assert '<h1 dir="auto">https://blog.example/a?b=1&amp;c</h1>' in page


async def test_one_key_in_two_spellings_is_one_discussion(client: httpx.AsyncClient) -> None:
    await post(client, "/d?key=cafe%CC%81")
    assert len(ids(await text(client, "/d?key=caf%C3%A9"))) == 1


# ---- files ----------------------------------------------------------------------------------------------


async def test_styles_and_script_may_be_kept_for_ever(client: httpx.AsyncClient) -> None:
    page = await text(client, "/articles/market")
    for kind, media_type in (("styles", "text/css"), ("page", "text/javascript")):
        path = re.search(rf'"(/{kind}\.[0-9a-f]{{16}}\.(?:css|js))"', page)
        assert path is not None
        answer = await client.get(path[1])
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_known_file_is_not_sent_again(client: httpx.AsyncClient) -> None:
    answer = await client.get("/favicon.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    again = await client.get("/favicon.svg", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_robots_read_pages_and_not_the_api(client: httpx.AsyncClient) -> None:
    assert await text(client, "/robots.txt") == "User-agent: *\nDisallow: /api/\n"


@pytest.mark.skipif(not (files("tertulia") / "static" / "embed.js").is_file(), reason="the client is not built")
async def test_the_client_may_be_used_by_any_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/embed.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert (await client.get("/embed.js", headers={"If-None-Match": answer.headers["etag"]})).status_code == 304
