"""What somebody writes: typed as Vietnamese keyboards type, kept, sent once, changed, taken back and reported."""

from __future__ import annotations

import asyncio
import sqlite3
from urllib.parse import urlencode

import pytest
from playwright.async_api import CDPSession, Locator, Page, Route, expect

from tests.browser.conftest import Moderate, Window
from tests.browser.pages import (
    bodies,
    comment,
    comments,
    count,
    evaluate_element,
    form,
    host,
    open_discussion,
    post,
    shown,
    write,
)
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def _said(page: Page, text: str) -> Locator:
    """One's own comment, posted."""
    await write(page, "Lan", text)
    mine = comment(page, text)
    await expect(mine.get_by_role("button", name="Edit")).to_be_visible()
    return mine


async def _refuse_posts(page: Page, status: int = 0, **headers: str) -> None:
    async def refuse(route: Route) -> None:
        if route.request.method != "POST":
            await route.continue_()
        elif status:
            await route.fulfill(
                status=status, headers=headers, json={"status": status, "code": "a_code", "detail": "No."}
            )
        else:
            await route.abort()

    await page.route("**/api/v1/comments", refuse)


# ---- keyboards ----------------------------------------------------------------------------------------------


async def _caret(page: Page) -> object:
    return await page.evaluate(
        """() => {
            const field = document.querySelector('tertulia-discussion').shadowRoot.activeElement;
            return [field?.name, field?.value, field?.selectionStart, field?.selectionEnd];
        }"""
    )


async def _compose(keyboard: CDPSession, *texts: str) -> None:
    for text in texts:
        state = {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        await keyboard.send("Input.imeSetComposition", state)


async def test_a_word_that_is_being_composed_is_left_alone(shared: ServerProcess, window: Window, key: str) -> None:
    page = await open_discussion(window, shared, key)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    await form(page).get_by_label("Name").fill("Hường")
    await form(page).locator("textarea").fill("Chào ")
    await form(page).locator("textarea").focus()
    keyboard = await page.context.new_cdp_session(page)
    await _compose(keyboard, "V", "Vi", "Viê", "Việ", "Việt")
    for number in range(5):
        await post(shared, f"Meanwhile {number}", key=key)
    await count(page, 5)
    await expect(comments(page)).to_have_count(5)
    assert await _caret(page) == ["body", "Chào Việt", 9, 9]
    await page.keyboard.press("Control+Enter")
    assert await _caret(page) == ["body", "Chào Việt", 9, 9]
    await keyboard.send("Input.insertText", {"text": "Việt"})
    assert await _caret(page) == ["body", "Chào Việt", 9, 9]
    assert sent == []
    await page.keyboard.press("Control+Enter")
    await expect(comment(page, "Chào Việt").get_by_role("button", name="Edit")).to_be_visible()  # it is answered
    assert (await bodies(shared, key))[-1] == "Chào Việt"


async def test_keyboards_that_retype_letters_get_the_exact_word(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await open_discussion(window, shared, key)
    field = form(page).locator("textarea")
    await field.focus()
    # what UniKey sends for "tieengs vieetj ddaay": letters, Backspaces, and the letters again with their marks
    keys: list[tuple[str, int, str]] = [
        *[("tie", 1, "ê"), ("n", 0, ""), ("g", 3, "ếng"), (" vie", 1, "ê")],
        *[("t", 2, "ệt"), (" d", 1, "đ"), ("a", 1, "â"), ("y", 0, "")],
    ]
    for typed, gone, again in keys:
        for letter in typed:
            await page.keyboard.press(letter if letter != " " else "Space")
        for _ in range(gone):
            await page.keyboard.press("Backspace")
        await page.keyboard.insert_text(again)
        await post(shared, f"After {typed}", key=key)
    await count(page, 8)
    await expect(field).to_have_value("tiếng việt đây")
    assert await _caret(page) == ["body", "tiếng việt đây", 14, 14]


# ---- drafts -------------------------------------------------------------------------------------------------


async def test_a_draft_of_each_discussion_and_reply_survives_a_reload(
    shared: ServerProcess, window: Window, key: str
) -> None:
    for text in ("The first", "The second"):
        await post(shared, text, key=key)
    page = await open_discussion(window, shared, key)
    await form(page).locator("textarea").fill("To all")
    await expect(form(page).locator("[part~=hint]")).to_have_text("Draft saved on this device")
    for text in ("The first", "The second"):
        await comment(page, text).get_by_role("button", name="Reply").click()
        await comment(page, text).locator("textarea").fill(f"To {text.lower()}")  # another form saves it
    await page.reload()
    await shown(page)
    await expect(form(page).locator("textarea")).to_have_value("To all")
    for text in ("The second", "The first"):
        await comment(page, text).get_by_role("button", name="Reply").click()
        await expect(comment(page, text).locator("textarea")).to_have_value(f"To {text.lower()}")
    await host(page, shared, f'<tertulia-discussion key="{key}-other"></tertulia-discussion>')
    await shown(page)
    await expect(form(page).locator("textarea")).to_have_value("")


async def test_what_is_sent_is_no_draft_any_more(shared: ServerProcess, window: Window, key: str) -> None:
    page = await open_discussion(window, shared, key)
    await _said(page, "Said")
    await expect(form(page).locator("textarea")).to_have_value("")
    await page.reload()
    await shown(page)
    await expect(form(page).locator("textarea")).to_have_value("")
    await expect(form(page).get_by_label("Name")).to_have_value("Lan")


async def test_a_form_in_the_list_outlives_its_list(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Answer me", key=key)
    page = await open_discussion(window, shared, key)
    theirs = comment(page, "Answer me")
    await theirs.get_by_role("button", name="Reply").click()
    await theirs.get_by_label("Name").fill("Lan")
    await theirs.locator("textarea").fill("Half a sent")
    await theirs.locator("textarea").evaluate("field => field.setSelectionRange(4, 4)")
    await evaluate_element(page, "await el.refresh()")
    await expect(theirs.locator("textarea")).to_have_value("Half a sent")
    assert await _caret(page) == ["body", "Half a sent", 4, 4]
    await theirs.get_by_role("button", name="Cancel").click()
    await expect(theirs.get_by_role("button", name="Reply")).to_be_focused()
    await theirs.get_by_role("button", name="Reply").click()
    await theirs.get_by_label("Name").fill("Lan")
    await theirs.get_by_role("button", name="Post reply").click()
    await expect(comment(page, "Half a sent")).to_have_count(1)


# ---- toolbar and preview ------------------------------------------------------------------------------------

_TOOLS = [
    ("Bold", "say **this** now", "this"),
    ("Italic", "say *this* now", "this"),
    ("Code", "say `this` now", "this"),
    ("Link", "say [this](https://) now", "https://"),
    ("Quotation", "> say this now", ""),
    ("List", "- say this now", ""),
]


async def test_tools_write_marks_and_undo_takes_them_back(shared: ServerProcess, window: Window, key: str) -> None:
    page = await open_discussion(window, shared, key)
    field = form(page).locator("textarea")
    for name, marked, selected in _TOOLS:
        await field.focus()
        await page.keyboard.press("Control+A")
        await page.keyboard.press("Delete")
        await page.keyboard.type("say this now")
        await field.evaluate("field => field.setSelectionRange(4, 8)")
        await form(page).get_by_role("button", name=name, exact=True).click()
        if selected:
            await expect(field).to_have_value(marked)
            found = await field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)")
            assert found == selected
        else:
            assert (await field.input_value()).startswith(marked[:2]), name
        await page.keyboard.press("Control+Z")
        await expect(field).to_have_value("say this now")


async def test_marks_of_lines_go_before_each_line_that_is_selected(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await open_discussion(window, shared, key)
    field = form(page).locator("textarea")
    await field.fill("one\ntwo\nthree")
    await field.evaluate("field => field.setSelectionRange(5, 9)")
    await form(page).get_by_role("button", name="List", exact=True).click()
    await expect(field).to_have_value("one\n- two\n- three")


async def test_a_preview_is_what_the_server_makes_of_it(shared: ServerProcess, window: Window, key: str) -> None:
    page = await open_discussion(window, shared, key)
    await form(page).locator("textarea").fill("Read **this**:\n\n- https://news.example\n- <b>")
    async with page.expect_response("**/api/v1/preview"):
        await form(page).get_by_role("button", name="Preview").click()
    preview = form(page).locator("[part~=preview]")
    await expect(preview.locator("strong")).to_have_text("this")
    await expect(preview.locator("li a")).to_have_attribute("href", "https://news.example")
    await expect(preview.locator("li").last).to_have_text("<b>")
    stretched = """preview => [...preview.children].map((block) => {
        const text = document.createRange();
        text.selectNodeContents(block);
        return block.getBoundingClientRect().height - text.getBoundingClientRect().height;
    })"""
    assert max(await preview.evaluate(stretched)) < 9, "it is as high as the text was, and not spread over it"
    await form(page).get_by_role("button", name="Preview").click()
    await expect(form(page).locator("textarea")).to_be_focused()
    await expect(preview).to_be_hidden()


# ---- one's own comments -------------------------------------------------------------------------------------


async def test_a_comment_is_edited_in_place(shared: ServerProcess, window: Window, key: str) -> None:
    page = await open_discussion(window, shared, key)
    await write(page, "Lan", "A *first* try")
    own = comments(page).first
    await own.get_by_role("button", name="Edit").click()
    await expect(own.locator("textarea")).to_have_value("A *first* try")
    await own.locator("textarea").fill("A **second** try")
    await own.get_by_role("button", name="Save").click()
    await expect(own.locator("strong")).to_have_text("second")
    await expect(own).to_contain_text("edited")
    await expect(own.locator("textarea")).to_have_count(0)
    await expect(page.locator("tertulia-discussion article").first).to_be_focused()


async def test_a_deletion_can_be_undone_until_the_page_is_left(shared: ServerProcess, window: Window, key: str) -> None:
    page = await open_discussion(window, shared, key)
    mine = await _said(page, "Not for long")
    await mine.get_by_role("button", name="Delete").click()
    await mine.get_by_role("button", name="Undo").click()
    await expect(mine.get_by_role("button", name="Delete")).to_be_visible()
    await expect(page.locator("tertulia-discussion article:focus")).to_contain_text("Not for long")
    await expect(page.locator("tertulia-discussion [role=status]")).to_have_text("Your comment was not deleted.")
    assert await bodies(shared, key) == ["Not for long"]
    await mine.get_by_role("button", name="Delete").click()
    await expect(mine.get_by_role("button", name="Undo")).to_be_focused()
    assert await bodies(shared, key) == ["Not for long"]
    await page.goto("about:blank")
    reader = await open_discussion(window, shared, key)
    await expect(comments(reader)).to_contain_text("deleted by its author")
    assert await bodies(shared, key) == []


async def test_a_deletion_can_be_undone_after_the_list_was_made_anew(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await open_discussion(window, shared, key)
    mine = await _said(page, "Not for long")
    await mine.get_by_role("button", name="Delete").click()
    await evaluate_element(page, "window.before = el.shadowRoot.querySelector('article'); await el.refresh()")
    assert await evaluate_element(page, "return !before.isConnected") is True
    await mine.get_by_role("button", name="Undo").click()
    await expect(mine.get_by_role("button", name="Delete")).to_be_visible()
    assert await bodies(shared, key) == ["Not for long"]
    await mine.get_by_role("button", name="Delete").click()
    await evaluate_element(page, "await el.refresh()")
    await page.goto("about:blank")
    reader = await open_discussion(window, shared, key)
    await expect(comments(reader)).to_contain_text("deleted by its author")


async def test_a_deletion_happens_after_a_while_by_itself(shared: ServerProcess, window: Window, key: str) -> None:
    page = await window("about:blank")
    await page.clock.install()
    await host(page, shared, f'<tertulia-discussion key="{key}"></tertulia-discussion>')
    await shown(page)
    mine = await _said(page, "Soon gone")
    await mine.get_by_role("button", name="Delete").click()
    await page.clock.run_for(7_000)
    assert await bodies(shared, key) == ["Soon gone"]
    await page.clock.run_for(2_000)
    await expect(comments(page)).to_contain_text("deleted by its author")


async def test_a_deletion_that_was_refused_when_the_page_was_left_is_made_at_the_next_visit(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await open_discussion(window, shared, key)
    mine = await _said(page, "Not for long")
    refused: list[str] = []

    async def refuse(route: Route) -> None:
        if route.request.method == "DELETE":
            refused.append(route.request.url)
            await route.fulfill(status=429, headers={"Retry-After": "30"}, json={"status": 429, "code": "rate_limited"})
        else:
            await route.continue_()

    await page.context.route("**/api/v1/comments/*", refuse)
    await mine.get_by_role("button", name="Delete").click()
    await expect(mine).to_contain_text("Deleting…")  # what it takes is loaded by then
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    await expect(mine).to_contain_text("Deleting…")
    assert len(refused) == 1
    assert await bodies(shared, key) == ["Not for long"]
    await page.context.unroute("**/api/v1/comments/*")
    await page.reload()
    await expect(comments(page)).to_contain_text("deleted by its author")
    assert await bodies(shared, key) == []


async def test_votes_are_given_and_taken_back(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Vote on this", key=key)
    page = await open_discussion(window, shared, key)
    theirs = comment(page, "Vote on this")
    await expect(theirs).to_be_visible()
    await expect(theirs.get_by_role("button", name="Like, 0", exact=True)).to_be_enabled()
    mine = await _said(page, "Now I am somebody")
    own = mine.get_by_role("button", name="Like, 0", exact=True)
    await expect(own).to_be_disabled()
    await own.click(force=True)
    await expect(own).to_have_text("0")
    await expect(mine.get_by_role("alert")).to_have_text("You can't vote on your own comment.")
    up, down = theirs.locator("button.up"), theirs.locator("button.down")
    for button, totals, pressed in [(up, "10", "true"), (down, "01", "true"), (down, "00", "false")]:
        await button.click()
        await expect(up).to_have_text(totals[0])
        await expect(down).to_have_text(totals[1])
        await expect(button).to_have_attribute("aria-pressed", pressed)
    await up.click()
    await expect(up).to_have_text("1")
    await page.reload()
    await shown(page)
    await expect(up).to_have_attribute("aria-pressed", "true")


async def test_a_vote_is_shown_at_once_and_taken_back_where_it_is_refused(
    shared: ServerProcess, window: Window, key: str
) -> None:
    await post(shared, "Vote on this", key=key)
    page = await open_discussion(window, shared, key)
    await _said(page, "Now I am somebody")
    up = comment(page, "Vote on this").locator("button.up")
    may_answer = asyncio.Event()

    async def refuse(route: Route) -> None:
        await may_answer.wait()
        await route.fulfill(status=429, json={"status": 429, "code": "rate_limited", "detail": "Not so fast."})

    await page.route("**/vote", refuse)
    await up.click()
    await expect(up).to_have_text("1")
    await expect(up).to_have_attribute("aria-pressed", "true")
    may_answer.set()
    await expect(up).to_have_text("0")
    await expect(up).to_have_attribute("aria-pressed", "false")
    await expect(page.locator("tertulia-discussion [role=status]")).to_have_text("Not so fast.")


# ---- others' comments ---------------------------------------------------------------------------------------


async def test_a_report_reaches_the_moderators(shared: ServerProcess, window: Window, key: str) -> None:
    said = await post(shared, "Buy my watches", key=key)
    page = await open_discussion(window, shared, key)
    theirs = comment(page, "Buy my watches")
    await theirs.get_by_role("button", name="More").click()
    await theirs.get_by_role("menuitem", name="Report").click()
    await theirs.get_by_label("Off topic").check()
    await theirs.locator("textarea").fill("Về đồng hồ")
    await theirs.get_by_role("button", name="Send report").click()
    await expect(theirs).to_contain_text("The moderators will look into it.")
    await expect(theirs.get_by_role("button", name="More")).to_be_focused()
    identity = said["comment"]["id"]
    with sqlite3.connect(f"file:{shared.data_dir}/tertulia.db?mode=ro", uri=True) as database:
        found = database.execute("SELECT reason, note FROM report WHERE comment_id = ?", (identity,)).fetchall()
    database.close()
    assert found == [("off_topic", "Về đồng hồ")]


async def test_escape_within_a_composition_closes_no_form(shared: ServerProcess, window: Window, key: str) -> None:
    """It takes back what a Japanese or Chinese keyboard made of the letters; once more, and the form goes."""
    await post(shared, "Buy my watches", key=key)
    page = await open_discussion(window, shared, key)
    theirs = comment(page, "Buy my watches")
    keyboard = await page.context.new_cdp_session(page)
    for opens in ("Reply", "Report"):
        if opens == "Report":
            await theirs.get_by_role("button", name="More").click()
            await theirs.get_by_role("menuitem", name="Report").click()
        else:
            await theirs.get_by_role("button", name="Reply").click()
        field = theirs.locator("textarea")
        await field.focus()
        await _compose(keyboard, "か", "かん", "かんじ", "漢字")
        await page.keyboard.press("Escape")
        await expect(field).to_have_value("漢字")
        await keyboard.send("Input.insertText", {"text": "漢字"})
        await expect(field).to_have_value("漢字")
        await page.keyboard.press("Escape")
        await expect(field).to_have_count(0)


async def test_a_quotation_goes_into_the_reply(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "One **two** three\n\nfour", key=key)
    page = await open_discussion(window, shared, key)
    theirs = comment(page, "One two three")
    await theirs.get_by_role("button", name="More").click()
    await theirs.get_by_role("menuitem", name="Quote").click()
    await expect(theirs.locator("textarea")).to_have_value("> One **two** three\n> \n> four\n\n")
    await expect(theirs.locator("textarea")).to_be_focused()


async def test_a_copied_link_leads_back(shared: ServerProcess, window: Window, key: str) -> None:
    said = await post(shared, "Link to me", key=key)
    address = f"{shared.url}/d?{urlencode({'key': key})}"
    page = await window(address, permissions=["clipboard-read", "clipboard-write"])
    await shown(page)
    await page.bring_to_front()  # the clipboard is for who has the focus
    theirs = comment(page, "Link to me")
    await theirs.get_by_role("button", name="More").click()
    await theirs.get_by_role("menuitem", name="Copy link").click()
    await expect(page.locator("tertulia-discussion [role=status]")).to_have_text("Link copied")
    link = f"{address}#comment-{said['comment']['id']}"
    assert await page.evaluate("navigator.clipboard.readText()") == link
    await page.reload()
    await expect(page.locator("tertulia-discussion article.target")).to_contain_text("Link to me")


# ---- on the way ---------------------------------------------------------------------------------------------


async def test_what_is_posted_offline_is_sent_once_after_a_reload(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await open_discussion(window, shared, key)
    await page.context.set_offline(True)
    await expect(page.locator("tertulia-discussion [part~=status]")).to_have_text("Offline")
    await write(page, "Lan", "From the tunnel")
    mine = comment(page, "From the tunnel")
    await expect(mine).to_contain_text("Waiting for a connection.")
    await _refuse_posts(page)
    await page.context.set_offline(False)
    await page.reload()
    await shown(page)
    await expect(mine).to_contain_text("Waiting for a connection.")
    assert await bodies(shared, key) == []
    await page.unroute("**/api/v1/comments")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(mine.get_by_role("button", name="Edit")).to_be_visible()
    await expect(mine).not_to_contain_text("Waiting")
    assert await bodies(shared, key) == ["From the tunnel"]
    kept = await page.evaluate("Object.keys(localStorage).filter((name) => name.includes('outbox'))")
    assert kept == []


async def test_who_is_quick_sees_how_long_it_takes(shared: ServerProcess, window: Window, key: str) -> None:
    page = await open_discussion(window, shared, key)
    await _refuse_posts(page, 429, **{"Retry-After": "30"})
    await write(page, "Lan", "In a hurry")
    mine = comment(page, "In a hurry")
    await expect(mine).to_contain_text("You're posting quickly. This will be sent automatically in 30 seconds.")
    await page.unroute("**/api/v1/comments")
    await mine.get_by_role("button", name="Send now").click()
    await expect(mine.get_by_role("button", name="Edit")).to_be_visible()
    assert await bodies(shared, key) == ["In a hurry"]


async def test_what_is_refused_can_be_mended_or_dropped(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Answer me", key=key)
    page = await open_discussion(window, shared, key)
    await evaluate_element(page, "el.addEventListener('tertulia-post-error', (e) => (window.refused = e.detail))")
    await _refuse_posts(page, 422)
    await write(page, "Lan", "Refused")
    mine = comment(page, "Refused")
    await expect(mine).to_contain_text("Not sent. No.")
    assert await page.evaluate("window.refused") == {"status": 422, "code": "a_code"}
    await mine.get_by_role("button", name="Edit").click()
    await expect(mine).to_have_count(0)
    await expect(form(page).locator("textarea")).to_have_value("Refused")
    await expect(form(page).locator("textarea")).to_be_focused()
    theirs = comment(page, "Answer me")
    await theirs.get_by_role("button", name="Reply").click()
    await theirs.locator("textarea").fill("A refused reply")
    await theirs.get_by_role("button", name="Post reply").click()
    answer = comment(page, "A refused reply")
    await expect(answer).to_contain_text("Not sent. No.")
    await theirs.get_by_role("button", name="Reply").click()
    await theirs.get_by_role("button", name="Cancel").click()
    await answer.get_by_role("button", name="Discard").click()
    await expect(answer).to_have_count(0)
    await expect(form(page).locator("textarea")).to_have_value("Refused")
    await theirs.get_by_role("button", name="Reply").click()
    await expect(theirs.locator("textarea")).to_have_value("A refused reply")


async def test_an_edit_outlives_another_form(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Answer me", key=key)
    page = await open_discussion(window, shared, key)
    mine = await _said(page, "First words")
    await mine.get_by_role("button", name="Edit").click()
    await mine.locator("textarea").fill("Better words")
    await comment(page, "Answer me").get_by_role("button", name="Reply").click()
    await expect(mine.locator("textarea")).to_have_count(0)
    await mine.get_by_role("button", name="Edit").click()
    await expect(mine.locator("textarea")).to_have_value("Better words")
    await mine.get_by_role("button", name="Cancel").click()
    await mine.get_by_role("button", name="Edit").click()
    await expect(mine.locator("textarea")).to_have_value("First words")


async def test_a_reply_that_is_put_off_keeps_text_and_name(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Answer me", key=key)
    page = await open_discussion(window, shared, key)
    theirs = comment(page, "Answer me")
    await theirs.get_by_role("button", name="Reply").click()
    await theirs.locator("input").fill("Hương")
    await theirs.locator("textarea").fill("Later")
    await theirs.get_by_role("button", name="Cancel").click()
    await theirs.get_by_role("button", name="Reply").click()
    await expect(theirs.locator("input")).to_have_value("Hương")
    await expect(theirs.locator("textarea")).to_have_value("Later")


async def test_the_server_refuses_in_the_language_of_the_page(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    gone = (await post(shared, "Removed meanwhile", key=key))["comment"]["id"]
    page = await window("about:blank")
    await host(page, shared, f'<tertulia-discussion key="{key}" lang="vi" live="off"></tertulia-discussion>')
    theirs = comment(page, "Removed meanwhile")
    await theirs.get_by_role("button", name="Trả lời").click()
    await moderate("DELETE", f"/comments/{gone}", None)
    await theirs.locator("input").fill("Lan")
    await theirs.locator("textarea").fill("Too late")
    await theirs.get_by_role("button", name="Gửi trả lời").click()
    await expect(comment(page, "Too late")).to_contain_text("Không còn trả lời được bình luận này.")


async def test_what_waits_for_approval_is_shown_to_its_author_alone(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    await moderate("PATCH", f"/discussion?key={key}", {"mode": "held"})
    page = await open_discussion(window, shared, key)
    await expect(page.locator("tertulia-discussion [part~=notice]")).to_contain_text("once a moderator has approved")
    await write(page, "Lan", "May I?")
    mine = comment(page, "May I?")
    await expect(mine.locator("[part~=badge]")).to_have_text("Waiting for approval")
    await expect(page.locator("tertulia-discussion [role=status]")).to_contain_text("Thank you.")
    assert await bodies(shared, key) == []
    held = (await moderate("GET", "/moderation/held", None))["comments"]
    await moderate("POST", f"/comments/{held[-1]['comment']['id']}/approve", None)
    await expect(mine.locator("[part~=badge]")).to_be_hidden()
    await expect(mine.get_by_role("button", name="Edit")).to_be_visible()
