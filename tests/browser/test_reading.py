"""What a reader of long discussions needs: less to scroll past, and the place where reading ended."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tertulia.api.handlers import PAGE
from tertulia.store.listing import REPLIES_OF_ONE
from tests.browser.conftest import Moderate, Window
from tests.browser.pages import comment, comments, count, evaluate_element, held, host, post, remembering, shown
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


async def _replies(server: ServerProcess, key: str, size: int) -> tuple[str, str]:
    """A comment with so many replies; its id, and that of the last of them."""
    root = last = (await post(server, "Root", key=key))["comment"]["id"]
    for number in range(size):
        last = (await post(server, f"Reply {number}", key=key, parent_id=root))["comment"]["id"]
    return root, last


async def test_the_button_below_replies_says_how_many_a_press_shows(
    shared: ServerProcess, window: Window, key: str
) -> None:
    """How many are left where they are more than a page, or all of them."""
    root, _ = await _replies(shared, key, REPLIES_OF_ONE + PAGE + 3)
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    more = page.locator("tertulia-discussion article > [part~=more]")
    await expect(more).to_have_text(f"Show more replies ({PAGE + 3} left)")
    await more.click()
    await expect(comments(page)).to_have_count(1 + REPLIES_OF_ONE + PAGE)
    await expect(more).to_have_text("Show 3 more replies")
    await post(shared, "Came meanwhile", key=key, parent_id=root)
    await expect(more).to_have_text("Show 4 more replies")
    await more.click()
    await expect(more).to_have_count(0)
    await expect(comments(page)).to_have_count(1 + REPLIES_OF_ONE + PAGE + 4)


async def test_the_button_below_replies_counts_what_becomes_of_those_that_nobody_sees(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    """Answers to what is not here, what is removed there, and what is restored."""
    _, last = await _replies(shared, key, REPLIES_OF_ONE + 2)
    elsewhere = [(await post(shared, "Elsewhere", key=key))["comment"]["id"]]
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    more = page.locator("tertulia-discussion article > [part~=more]")
    await expect(more).to_have_text("Show 2 more replies")
    answer = (await post(shared, "An answer to the last", key=key, parent_id=last))["comment"]["id"]
    await expect(more).to_have_text("Show 3 more replies")
    await post(shared, "An answer to that", key=key, parent_id=answer)
    await expect(more).to_have_text("Show 4 more replies")
    await moderate("DELETE", f"/comments/{answer}", None)
    await expect(more).to_have_text("Show 3 more replies")
    await moderate("POST", f"/comments/{answer}/restore", None)
    await expect(more).to_have_text("Show 4 more replies")
    await post(shared, "Of no thread that is cut", key=key, parent_id=elsewhere[0])
    await more.click()
    await expect(more).to_have_count(0)
    await expect(page.get_by_text("An answer to that")).to_be_visible()


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


# ---- threads fold -------------------------------------------------------------------------------------------


async def _thread(server: ServerProcess, key: str, replies: int = 3) -> list[str]:
    """A comment with replies, and one without; the ids of the first and of its replies."""
    root = (await post(server, "Root", key=key))["comment"]["id"]
    ids = [(await post(server, f"Reply {n}", key=key, parent_id=root))["comment"]["id"] for n in range(replies)]
    await post(server, "Beside", key=key)
    return [root, *ids]


async def test_a_thread_folds_at_its_line_and_says_what_it_hides(
    shared: ServerProcess, window: Window, key: str
) -> None:
    root, *_ = await _thread(shared, key)
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    fold = page.locator("tertulia-discussion .fold")
    await expect(fold).to_have_attribute("aria-expanded", "true")
    await expect(fold).to_have_accessible_name("Hide 3 replies: A stranger")
    await fold.press("Enter")
    await expect(comment(page, "Reply 1")).to_be_hidden()
    await expect(fold).to_have_attribute("aria-expanded", "false")
    await expect(fold).to_have_text("Show 3 replies")
    await expect(comment(page, "Beside")).to_be_visible()
    await post(shared, "Later", key=key, parent_id=root)
    await expect(fold).to_have_text("Show 4 replies (1 new reply)")
    await page.reload()
    await shown(page)
    await expect(fold).to_have_text("Show 4 replies")
    await expect(comment(page, "Reply 1")).to_be_hidden()
    await fold.click()
    await expect(comment(page, "Later")).to_be_visible()
    await comment(page, "Later").scroll_into_view_if_needed()
    box = await page.locator("tertulia-discussion .replies").bounding_box()
    assert box is not None
    await page.mouse.click(box["x"], box["y"] + box["height"] - 20)
    await expect(comment(page, "Later")).to_be_hidden()
    await expect(fold).to_be_in_viewport()


async def test_a_link_into_a_folded_thread_opens_it(shared: ServerProcess, window: Window, key: str) -> None:
    _, reply, *_ = await _thread(shared, key)
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    fold = page.locator("tertulia-discussion .fold")
    await fold.click()
    await page.evaluate(f"location.hash = 'comment-{reply}'")
    await expect(comment(page, "Reply 0")).to_be_visible()
    await expect(fold).to_have_attribute("aria-expanded", "true")


async def test_a_search_finds_what_is_folded(shared: ServerProcess, window: Window, key: str) -> None:
    await _thread(shared, key)
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    await page.locator("tertulia-discussion .fold").click()
    await expect(comment(page, "Reply 2")).to_be_hidden()
    assert await evaluate_element(page, "return el.search('reply 2')") == 1
    await expect(comment(page, "Reply 2")).to_be_visible()
    assert await evaluate_element(page, "return el.search('')") == 5
    await expect(comment(page, "Reply 2")).to_be_hidden()


# ---- long texts ---------------------------------------------------------------------------------------------

LINES = "\n".join(f"Line {number} of what somebody had to say about it." for number in range(60))
SHORT = "Fourteen lines:\n" + "\n".join(f"Short {number}" for number in range(13))
HEIGHT = "box => box.querySelector('.body').offsetHeight"


async def _text(page: Page, said: str) -> tuple[Locator, Locator]:
    """A comment, and the button after its text."""
    box = comment(page, said)
    return box, box.locator(".whole")


async def test_a_long_text_folds_and_says_so(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, SHORT, key=key)
    await post(shared, f"Long.\n{LINES}", key=key)
    await post(shared, "After it", key=key)
    page = await window("about:blank", viewport={"width": 800, "height": 700})
    await host(page, shared, _element(key, "sort=oldest"))
    await shown(page)
    box, whole = await _text(page, "Long.")
    await expect(whole).to_have_text("Show all")
    await expect(whole).to_have_accessible_name("Show all: A stranger")
    await expect(whole).to_have_attribute("aria-expanded", "false")
    folded = await box.evaluate(HEIGHT)
    line = await box.evaluate("box => parseFloat(getComputedStyle(box.querySelector('.body')).lineHeight)")
    assert 14 <= folded / line <= 16
    await expect(comment(page, "Fourteen").locator(".whole")).to_have_count(0)
    await expect(comment(page, "After it").locator(".whole")).to_have_count(0)
    await whole.focus()
    top = await box.evaluate("box => box.getBoundingClientRect().top")
    await page.keyboard.press("Enter")
    await expect(whole).to_have_attribute("aria-expanded", "true")
    await expect(whole).to_have_text("Show less")
    assert await box.evaluate("box => box.getBoundingClientRect().top") == pytest.approx(top, abs=1)
    assert await box.evaluate(HEIGHT) > 3 * folded
    await whole.scroll_into_view_if_needed()
    before = await whole.evaluate("one => one.getBoundingClientRect().top")
    await whole.click()
    await expect(whole).to_have_attribute("aria-expanded", "false")
    assert await box.evaluate(HEIGHT) == folded
    assert await whole.evaluate("one => one.getBoundingClientRect().top") == pytest.approx(before, abs=1)
    await page.emulate_media(media="print")
    assert await box.evaluate(HEIGHT) > 3 * folded
    await expect(whole).to_be_hidden()


async def test_what_is_linked_to_searched_for_or_edited_is_whole(
    shared: ServerProcess, window: Window, key: str
) -> None:
    said = await post(shared, f"Long.\n{LINES}", key=key)
    page = await window("about:blank", viewport={"width": 800, "height": 700})
    await host(page, shared, _element(key, "sort=oldest"))
    await shown(page)
    box, whole = await _text(page, "Long.")
    await expect(whole).to_have_text("Show all")
    folded = await box.evaluate(HEIGHT)
    await evaluate_element(page, "return el.search('line 59')")
    assert await box.evaluate(HEIGHT) > 3 * folded
    await evaluate_element(page, "return el.search('')")
    assert await box.evaluate(HEIGHT) == folded
    await evaluate_element(page, f"return el.setToken('{said['token']}')")
    await box.get_by_role("button", name="Edit").click()
    await expect(box.locator("textarea")).to_be_focused()
    assert await box.evaluate(HEIGHT) > 3 * folded
    await box.get_by_role("button", name="Cancel").click()
    await page.evaluate(f"location.hash = 'comment-{said['comment']['id']}'")
    await expect(page.locator("tertulia-discussion .target")).to_have_count(1)
    assert await box.evaluate(HEIGHT) > 3 * folded
    await expect(whole).to_be_hidden()


async def test_nothing_folds_under_the_eyes_of_who_reads(shared: ServerProcess, window: Window, key: str) -> None:
    for number in range(4):
        await post(shared, f"Long {number}.\n{LINES}", key=key)
    page = await window("about:blank", viewport={"width": 800, "height": 700})
    files = await held(page, re.compile(r"/embed-threads"))
    await host(page, shared, _element(key, "sort=oldest"))
    await files.is_asked.wait()
    read = comment(page, "Long 2.")
    await page.mouse.wheel(0, 10)
    await read.evaluate("box => scrollBy(0, box.getBoundingClientRect().top + 300)")
    files.may_go.set()
    await expect(comment(page, "Long 3.").locator(".whole")).to_have_text("Show all")
    await expect(comment(page, "Long 0.").locator(".whole")).to_have_text("Show all")
    await expect(read.locator(".whole")).to_have_count(0)
    assert await read.evaluate("box => box.getBoundingClientRect().top") == pytest.approx(-300, abs=1)


async def test_what_is_folded_opens_where_the_focus_goes(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, f"Long.\n{LINES}\nhttps://example.org/at-the-end", key=key)
    page = await window("about:blank", viewport={"width": 800, "height": 700})
    await host(page, shared, _element(key))
    await shown(page)
    _, whole = await _text(page, "Long.")
    await expect(whole).to_have_attribute("aria-expanded", "false")
    link = comment(page, "Long.").locator(".body a")
    await link.focus()
    await expect(whole).to_have_attribute("aria-expanded", "true")
    await expect(link).to_be_in_viewport()


# ---- the form -----------------------------------------------------------------------------------------------


async def test_the_form_is_one_press_away(shared: ServerProcess, window: Window, key: str) -> None:
    await _long(shared, key)
    page = await window("about:blank", viewport={"width": 800, "height": 600})
    await host(page, shared, _element(key, "sort=oldest"))
    await shown(page)
    form = page.locator("tertulia-discussion .compose form")
    await expect(form).not_to_be_in_viewport()
    await page.get_by_role("button", name="Write a comment").click()
    await expect(form).to_be_in_viewport()
    await expect(form.get_by_label("Name")).to_be_focused()
    await host(page, shared, _element(key, "sort=newest"))
    await shown(page)
    await expect(page.locator("tertulia-discussion .fold, tertulia-discussion .write")).to_have_count(0)


# ---- coming back --------------------------------------------------------------------------------------------

_TALL = '<div style="height: 1500px">An article</div>'


async def _long(server: ServerProcess, key: str, comments: int = 40) -> list[str]:
    return [(await post(server, f"Number {n:02}. " + "word " * 40, key=key))["comment"]["id"] for n in range(comments)]


async def _open_long(page: Page, server: ServerProcess, key: str, attributes: str = "") -> None:
    await host(page, server, _TALL + _element(key, f"loading=eager {attributes}") + _TALL)
    await remembering(page)


async def _read(page: Page, text: str, top: int) -> None:
    """Scrolls until the comment stands at this height."""
    await comment(page, text).evaluate(f"box => scrollBy(0, box.getBoundingClientRect().top - {top})")


async def _at(page: Page, text: str, top: int) -> None:
    box = await comment(page, text).element_handle()
    await page.wait_for_function(f"box => Math.abs(box.getBoundingClientRect().top - {top}) < 2", arg=box)


async def test_after_a_reload_reading_goes_on_where_it_ended(shared: ServerProcess, window: Window, key: str) -> None:
    await _long(shared, key)
    page = await window("about:blank", viewport={"width": 800, "height": 600})
    await _open_long(page, shared, key, "max=10")
    for size in (20, 30):
        await page.locator("tertulia-discussion [part~=more]").click()
        await expect(comments(page)).to_have_count(size)
    await _read(page, "Number 14", -37)
    for number in range(3):  # above
        await post(shared, f"Arrival {number}. " + "word " * 40, key=key)
    await page.reload()
    await shown(page)
    await _at(page, "Number 14", -37)
    assert await evaluate_element(page, "return history.scrollRestoration") == "auto"


async def test_on_the_way_back_reading_goes_on_where_it_ended(shared: ServerProcess, window: Window, key: str) -> None:
    await _long(shared, key)
    page = await window("about:blank", viewport={"width": 800, "height": 600})
    await _open_long(page, shared, key)
    await _read(page, "Number 11", 120)
    await page.goto(f"{shared.url}/api/docs")
    await page.go_back()
    await shown(page)
    await _at(page, "Number 11", 120)


async def test_what_was_read_last_may_be_gone(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    ids = await _long(shared, key)
    page = await window("about:blank", viewport={"width": 800, "height": 600})
    await _open_long(page, shared, key, "sort=oldest")
    await _read(page, "Number 20", -10)
    await moderate("DELETE", f"/comments/{ids[20]}", None)
    await expect(page.get_by_text("removed by a moderator")).to_be_visible()
    top = await comment(page, "Number 21").evaluate("box => box.getBoundingClientRect().top")
    await page.reload()
    await shown(page)
    await _at(page, "Number 21", round(top))


async def test_who_has_begun_to_move_is_left_alone(shared: ServerProcess, window: Window, key: str) -> None:
    await _long(shared, key)
    page = await window("about:blank", viewport={"width": 800, "height": 600})
    await _open_long(page, shared, key)
    await _read(page, "Number 05", 0)
    waiting = await held(page, "**/embed-threads.*")
    await page.reload()
    await waiting.is_asked.wait()
    await page.mouse.move(400, 300)
    await page.mouse.wheel(0, -400)
    await page.wait_for_function("new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))")
    here = await page.evaluate("scrollY")
    waiting.may_go.set()
    await expect(page.locator("tertulia-discussion")).to_have_js_property("state", "ready")
    await page.evaluate("new Promise((seen) => setTimeout(seen, 500))")
    assert abs(await page.evaluate("scrollY") - here) <= 400, "only the wheel moved it"


async def test_a_link_wins_at_a_first_visit_and_the_place_afterwards(
    shared: ServerProcess, window: Window, key: str
) -> None:
    ids = await _long(shared, key)
    page = await window("about:blank", viewport={"width": 800, "height": 600})
    await _open_long(page, shared, key)
    await _read(page, "Number 30", 0)
    await page.goto("about:blank")
    await page.goto(f"{shared.url}/host.html#comment-{ids[7]}")
    await remembering(page)
    await expect(comment(page, "Number 07")).to_be_in_viewport()
    await _read(page, "Number 22", 40)
    await page.reload()
    await shown(page)
    await _at(page, "Number 22", 40)
    await expect(page.locator("tertulia-discussion .target")).to_contain_text("Number 07")
