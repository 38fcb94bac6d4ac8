"""What a reader of long discussions needs: less to scroll past, and the place where reading ended."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Moderate, Window
from tests.browser.pages import comment, comments, count, host, post, shown
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def _element(key: str, attributes: str = "") -> str:
    return f'<tertulia-discussion key="{key}" {attributes}></tertulia-discussion>'


# ---- tombstones ---------------------------------------------------------------------------------------------


async def test_a_tombstone_is_shown_while_something_answers_it(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    root = (await post(shared, "An insult", key=key))["comment"]["id"]
    reply = (await post(shared, "An answer", key=key, parent_id=root))["comment"]["id"]
    await post(shared, "Said in earnest", key=key)
    await moderate("DELETE", f"/comments/{root}", None)
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    gone = page.get_by_text("removed by a moderator").filter(visible=True)
    await expect(gone).to_have_count(1)
    await moderate("DELETE", f"/comments/{reply}", None)
    await expect(gone).to_have_count(2)  # nothing vanishes that is read
    await page.reload()
    await shown(page)
    await expect(comment(page, "Said in earnest")).to_be_visible()
    await expect(gone).to_have_count(0)
    await count(page, 1)
    await moderate("POST", f"/comments/{reply}/restore", None)
    await expect(comment(page, "An answer")).to_be_visible()
    await expect(gone).to_have_count(1)
    await count(page, 2)


async def test_a_discussion_of_tombstones_alone_is_empty(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    said = await post(shared, "An advertisement", key=key)
    await moderate("DELETE", f"/comments/{said['comment']['id']}", None)
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    await expect(page.locator("tertulia-discussion [part~=empty]")).to_be_visible()
    await post(shared, "The first", key=key)
    await expect(comment(page, "The first")).to_be_visible()
    await expect(page.locator("tertulia-discussion [part~=empty]")).to_be_hidden()


# ---- buttons say what they do -------------------------------------------------------------------------------


async def test_the_button_below_the_list_says_what_it_shows_and_what_is_left(
    shared: ServerProcess, window: Window, key: str
) -> None:
    for number in range(8):
        said = await post(shared, f"Number {number}", key=key)
        await post(shared, f"Answer {number}", key=key, parent_id=said["comment"]["id"])
    page = await window("about:blank")
    await host(page, shared, _element(key, "max=3"))
    await shown(page)
    more = page.locator("tertulia-discussion [part~=more]").filter(visible=True)
    await expect(more).to_have_text("Show 3 more comments and their replies (10 left)")
    await more.click()
    await expect(comments(page)).to_have_count(12)
    await expect(more).to_have_text("Show 3 more comments and their replies (4 left)")
    await more.click()
    await expect(more).to_have_count(0)
    await expect(comments(page)).to_have_count(16)


async def test_after_a_busy_minute_the_pill_offers_all_that_is_new(
    shared: ServerProcess, window: Window, key: str
) -> None:
    said = [await post(shared, f"Number {number}", key=key) for number in range(5)]
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    await page.locator("tertulia-discussion article").first.focus()
    chips = page.locator("tertulia-discussion [part~=chip]")
    for number in range(4):
        await post(shared, f"Answer {number}", key=key, parent_id=said[number]["comment"]["id"])
    await expect(chips).to_have_count(4)
    await post(shared, "Answer 4", key=key, parent_id=said[4]["comment"]["id"])
    pill = page.get_by_role("button", name="5 new comments")
    await expect(pill).to_be_visible()
    await expect(chips).to_have_count(0)
    await pill.click()
    await expect(comments(page)).to_have_count(10)
    await expect(pill).to_be_hidden()


async def test_pausing_keeps_the_number_and_what_was_offered(shared: ServerProcess, window: Window, key: str) -> None:
    said = await post(shared, "Already here", key=key)
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    await page.locator("tertulia-discussion article").focus()
    await post(shared, "One more", key=key)
    await post(shared, "An answer", key=key, parent_id=said["comment"]["id"])
    pill, chip = page.get_by_role("button", name="1 new comment"), page.get_by_role("button", name="1 new reply")
    await expect(pill).to_be_visible()
    await expect(chip).to_be_visible()
    await count(page, 3)
    await page.locator("tertulia-discussion [part~=live-toggle]").click()
    await count(page, 3)
    await expect(pill).to_be_visible()
    await chip.click()
    await expect(comment(page, "An answer")).to_be_visible()
    await pill.click()
    await expect(comment(page, "One more")).to_be_visible()
    await count(page, 3)
