"""A look before sending: the writer is asked, and does what they want."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Moderate, Window
from tests.browser.pages import comment, form, host, post, shown
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
WORD = "zwackelfratz"
"""On the list of the server that all tests have, and in none of their texts."""
QUESTION = f"Before you send it: could “{WORD}” hurt somebody?"


async def opened(shared: ServerProcess, window: Window, key: str, moderate: Moderate) -> Page:
    adding = [sys.executable, "-m", "tertulia", "words", "default", "--add", WORD, "--data-dir", str(shared.data_dir)]
    await asyncio.to_thread(subprocess.run, adding, check=True)
    await post(shared, "The last word", key=key)
    page = await window("about:blank")
    await host(page, shared, f'<tertulia-discussion key="{key}"></tertulia-discussion>')
    await shown(page)
    async with page.expect_response("**/embed-about.*"):  # the file that asks
        await moderate("PATCH", f"/discussion?key={key}", {"rules": {"nudge": "on"}})
    await form(page).get_by_label("Name").fill("Lan")
    return page


async def send(page: Page, text: str) -> None:
    await form(page).locator("textarea").fill(text)
    await form(page).get_by_role("button", name="Post comment").click()


async def test_a_writer_is_asked_and_edits_or_sends_anyway(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    page = await opened(shared, window, key, moderate)
    question = page.get_by_text(QUESTION)
    await send(page, f"You {WORD}!")
    await expect(question).to_be_visible()
    edit = page.get_by_role("button", name="Edit", exact=True)
    await expect(edit).to_be_focused()
    await edit.click()
    await expect(form(page).locator("textarea")).to_be_focused()
    await expect(question).to_have_count(0)
    await send(page, "You friend!")
    await expect(comment(page, "You friend!")).to_be_visible()
    await send(page, f"And you, {WORD}?")
    await page.get_by_role("button", name="Send anyway").click()
    await expect(comment(page, f"And you, {WORD}?")).to_be_visible()
    await expect(form(page).locator("textarea")).to_have_value("")
    reply = comment(page, "The last word")
    await reply.get_by_role("button", name="Reply").click()
    await reply.locator("textarea").fill(f"A {WORD} as well")
    await reply.get_by_role("button", name="Post reply").click()
    await expect(question).to_be_visible()


async def test_nobody_is_kept_from_sending_by_what_cannot_be_asked(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    page = await opened(shared, window, key, moderate)
    asked: list[str] = []

    async def hang(route: Route) -> None:
        asked.append(route.request.url)

    async def fail(route: Route) -> None:
        asked.append(route.request.url)
        await route.abort()

    for number, handler in enumerate((fail, hang)):
        await page.route("**/api/v1/nudge", handler)
        await send(page, f"Sentence {number}")
        await expect(comment(page, f"Sentence {number}")).to_be_visible()
        await page.unroute("**/api/v1/nudge")
    assert len(asked) == 2
