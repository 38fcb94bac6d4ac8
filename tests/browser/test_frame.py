"""A discussion in a frame of a page at another origin."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, FrameLocator, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.hosts import Host, Publisher, open_publisher

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DOCUMENTATION = Path(__file__).parents[2] / "docs/embedding.md"


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    with open_publisher(tmp_path_factory.mktemp("publisher")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def contexts(browser: Browser) -> AsyncIterator[list[BrowserContext]]:
    opened: list[BrowserContext] = []
    yield opened
    for one in opened:
        await one.close()


async def _open(
    browser: Browser, contexts: list[BrowserContext], publisher: Publisher, host: Host, key: str, **options: object
) -> Page:
    """The page of the documentation, at this host."""
    example = DOCUMENTATION.read_text("utf-8").split("\n## In a frame\n")[1].split("```html\n")[1].split("```")[0]
    html = example.replace("https://comments.example", publisher.server.url).replace("a-slug", key)
    host.answers["/page"] = ("text/html", f'<!doctype html><html lang="en"><title>A page</title>{html}', {})
    contexts.append(await browser.new_context(viewport={"width": 700, "height": 600}, **options))  # type: ignore[arg-type]
    page = await contexts[-1].new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(f"{host.url}/page")
    return page


async def _write(frame: FrameLocator, form: str, text: str) -> None:
    await frame.locator(f"{form} [name=name]").fill("Lan")
    await frame.locator(f"{form} textarea").fill(text)
    await frame.locator(f"{form} button[type=submit], {form} .submit").last.click()


async def test_it_is_as_high_as_what_is_in_it(
    browser: Browser, contexts: list[BrowserContext], publisher: Publisher, key: str
) -> None:
    publisher.say(key, "Said before", "Mai")
    page = await _open(browser, contexts, publisher, publisher.host, key)
    frame = page.frame_locator("iframe")
    await expect(frame.locator("tertulia-discussion .toolbar button").first).to_be_attached()

    before = await page.locator("iframe").evaluate("frame => frame.clientHeight")
    for number in range(4):
        publisher.say(key, f"Said later {number}", "Lan")
    await expect(frame.locator("tertulia-discussion article")).to_have_count(5)
    await page.wait_for_function(f"document.querySelector('iframe').clientHeight > {before}")
    fits = "document.documentElement.scrollHeight <= innerHeight + 1"
    await page.frames[1].wait_for_function(fits)
    await _write(frame, "tertulia-discussion .compose form", "From the frame")
    await expect(frame.locator("tertulia-discussion article", has_text="From the frame")).to_be_visible()


async def test_pages_of_others_may_not_have_it(
    browser: Browser, contexts: list[BrowserContext], publisher: Publisher, key: str
) -> None:
    publisher.say(key, "Said before", "Mai")
    host = Host()
    try:
        page = await _open(browser, contexts, publisher, host, key)
        await page.wait_for_load_state("load")
        await page.locator("iframe").scroll_into_view_if_needed()
        frame = page.frames[1]
        await frame.wait_for_load_state("load")
        assert re.match("chrome-error:|about:blank", frame.url)
        await expect(page.frame_locator("iframe").locator("article")).to_have_count(0)
    finally:
        host.close()


async def test_it_works_without_scripts(
    browser: Browser, contexts: list[BrowserContext], publisher: Publisher, key: str
) -> None:
    publisher.say(key, "Said before", "Mai")
    page = await _open(browser, contexts, publisher, publisher.host, key, java_script_enabled=False)
    frame = page.frame_locator("iframe")
    await expect(frame.locator("article.comment")).to_have_count(1)
    await _write(frame, "form.composer", "Without scripts")
    await expect(frame.locator("article.comment", has_text="Without scripts")).to_be_visible()
    await frame.locator("article.comment", has_text="Without scripts").get_by_role("link", name="Reply").click()
    await expect(frame.locator(".answering")).to_be_visible()
    await frame.locator("article.comment a.moment").first.click()
    await expect(frame.locator("article.comment")).to_have_count(1)
    assert page.url.endswith("/page"), "the page itself has stayed"


async def test_links_lead_out_of_it(
    browser: Browser, contexts: list[BrowserContext], publisher: Publisher, key: str
) -> None:
    publisher.host.answers["/elsewhere"] = ("text/html", "<!doctype html><title>Elsewhere</title>", {})
    publisher.say(key, f"See {publisher.host.url}/elsewhere", "Mai")
    page = await _open(browser, contexts, publisher, publisher.host, key)
    frame = page.frame_locator("iframe")
    await expect(frame.locator("tertulia-discussion .toolbar button").first).to_be_attached()
    await frame.locator("tertulia-discussion article .body a").click()
    await expect(page).to_have_url(f"{publisher.host.url}/elsewhere")
