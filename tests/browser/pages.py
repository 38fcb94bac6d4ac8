"""What a person does on an article's page, and what a test waits for."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Locator, Page, Route, expect

from tests.browser.conftest import ARTICLE, Window
from tests.support.api_client import AsyncApiClient, Json
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE

_HOST_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A page of a publisher</title>
<script src="{server}/embed.js" defer></script><body><h1>A page</h1>{elements}</body></html>"""


async def host(page: Page, server: ServerProcess | str, elements: str, origin: str | None = None) -> None:
    """Opens a publisher's page with these elements; by default it has the server's own origin."""
    base = server if isinstance(server, str) else server.url

    async def answer(route: Route) -> None:
        html = _HOST_PAGE.format(server=base, elements=elements)
        await route.fulfill(body=html, content_type="text/html")

    url = f"{origin or base}/host.html"
    # Chromium takes a page that a test answers for as one of the internet, and asks before it reaches this machine
    await page.context.grant_permissions(["local-network-access"], origin=origin or base)
    await page.unroute("**/host.html*")
    await page.route("**/host.html*", answer)
    await page.goto(url)


async def shown(page: Page) -> None:
    """Waits until the discussion, its second file and its connection are there."""
    await expect(page.locator("tertulia-discussion [role=toolbar]").first).to_be_attached()
    await expect(page.locator("tertulia-discussion [part~=status][data-state=live]").first).to_be_attached()


_HAS_THE_LAST_FILE = """
    [...document.querySelectorAll('tertulia-discussion')].every(({ shadowRoot }) =>
        shadowRoot.adoptedStyleSheets.some((sheet) =>
            [...sheet.cssRules].some((rule) => rule.cssText.includes('.divider'))))
"""


async def remembering(page: Page) -> None:
    """Waits until what is read will be remembered when it is left: the file that does so comes last, with its sheet."""
    await shown(page)
    await page.wait_for_function(_HAS_THE_LAST_FILE)


async def open_discussion(window: Window, server: ServerProcess, key: str, attributes: str = "") -> Page:
    """A window of its own profile with one discussion, as soon as it is there."""
    page = await window("about:blank")
    await host(page, server, f'<tertulia-discussion key="{key}" {attributes}></tertulia-discussion>')
    await shown(page)
    return page


def form(page: Page) -> Locator:
    """The form of the discussion itself."""
    return page.locator("tertulia-discussion .compose form").first


async def count(page: Page, number: int) -> None:
    """Waits until the heading says so many."""
    heading = page.locator("tertulia-discussion [part~=heading]").first
    await expect(heading).to_have_text(f"All comments [ {number} ]")


async def evaluate_element(page: Page, script: str) -> object:
    """What ``script`` gives, in which ``el`` is the first element."""
    return await page.evaluate(
        f"(async () => {{ const el = document.querySelector('tertulia-discussion'); {script} }})()"
    )


@dataclass
class Held:
    """Requests that wait until they may go on."""

    is_asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, route: Route) -> None:
        self.is_asked.set()
        await self.may_go.wait()
        await route.continue_()


async def held(page: Page, pattern: str | re.Pattern[str]) -> Held:
    """Holds the requests to addresses of the pattern."""
    found = Held()
    await page.route(pattern, found.answer)
    return found


async def events(server: ServerProcess, key: str) -> list[dict[str, object]]:
    """What happened in a discussion."""
    found: list[dict[str, object]] = (await AsyncApiClient(server.url, key).events())["events"]
    return found


async def bodies(server: ServerProcess, key: str) -> list[str]:
    """The first text of each comment of a discussion, oldest first."""
    read = (await AsyncApiClient(server.url, key).snapshot(limit=100))["comments"]
    return [one["body"][0]["children"][0]["text"] for one in read if one["body"]]


def article(server: ServerProcess | str) -> str:
    base = server if isinstance(server, str) else server.url
    return f"{base}/articles/{ARTICLE}"


def discussion(page: Page) -> Locator:
    """The live discussion: what stands in the element's shadow root."""
    return page.locator("tertulia-discussion [role=feed]").first


def comments(page: Page) -> Locator:
    """Each comment by itself, without the replies that stand in it."""
    return page.locator("tertulia-discussion [role=feed] article > .box")


def comment(page: Page, text: str) -> Locator:
    """The comment that says ``text``."""
    return comments(page).filter(has_text=text)


async def live(page: Page) -> None:
    """Waits until the discussion is there and connected."""
    await page.locator("tertulia-discussion").scroll_into_view_if_needed()
    await expect(discussion(page)).to_be_visible()
    await expect(page.locator("tertulia-discussion [part~=status]").first).to_contain_text("reader")


async def at_the_end(page: Page) -> None:
    """The discussion, read to its end: arrivals appear there at once."""
    await live(page)
    await page.locator("tertulia-discussion form textarea").last.scroll_into_view_if_needed()


async def read_on(page: Page, count: int) -> None:
    """Goes to the end again and again, as it moves away with each arrival, until so many comments are there."""
    end = time.monotonic() + PATIENCE
    while await comments(page).count() < count:
        assert time.monotonic() < end, f"{await comments(page).count()} of {count} comments are there"
        await page.locator("tertulia-discussion form textarea").last.scroll_into_view_if_needed()
        await page.wait_for_timeout(100)
    await expect(comments(page)).to_have_count(count)


async def write(page: Page, name: str, text: str) -> None:
    """Fills the form of the discussion and sends it."""
    await form(page).get_by_label("Name").fill(name)
    await form(page).locator("textarea").fill(text)
    await form(page).get_by_role("button", name="Post comment").click()


async def post(server: ServerProcess, text: str, *, key: str = ARTICLE, **fields: Any) -> Json:
    """Says something as a stranger with curl would."""
    return await AsyncApiClient(server.url, key, name="A stranger").post_comment(text, (201, 202), **fields)


async def texts(page: Page) -> list[str]:
    """The comments of the list, in its order: the first paragraph of each."""
    return await comments(page).locator("[part~=body] > p:first-child").all_inner_texts()
