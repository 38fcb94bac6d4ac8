"""How what arrives appears: told but not in the way, offered where somebody reads, and never moving the page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import Page, expect

from tertulia.store.listing import REPLIES_OF_ONE
from tests.browser.conftest import Moderate, Window
from tests.browser.pages import (
    bodies,
    comment,
    comments,
    count,
    evaluate_element,
    host,
    post,
    remembering,
    shown,
    texts,
)
from tests.support.api_client import AsyncApiClient
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def _element(key: str, attributes: str = "") -> str:
    return f'<tertulia-discussion key="{key}" {attributes}></tertulia-discussion>'


# ---- announcements ------------------------------------------------------------------------------------------

_NOTE_WHAT_IS_TOLD = """
    const told = document.querySelector('tertulia-discussion').shadowRoot.querySelector('[role=status]');
    window.told = [];
    const note = () => window.told.push([told.textContent, performance.now()]);
    new MutationObserver(note).observe(told, { childList: true });
"""


@pytest.mark.parametrize("where", ["in view", "behind the pill"])
async def test_ten_arrivals_are_announced_together(shared: ServerProcess, window: Window, key: str, where: str) -> None:
    await post(shared, "Already here", key=key)
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    if where == "behind the pill":
        await page.locator("tertulia-discussion article").focus()
    await evaluate_element(page, _NOTE_WHAT_IS_TOLD)
    for number in range(10):
        await post(shared, f"Arrival {number}", key=key)
    await page.wait_for_function("told.length > 0")
    assert [text for text, _ in await page.evaluate("told")] == ["10 new comments"]
    await post(shared, "One more", key=key)
    await page.wait_for_function("told.length > 1")
    (_, first), (text, second) = await page.evaluate("told")
    assert text == "1 new comment"
    assert second - first >= 4_900


async def test_who_does_not_want_to_be_told_is_not(shared: ServerProcess, window: Window, key: str) -> None:
    page = await window("about:blank")
    await host(page, shared, _element(key, "announce=off"))
    await page.clock.install()
    await shown(page)
    await post(shared, "Quietly", key=key)
    await expect(comment(page, "Quietly")).to_have_count(1)
    await page.clock.run_for(6_000)
    await expect(page.locator("tertulia-discussion [role=status]")).to_have_text("")


# ---- pill and chip ------------------------------------------------------------------------------------------


async def test_what_waits_above_is_offered_and_gone_to(shared: ServerProcess, window: Window, key: str) -> None:
    for number in range(20):
        await post(shared, f"Paragraph {number}", key=key)
    page = await window("about:blank", viewport={"width": 800, "height": 500}, reduced_motion="reduce")
    await host(page, shared, _element(key))
    await shown(page)
    watched = comment(page, "Paragraph 8")
    await watched.evaluate("box => box.scrollIntoView({block: 'center'})")
    top = await watched.evaluate("box => box.getBoundingClientRect().top")
    for number in range(3):
        await post(shared, f"Arrival {number}", key=key)
    pill = page.get_by_role("button", name="3 new comments")
    await expect(pill).to_be_in_viewport()
    assert await comments(page).count() == 20
    assert abs(await watched.evaluate("box => box.getBoundingClientRect().top") - top) <= 1
    await pill.click()
    await expect(comment(page, "Arrival 2")).to_be_in_viewport()
    await expect(page.locator("tertulia-discussion article:focus")).to_contain_text("Arrival 2")
    assert (await texts(page))[:4] == ["Arrival 2", "Arrival 1", "Arrival 0", "Paragraph 19"]


async def test_a_reply_waits_behind_a_chip_on_what_it_answers(shared: ServerProcess, window: Window, key: str) -> None:
    said = [await post(shared, f"Paragraph {number}", key=key) for number in range(3)]
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    parent = said[1]["comment"]["id"]
    for number in range(2):
        await post(shared, f"Answer {number}", key=key, parent_id=parent)
    chip = comment(page, "Paragraph 1").get_by_role("button", name="2 new replies")
    await expect(chip).to_be_visible()
    await expect(page.locator("tertulia-discussion [part~=pill-button]")).to_be_hidden()
    assert await evaluate_element(page, "return el.unseen") == 2
    await chip.click()
    await expect(page.locator("tertulia-discussion article:focus > .box")).to_contain_text("Answer 0")
    assert await texts(page) == ["Paragraph 2", "Paragraph 1", "Answer 0", "Answer 1", "Paragraph 0"]
    await expect(chip).to_have_count(0)


async def test_a_chip_outlives_the_removal_of_what_is_answered(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    parent = (await post(shared, "Soon removed", key=key))["comment"]["id"]
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    await page.locator("tertulia-discussion article").focus()
    await post(shared, "An answer", key=key, parent_id=parent)
    chip = page.get_by_role("button", name="1 new reply")
    await expect(chip).to_be_visible()
    await moderate("DELETE", f"/comments/{parent}", None)
    await expect(page.get_by_text("removed by a moderator")).to_be_visible()
    await chip.click()
    await expect(comment(page, "An answer")).to_be_visible()


async def test_while_a_search_shows_only_some_arrivals_wait(shared: ServerProcess, window: Window, key: str) -> None:
    for number in range(3):
        await post(shared, f"Paragraph {number}", key=key)
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    visible = comments(page).filter(visible=True)
    assert await evaluate_element(page, "return el.search('paragraph 1')") == 1
    await post(shared, "An arrival", key=key)
    await page.get_by_role("button", name="1 new comment").click()
    await expect(comment(page, "An arrival")).to_have_count(1)
    await expect(visible).to_have_count(1)
    await post(shared, "One more", key=key)
    await expect(page.get_by_role("button", name="1 new comment")).to_be_visible()
    # where whoever ends a search is; with the focus in the list arrivals would go on waiting
    await page.get_by_role("searchbox").focus()
    assert await evaluate_element(page, "return el.search('')") == 4
    await expect(visible).to_have_count(5)


# ---- since the last visit -----------------------------------------------------------------------------------


async def test_what_is_new_since_the_last_visit_is_marked_and_gone_through(
    shared: ServerProcess, window: Window, key: str
) -> None:
    for number in range(12):
        await post(shared, f"Old {number}", key=key)
    page = await window("about:blank", viewport={"width": 800, "height": 500}, reduced_motion="reduce")
    await host(page, shared, _element(key, "sort=oldest"))
    await remembering(page)
    await expect(page.locator("tertulia-discussion .divider")).to_have_count(0)
    await page.goto("about:blank")
    for number in range(3):
        await post(shared, f"New {number}", key=key)
    await host(page, shared, _element(key, "sort=oldest"))
    await remembering(page)
    divided = page.locator("tertulia-discussion article", has=page.locator(":scope > .divider"))
    await expect(divided).to_contain_text("New 0")
    await expect(divided.locator("> .divider")).to_have_text("New since your last visit")
    await page.get_by_role("button", name="Next new comment (3)").click()
    await expect(page.locator("tertulia-discussion article:focus")).to_contain_text("New 0")
    await expect(comment(page, "New 0")).to_be_in_viewport()
    await page.goto("about:blank")
    await host(page, shared, _element(key, "sort=oldest"))
    await remembering(page)
    await expect(page.locator("tertulia-discussion .divider")).to_have_count(0)


async def test_what_is_new_is_counted_and_loaded_where_it_is_on_no_page_yet(
    shared: ServerProcess, window: Window, key: str
) -> None:
    """One behind "more replies", one on a later page of the list."""
    element = _element(key, "sort=oldest max=2")
    root = (await post(shared, "Old root", key=key))["comment"]["id"]
    await post(shared, "Old and alone", key=key)
    for number in range(REPLIES_OF_ONE):
        await post(shared, f"Old reply {number}", key=key, parent_id=root)
    page = await window("about:blank", viewport={"width": 800, "height": 500}, reduced_motion="reduce")
    await host(page, shared, element)
    await remembering(page)
    await expect(comments(page)).to_have_count(2 + REPLIES_OF_ONE)
    await page.goto("about:blank")
    await post(shared, "New reply", key=key, parent_id=root)
    await post(shared, "New root", key=key)
    await host(page, shared, element)
    await remembering(page)
    await expect(comments(page)).to_have_count(2 + REPLIES_OF_ONE)
    focused = page.locator("tertulia-discussion article:focus > .box")
    for count_before, text in ((2, "New reply"), (1, "New root")):
        await page.get_by_role("button", name=f"Next new comment ({count_before})").click()
        await expect(focused).to_contain_text(text)
        await expect(comment(page, text)).to_be_in_viewport()
    await expect(page.get_by_role("button", name="Next new comment")).to_be_hidden()


# ---- busy discussions ---------------------------------------------------------------------------------------


@pytest.fixture
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that sums up early."""
    flags = ["--tick-rate", "1", "--summary-rate", "2"]
    server = ServerProcess(tmp_path_factory.mktemp("busy"), flags)
    yield server
    server.end()


async def _burst(server: ServerProcess, key: str, number: int) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        stranger = AsyncApiClient(client, key, name="A stranger")
        await asyncio.gather(*(stranger.post_comment(f"Burst {one}") for one in range(number)))


async def test_what_summaries_leave_out_is_counted_and_loaded_on_demand(
    busy: ServerProcess, window: Window, key: str
) -> None:
    await post(busy, "Already here", key=key)
    page = await window("about:blank")
    await host(page, busy, _element(key))
    await shown(page)
    await page.locator("tertulia-discussion article").focus()
    await evaluate_element(page, _NOTE_WHAT_IS_TOLD)
    await _burst(busy, key, 80)
    await count(page, 81)
    pill = page.locator("tertulia-discussion [part~=pill-button]")
    await expect(pill).to_have_text("80 new comments")
    await page.wait_for_function("told.length > 0")
    assert await page.evaluate("told[0][0]") == "80 new comments"
    assert await comments(page).count() == 1
    await pill.click()
    await expect(comments(page)).to_have_count(81)
    assert len(await bodies(busy, key)) == 81
    await expect(pill).to_be_hidden()


# ---- nothing moves ------------------------------------------------------------------------------------------

_MEASURE_SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) shifts.push([one.value, one.startTime]);
    }).observe({ type: 'layout-shift', buffered: true });
"""


async def _shift(page: Page) -> float:
    await page.evaluate("new Promise((seen) => requestAnimationFrame(() => setTimeout(seen, 100)))")
    return float(await page.evaluate("shifts.reduce((sum, [value]) => sum + value, 0)"))


@pytest.mark.parametrize("attributes", ["", "sort=oldest"])
async def test_neither_the_second_file_nor_arrivals_move_the_page(
    shared: ServerProcess, window: Window, key: str, attributes: str
) -> None:
    for number in range(10):
        await post(shared, f"Paragraph {number}", key=key)
    page = await window("about:blank", viewport={"width": 800, "height": 900})
    await page.add_init_script(_MEASURE_SHIFTS)
    await page.add_init_script("addEventListener('tertulia-ready', () => (window.readyAt = performance.now()))")
    await host(page, shared, _element(key, attributes))
    await shown(page)
    await _shift(page)
    after = await page.evaluate("shifts.filter(([, at]) => at > readyAt + 50).reduce((sum, [value]) => sum + value, 0)")
    before = await _shift(page)
    if attributes:
        await comment(page, "Paragraph 4").scroll_into_view_if_needed()
    else:
        await page.locator("tertulia-discussion article").first.focus()
    for number in range(5):
        await post(shared, f"Arrival {number}", key=key)
    await count(page, 15)
    arrivals = await _shift(page) - before
    print(f"loading {before:.4f}, of it by the second file {after:.4f}; arrivals {arrivals:.4f}")
    assert after <= 0.02
    assert arrivals <= 0.02


# ---- how long it takes --------------------------------------------------------------------------------------


# `window.came` gets each comment that is put into the list, and when.
_NOTE_WHEN_SHOWN = """
    window.came = new Map();
    const feed = el.shadowRoot.querySelector('[role=feed]');
    new MutationObserver(() => {
        for (const one of feed.querySelectorAll('article')) {
            if (!came.has(one)) came.set(one, performance.timeOrigin + performance.now());
        }
    }).observe(feed, { childList: true, subtree: true });
"""
# Posts fifty, one after the other; answers with when each was begun.
_POST_FIFTY = """async (key) => {
    const begun = [];
    for (let number = 0; number < 50; number++) {
        begun.push(performance.timeOrigin + performance.now());
        await fetch('/api/v1/comments', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
            body: JSON.stringify({ key, body: `Number ${number}`, author: { name: 'A stranger' } }),
        });
    }
    return begun;
}"""


async def test_what_is_posted_is_shown_in_another_window_soon(shared: ServerProcess, window: Window, key: str) -> None:
    """Prints how soon; only that all are shown, each once and in order, is a matter of passing."""
    # so high that the end that grows stays in view
    page, other = await window("about:blank", viewport={"width": 800, "height": 9000}), await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    await evaluate_element(page, _NOTE_WHEN_SHOWN)
    await host(other, shared, "")
    begun = await other.evaluate(_POST_FIFTY, key)
    await page.wait_for_function("came.size === 50")
    taken = sorted(came - start for came, start in zip(await page.evaluate("[...came.values()]"), begun, strict=True))
    print(f"from the start of the POST to the list of another window: p50 {taken[24]:.0f} ms, p95 {taken[47]:.0f} ms")
    assert await bodies(shared, key) == [f"Number {number}" for number in range(50)]
