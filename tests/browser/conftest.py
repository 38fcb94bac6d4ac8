"""A real browser against a real server: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.server import ServerProcess

ARTICLE = "the-night-market-moves-to-the-river"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

Window = Callable[..., Awaitable[Page]]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium is not None, "the browser tests need Chromium; make test installs it"
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        await opened.close()


@pytest.fixture
async def window(browser: Browser) -> AsyncIterator[Window]:
    """Opens a window of its own profile; whatever its page complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    async def open_window(url: str, **options: object) -> Page:
        context = await browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: _note(complaints, message.text))
        await page.goto(url)
        return page

    yield open_window
    for context in contexts:
        await context.close()
    assert complaints == []


def _note(complaints: list[str], text: str) -> None:
    # a cut network is logged by the browser itself
    if "Failed to load resource" not in text and "WebSocket connection to" not in text:
        complaints.append(text)


@pytest.fixture
def site(start_server: Callable[..., ServerProcess]) -> ServerProcess:
    """A server with the sample articles."""
    return start_server("--with-samples")
