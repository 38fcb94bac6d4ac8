"""The moderators' desk with its script: keys alone, two windows, a connection that is cut, a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, Page, WebSocketRoute, expect

from tests.browser.conftest import Window
from tests.browser.faults import faults
from tests.browser.moderating import Newsroom
from tests.browser.pictures import picture
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    found = ServerProcess(tmp_path_factory.mktemp("desk"))
    yield found
    found.end()


@pytest.fixture
def newsroom(server: ServerProcess, window: Window) -> Newsroom:
    return Newsroom(server, window)


def cards(page: Page) -> Locator:
    return page.locator(".items > .item")


def card(page: Page, comment_id: str) -> Locator:
    return page.locator(f"#item-{comment_id}")


async def says(page: Page, sentence: str) -> None:
    await expect(page.locator("[data-said]")).to_contain_text(sentence)


async def counts(page: Page, queue: str, number: int) -> None:
    await expect(page.locator(f'[data-count="{queue}"]')).to_have_text(str(number))


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


# ---- one moderator --------------------------------------------------------------------------------------


async def test_an_evening_by_keys_alone(newsroom: Newsroom) -> None:
    first, second, third = [await newsroom.say(f"No. {number}") for number in range(3)]
    page = await newsroom.opened("Mai")
    await press(page, "j")
    await expect(card(page, first)).to_be_focused()
    await press(page, "a")
    await says(page, "Approved; 2 waiting")
    await expect(card(page, second)).to_be_focused()
    await press(page, "r")
    await expect(card(page, second).locator("[data-removing] input").first).to_be_focused()
    await press(page, "2")
    await says(page, "Removed; 1 waiting")
    await expect(card(page, third)).to_be_focused()
    await press(page, "s")
    await says(page, "Removed as spam; 0 waiting")
    await expect(cards(page)).to_have_count(0)
    found = await newsroom.decisions(first, second, third)
    assert found == [("comment.approve", ""), ("comment.remove", "abuse"), ("comment.spam", "")]
    await press(page, "u")
    await says(page, "Taken back")
    await expect(card(page, third)).to_be_focused()
    await counts(page, "waiting", 1)
    await press(page, "u", "u")
    await expect(cards(page)).to_have_count(3)
    await newsroom.go(page, "suspected")
    await press(page, "u")
    await says(page, "There is nothing to take back.")


async def test_keys_do_nothing_while_one_writes_or_has_switched_them_off(newsroom: Newsroom) -> None:
    said = await newsroom.say("May I")
    page = await newsroom.opened("Mai")
    await press(page, "j", "r")
    await card(page, said).locator("[data-removing] textarea").press_sequentially("a spam ban")
    await expect(card(page, said)).to_be_visible()
    await press(page, "Escape")
    await expect(card(page, said)).to_be_focused()
    await expect(card(page, said).locator("[data-removing]")).not_to_have_attribute("open", "")
    await press(page, "?")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Approve or keep")
    await dialog.get_by_label("Single keys work").uncheck()
    await press(page, "Escape")
    await expect(dialog).not_to_be_visible()
    await press(page, "j", "a")
    await page.reload()
    await press(page, "j", "a")
    await expect(cards(page)).to_have_count(1)
    await page.get_by_role("button", name="Next comment").click()
    await expect(card(page, said)).to_be_focused()
    assert await newsroom.decisions(said) == [None]


async def test_the_author_is_banned_from_the_card(newsroom: Newsroom) -> None:
    said = await newsroom.say("You are all fools")
    page = await newsroom.opened("Mai")
    await press(page, "j", "b")
    await expect(card(page, said).locator("[data-banning] [type=radio]").first).to_be_focused()
    await press(page, "Enter")
    await says(page, "Banned")
    await newsroom.go(page, "waiting")
    await counts(page, "banned", 1)


async def test_a_network_is_banned_after_a_page_that_says_how_many_that_is(newsroom: Newsroom) -> None:
    said = await newsroom.say("You are all fools")
    page = await newsroom.opened("Mai")
    await press(page, "j", "b")
    await card(page, said).get_by_label("Every guest on this connection").check()
    await card(page, said).locator("[data-banning] button").click()
    await expect(page.get_by_text("guests lately:")).to_be_visible()
    await page.get_by_role("link", name="Cancel").click()
    await expect(card(page, said)).to_be_visible()


async def test_the_buttons_of_the_cards_do_the_same_and_a_second_press_is_for_nobody(newsroom: Newsroom) -> None:
    first, second = [await newsroom.say(f"No. {number}") for number in range(2)]
    page = await newsroom.opened("Mai")
    await card(page, first).get_by_role("button", name=re.compile("Approve")).dblclick()
    await says(page, "Approved; 1 waiting")
    assert await newsroom.decisions(second) == [None]
    await card(page, second).locator("[data-removing] > summary").click()
    await card(page, second).locator('[data-number="1"]').check()
    await card(page, second).locator("[data-removing] textarea").fill("No advertising")
    await press(page, "Control+a")
    await card(page, second).locator("[data-removing] [data-do=remove]").click()
    await says(page, "Removed; 0 waiting")
    await page.get_by_role("button", name="Undo").click()
    await expect(card(page, second)).to_be_focused()
    await expect(card(page, second)).to_contain_text("took a decision back")


async def test_several_at_once(newsroom: Newsroom) -> None:
    ids = [await newsroom.say(f"No. {number}", name=f"Lan {number % 2}") for number in range(6)]
    page = await newsroom.opened("Mai")
    await press(page, "j", "x", "j", "j", "Shift+X")
    await expect(page.locator("[data-picked]")).to_have_text("3 selected")
    await card(page, ids[1]).locator("[data-pick]").uncheck()
    await expect(page.locator("[data-picked]")).to_have_text("2 selected")
    await page.locator("[data-bulk] [data-do=approve]").click()
    await says(page, "Done: 2; 4 waiting")
    approved = ("comment.approve", "")
    assert await newsroom.decisions(*ids[:3]) == [approved, None, approved]
    await card(page, ids[1]).focus()
    await page.locator(".desk-select summary").click()
    await page.get_by_role("button", name="All of this page").click()
    await expect(page.locator("[data-picked]")).to_have_text("4 selected")
    await newsroom.decide(ids[5], "remove")
    await expect(page.locator("[data-picked]")).to_have_text("3 selected")
    await page.locator("[data-bulk] [data-do=spam]").click()
    await says(page, "Done: 3; 0 waiting")
    await press(page, "u")
    await says(page, "Taken back")
    await counts(page, "waiting", 3)


async def test_more_than_a_page_is_chosen_and_decided_in_parts(newsroom: Newsroom) -> None:
    for number in range(104):
        await newsroom.say(f"No. {number}")
    page = await newsroom.opened("Mai")
    await expect(cards(page)).to_have_count(25)
    await press(page, "j")
    await page.locator(".desk-select summary").click()
    await page.get_by_role("button", name="All of this page").click()
    await expect(page.locator("[data-picked]")).to_have_text("104 selected")
    await page.locator("[data-bulk] [data-do=spam]").click()
    await says(page, "Done: 104; 0 waiting")
    await expect(cards(page)).to_have_count(0)


async def test_the_list_is_filled_up_as_it_is_worked_through(newsroom: Newsroom) -> None:
    for number in range(30):
        await newsroom.say(f"No. {number}")
    page = await newsroom.opened("Mai")
    await press(page, "j")
    for number in range(17):
        await press(page, "s")
        await says(page, f"; {29 - number} waiting")
    await expect(cards(page)).to_have_count(13)
    seen = await cards(page).evaluate_all("all => all.map((one) => one.dataset.id)")
    assert len(set(seen)) == 13


# ---- what others do -------------------------------------------------------------------------------------


async def test_what_comes_waits_behind_a_button_and_moves_nothing(newsroom: Newsroom) -> None:
    for number in range(4):
        await newsroom.say(f"No. {number}")
    page = await newsroom.opened("Mai")
    await press(page, "j", "j")
    boxes = "() => [...document.querySelectorAll('.item')].map((one) => one.getBoundingClientRect().top)"
    before = await page.evaluate(boxes)
    new = [await newsroom.say(f"And {number}") for number in range(3)]
    button = page.get_by_role("button", name="3 new")
    await expect(button).to_be_visible()
    await counts(page, "waiting", 7)
    assert await page.title() == "(7) " + (await page.title()).removeprefix("(7) ")
    assert await page.evaluate(boxes) == before
    await button.click()
    await expect(cards(page)).to_have_count(7)
    await expect(card(page, new[0])).to_be_focused()
    await expect(button).not_to_be_visible()


async def test_another_decides_first_and_the_card_says_so_until_nobody_is_at_it(newsroom: Newsroom) -> None:
    first, second, third = [await newsroom.say(f"No. {number}") for number in range(3)]
    page = await newsroom.opened("Mai", viewport={"width": 1100, "height": 1200})
    other = await newsroom.opened("Minh")
    await press(page, "j", "j")
    await press(other, "j", "a", "s")
    for decided, sentence in ((first, "Minh approved this"), (second, "Minh removed this as spam")):
        await expect(card(page, decided).locator(".desk-mark")).to_have_text(sentence)
    await expect(card(page, first)).not_to_be_attached()
    await expect(card(page, second)).to_be_focused()
    before = await card(page, third).bounding_box()
    await press(page, "j")
    await expect(card(page, second)).not_to_be_attached()
    after = await card(page, third).bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] == pytest.approx(before["y"], abs=1)
    await counts(page, "waiting", 1)


async def test_a_decision_that_comes_too_late_shows_what_is_there_now(newsroom: Newsroom) -> None:
    """The event of the other's decision is on its way when one decides oneself."""
    first, second = [await newsroom.say(f"No. {number}") for number in range(2)]
    page = await newsroom.opened("Mai", deaf=True)
    await newsroom.decide(first, "approve")
    await press(page, "j", "s")
    await says(page, "Sáu decided first. Nothing was changed.")
    await expect(card(page, first).locator(".desk-mark")).to_contain_text("Sáu decided first")
    await expect(card(page, first)).to_have_attribute("data-version", "2")
    await expect(card(page, second)).to_be_focused()
    await expect(card(page, first)).not_to_be_attached()
    assert await newsroom.decisions(first) == [("comment.approve", "")]


async def test_an_edit_brings_the_card_anew_with_what_one_has_written(newsroom: Newsroom) -> None:
    said = await newsroom.say("Fisrt")
    page = await newsroom.opened("Mai")
    await press(page, "j", "r")
    await card(page, said).locator("[data-number='2']").check()
    await card(page, said).locator("[data-removing] textarea").fill("Be kind")
    await newsroom.edit(said, "First")
    await expect(card(page, said).locator(".text")).to_have_text("First")
    await expect(card(page, said).locator("[data-removing] textarea")).to_have_value("Be kind")
    await expect(card(page, said).locator("[data-removing] textarea")).to_be_focused()
    await expect(card(page, said).locator("[data-number='2']")).to_be_checked()
    await card(page, said).locator("[data-removing] [data-do=remove]").click()
    await says(page, "Removed; 0 waiting")


async def test_who_looks_at_the_same_comment_is_seen(newsroom: Newsroom) -> None:
    first, second = [await newsroom.say(f"No. {number}") for number in range(2)]
    page, other = await newsroom.opened("Mai"), await newsroom.opened("Minh")
    await press(other, "j")
    await expect(card(page, first).locator(".desk-looking")).to_have_text("Minh is looking")
    await press(other, "j")
    await expect(card(page, second).locator(".desk-looking")).to_have_text("Minh is looking")
    await expect(card(page, first).locator(".desk-looking")).not_to_be_attached()
    await other.close()
    await expect(page.locator(".desk-looking")).not_to_be_attached()


async def test_all_comments_are_asked_for_anew(newsroom: Newsroom) -> None:
    await newsroom.say("No. 1")
    page = await newsroom.opened("Mai", "all")
    new = await newsroom.say("No. 2")
    await page.get_by_role("button", name="1 new").click()
    await expect(card(page, new)).to_be_focused()
    assert await cards(page).first.get_attribute("data-id") == new


# ---- the connection -------------------------------------------------------------------------------------


async def test_a_connection_that_is_cut_loses_nothing_and_brings_nothing_twice(newsroom: Newsroom) -> None:
    await newsroom.say("No. 1")
    page = await newsroom.opened("Mai")
    sockets: list[WebSocketRoute] = []

    def passed(route: WebSocketRoute) -> None:
        sockets.append(route)
        route.connect_to_server()

    await page.route_web_socket(re.compile("/staff/live"), passed)
    await newsroom.go(page, "waiting")
    await newsroom.say("No. 2")
    await expect(page.get_by_role("button", name="1 new")).to_be_visible()
    for number in range(3, 6):
        await sockets[-1].close(code=1011)
        await newsroom.say(f"No. {number}")
        await expect(page.get_by_role("button", name=f"{number - 1} new")).to_be_visible()
    await expect(page.locator(".desk-trouble")).not_to_be_visible()
    afters = [int(re.findall(r"after=(\d+)", route.url)[0]) for route in sockets]
    assert afters == sorted(set(afters)), "each goes on where the last one was"
    await page.get_by_role("button", name="4 new").click()
    await expect(cards(page)).to_have_count(5)
    seen = await cards(page).evaluate_all("all => all.map((one) => one.dataset.id)")
    assert len(set(seen)) == 5


async def test_without_a_network_nothing_is_done_and_that_is_said(newsroom: Newsroom) -> None:
    said = await newsroom.say("No. 1")
    page = await newsroom.opened("Mai")
    await press(page, "j")
    await page.context.set_offline(True)
    await expect(page.locator(".desk-trouble")).to_contain_text("The connection is lost.")
    await press(page, "s")
    await says(page, "There is no connection, so nothing was done.")
    await expect(card(page, said)).to_be_focused()
    await page.context.set_offline(False)
    await expect(page.locator(".desk-trouble")).not_to_be_visible()
    await press(page, "s")
    await says(page, "Removed as spam; 0 waiting")


async def test_a_decision_that_does_not_get_through_comes_back(newsroom: Newsroom) -> None:
    first, second = [await newsroom.say(f"No. {number}") for number in range(2)]
    page = await newsroom.opened("Mai")
    await page.route("**/staff/decisions", lambda route: route.fulfill(status=403, json={"detail": "Not today."}))
    await press(page, "j", "s")
    await says(page, "Not today.")
    await expect(card(page, first)).to_be_focused()
    assert await cards(page).evaluate_all("all => all.map((one) => one.dataset.id)") == [first, second]


async def test_a_session_that_is_over_says_so_and_leads_to_the_sign_in(newsroom: Newsroom) -> None:
    said = await newsroom.say("No. 1")
    page = await newsroom.opened("Mai")
    elsewhere = await page.context.new_page()
    await elsewhere.goto(f"{newsroom.server.url}/staff/ways-in")
    await elsewhere.get_by_role("button", name="Sign out").click()
    await expect(page.locator(".desk-trouble")).to_contain_text("Your session has ended")
    await press(page, "j", "s")
    await says(page, "Your session has ended")
    await expect(card(page, said)).to_be_visible()
    await page.get_by_role("link", name="Sign in again").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


# ---- a phone, and looks ---------------------------------------------------------------------------------


async def test_on_a_phone_the_acts_are_at_the_bottom(newsroom: Newsroom) -> None:
    first, second = [await newsroom.say(f"No. {number} " + "and so on " * 30) for number in range(2)]
    page = await newsroom.opened("Mai", viewport={"width": 360, "height": 640}, has_touch=True)
    await card(page, first).locator(".text").tap()
    bar = page.locator(".desk-bar")
    await expect(bar.get_by_role("button")).to_have_count(4)
    for button in [*(await bar.get_by_role("button").all()), *(await page.locator(".desk-tools button:visible").all())]:
        box = await button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    await picture(page, "desk-phone")
    await bar.get_by_role("button").first.tap()
    await says(page, "Approved; 1 waiting")
    await bar.get_by_role("button", name=re.compile("Remove")).tap()
    await card(page, second).locator("[data-number='3']").check()
    await card(page, second).locator("[data-removing] [data-do=remove]").tap()
    await says(page, "Removed; 0 waiting")
    assert await newsroom.decisions(first, second) == [("comment.approve", ""), ("comment.remove", "hate")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en", "vi", "ar"])
async def test_axe_finds_nothing_and_nothing_is_cut(newsroom: Newsroom, locale: str, scheme: str) -> None:
    first, second, _ = [await newsroom.say(f"Câu số {number}: được không?", name="Lan Hương") for number in range(3)]
    page = await newsroom.opened("Mai", locale=locale, color_scheme=scheme)
    other = await newsroom.opened("Nguyễn Hoàng Phương")
    found: list[str] = []

    async def look(state: str) -> None:
        found.extend(await faults(page, f"desk-{state}-{locale}-{scheme}"))

    await press(page, "j", "x")
    await press(other, "j", "j")
    await expect(card(page, second).locator(".desk-looking")).to_be_visible()
    await newsroom.say("Thêm một câu")
    await expect(page.locator(".desk-fresh")).to_be_enabled()
    await look("cards")
    await press(page, "r")
    await look("removing")
    await press(page, "Escape")
    await newsroom.decide(first, "approve")
    await expect(card(page, first).locator(".desk-mark")).to_be_visible()
    await look("decided")
    await press(page, "?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await look("keys")
    assert found == []
