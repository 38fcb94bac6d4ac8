"""Storage in every form in which a page may have it: what somebody sends goes out, and what is typed stays."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Window
from tests.browser.pages import bodies, comment, evaluate_element, form, host, post, shown, write
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

_NO = "const no = () => { throw new DOMException('no', 'SecurityError') };"
_REPLACE = "Object.defineProperty(window, name, { configurable: true, get: () => value })"


def _each(value: str) -> str:
    """A script that puts ``value`` in the place of both storages."""
    return f"for (const name of ['localStorage', 'sessionStorage']) {{ const value = {value}; {_REPLACE}; }}"


_QUIET = "{ getItem: () => null, setItem() {}, removeItem() {}, clear() {}, key: () => null, length: 0 }"
KEEPING_NOTHING = {
    "undefined": _each("undefined"),
    "null": _each("null"),
    "throws on touching": _NO + _each("0").replace("get: () => value", "get: no"),
    "throws on get": _NO + "Storage.prototype.getItem = no;",
    "throws on set": _NO + "Storage.prototype.setItem = no;",
    "full": "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') };",
    "keeps quietly nothing": _each(_QUIET),
    "another's values": _each(_QUIET.replace("() => null, s", "() => '{}', s")),
}


async def _open(window: Window, server: ServerProcess, key: str, storage: str) -> Page:
    page = await window("about:blank")
    await page.add_init_script(storage)
    await host(page, server, f'<tertulia-discussion key="{key}"></tertulia-discussion>')
    await shown(page)
    return page


@pytest.mark.parametrize("storage", KEEPING_NOTHING.values(), ids=KEEPING_NOTHING.keys())
async def test_a_comment_goes_out_whatever_the_storage_is(
    shared: ServerProcess, window: Window, key: str, storage: str
) -> None:
    await post(shared, "Already here", key=key)
    page = await _open(window, shared, key, storage)
    await write(page, "Lan", "Said without storage")
    await expect(comment(page, "Said without storage").get_by_role("button", name="Edit")).to_be_visible()
    await write(page, "Lan", "Said by the same guest")
    await expect(comment(page, "Said by the same guest").get_by_role("button", name="Edit")).to_be_visible()
    await expect(comment(page, "Said without storage").get_by_role("button", name="Edit")).to_be_visible()
    theirs = comment(page, "Already here")
    await theirs.get_by_role("button", name="Reply").click()
    await theirs.locator("textarea").fill("Half an answer")
    await theirs.get_by_role("button", name="Cancel").click()
    await theirs.get_by_role("button", name="Reply").click()
    await expect(theirs.locator("textarea")).to_have_value("Half an answer")
    assert await bodies(shared, key) == ["Already here", "Said without storage", "Said by the same guest"]


@pytest.mark.parametrize("storage", ["null", "keeps quietly nothing"])
async def test_what_cannot_be_sent_at_once_is_sent_later_without_storage(
    shared: ServerProcess, window: Window, key: str, storage: str
) -> None:
    page = await _open(window, shared, key, KEEPING_NOTHING[storage])
    refused = 0

    async def refuse_twice(route: object) -> None:
        nonlocal refused
        refused += 1
        await (route.abort() if refused <= 2 else route.continue_())  # type: ignore[attr-defined]

    await page.route("**/api/v1/comments", refuse_twice)
    await write(page, "Lan", "From the tunnel")
    mine = comment(page, "From the tunnel")
    await expect(mine).to_be_visible()
    await expect(mine.get_by_role("button", name="Edit")).to_be_visible()
    assert await bodies(shared, key) == ["From the tunnel"]


async def test_a_storage_that_is_emptied_between_two_calls_loses_no_comment(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await _open(window, shared, key, "")
    await page.route("**/api/v1/comments", lambda route: route.abort())
    await write(page, "Lan", "On its way")
    mine = comment(page, "On its way")
    await expect(mine).to_contain_text("Send now")
    await page.evaluate("localStorage.clear()")
    await page.unroute("**/api/v1/comments")
    await expect(mine.get_by_role("button", name="Edit")).to_be_visible()
    await mine.get_by_role("button", name="Delete").click()
    await page.evaluate("localStorage.clear()")
    await evaluate_element(page, "dispatchEvent(new PageTransitionEvent('pagehide'))")
    await expect(page.locator("tertulia-discussion")).to_contain_text("deleted by its author")


async def test_a_storage_that_keeps_is_used(shared: ServerProcess, window: Window, key: str) -> None:
    page = await _open(window, shared, key, "")
    await form(page).locator("textarea").fill("Half a thought")
    await expect(form(page).locator("[part~=hint]")).to_have_text("Draft saved on this device")
    await page.reload()
    await shown(page)
    await expect(form(page).locator("textarea")).to_have_value("Half a thought")
