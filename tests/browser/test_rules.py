"""Rules as open pages show them: each reaches them as a comment does, and what was begun is not lost."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Moderate, Window
from tests.browser.pages import comment, form, host, post, shown
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

_HEAR = """
    window.asked = 0;
    addEventListener('tertulia-auth-required', (event) => { asked++; event.preventDefault(); });
"""


async def test_a_rule_reaches_open_pages_and_is_taken_back(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    await post(shared, "The last word", key=key)
    page = await window("about:blank")
    await page.add_init_script(_HEAR)
    await host(page, shared, f'<tertulia-discussion key="{key}"></tertulia-discussion>')
    await shown(page)
    element = page.locator("tertulia-discussion")
    button = element.get_by_role("button", name="Sign in to comment")
    reply = comment(page, "The last word").get_by_role("button", name="Reply")
    await form(page).locator("textarea").fill("Half a sentence")
    for who in ("members", "nobody", "all", "members"):
        await moderate("PATCH", f"/discussion?key={key}", {"rules": {"who": who}})
        if who == "all":
            await expect(form(page)).to_be_visible()
            await expect(form(page).locator("textarea")).to_have_value("Half a sentence")
            await expect(form(page).get_by_label("Name")).to_be_visible()
            await expect(button).to_be_hidden()
        elif who == "members":
            await expect(button).to_be_visible()
            await expect(form(page)).to_be_hidden()
            before = await page.evaluate("asked")
            await button.click()
            await reply.click()
            await page.wait_for_function("before => asked === before + 2", arg=before)
        else:
            await expect(element.get_by_text("This discussion is closed.")).to_be_visible()
            await expect(form(page)).to_be_hidden()
            await expect(button).to_be_hidden()
            await reply.click()
            await expect(element.get_by_text("This discussion is closed.")).to_be_in_viewport()


async def test_a_page_that_opens_under_a_rule_knows_it(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    await post(shared, "The last word", key=key)
    await moderate("PATCH", f"/discussion?key={key}", {"rules": {"who": "members"}})
    page = await window("about:blank")
    await host(page, shared, f'<tertulia-discussion key="{key}"></tertulia-discussion>')
    await expect(page.get_by_role("button", name="Sign in to comment")).to_be_visible()
    await expect(form(page)).to_be_hidden()
    like = comment(page, "The last word").get_by_role("button", name="Like", exact=False).first
    await like.click()
    await expect(like).to_have_attribute("aria-pressed", "true")


async def test_slow_mode_is_shown_live_and_what_is_too_early_goes_by_itself(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    await post(shared, "The last word", key=key)
    page = await window("about:blank")
    await host(page, shared, f'<tertulia-discussion key="{key}"></tertulia-discussion>')
    await shown(page)
    element = page.locator("tertulia-discussion")
    notice = element.get_by_text("Slow mode: one comment every")
    await expect(notice).to_have_count(0)
    for seconds, sentence in ((90, "90 seconds"), (120, "2 minutes"), (5, "5 seconds")):
        await moderate("PATCH", f"/discussion?key={key}", {"rules": {"slow": seconds}})
        await expect(element.get_by_text(f"Slow mode: one comment every {sentence}.")).to_be_visible()
    await form(page).get_by_label("Name").fill("Lan")
    for text in ("The first word", "The next word"):
        await form(page).locator("textarea").fill(text)
        await form(page).get_by_role("button", name="Post comment").click()
        await expect(comment(page, text)).to_be_visible()
    early = comment(page, "The next word")
    await expect(early).to_contain_text("This will be sent automatically in")
    await expect(early).not_to_contain_text("This will be sent automatically in")
    await moderate("PATCH", f"/discussion?key={key}", {"rules": {"slow": None}})
    await expect(notice).to_be_hidden()


async def test_an_open_page_says_until_when_it_is_open_and_that_it_is_closed(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    await post(shared, "The last word", key=key)
    page = await window("about:blank", timezone_id="UTC")
    await host(page, shared, f'<tertulia-discussion key="{key}"></tertulia-discussion>')
    await shown(page)
    element = page.locator("tertulia-discussion")
    notice = element.get_by_text("Open for comments until 24 November 2126 at 18:00.")
    for closes_at in ("2126-11-24T18:00:00Z", None, "2126-11-24T19:00:00+01:00"):
        await moderate("PATCH", f"/discussion?key={key}", {"closes_at": closes_at})
        await expect(notice).to_be_visible(visible=closes_at is not None)
    await page.reload()
    await host(page, shared, f'<tertulia-discussion key="{key}"></tertulia-discussion>')
    await expect(notice).to_be_visible()
    await moderate("PATCH", f"/discussion?key={key}", {"closes_at": "2026-01-01T00:00:00Z"})
    await expect(element.get_by_text("This discussion is closed.")).to_be_visible()
    await expect(notice).to_be_hidden()
    await expect(form(page)).to_be_hidden()


async def test_without_a_script_the_page_says_what_it_asks_of_writers(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    await post(shared, "The last word", key=key)
    await moderate("PATCH", f"/discussion?key={key}", {"rules": {"slow": 120}, "closes_at": "2126-11-24T18:00:00Z"})
    page = await window(f"{shared.url}/d?key={key}", java_script_enabled=False)
    await expect(page.get_by_text("Slow mode: one comment every 2 minutes.")).to_be_visible()
    await expect(page.get_by_text("Open for comments until 24 November 2126")).to_be_visible()
    await moderate("PATCH", f"/discussion?key={key}", {"rules": {"slow": 30}, "closes_at": None})
    await page.reload()
    await expect(page.get_by_text("Slow mode: one comment every 30 seconds.")).to_be_visible()
    await expect(page.get_by_text("Open for comments until")).to_have_count(0)


async def test_without_a_script_the_page_says_who_may_write(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    await post(shared, "The last word", key=key)
    page = await window("about:blank", java_script_enabled=False)
    for who, sentence in (
        ("members", "Only readers who are signed in can comment here."),
        ("nobody", "This discussion is closed."),
    ):
        await moderate("PATCH", f"/discussion?key={key}", {"rules": {"who": who}})
        await page.goto(f"{shared.url}/d?key={key}")
        await expect(page.get_by_text(sentence)).to_be_visible()
        await expect(page.locator("textarea")).to_have_count(0)
        await expect(page.get_by_role("link", name="Reply")).to_have_count(0)
