"""A real browser against a real server: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser.hosts import Publisher, open_publisher
from tests.browser.newspaper import Newspaper, open_newspaper
from tests.support.api_client import AsyncApiClient
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE

OTHER_ORIGIN = "http://127.0.0.1:9777"  # nobody listens there: tests answer for it
ARTICLE = "the-night-market-moves-to-the-river"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

PATIENCE_MS = PATIENCE * 1000
expect.set_options(timeout=PATIENCE_MS)

Window = Callable[..., Awaitable[Page]]
Moderate = Callable[[str, str, object], Awaitable[dict[str, Any]]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium is not None, "the browser tests need Chromium; make test installs it"
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def window(browser: Browser) -> AsyncIterator[Window]:
    """Opens a window of its own profile; whatever its page complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    async def open_window(url: str, **options: object) -> Page:
        context = await browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
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


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server for the tests of all files: each has a discussion of its own. ``OTHER_ORIGIN`` may use it."""
    server = ServerProcess(tmp_path_factory.mktemp("shared"), ["--allowed-origins", OTHER_ORIGIN])
    yield server
    server.end()


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """The test's own discussion."""
    return f"{request.path.stem}-{request.node.name}"


def tertulia(*arguments: str) -> str:
    """What an operator's command prints."""
    command = [sys.executable, "-m", "tertulia", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def moderate(shared: ServerProcess) -> Moderate:
    """Asks the shared server for something as a moderator: method, path, content."""
    printed = tertulia("moderator", "add", "Mai", "--data-dir", str(shared.data_dir))
    token = max(re.findall(r"\S+", printed), key=len)

    return AsyncApiClient(shared.url, "", token=token).ask


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    with open_publisher(tmp_path_factory.mktemp("publisher")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def news() -> AsyncIterator[Newspaper]:
    async with open_newspaper() as paper:
        yield paper
