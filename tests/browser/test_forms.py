"""Forms and what goes away: errors under their fields, the focus, and one's own comments in their places."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import jwt
import pytest
from playwright.async_api import Locator, Page, Route, expect

from tertulia.identity import Tokens, utc_now
from tests.browser.conftest import Moderate, Window
from tests.browser.pages import (
    bodies,
    comment,
    evaluate_element,
    form,
    host,
    open_discussion,
    post,
    texts,
    write,
)
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FOCUSED = """() => {
    const active = document.querySelector('tertulia-discussion').shadowRoot.activeElement;
    const article = active?.closest('article');
    return active && [active.localName, article?.querySelector('.body')?.textContent ?? ''];
}"""


async def _article(page: Page, text: str) -> Locator:
    return page.locator("tertulia-discussion article", has=page.locator(":scope > .box", has_text=text))


# ---- whose error it is --------------------------------------------------------------------------------------


async def _told(field: Locator) -> str:
    """What stands under a field, as who hears the page is told it."""
    return str(
        await field.evaluate("""field => {
        const ids = (field.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean);
        const shown = ids.map((id) => field.getRootNode().getElementById(id)).filter((one) => one?.matches('.error'));
        const below = shown.filter((one) => one.getBoundingClientRect().top >= field.getBoundingClientRect().bottom);
        return below.map((one) => one.textContent).join(' ');
    }""")
    )


async def test_an_error_stands_under_its_field_with_its_subject(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await open_discussion(window, shared, key)
    name, text, send = form(page).get_by_label("Name"), form(page).locator("textarea"), form(page).locator(".submit")
    await send.click()
    assert [await _told(name), await _told(text)] == ["Please enter your name.", "Please write something first."]
    await expect(name).to_be_focused()
    await name.fill("x" * 70)
    await text.fill("y" * 10_001)
    await send.click()
    assert await _told(name) == "Your name is 6 characters too long."
    assert await _told(text) == "Your comment is 1 character too long."
    for field in (name, text):
        await expect(field).to_have_attribute("aria-invalid", "true")
    await name.fill("Lan")
    await text.fill("Short")
    for field in (name, text):
        await expect(field).not_to_have_attribute("aria-invalid", "true")
        assert await _told(field) == ""
    await send.click()
    await expect(comment(page, "Short").get_by_role("button", name="Edit")).to_be_visible()


async def test_what_the_server_refuses_is_told_at_the_field_that_it_names(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await open_discussion(window, shared, key)
    await write(page, "Admin", "Under a reserved name")
    mine = comment(page, "Under a reserved name")
    await expect(mine).to_contain_text("Not sent.")
    await mine.get_by_role("button", name="Edit").click()
    name = form(page).get_by_label("Name")
    await expect(name).to_be_focused()
    assert "belongs to somebody else" in await _told(name)
    assert await _told(form(page).locator("textarea")) == ""


async def test_a_report_has_a_reason_that_was_chosen(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Buy my watches", key=key)
    page = await open_discussion(window, shared, key)
    theirs = comment(page, "Buy my watches")
    await theirs.get_by_role("button", name="More").click()
    await theirs.get_by_role("menuitem", name="Report").click()
    await expect(theirs.get_by_role("radio", checked=True)).to_have_count(0)
    await theirs.get_by_role("button", name="Send report").click()
    await expect(theirs.get_by_role("alert")).to_have_text("Please choose a reason.")
    await expect(theirs.get_by_role("radio").first).to_be_focused()
    await theirs.get_by_label("Illegal content").check()
    await theirs.get_by_role("button", name="Send report").click()
    await expect(theirs).to_contain_text("The moderators will look into it.")


async def test_a_reply_says_whom_it_answers_and_grows(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Answer me", key=key)
    page = await open_discussion(window, shared, key)
    await comment(page, "Answer me").get_by_role("button", name="Reply").click()
    field = comment(page, "Answer me").get_by_role("textbox", name="Reply to A stranger", exact=True)
    await expect(field).to_be_visible()
    height = "field => field.offsetHeight"
    before = int(await field.evaluate(height))
    await field.fill("line\n" * 12)
    after = int(await field.evaluate(height))
    assert after > before + 100
    await field.fill("line\n" * 400)
    assert int(await field.evaluate(height)) <= await page.evaluate("innerHeight * 0.6") + 1


# ---- where the focus goes -----------------------------------------------------------------------------------

Act = Callable[[Page], Awaitable[None]]


async def test_after_a_reply_the_focus_is_on_it(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Answer me", key=key)
    page = await open_discussion(window, shared, key)
    theirs = comment(page, "Answer me")
    await theirs.get_by_role("button", name="Reply").click()
    await theirs.locator("input").fill("Lan")
    await theirs.locator("textarea").fill("Here you are")
    await page.keyboard.press("Control+Enter")
    await page.wait_for_function(f"JSON.stringify(({FOCUSED})()) === JSON.stringify(['article', 'Here you are'])")
    await expect(comment(page, "Here you are").get_by_role("button", name="Edit")).to_be_visible()
    assert await page.evaluate(FOCUSED) == ["article", "Here you are"], "also once it is answered"


async def test_what_goes_away_hands_the_focus_on(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    gone = (await post(shared, "Removed under the reader", key=key))["comment"]["id"]
    await post(shared, "Stays", key=key)
    page = await open_discussion(window, shared, key, "sort=oldest")
    await comment(page, "Removed under the reader").get_by_role("button", name="Reply").focus()
    await moderate("DELETE", f"/comments/{gone}", None)
    await page.wait_for_function(f"({FOCUSED})()?.[1].includes('removed by a moderator')")
    await page.route("**/api/v1/comments", lambda route: route.fulfill(status=422, json={"detail": "No."}))
    await write(page, "Lan", "Refused")
    await comment(page, "Refused").get_by_role("button", name="Discard").click()
    await page.wait_for_function(f"({FOCUSED})()?.[0] === 'article'")


async def test_buttons_of_a_comment_are_called_after_its_author(
    shared: ServerProcess, window: Window, key: str
) -> None:
    """Of a hundred buttons that say "More" each belongs to somebody's comment."""
    for name in ("Lan", "Minh"):
        await post(shared, f"Said by {name}", key=key, author={"name": name})
    page = await open_discussion(window, shared, key)
    for name in ("Lan", "Minh"):
        box = comment(page, f"Said by {name}")
        more = box.get_by_role("button", name=f"More actions for {name}", exact=True)
        await expect(more).to_have_text("More")
        await expect(box.get_by_role("button", name=f"Reply to {name}", exact=True)).to_have_text("Reply")
    await write(page, "Ba", "Said just now")
    await expect(comment(page, "Said just now").get_by_role("button", name="More actions for Ba")).to_be_visible()


async def test_the_menu_closes_and_gives_the_focus_back(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Look closer", key=key)
    page = await open_discussion(window, shared, key)
    theirs = comment(page, "Look closer")
    more, menu = theirs.get_by_role("button", name="More"), theirs.get_by_role("menu")
    await more.click()
    await expect(more).to_have_attribute("aria-expanded", "true")
    items = theirs.get_by_role("menuitem")
    await expect(items.first).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(items.last).to_be_focused()
    await page.keyboard.press("Home")
    await expect(items.first).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(menu).to_have_count(0)
    await expect(more).to_be_focused()
    await expect(more).to_have_attribute("aria-expanded", "false")
    await more.click()
    await page.mouse.click(5, 5)
    await expect(menu).to_have_count(0)
    await more.click()
    await more.click()
    await expect(menu).to_have_count(0)
    await more.press("Enter")
    await expect(items.first).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(menu).to_have_count(0)


# ---- on the way ---------------------------------------------------------------------------------------------


async def test_what_was_written_offline_moves_to_its_place(shared: ServerProcess, window: Window, key: str) -> None:
    for text in ("One", "Two"):
        await post(shared, text, key=key)
    page = await open_discussion(window, shared, key, "sort=oldest")

    async def refuse(route: Route) -> None:
        await (route.abort() if route.request.method == "POST" else route.continue_())

    await page.route("**/api/v1/comments", refuse)
    await write(page, "Lan", "Written in a tunnel")
    mine = comment(page, "Written in a tunnel")
    await expect(mine.get_by_role("button", name="Send now")).to_be_visible()
    await post(shared, "Three, meanwhile", key=key)
    await expect(comment(page, "Three, meanwhile")).to_have_count(1)
    top = "box => box.getBoundingClientRect().top"
    before = await comment(page, "One").evaluate(top)
    # it is sent by itself, soon
    await page.unroute("**/api/v1/comments")
    await expect(mine.get_by_role("button", name="Edit")).to_be_visible()
    assert await texts(page) == await bodies(shared, key)
    assert await comment(page, "One").evaluate(top) == before


# ---- members ------------------------------------------------------------------------------------------------


async def test_members_follow_the_account_of_the_site(shared: ServerProcess, window: Window, key: str) -> None:
    """Another one has come, or nobody is left: the next page knows, and a failure changes nothing."""
    secret = (shared.data_dir / "secret-key").read_text("utf-8").strip().encode()

    def token(number: int, name: str) -> str:
        made = Tokens(secret).issue(f"019abcde-0000-7000-8000-00000000000{number}", name, "default", utc_now())
        claims = jwt.decode(made, options={"verify_signature": False})
        return jwt.encode(claims | {"member": True}, secret, algorithm="HS256")

    answers: list[tuple[int, str]] = [(200, json.dumps({"token": token(1, "Minh")}))]
    asked: list[int] = []

    async def answer(route: Route) -> None:
        status, body = answers[-1]
        asked.append(status)
        await route.fulfill(status=status, body=body, content_type="application/json")

    page = await window("about:blank")
    await page.route("**/who", answer)
    two = f'<tertulia-discussion key="{key}" token-endpoint="/who"></tertulia-discussion>'
    await host(page, shared, two)
    name = page.locator("tertulia-discussion .sign-in")
    await expect(name).to_have_text("Signed in as Minh")
    assert len(asked) == 1
    answers.append((503, ""))
    await page.reload()
    await expect(name).to_have_text("Signed in as Minh")
    await page.wait_for_function("performance.getEntriesByName(location.origin + '/who').length === 1")
    await expect(name).to_have_text("Signed in as Minh")
    answers.append((200, json.dumps({"token": token(2, "Thu")})))
    await page.reload()
    await expect(name).to_have_text("Signed in as Thu")
    answers.append((401, ""))
    await page.reload()
    button = page.get_by_role("button", name="Sign in to comment")
    await expect(button).to_be_visible()
    answers.append((200, json.dumps({"token": token(2, "Thu")})))
    await button.click()
    await expect(name).to_have_text("Signed in as Thu")
    await page.evaluate("document.addEventListener('tertulia-sign-out', () => { window.left = true })")
    await page.get_by_role("button", name="Not you? Sign out").click()
    await page.wait_for_function("window.left")
    await expect(button).to_be_focused()
    await page.reload()
    await expect(button).to_be_visible()
    await evaluate_element(page, "return el.refresh()")
    await expect(button).to_be_visible()
    await button.click()
    await expect(name).to_have_text("Signed in as Thu")
