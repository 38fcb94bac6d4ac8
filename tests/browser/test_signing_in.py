"""Signing in at a provider from a page of another site, in a real browser: in a window, cut off from it, or without."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.neighbours import COOP, Neighbours, open_neighbours
from tests.browser.pages import comment, write

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    async with open_neighbours(tmp_path_factory.mktemp("signing-in")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, place: Neighbours) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context()
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    await opened.close()
    place.provider.headers = {}


async def _go(context: BrowserContext, place: Neighbours, headers: dict[str, str]) -> Page:
    page = await context.new_page()
    await page.goto(place.page(headers))
    await expect(page.locator("body")).to_have_attribute("data-took", "false")
    await page.locator("textarea").fill("What I was about to say")
    return page


async def _is_signed_in(page: Page, place: Neighbours) -> None:
    """With what was typed still there, and no cookie of ours for the page's site."""
    assert await place.name_of(page) == "Lan"
    assert await page.locator("textarea").input_value() == "What I was about to say"
    assert "tertulia=" not in page.url
    assert await page.context.cookies(place.host.url) == []
    assert await page.evaluate("localStorage.getItem('tertulia:sign-in')") is None


WAYS = {
    "nothing": ({}, {}, "here: Lan"),
    "the page": (COOP, {}, "in another window"),
    "the provider": ({}, COOP, "in another window"),
    "both": (COOP, COOP, "in another window"),
}


@pytest.mark.parametrize(("of_page", "of_provider", "told"), WAYS.values(), ids=WAYS)
async def test_a_reader_signs_in_in_a_window_whoever_cuts_it_off(
    context: BrowserContext, place: Neighbours, of_page: dict[str, str], of_provider: dict[str, str], told: str
) -> None:
    place.provider.headers = of_provider
    page = await _go(context, place, of_page)
    async with context.expect_page() as opening:
        await page.locator("button").click()
    popup = await opening.value
    async with popup.expect_event("close"):
        await popup.locator("#yes").click()
    await expect(page.locator("output")).to_have_text(told)
    await _is_signed_in(page, place)


@pytest.mark.parametrize("of_page", [{}, COOP], ids=["plain", "cut off"])
async def test_what_a_guest_said_is_the_members_who_signs_in_at_a_provider(
    context: BrowserContext, place: Neighbours, of_page: dict[str, str]
) -> None:
    page = await context.new_page()
    await page.goto(place.discussion(of_page))
    await write(page, "Guest", "Said before")
    said = comment(page, "Said before")
    await expect(said.get_by_role("button", name="Edit")).to_be_visible()
    guest = await page.evaluate(f"localStorage.getItem('tertulia:token:{place.here}:default')")
    async with context.expect_page() as opening:
        await page.locator("#in").click()
    popup = await opening.value
    await popup.locator("#yes").click()
    await expect(page.locator("tertulia-discussion .sign-in")).to_have_text("Signed in as Lan")
    assert guest not in await page.evaluate("JSON.stringify(localStorage)")
    other = await context.new_page()
    await other.goto(page.url)
    for one in (page, other):
        await expect(comment(one, "Said before").get_by_role("button", name="Edit")).to_be_visible()
    await comment(other, "Said before").get_by_role("button", name="Edit").click()
    await other.locator("article textarea").fill("Said by the member")
    await other.get_by_role("button", name="Save").click()
    mine = comment(page, "Said by the member")
    await expect(mine.locator("[part~=author]")).to_have_text("Guest")
    await page.reload()
    await mine.get_by_role("button", name="Delete").click()
    await expect(comment(other, "Said by the member")).to_have_count(0)


@pytest.mark.parametrize("of_page", [{}, COOP], ids=["plain", "cut off"])
async def test_where_no_window_opens_the_page_goes_and_comes_back(
    context: BrowserContext, place: Neighbours, of_page: dict[str, str]
) -> None:
    await context.add_init_script("window.open = () => null")
    page = await _go(context, place, of_page)
    await page.locator("button").click()
    await page.locator("#yes").click()
    await expect(page.locator("output")).to_have_text("here: Lan")
    assert page.url == f"{place.host.url}/page?from=front"
    await _is_signed_in(page, place)


@pytest.mark.parametrize("of_page", [{}, COOP], ids=["plain", "cut off"])
async def test_who_closes_the_window_tries_again(
    context: BrowserContext, place: Neighbours, of_page: dict[str, str]
) -> None:
    page = await _go(context, place, of_page)
    for attempt in range(2):
        async with context.expect_page() as opening:
            await page.locator("button").click()
        popup = await opening.value
        await expect(popup.locator("#yes")).to_be_visible()
        if attempt == 0:
            await popup.close()
    await popup.locator("#yes").click()
    await expect(page.locator("output")).to_have_text("in another window" if of_page else "here: Lan")
    assert await place.name_of(page) == "Lan"
    assert await page.locator("textarea").input_value() == "What I was about to say"


async def test_a_link_that_a_stranger_made_signs_nobody_in(context: BrowserContext, place: Neighbours) -> None:
    page = await context.new_page()
    await page.goto(place.page({}).replace("#top", f"#tertulia={'c' * 43}.{'s' * 43}"))
    await expect(page.locator("body")).to_have_attribute("data-took", "false")
    assert page.url == f"{place.host.url}/page?from=front"
    assert await page.evaluate("localStorage.getItem('token')") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_that_says_what_failed_is_whole_on_a_phone(
    browser: Browser, place: Neighbours, scheme: str
) -> None:
    phone = await browser.new_context(viewport={"width": 360, "height": 640}, color_scheme=scheme)  # type: ignore[arg-type]
    page = await phone.new_page()
    query = f"site=default&state={'s' * 43}&challenge={'c' * 43}&return={place.host.url}/page"
    await page.goto(f"{place.here}/signin/nowhere?{query}")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_role("link", name="Back to the page")).to_have_attribute("href", f"{place.host.url}/page")
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await phone.close()
