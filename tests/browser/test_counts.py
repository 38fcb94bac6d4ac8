"""Numbers of comments on a front page of another origin: one request, no preflight, and the page's words meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Request, Route, expect

from tests.browser.conftest import ARTICLE, Window
from tests.browser.newspaper import Newspaper
from tests.browser.pages import post
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

OTHER = "https://news.test/another"
PAGE = """<!doctype html><html lang="vi"><meta charset="utf-8"><title>News</title><link rel="icon" href="data:,">
<meta http-equiv="Content-Security-Policy" content="default-src data:; script-src {server}; connect-src {server}">
<script src="{server}/count.js" async></script>
<a href="/1"><tertulia-count key="{first}">Comments</tertulia-count></a>
<a href="/2"><tertulia-count key="{second}">Comments</tertulia-count></a>
<a href="/3"><tertulia-count key="{first}">Comments</tertulia-count></a>"""


@pytest.fixture
def site(start_server: Callable[..., ServerProcess], news: Newspaper) -> ServerProcess:
    """A server that the newspaper may use."""
    found = start_server("--with-samples", "--allowed-origins", news.url)
    news.page = PAGE.format(server=found.url, first=ARTICLE, second=OTHER)
    return found


async def test_all_numbers_of_a_page_come_with_one_plain_request(
    site: ServerProcess, news: Newspaper, window: Window
) -> None:
    requests: list[Request] = []
    await post(site, "One.", key=OTHER)
    front = await window("about:blank")
    front.on("request", lambda request: requests.append(request))
    await front.goto(news.url)
    counts = front.locator("tertulia-count")
    await expect(counts).to_have_text(["16", "1", "16"])
    asked = [request for request in requests if "/api/" in request.url]
    assert [request.method for request in asked] == ["GET"], "no preflight"
    assert parse_qs(urlsplit(asked[0].url).query) == {"site": ["default"], "key": [ARTICLE, OTHER]}
    answer = await asked[0].response()
    assert answer is not None
    assert await answer.header_value("access-control-allow-origin") == news.url
    assert await counts.first.evaluate("element => element.count") == 16


async def test_what_the_page_says_stays_until_the_answer_is_there(
    site: ServerProcess, news: Newspaper, window: Window
) -> None:
    front = await window("about:blank")
    held: asyncio.Queue[Route] = asyncio.Queue()
    await front.route("**/api/v1/counts?*", lambda route: held.put_nowait(route))
    await front.goto(news.url)
    asked = await asyncio.wait_for(held.get(), 20)
    counts = front.locator("tertulia-count")
    await expect(counts).to_have_text(["Comments"] * 3)
    await counts.last.evaluate("""element => {
        window.told = [];
        document.addEventListener('tertulia-count', ({ detail }) => window.told.push(detail.count));
    }""")
    await asked.continue_()
    await expect(counts).to_have_text(["16", "0", "16"])
    assert await front.evaluate("window.told") == [16, 16, 0]
