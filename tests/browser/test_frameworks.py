"""Pages that a framework renders on a server and takes over in the browser, around the documented examples."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Request, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.hosts import Publisher
from tests.browser.hosts import write as write_comment

pytestmark = [pytest.mark.browser]
in_session = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ROOT / "tests/frameworks"
HYDRATING = ("react", "vue", "svelte")
WITH_CHILDREN = ("react", "vue")
"""Whose example takes what stands in the element; the other has nothing in it."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What each framework's server renders, and the script that takes it over."""
    assert (FRAMEWORKS / "node_modules").is_dir(), "first: make tests/frameworks/node_modules/.package-lock.json"
    out = tmp_path_factory.mktemp("frameworks")
    command = ["node", "build.js", str(ROOT / "docs/embedding.md"), str(out)]
    done = subprocess.run(command, cwd=FRAMEWORKS, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return out


class Visit:
    """A page, what its console said, and which discussions were asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        self.discussion = page.locator("tertulia-discussion")
        page.on("console", lambda message: self._note(message.text))
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("request", self._request)

    def _note(self, text: str) -> None:
        # advice of React's own, to everybody
        if "React DevTools" not in text:
            self.said.append(text)

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.path.endswith("/discussion"):
            self.asked += parse_qs(address.query)["key"]

    async def loaded(self) -> None:
        """The comments are there, and all that one can do with them."""
        await expect(self.discussion.locator(".toolbar button").first).to_be_attached()

    def troubles(self) -> list[str]:
        """What was said, but for what Chromium says where a discussion is read anew while it still connects."""
        return [one for one in self.said if "closed before the connection is established" not in one]

    async def readers(self, publisher: Publisher, key: str, count: int) -> None:
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while self._count(publisher, key) != count:
                await self.page.evaluate("new Promise((seen) => requestAnimationFrame(seen))")

    @staticmethod
    def _count(publisher: Publisher, key: str) -> int:
        found: int = publisher.ask("GET", f"/discussion?key={key}")["discussion"]["readers"]
        return found


Go = Callable[..., Awaitable[Visit]]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, publisher: Publisher, built: Path) -> AsyncIterator[Go]:
    """Opens the page that a framework's server rendered, which nothing has taken over yet; or this HTML, by itself."""
    contexts: list[BrowserContext] = []

    async def open_page(name: str, html: str | None = None) -> Visit:
        answers = publisher.host.answers
        script = built / f"{name}.js"
        if script.exists():
            answers[f"/{name}.js"] = ("text/javascript", script.read_text(), {})
        taking_over = f'<script src="/{name}.js"></script>' if script.exists() else ""
        embedding = "" if html else f'<script src="{publisher.server.url}/embed.js" defer></script>'
        html = html or (built / f"{name}.html").read_text().strip()
        answers[f"/{name}"] = (
            "text/html",
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">'
            f'{embedding}<div id="root">{html}</div>{taking_over}',
            {},
        )
        contexts.append(await browser.new_context())
        page = await contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_MS)
        opened = Visit(page)
        await page.goto(f"{publisher.host.url}/{name}")
        return opened

    yield open_page
    for context in contexts:
        await context.close()


@in_session
@pytest.mark.parametrize("is_late", [True, False], ids=["late", "at once"])
@pytest.mark.parametrize("name", HYDRATING)
async def test_a_page_is_taken_over(publisher: Publisher, visit: Go, name: str, is_late: bool) -> None:
    """Before the comments are there or after, moved, given another discussion, and taken away."""
    said = f"Said to {name}, {is_late}"
    publisher.say("first", said, "Mai")
    there = await visit(name)
    page, discussion = there.page, there.discussion
    if is_late:
        await there.loaded()
    await page.evaluate("window.element = document.querySelector('tertulia-discussion'); start()")
    await expect(discussion.locator("article", has_text=said)).to_be_visible()
    await there.loaded()
    if name in WITH_CHILDREN:
        children = page.get_by_text("Read the comments")
        await expect(children).to_have_count(1)
        await expect(children).to_be_hidden()

    await page.evaluate("flip()")
    await page.wait_for_function("document.querySelector('main').firstElementChild.localName === 'tertulia-discussion'")
    assert await page.evaluate("element === document.querySelector('tertulia-discussion') && element.state === 'ready'")
    await there.readers(publisher, "first", 1)
    publisher.say("first", f"Arrived at {name}, {is_late}", "Lan")
    await expect(discussion.locator("article", has_text=f"Arrived at {name}, {is_late}")).to_have_count(1)
    await write_comment(page, f"Written in {name}, {is_late}")
    written = discussion.locator("article", has_text=f"Written in {name}, {is_late}")
    # once it is answered: whoever writes is known from then on, and a discussion that began before is read anew
    await expect(written.get_by_role("button", name="Edit")).to_be_visible()
    assert there.asked == ["first"], "and nothing anew by all this"

    await page.evaluate("to('second')")
    await expect(discussion.locator(".empty")).to_be_visible()
    await there.loaded()
    await there.readers(publisher, "first", 0)
    await there.readers(publisher, "second", 1)
    assert there.asked == ["first", "second"]
    await page.evaluate("off()")
    await expect(discussion).to_have_count(0)
    await there.readers(publisher, "second", 0)
    assert there.said == []


@in_session
@pytest.mark.parametrize("is_late", [True, False], ids=["late", "at once"])
@pytest.mark.parametrize("name", HYDRATING)
async def test_a_page_without_a_shadow_root_is_taken_over(
    publisher: Publisher, visit: Go, name: str, is_late: bool
) -> None:
    """As documented: no framework complains, and the comments are there, once (B1)."""
    said = f"Said to {name} without a shadow root, {is_late}"
    publisher.say("first", said, "Mai")
    there = await visit(f"{name}-no-shadow")
    page, discussion = there.page, there.discussion
    if is_late:
        await there.loaded()
    await page.evaluate("window.element = document.querySelector('tertulia-discussion'); start()")
    await expect(page.locator("tertulia-discussion[no-shadow] > .all")).to_have_count(1)
    await there.loaded()
    await page.evaluate("flip()")
    await page.wait_for_function("document.querySelector('main').firstElementChild.localName === 'tertulia-discussion'")
    await expect(discussion.locator("article", has_text=said)).to_have_count(1)
    await expect(discussion.locator("article", has_text=said)).to_be_visible()
    await expect(page.locator("tertulia-discussion > .all")).to_have_count(1)
    if name in WITH_CHILDREN:
        children = page.get_by_text("Read the comments")
        await expect(children).to_have_count(1)
        await expect(children).to_be_hidden()
    assert await page.evaluate("element === document.querySelector('tertulia-discussion')")
    await page.evaluate("off()")
    await expect(discussion).to_have_count(0)
    assert there.troubles() == []


TAKING_AWAY = {
    "what it does not know": "element.lastElementChild.remove()",
    "everything": "element.textContent = ''",
    "everything, for what the server rendered": "element.innerHTML = rendered",
    "all but text": "element.replaceChildren('Read the comments')",
}


@in_session
@pytest.mark.parametrize("taking", TAKING_AWAY)
async def test_what_is_taken_away_without_a_shadow_root_is_put_back(
    publisher: Publisher, visit: Go, taking: str
) -> None:
    """A static page whose script comes late, as an island's, and a router that makes it again what the server said."""
    key = f"taken-{list(TAKING_AWAY).index(taking)}"
    publisher.say(key, "On a static page", "Mai")
    there = await visit(
        "static",
        f'<tertulia-discussion discussion="{key}" no-shadow>Wait, or <a href="/c">read</a></tertulia-discussion>',
    )
    page, discussion = there.page, there.discussion
    await page.evaluate(
        """(address) => {
            window.element = document.querySelector('tertulia-discussion');
            window.rendered = element.innerHTML;
            document.head.append(Object.assign(document.createElement('script'), { src: address }));
        }""",
        f"{publisher.server.url}/embed.js",
    )
    await there.loaded()
    said = discussion.locator("article", has_text="On a static page")
    await discussion.locator("textarea").fill("A draft")
    for _ in range(2):
        await page.evaluate(TAKING_AWAY[taking])
        await expect(said).to_have_count(1)
        await expect(said).to_be_visible()
        await expect(discussion.locator("textarea")).to_have_value("A draft")
    await expect(page.locator("tertulia-discussion > .all")).to_have_count(1)
    assert "ead the comments" not in await discussion.inner_text()
    assert "Wait" not in await discussion.inner_text()
    publisher.say(key, "Arrived", "Lan")
    await expect(discussion.locator("article", has_text="Arrived")).to_have_count(1)
    await page.evaluate("element.remove()")
    await there.readers(publisher, key, 0)
    assert there.asked == [key]
    assert there.said == []


@in_session
async def test_a_static_page_needs_no_more(publisher: Publisher, visit: Go) -> None:
    key = "https://news.example/first/"
    publisher.say(key, "On a static page", "Mai")
    there = await visit("eleventy")
    await expect(there.discussion.locator("article", has_text="On a static page")).to_be_visible()
    await there.loaded()
    assert there.asked == [key]
    assert there.said == []


def test_the_servers_render_what_readers_without_scripts_see(built: Path) -> None:
    for name in HYDRATING:
        html = (built / f"{name}.html").read_text()
        assert 'discussion="first"' in html
        assert ("Read the comments</a>" in html) is (name in WITH_CHILDREN)
