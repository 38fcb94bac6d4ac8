"""Votes of readers who have said nothing: one press, one guest, also without a connection and without a script."""

from __future__ import annotations

from contextlib import suppress

import pytest
from playwright.async_api import Error, Locator, Page, Route, expect

from tests.browser.conftest import Window
from tests.browser.pages import comment, comments, host, open_discussion, post, shown, write
from tests.support.api_client import AsyncApiClient
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SENT = ("authorization", "content-type", "idempotency-key")


async def _votes(server: ServerProcess, key: str) -> list[dict[str, int]]:
    """What everybody is told of each comment, oldest first."""
    return [one["votes"] for one in (await AsyncApiClient(server.url, key).snapshot())["comments"]]


def _up(page: Page, text: str) -> Locator:
    return comment(page, text).locator("button.up")


async def test_one_press_likes_for_whoever_reads(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Like me", key=key)
    page = await open_discussion(window, shared, key)
    up = _up(page, "Like me")
    async with page.expect_response("**/vote"):
        await up.click()
    await expect(up).to_have_text("1")
    await expect(up).to_have_accessible_name("Like, 1")
    assert await _votes(shared, key) == [{"up": 1, "down": 0}]
    await page.reload()
    await shown(page)
    await expect(up).to_have_attribute("aria-pressed", "true")
    await up.click()
    await expect(up).to_have_text("0")
    await expect(up).to_have_attribute("aria-pressed", "false")


async def test_who_liked_is_who_writes_then(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Like me", key=key)
    page = await open_discussion(window, shared, key)
    await _up(page, "Like me").click()
    await write(page, "Lan", "Well said")
    await expect(comment(page, "Well said").get_by_role("button", name="Edit")).to_be_visible()
    await page.reload()
    await shown(page)
    await expect(_up(page, "Like me")).to_have_attribute("aria-pressed", "true")
    await expect(comment(page, "Well said").get_by_role("button", name="Delete")).to_be_visible()
    async with page.expect_response("**/vote"):
        await _up(page, "Like me").click()
    await expect(_up(page, "Like me")).to_have_text("0")
    assert await _votes(shared, key) == [{"up": 0, "down": 0}] * 2


async def test_a_vote_without_a_connection_is_given_once_there_is_one(
    shared: ServerProcess, window: Window, key: str
) -> None:
    """Also over a reload, and by the guest who wrote meanwhile: a lost answer makes no second one."""
    await post(shared, "Like me", key=key)
    page = await open_discussion(window, shared, key)
    lost: list[str] = []

    async def lose(route: Route) -> None:
        # the server has it, and nobody hears of it
        request = route.request
        lost.append(request.url)
        headers = {name: value for name, value in request.headers.items() if name in SENT}
        await page.context.request.fetch(request.url, method="PUT", headers=headers, data=request.post_data)
        with suppress(Error):  # the page may have been left meanwhile
            await route.abort()

    await page.context.route("**/vote", lose)
    await _up(page, "Like me").click()
    await expect(_up(page, "Like me")).to_have_text("1")
    await page.wait_for_function("Object.keys(localStorage).some((name) => name.startsWith('tertulia:votes:'))")
    await write(page, "Lan", "Well said")
    await expect(comment(page, "Well said").get_by_role("button", name="Edit")).to_be_visible()
    await page.reload()
    await shown(page)
    await expect(_up(page, "Like me")).to_have_attribute("aria-pressed", "true")
    await page.context.unroute("**/vote")
    await page.reload()
    await page.wait_for_function("!Object.keys(localStorage).some((name) => /:(votes|guest):/.test(name))")
    await expect(_up(page, "Like me")).to_have_text("1")
    assert lost
    assert (await _votes(shared, key))[0] == {"up": 1, "down": 0}


async def test_every_row_is_the_same_and_a_count_moves_nothing(shared: ServerProcess, window: Window, key: str) -> None:
    for text in ("First", "Second"):
        await post(shared, text, key=key)
    page = await open_discussion(window, shared, key, "sort=oldest")
    rows = comments(page).locator(".actions")
    names = "row => [...row.querySelectorAll('button')].map((one) => one.className)"
    assert await rows.nth(0).evaluate(names) == await rows.nth(1).evaluate(names)
    places = "row => [...row.querySelectorAll('button')].map((one) => one.getBoundingClientRect().toJSON())"
    before = await rows.nth(0).evaluate(places)
    async with page.expect_response("**/vote"):
        await _up(page, "First").click()
    await expect(_up(page, "First")).to_have_text("1")
    assert await rows.nth(0).evaluate(places) == before


async def test_strangers_are_asked_to_sign_in_where_readers_do(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Like me", key=key)
    page = await window("about:blank")
    await page.route("**/who", lambda route: route.fulfill(status=401))
    await host(page, shared, f'<tertulia-discussion key="{key}" token-endpoint="/who"></tertulia-discussion>')
    await shown(page)
    asked = "document.addEventListener('tertulia-auth-required', () => { window.asked = true })"
    await page.evaluate(asked)
    await _up(page, "Like me").click()
    await page.wait_for_function("window.asked")
    assert await _votes(shared, key) == [{"up": 0, "down": 0}]


async def test_likes_without_a_script(shared: ServerProcess, window: Window, key: str) -> None:
    said = await post(shared, "Like me", key=key)
    page = await window(f"{shared.url}/d?key={key}", java_script_enabled=False)
    button = page.get_by_role("button", name="Like, 0", exact=True)
    await button.click()
    await expect(page).to_have_url(f"{shared.url}/d?site=default&key={key}#comment-{said['comment']['id']}")
    await expect(page.get_by_role("button", name="Like, 1", exact=True)).to_be_visible()
    assert await _votes(shared, key) == [{"up": 1, "down": 0}]
