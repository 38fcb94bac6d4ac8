"""What a person does on an article's page, and what a test waits for."""

from __future__ import annotations

import time
import uuid

import httpx
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import ARTICLE
from tests.server import ServerProcess


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
    await expect(page.locator("tertulia-discussion [part~=status]").first).to_contain_text("reading")


async def at_the_end(page: Page) -> None:
    """The discussion, read to its end: arrivals appear there at once."""
    await live(page)
    await page.locator("tertulia-discussion form textarea").last.scroll_into_view_if_needed()


async def read_on(page: Page, count: int) -> None:
    """Goes to the end again and again, as it moves away with each arrival, until so many comments are there."""
    end = time.monotonic() + 60
    while await comments(page).count() < count:
        assert time.monotonic() < end, f"{await comments(page).count()} of {count} comments are there"
        await page.locator("tertulia-discussion form textarea").last.scroll_into_view_if_needed()
        await page.wait_for_timeout(100)
    await expect(comments(page)).to_have_count(count)


async def write(page: Page, name: str, text: str) -> None:
    """Fills the form under the list and sends it."""
    form = page.locator("tertulia-discussion form").last
    await form.get_by_label("Name").fill(name)
    await form.locator("textarea").fill(text)
    await form.get_by_role("button", name="Post comment").click()


async def post(server: ServerProcess, text: str, **more: object) -> dict[str, object]:
    """Says something as a stranger with curl would."""
    async with httpx.AsyncClient(base_url=server.url) as client:
        body = {"key": ARTICLE, "body": text, "author": {"name": "A stranger"}, **more}
        answer = await client.post("/api/v1/comments", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        assert answer.status_code in (201, 202), answer.text
        found: dict[str, object] = answer.json()
        return found


async def texts(page: Page) -> list[str]:
    """The comments of the list, in its order: the first paragraph of each."""
    return await comments(page).locator("[part~=body] > p:first-child").all_inner_texts()
