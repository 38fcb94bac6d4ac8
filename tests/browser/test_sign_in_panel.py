"""The panel in which readers of a page of another site sign in: by a provider, or a code in a mail."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.api.app import new_key
from tests.browser.conftest import PATIENCE_MS
from tests.browser.hosts import Host
from tests.browser.pages import comment, write
from tests.support.providers import SECRET, HostileProvider
from tests.support.server import ServerProcess
from tests.support.smtp import MailServer, mail_server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

COOP = {"Cross-Origin-Opener-Policy": "same-origin"}
_PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<script async src="{server}/embed.js"></script></head>
<body><tertulia-discussion key="{key}" loading="eager" {attributes}></tertulia-discussion></body></html>"""


@dataclass
class Neighbours:
    """A server, a provider and a mail server, and pages of another site."""

    server: ServerProcess
    provider: HostileProvider
    smtp: MailServer
    host: Host

    @property
    def here(self) -> str:
        return f"http://localhost:{self.server.port}"

    def page(self, attributes: str = "sign-in", headers: dict[str, str] | None = None, lang: str = "en") -> str:
        text = _PAGE.format(server=self.here, key=new_key(), attributes=attributes, lang=lang)
        self.host.answers["/page"] = ("text/html", text, headers or {})
        return f"{self.host.url}/page?from=front"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    folder: Path = tmp_path_factory.mktemp("panel")
    host = Host()
    (folder / "secret").write_text(SECRET)
    async with HostileProvider(name="localhost") as provider, mail_server() as smtp:
        flags = ["--allowed-origins", host.url, "--private-hosts", provider.host]
        flags += ["--smtp-url", smtp.url, "--mail-from", "The News <comments@news.example>"]
        server = ServerProcess(folder / "data", flags)
        adding = ["provider", "add", "default", "house", "--issuer", provider.issuer, "--client-id", "us"]
        adding += [
            "--client-secret-file",
            str(folder / "secret"),
            "--data-dir",
            str(folder / "data"),
            "--label",
            "House",
        ]
        await asyncio.to_thread(subprocess.run, [sys.executable, "-m", "tertulia", *adding], check=True)
        yield Neighbours(server, provider, smtp, host)
        server.end()
        host.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, place: Neighbours) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context(viewport={"width": 360, "height": 640})
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    await opened.close()
    place.provider.claims.clear()


async def opened(context: BrowserContext, address: str) -> tuple[Page, Locator]:
    """A page with the panel."""
    page = await context.new_page()
    await page.goto(address)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    panel = page.locator("tertulia-discussion form.sign")
    await expect(panel.get_by_label("Email address")).to_be_visible()
    return page, panel


def who(page: Page) -> Locator:
    return page.locator("tertulia-discussion .sign-in")


async def test_a_guest_signs_in_by_mail_with_some_mistakes_and_keeps_what_was_said(
    context: BrowserContext, place: Neighbours
) -> None:
    page = await context.new_page()
    await page.goto(place.page())
    await write(page, "Guest", "Said before")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    panel, since = page.locator("form.sign"), len(place.smtp.mail)
    await panel.get_by_label("Email address").fill("lan@")
    await panel.get_by_role("button", name="Send me a code").click()
    await expect(panel.get_by_role("alert")).to_have_text("Please enter an email address such as name@example.com.")
    await panel.get_by_label("Email address").fill("lan@example.com")
    await panel.get_by_label("Email address").press("Enter")
    code = await place.smtp.code(since)
    given = panel.get_by_label("Code from the email")
    await expect(given).to_be_focused()
    await given.fill("123456" if code != "123456" else "654321")
    await given.press("Enter")
    await expect(panel.get_by_role("alert")).to_have_text(
        "That code doesn’t match the one in the email. Please check it and try again."
    )
    await given.fill(f"{code[:3]} {code[3:]}")
    await given.press("Enter")
    name = panel.get_by_label("Name", exact=True)
    await expect(panel).to_contain_text("Choose the name that others will see.")
    await expect(panel.get_by_role("alert")).to_have_text("")
    await name.fill("Moderator")
    await name.press("Enter")
    await expect(panel.get_by_role("alert")).to_contain_text("somebody else")
    await panel.get_by_label("Name", exact=True).fill("Lan")
    await panel.get_by_role("button", name="Sign in").click()
    await expect(who(page)).to_have_text("Signed in as Lan")
    await expect(panel).to_have_count(0)
    await expect(comment(page, "Said before").get_by_role("button", name="Edit")).to_be_visible()
    await page.reload()
    await expect(who(page)).to_have_text("Signed in as Lan")
    await page.get_by_role("button", name="Not you? Sign out").click()
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


@pytest.mark.parametrize("headers", [{}, COOP], ids=["plain", "cut off"])
async def test_a_provider_is_a_press_away_and_the_draft_stays(
    context: BrowserContext, place: Neighbours, headers: dict[str, str]
) -> None:
    page, panel = await opened(context, place.page(headers=headers))
    await page.locator("tertulia-discussion .compose textarea").first.fill("What I was about to say")
    async with context.expect_page() as opening:
        await panel.get_by_role("button", name="Continue with House").click()
    popup = await opening.value
    await popup.locator("#yes").click()
    await expect(who(page)).to_have_text("Signed in as Lan")
    await expect(page.locator("tertulia-discussion .compose textarea").first).to_have_value("What I was about to say")
    assert await context.cookies(place.host.url) == []


async def test_where_no_window_opens_the_page_comes_back_signed_in(context: BrowserContext, place: Neighbours) -> None:
    await context.add_init_script("window.open = () => null")
    page, panel = await opened(context, place.page())
    await panel.get_by_role("button", name="Continue with House").click()
    await page.locator("#yes").click()
    await expect(who(page)).to_have_text("Signed in as Lan")
    assert page.url == f"{place.host.url}/page?from=front"


async def test_escape_and_cancel_close_it_and_the_button_has_the_focus(
    context: BrowserContext, place: Neighbours
) -> None:
    page, panel = await opened(context, place.page())
    await panel.get_by_label("Email address").press("Escape")
    await expect(panel).to_have_count(0)
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_focused()
    await page.get_by_role("button", name="Sign in", exact=True).press("Enter")
    await panel.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_focused()


async def test_whoever_does_not_sign_in_loads_nothing_of_it(context: BrowserContext, place: Neighbours) -> None:
    asked: list[str] = []
    page = await context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(place.page())
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert [url for url in asked if "embed-sign" in url or "signin" in url] == []


async def test_a_page_that_offers_no_way_in_by_itself_asks_nobody(context: BrowserContext, place: Neighbours) -> None:
    page = await context.new_page()
    await page.goto(place.page(attributes=""))
    await write(page, "Guest", "Good evening")
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_have_count(0)


async def test_a_page_that_prevents_it_has_a_way_of_its_own(context: BrowserContext, place: Neighbours) -> None:
    page = await context.new_page()
    await page.goto(place.page())
    await page.evaluate("addEventListener('tertulia-auth-required', (event) => event.preventDefault())")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    await expect(page.locator("form.sign")).to_have_count(0)


async def test_a_name_that_is_missing_after_a_way_without_a_window_is_asked_for(
    context: BrowserContext, place: Neighbours
) -> None:
    """What is refused after the page has come back is shown there, in the panel."""
    await context.add_init_script("window.open = () => null")
    place.provider.claims["name"] = "Moderator"
    page, panel = await opened(context, place.page())
    await panel.get_by_role("button", name="Continue with House").click()
    await page.locator("#yes").click()
    await expect(panel.get_by_role("alert")).to_contain_text("somebody else")
    await panel.get_by_label("Name", exact=True).fill("Lan of Huế")
    await panel.get_by_label("Name", exact=True).press("Enter")
    await expect(who(page)).to_have_text("Signed in as Lan of Huế")


async def test_an_element_that_was_made_anew_is_the_one_that_signs_in(
    context: BrowserContext, place: Neighbours
) -> None:
    page, panel = await opened(context, place.page())
    await page.evaluate("document.querySelector('tertulia-discussion').setAttribute('max', '20')")
    await expect(panel).to_have_count(0)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    async with context.expect_page() as opening:
        await panel.get_by_role("button", name="Continue with House").click()
    popup = await opening.value
    await popup.locator("#yes").click()
    await expect(who(page)).to_have_text("Signed in as Lan")


async def test_every_element_of_a_page_hears_of_it(context: BrowserContext, place: Neighbours) -> None:
    page = await context.new_page()
    await page.goto(place.page())
    await page.evaluate("document.body.append(document.querySelector('tertulia-discussion').cloneNode())")
    buttons = page.get_by_role("button", name="Sign in", exact=True)
    await expect(buttons).to_have_count(2)
    for element in (0, 1):
        await page.locator("tertulia-discussion").nth(element).locator(".sign-in button").click()
    async with context.expect_page() as opening:
        await page.get_by_role("button", name="Continue with House").first.click()
    popup = await opening.value
    await popup.locator("#yes").click()
    await expect(who(page)).to_have_text(["Signed in as Lan", "Signed in as Lan"])
    await expect(page.locator("form.sign")).to_have_count(0)


async def test_a_code_that_was_guessed_at_too_often_leads_back_to_the_address(
    context: BrowserContext, place: Neighbours
) -> None:
    page, panel = await opened(context, place.page())
    since = len(place.smtp.mail)
    await panel.get_by_label("Email address").fill("often@example.com")
    await panel.get_by_label("Email address").press("Enter")
    code = await place.smtp.code(since)
    for _ in range(4):
        await panel.get_by_label("Code from the email").fill("123456" if code != "123456" else "654321")
        async with page.expect_response("**/api/v1/sessions"):
            await panel.get_by_label("Code from the email").press("Enter")
        await expect(panel.get_by_role("alert")).to_contain_text("match")
    await panel.get_by_label("Code from the email").fill("123456" if code != "123456" else "654321")
    await panel.get_by_label("Code from the email").press("Enter")
    await expect(panel.get_by_role("alert")).to_have_text("That code has expired. Please request a new one.")
    await expect(panel.get_by_label("Email address")).to_have_value("often@example.com")
    await panel.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(panel.get_by_label("Email address")).to_have_value("")


async def test_a_code_that_was_asked_for_outlives_a_reload(context: BrowserContext, place: Neighbours) -> None:
    page, panel = await opened(context, place.page())
    since = len(place.smtp.mail)
    await panel.get_by_label("Email address").fill("reload@example.com")
    await panel.get_by_label("Email address").press("Enter")
    code = await place.smtp.code(since)
    await expect(panel.get_by_label("Code from the email")).to_be_focused()
    await page.reload()
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(panel).to_contain_text("code to r…@example.com")
    kept = "Object.entries(sessionStorage).filter(([name]) => name.startsWith('tertulia:code:')).join()"
    assert "reload" not in await page.evaluate(kept), "the address is kept in no readable form"
    await panel.get_by_label("Code from the email").fill(code)
    await panel.get_by_label("Code from the email").press("Enter")
    await panel.get_by_label("Name", exact=True).fill("Reloaded")
    await panel.get_by_role("button", name="Sign in").click()
    await expect(who(page)).to_have_text("Signed in as Reloaded")
    assert await page.evaluate(kept) == ""
