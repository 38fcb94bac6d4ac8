"""Signing in at a provider from a page of another site, in a real browser: in a window, cut off from it, or without."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.api.app import new_key
from tests.browser.conftest import PATIENCE_MS
from tests.browser.hosts import Host
from tests.browser.pages import comment, write
from tests.support.providers import SECRET, HostileProvider
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

COOP = {"Cross-Origin-Opener-Policy": "same-origin"}
_ELEMENT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"><script async src="{server}/embed.js"></script></head>
<body><button id="in">Sign in</button>
<tertulia-discussion key="{key}" site="default" loading="eager"></tertulia-discussion>
<script type="module">
import {{ SignIn, storage }} from '{server}/{file}';
const element = document.querySelector('tertulia-discussion');
const signIn = new SignIn({{
  server: '{server}', site: 'default', item: 'tertulia:token:{server}:default', storage,
  onSession: () => element.refresh(), onRefusal: (refusal) => (document.title = refusal.code),
}});
document.querySelector('#in').onclick = () => signIn.open('house');
document.body.dataset.took = await signIn.take();
</script></body></html>"""
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"></head><body><textarea></textarea><button>Sign in</button><output></output>
<script type="module">
import {{ SignIn, storage }} from '{server}/{file}';
const [draft, button, who] = ['textarea', 'button', 'output'].map((name) => document.querySelector(name));
draft.value = storage.get('draft') ?? '';
draft.oninput = () => storage.set('draft', draft.value);
const signIn = new SignIn({{
  server: '{server}', site: 'default', item: 'token', storage,
  onSession: (opened) => (who.textContent = opened ? `here: ${{opened.viewer.name}}` : 'in another window'),
  onRefusal: (refusal) => (who.textContent = `refused: ${{refusal.code}}`),
}});
button.onclick = () => signIn.open('house');
document.body.dataset.took = await signIn.take();
</script></body></html>"""


def _file() -> str:
    """The client's file that does the page's part."""
    names = [one.name for one in files("tertulia.static").iterdir()]
    (found,) = [name for name in names if name.startswith("embed-sign.") and name.endswith(".js")]
    return found


@dataclass
class Neighbours:
    """A server and a provider on one site, and a page on another."""

    server: ServerProcess
    provider: HostileProvider
    host: Host

    @property
    def here(self) -> str:
        return f"http://localhost:{self.server.port}"

    def page(self, headers: dict[str, str]) -> str:
        text = _PAGE.format(server=self.here, file=_file())
        self.host.answers["/page"] = ("text/html", text, headers)
        return f"{self.host.url}/page?from=front#top"

    def discussion(self, headers: dict[str, str]) -> str:
        """A page with the element, whose session is the one that signing in opens."""
        text = _ELEMENT.format(server=self.here, file=_file(), key=new_key())
        self.host.answers["/discussion"] = ("text/html", text, headers)
        return f"{self.host.url}/discussion"

    async def name_of(self, page: Page) -> str:
        """Whom the page's token names, once it has said something."""
        token = await page.evaluate("localStorage.getItem('token')")
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_key()}
        async with httpx.AsyncClient(base_url=f"{self.here}/api/v1") as client:
            said = await client.post("/comments", json={"key": "talk", "body": "Good evening."}, headers=headers)
            assert said.status_code == 201, said.text
            name: str = said.json()["comment"]["author"]["name"]
            return name


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    folder: Path = tmp_path_factory.mktemp("signing-in")
    host = Host()
    (folder / "secret").write_text(SECRET)
    async with HostileProvider(name="localhost") as provider:
        flags = ["--allowed-origins", host.url, "--private-hosts", provider.host]
        server = ServerProcess(folder / "data", flags)
        adding = ["provider", "add", "default", "house", "--issuer", provider.issuer, "--client-id", "us"]
        adding += ["--client-secret-file", str(folder / "secret"), "--data-dir", str(folder / "data")]
        await asyncio.to_thread(subprocess.run, [sys.executable, "-m", "tertulia", *adding], check=True)
        yield Neighbours(server, provider, host)
        server.end()
        host.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, place: Neighbours) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context()
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    await opened.close()
    place.provider.headers = {}


async def _go(context: BrowserContext, place: Neighbours, headers: dict[str, str]) -> Page:
    page = await context.new_page()
    await page.goto(place.page(headers))
    await expect(page.locator("body")).to_have_attribute("data-took", "false")
    await page.locator("textarea").fill("What I was about to say")
    return page


async def _is_signed_in(page: Page, place: Neighbours) -> None:
    """With what was typed still there, and no cookie of ours for the page's site."""
    assert await place.name_of(page) == "Lan"
    assert await page.locator("textarea").input_value() == "What I was about to say"
    assert "tertulia=" not in page.url
    assert await page.context.cookies(place.host.url) == []
    assert await page.evaluate("localStorage.getItem('tertulia:sign-in')") is None


WAYS = {
    "nothing": ({}, {}, "here: Lan"),
    "the page": (COOP, {}, "in another window"),
    "the provider": ({}, COOP, "in another window"),
    "both": (COOP, COOP, "in another window"),
}


@pytest.mark.parametrize(("of_page", "of_provider", "told"), WAYS.values(), ids=WAYS)
async def test_a_reader_signs_in_in_a_window_whoever_cuts_it_off(
    context: BrowserContext, place: Neighbours, of_page: dict[str, str], of_provider: dict[str, str], told: str
) -> None:
    place.provider.headers = of_provider
    page = await _go(context, place, of_page)
    async with context.expect_page() as opening:
        await page.locator("button").click()
    popup = await opening.value
    async with popup.expect_event("close"):
        await popup.locator("#yes").click()
    await expect(page.locator("output")).to_have_text(told)
    await _is_signed_in(page, place)


@pytest.mark.parametrize("of_page", [{}, COOP], ids=["plain", "cut off"])
async def test_what_a_guest_said_is_the_members_who_signs_in_at_a_provider(
    context: BrowserContext, place: Neighbours, of_page: dict[str, str]
) -> None:
    page = await context.new_page()
    await page.goto(place.discussion(of_page))
    await write(page, "Guest", "Said before")
    said = comment(page, "Said before")
    await expect(said.get_by_role("button", name="Edit")).to_be_visible()
    guest = await page.evaluate(f"localStorage.getItem('tertulia:token:{place.here}:default')")
    async with context.expect_page() as opening:
        await page.locator("#in").click()
    popup = await opening.value
    await popup.locator("#yes").click()
    await expect(page.locator("tertulia-discussion .sign-in")).to_have_text("Signed in as Lan")
    assert guest not in await page.evaluate("JSON.stringify(localStorage)")
    other = await context.new_page()
    await other.goto(page.url)
    for one in (page, other):
        await expect(comment(one, "Said before").get_by_role("button", name="Edit")).to_be_visible()
    await comment(other, "Said before").get_by_role("button", name="Edit").click()
    await other.locator("article textarea").fill("Said by the member")
    await other.get_by_role("button", name="Save").click()
    mine = comment(page, "Said by the member")
    await expect(mine.locator("[part~=author]")).to_have_text("Guest")
    await page.reload()
    await mine.get_by_role("button", name="Delete").click()
    await expect(comment(other, "Said by the member")).to_have_count(0)


@pytest.mark.parametrize("of_page", [{}, COOP], ids=["plain", "cut off"])
async def test_where_no_window_opens_the_page_goes_and_comes_back(
    context: BrowserContext, place: Neighbours, of_page: dict[str, str]
) -> None:
    await context.add_init_script("window.open = () => null")
    page = await _go(context, place, of_page)
    await page.locator("button").click()
    await page.locator("#yes").click()
    await expect(page.locator("output")).to_have_text("here: Lan")
    assert page.url == f"{place.host.url}/page?from=front"
    await _is_signed_in(page, place)


@pytest.mark.parametrize("of_page", [{}, COOP], ids=["plain", "cut off"])
async def test_who_closes_the_window_tries_again(
    context: BrowserContext, place: Neighbours, of_page: dict[str, str]
) -> None:
    page = await _go(context, place, of_page)
    for attempt in range(2):
        async with context.expect_page() as opening:
            await page.locator("button").click()
        popup = await opening.value
        await expect(popup.locator("#yes")).to_be_visible()
        if attempt == 0:
            await popup.close()
    await popup.locator("#yes").click()
    await expect(page.locator("output")).to_have_text("in another window" if of_page else "here: Lan")
    assert await place.name_of(page) == "Lan"
    assert await page.locator("textarea").input_value() == "What I was about to say"


async def test_a_link_that_a_stranger_made_signs_nobody_in(context: BrowserContext, place: Neighbours) -> None:
    page = await context.new_page()
    await page.goto(place.page({}).replace("#top", f"#tertulia={'c' * 43}.{'s' * 43}"))
    await expect(page.locator("body")).to_have_attribute("data-took", "false")
    assert page.url == f"{place.host.url}/page?from=front"
    assert await page.evaluate("localStorage.getItem('token')") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_that_says_what_failed_is_whole_on_a_phone(
    browser: Browser, place: Neighbours, scheme: str
) -> None:
    phone = await browser.new_context(viewport={"width": 360, "height": 640}, color_scheme=scheme)  # type: ignore[arg-type]
    page = await phone.new_page()
    query = f"site=default&state={'s' * 43}&challenge={'c' * 43}&return={place.host.url}/page"
    await page.goto(f"{place.here}/signin/nowhere?{query}")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_role("link", name="Back to the page")).to_have_attribute("href", f"{place.host.url}/page")
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await phone.close()
