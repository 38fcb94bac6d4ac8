"""Pages as others write them: with a base, with scripts that are delayed or bundled, and what keeps comments away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.hosts import Publisher
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">'


class Visit:
    """A page of its own browser profile, and what it said in the console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    @property
    def warnings(self) -> list[str]:
        return [text for text in self.said if text.startswith("Tertulia:")]

    async def warned(self) -> str:
        """The one sentence that is said."""
        async with asyncio.timeout(20):
            while not self.warnings:
                await self.page.evaluate("new Promise((seen) => requestAnimationFrame(seen))")
        [sentence] = self.warnings
        return sentence

    async def writes(self, text: str) -> None:
        """What takes all of the client's files and the server."""
        form = self.page.locator("tertulia-discussion .compose form")
        await expect(form.locator(".toolbar button").first).to_be_attached()
        await form.locator("[name=name]").fill("Lan")
        await form.locator("textarea").fill(text)
        await form.locator(".submit").click()
        await expect(self.page.locator("tertulia-discussion article", has_text=text)).to_be_visible()


Go = Callable[..., Awaitable[Visit]]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, publisher: Publisher) -> AsyncIterator[Go]:
    """Opens a page of the publisher with this HTML."""
    contexts: list[BrowserContext] = []

    async def open_page(html: str, path: str = "/a/page", headers: dict[str, str] | None = None) -> Visit:
        publisher.host.answers[path] = ("text/html", HEAD + html, headers or {})
        context = await browser.new_context()
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        visited = Visit(page)
        await page.goto(publisher.host.url + path)
        return visited

    yield open_page
    for context in contexts:
        await context.close()


def element(key: str, attributes: str = "") -> str:
    return f'<tertulia-discussion discussion="{key}" loading="eager" {attributes}></tertulia-discussion>'


def script(publisher: Publisher, attributes: str = "defer") -> str:
    return f'<script src="{publisher.server.url}/embed.js" {attributes}></script>'


# ---- the page's own base ------------------------------------------------------------------------------------


BASES = {
    "href": '<base href="/">',
    "elsewhere": '<base href="https://cdn.example/assets/">',
    "both": '<base href="/" target="_blank">',
    "target": '<base target="_blank">',
    "none": "",
}


@pytest.mark.parametrize("base", BASES)
async def test_links_to_comments_stay_on_the_page(publisher: Publisher, visit: Go, key: str, base: str) -> None:
    first = publisher.say(key, "First", "Mai")
    above = first
    for depth in range(4):
        above = publisher.say(key, f"Level {depth}", f"Reader {depth}", above)
    there = await visit(BASES[base] + script(publisher) + element(key))
    page = there.page
    await expect(page.locator("tertulia-discussion .toolbar button").first).to_be_attached()
    address = f"{publisher.host.url}/a/page"
    time = page.locator(f"#comment-{first} .meta").first
    assert await time.evaluate("link => link.href") == f"{address}#comment-{first}"
    answered = page.locator("tertulia-discussion .answers a")
    assert (await answered.evaluate("link => link.href")).startswith(f"{address}#comment-")
    await time.click()
    await expect(page).to_have_url(f"{address}#comment-{first}")
    await expect(page.locator(f"#comment-{first}")).to_have_class("comment target")
    await answered.click()
    await expect(page.locator("article.target")).to_contain_text("Level 2")
    assert page.url.startswith(f"{address}#comment-")
    assert len(page.context.pages) == 1


async def test_a_router_that_changed_the_address_keeps_it(publisher: Publisher, visit: Go, key: str) -> None:
    first = publisher.say(key, "First", "Mai")
    there = await visit('<base href="/">' + script(publisher) + element(key))
    page = there.page
    await expect(page.locator("tertulia-discussion .toolbar button").first).to_be_attached()
    await page.evaluate("window.stays = true; history.pushState(null, '', '/a/page?tab=2')")
    await page.locator(f"#comment-{first} .meta").first.click()
    await expect(page).to_have_url(f"{publisher.host.url}/a/page?tab=2#comment-{first}")
    assert await page.evaluate("window.stays")


# ---- how the script comes -----------------------------------------------------------------------------------


def _script_text(name: str = "embed.js") -> str:
    static = Path(__file__).parents[2] / "server/tertulia/static"
    return (static / name).read_text("utf-8").replace("</script", "<\\/script")


WAYS = {
    "as a module": '<script type="module" src="{server}/embed.js"></script>',
    "async": '<script src="{server}/embed.js" async></script>',
    "twice": '<script src="{server}/embed.js" defer></script><script src="{server}/embed.js?v=2" defer></script>',
    "inlined": "<script>{code}</script>",
    "inlined whole": "<script>{full}</script>",
    "in a bundle": '<script src="/bundle.js" defer></script>',
    "delayed": '<script type="later" data-src="{server}/embed.js"></script><script>addEventListener("load", () => {{'
    'const s = document.createElement("script"); s.src = document.querySelector("[data-src]").dataset.src;'
    "document.head.append(s); }})</script>",
    "as a blob": "<script>fetch('{server}/embed.js').then((a) => a.blob()).then((b) => {{"
    'const s = document.createElement("script"); s.src = URL.createObjectURL(b); document.head.append(s); }})</script>',
    "evaluated": "<script>fetch('{server}/embed.js').then((a) => a.text()).then((t) => (0, eval)(t))</script>",
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_script_that_does_not_know_where_it_is_from_asks_the_named_server(
    publisher: Publisher, visit: Go, key: str, way: str
) -> None:
    publisher.say(key, "Said before", "Mai")
    publisher.host.answers["/bundle.js"] = ("text/javascript", _script_text(), {})
    html = WAYS[way].format(
        server=publisher.server.url,
        code=_script_text(),
        full=_script_text("embed.full.js"),
    )
    there = await visit(f"<body>{element(key, f'server={publisher.server.url}')}{html}</body>")
    await there.writes("Said here")
    assert there.said == []


@pytest.mark.parametrize("way", ["as a module", "inlined", "in a bundle", "evaluated"])
async def test_without_a_server_one_sentence_says_what_to_write(
    publisher: Publisher, visit: Go, key: str, way: str
) -> None:
    publisher.host.answers["/bundle.js"] = ("text/javascript", _script_text(), {})
    html = WAYS[way].format(server=publisher.server.url, code=_script_text(), full="")
    there = await visit(f"<body>{element(key)}{html}</body>")
    assert 'server="https://…"' in await there.warned()
    await expect(there.page.locator("tertulia-discussion")).to_contain_text("could not be loaded")


async def test_a_copy_elsewhere_takes_its_other_files_from_the_server(
    publisher: Publisher, visit: Go, key: str
) -> None:
    """Only embed.js was copied: its other files are not beside it."""
    publisher.host.answers["/cdn/embed.js"] = ("text/javascript", _script_text(), {})
    there = await visit(f'<script src="/cdn/embed.js" defer></script>{element(key, f"server={publisher.server.url}")}')
    await expect(there.page.locator("tertulia-discussion textarea")).to_be_visible()
    # they are looked for beside it first, and where the server is at the next attempt
    await expect(there.page.locator("tertulia-discussion").get_by_role("alert")).to_be_visible()
    await there.page.locator("tertulia-discussion textarea").fill("Once more")
    await there.page.locator("tertulia-discussion .submit").click()
    await there.writes("Said from a copy")


# ---- what keeps it from showing -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that allows no other page."""
    server = ServerProcess(tmp_path_factory.mktemp("closed"))
    yield server
    server.end()


async def _is_told_humanly(there: Visit) -> None:
    await expect(there.page.locator("tertulia-discussion")).to_contain_text(
        "The comments could not be loaded. Try again"
    )


async def test_an_origin_that_is_not_allowed(closed: ServerProcess, publisher: Publisher, visit: Go, key: str) -> None:
    there = await visit(f'<script src="{closed.url}/embed.js" defer></script>{element(key) * 2}')
    sentence = await there.warned()
    assert f"{closed.url} does not allow pages of {publisher.host.url}." in sentence
    assert f"TERTULIA_ALLOWED_ORIGINS={publisher.host.url}" in sentence
    await expect(there.page.get_by_text("The comments could not be loaded. Try again")).to_have_count(2)


async def test_an_origin_that_another_site_allows(publisher: Publisher, visit: Go, key: str) -> None:
    there = await visit(script(publisher) + element(key, 'site="elsewhere"'))
    sentence = await there.warned()
    assert 'no site "elsewhere"' in sentence
    assert f"tertulia site add elsewhere --origin {publisher.host.url}" in sentence
    await _is_told_humanly(there)


async def test_a_file_has_no_origin(publisher: Publisher, browser: Browser, tmp_path: Path, key: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(HEAD + script(publisher) + element(key))
    context = await browser.new_context()
    there = Visit(await context.new_page())
    await there.page.goto(file.as_uri())
    assert "this page has no origin" in await there.warned()
    await _is_told_humanly(there)
    await context.close()


async def test_a_policy_that_forbids_the_request(publisher: Publisher, visit: Go, key: str) -> None:
    server = publisher.server.url
    policy = {"Content-Security-Policy": f"script-src {server}; connect-src 'self'"}
    there = await visit(script(publisher) + element(key), headers=policy)
    assert f"Add to its connect-src: {server} ws://127.0.0.1" in await there.warned()
    await _is_told_humanly(there)


@pytest.mark.parametrize("server", ["127.0.0.1:{port}", "localhost:{port}", "comments.example"])
async def test_a_server_without_a_scheme(publisher: Publisher, visit: Go, key: str, server: str) -> None:
    named = server.format(port=publisher.server.port)
    there = await visit(script(publisher) + element(key, f'server="{named}"'))
    sentence = await there.warned()
    assert f'server="{named}" has no scheme' in sentence
    await _is_told_humanly(there)


async def test_a_server_that_is_none(publisher: Publisher, visit: Go, key: str) -> None:
    """The page's own web server answers, but is no Tertulia."""
    there = await visit(script(publisher) + element(key, f'server="{publisher.host.url}"'))
    await _is_told_humanly(there)


async def test_what_passes_by_itself_is_not_said(publisher: Publisher, visit: Go, key: str) -> None:
    publisher.say(key, "Said before", "Mai")
    there = await visit("<p>Nothing yet</p>")
    failures = iter([True])

    async def fail_once(route: object) -> None:
        await (route.abort() if next(failures, False) else route.continue_())  # type: ignore[attr-defined]

    await there.page.route("**/api/v1/discussion?*", fail_once)
    publisher.host.answers["/a/page"] = ("text/html", HEAD + script(publisher) + element(key), {})
    await there.page.reload()
    await _is_told_humanly(there)
    await there.page.get_by_role("button", name="Try again").click()
    await there.writes("Said afterwards")
    assert there.warnings == []
