"""Chromium, started by Playwright and asked by the DevTools protocol.

Playwright loses the page when it comes out of the back/forward cache (its `go_back` waits for ever), so everything
but the mouse, the keyboard and the start goes by a session of our own.
"""

from __future__ import annotations

from contextlib import suppress
from typing import cast

from playwright.async_api import Browser, CDPSession, Error, Page, Playwright, async_playwright

from tests.browser.conftest import FLAGS
from tests.engines.program import installed
from tests.engines.window import EngineError, JsonObject, Window


class Chromium:
    """A headless Chromium; each window is a context of it."""

    name = "chromium"

    def __init__(self, playwright: Playwright, browser: Browser) -> None:
        self._playwright = playwright
        self._browser = browser

    @classmethod
    async def start(cls) -> Chromium:
        program = installed("chromium", "chromium-browser", "google-chrome")
        playwright = await async_playwright().start()
        browser = await playwright.chromium.launch(
            executable_path=program, args=FLAGS, ignore_default_args=["--disable-back-forward-cache"]
        )
        return cls(playwright, browser)

    async def new_window(self) -> ChromiumWindow:
        page = await (await self._browser.new_context()).new_page()
        return ChromiumWindow(page, await page.context.new_cdp_session(page))

    async def end(self) -> None:
        await self._browser.close()
        await self._playwright.stop()


class ChromiumWindow(Window):
    def __init__(self, page: Page, session: CDPSession) -> None:
        self._page = page
        self._session = session

    async def go(self, url: str) -> None:
        await self._page.goto(url)

    async def opened(self) -> list[Window]:
        context, found = self._page.context, list[Window]()
        for one in context.pages:
            with suppress(Error):  # it is closing
                found += [] if one == self._page else [ChromiumWindow(one, await context.new_cdp_session(one))]
        return found

    async def back(self) -> None:
        history = await self._ask("Page.getNavigationHistory")
        entries = cast("list[JsonObject]", history["entries"])
        before = entries[cast("int", history["currentIndex"]) - 1]
        await self._ask("Page.navigateToHistoryEntry", entryId=before["id"])

    async def resize(self, width: int, height: int) -> None:
        await self._page.set_viewport_size({"width": width, "height": height})

    async def press(self, x: float, y: float) -> None:
        await self._page.mouse.click(x, y)

    async def write(self, text: str) -> None:
        await self._page.keyboard.type(text)

    async def close(self) -> None:
        await self._page.context.close()

    async def _evaluate(self, expression: str) -> str:
        answer = await self._ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise EngineError(f"{answer['exceptionDetails']} in: {expression}")
        return cast("str", cast("JsonObject", answer["result"])["value"])

    async def _ask(self, method: str, **parameters: object) -> JsonObject:
        try:
            return cast("JsonObject", await self._session.send(method, parameters))
        except Error as error:
            raise EngineError(f"{method}: {error}") from error
