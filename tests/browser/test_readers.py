"""Several elements on one page: they have one reader, where they are of one server and site, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Window, tertulia
from tests.browser.pages import host, post
from tests.browser.test_storage import KEEPING_NOTHING
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SET_TOKEN = "(element, token) => element.setToken(token)"


def _element(key: str, attributes: str = "") -> str:
    return f'<tertulia-discussion key="{key}" loading="eager" {attributes}></tertulia-discussion>'


async def _open(window: Window, server: ServerProcess, *elements: str, storage: str = "") -> list[Locator]:
    """The elements, once they are connected and have all their files."""
    page: Page = await window("about:blank")
    await page.add_init_script(storage)
    await host(page, server, "".join(elements))
    found = [page.locator("tertulia-discussion").nth(index) for index in range(len(elements))]
    for one in found:
        await expect(one.locator("[part~=status][data-state=live]")).to_be_attached()
        await expect(one.locator(".write")).to_be_attached()
    return found


async def _write(element: Locator, name: str, text: str) -> None:
    await element.get_by_label("Name").fill(name)
    await element.locator(".compose textarea").fill(text)
    await element.get_by_role("button", name="Post comment").click()
    await expect(element.locator("[part~=body]", has_text=text)).to_be_visible()


async def _own(element: Locator, number: int) -> None:
    await expect(element.get_by_role("button", name="Edit")).to_have_count(number)
    await expect(element.get_by_role("button", name="Delete")).to_have_count(number)


@pytest.mark.parametrize("storage", ["", KEEPING_NOTHING["null"]], ids=["kept", "null"])
async def test_two_elements_of_a_discussion_know_the_same_guest(
    shared: ServerProcess, window: Window, key: str, storage: str
) -> None:
    await post(shared, "Somebody else's", key=key)
    element = _element(key, 'composer="bottom"')
    one, other = await _open(window, shared, element, element, storage=storage)
    await _write(one, "Lan", "Mine in both")
    await _own(one, 1)
    await _own(other, 1)
    await _write(other, "Lan", "From the second")
    await _own(other, 2)
    # whose end is not in view there, it waits as all arrivals do
    await one.locator("[part~=pill-button]").click()
    await _own(one, 2)


async def test_discussions_of_a_site_know_the_same_reader(shared: ServerProcess, window: Window, key: str) -> None:
    mine = await post(shared, "Written on another day", key=f"{key}-b")
    await post(shared, "Somebody else's", key=f"{key}-a")
    elements = [_element(f"{key}-{which}", 'composer="bottom"') for which in "ab"]
    one, other = await _open(window, shared, *elements)
    await _own(other, 0)
    await one.evaluate(SET_TOKEN, mine["token"])
    await _own(other, 1)
    await _own(one, 0)
    await other.evaluate(SET_TOKEN, None)
    await _own(other, 0)
    await _write(one, "Lan", "As a new guest")
    await _own(one, 1)
    await _own(other, 0)


async def test_a_draft_survives_that_the_reader_became_known(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Already here", key=key)
    element = _element(key, 'composer="bottom"')
    one, other = await _open(window, shared, element, element)
    await other.get_by_role("button", name="Reply").click()
    reply = other.locator("article textarea")
    await reply.fill("Half an answer")
    await _write(one, "Lan", "Meanwhile")
    await _own(other, 1)
    await expect(reply).to_have_value("Half an answer")


async def test_other_sites_and_servers_have_readers_of_their_own(
    shared: ServerProcess, window: Window, key: str, tmp_path: Path
) -> None:
    second = ServerProcess(tmp_path, ["--allowed-origins", shared.url])
    try:
        tertulia("site", "add", "news", "--origin", shared.url, "--data-dir", str(second.data_dir))
        away = f'server="{second.url}" composer="bottom"'
        elements = [_element(key, 'composer="bottom"'), _element(key, away), _element(key, f'{away} site="news"')]
        for server, site in ((shared, "default"), (second, "default"), (second, "news")):
            await post(server, "Already here", key=key, site=site)
        here, there, news = await _open(window, shared, *elements)
        for number, element in enumerate((here, there, news)):
            await _write(element, "Lan", f"Said in {number}")
            await _own(element, 1)
        tokens = await here.evaluate("() => Object.keys(localStorage).filter((one) => one.includes(':token:')).length")
        assert tokens == 3
        await there.evaluate(SET_TOKEN, None)
        await _own(there, 0)
        await _own(here, 1)
        await _own(news, 1)
    finally:
        second.end()
