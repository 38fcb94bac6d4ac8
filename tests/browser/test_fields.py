"""No field of any page of the server makes a phone zoom in: iOS does so below 16 px. The element's: test_looks.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import ARTICLE, Window, tertulia
from tests.browser.pages import shown
from tests.browser.scripts import script
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FIELDS = script("fields")
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    found = ServerProcess(tmp_path_factory.mktemp("fields"), ["--with-samples", "--playground", "true", "--search"])
    yield found
    found.end()


async def _small(page: Page, least: int) -> dict[str, float]:
    """The fields of the page and of its frames that are too small; fails if there were fewer than ``least``."""
    await expect(page.locator("input:not([type=hidden]), select, textarea").first).to_be_attached()
    found = [one for frame in page.frames for one in await frame.evaluate(FIELDS)]
    assert len(found) >= least, found
    return {what: size for what, size in found if size < 16}


@pytest.mark.parametrize(
    ("path", "least"),
    [
        (f"/articles/{ARTICLE}", 2),
        (f"/d?key={ARTICLE}", 2),
        (f"/frame?key={ARTICLE}", 2),
        ("/search?q=river", 1),
        ("/staff/sign-in", 1),
    ],
)
@pytest.mark.parametrize("is_scripted", [True, False])
async def test_no_field_of_a_page_is_small(
    server: ServerProcess, window: Window, path: str, least: int, is_scripted: bool
) -> None:
    page = await window(server.url + path, java_script_enabled=is_scripted, **PHONE)
    assert await _small(page, least) == {}


async def test_no_field_of_the_playground_is_small(server: ServerProcess, window: Window) -> None:
    page = await window(f"{server.url}/playground", **PHONE)
    await page.locator(".switches summary").click()
    await expect(page.locator(".switches select").first).to_be_attached()
    assert await _small(page, 8) == {}


async def test_no_field_of_the_staffs_pages_is_small(server: ServerProcess, window: Window) -> None:
    given = ("--site", "default", "--role", "owner", "--public-url", server.url, "--data-dir", str(server.data_dir))
    page = await window(tertulia("staff", "invite", "Mai", *given).strip(), **PHONE)
    await page.get_by_role("button").click()
    await page.wait_for_url("**/staff/sites/default/desk/*")
    small: dict[str, float] = {}
    for path, least in (("", 2), ("/tokens", 1)):
        await page.goto(f"{server.url}/staff/sites/default{path}")
        small |= await _small(page, least)
        await page.locator("#name").fill("Minh")
        for choice in await page.locator("input[type=checkbox][value=read]").all():
            await choice.check()
        await page.locator("form:has(#name) button[type=submit]").last.click()
        await expect(page.locator(".secret")).to_be_visible()
        small |= await _small(page, least + 1)
    assert small == {}


async def test_no_field_of_the_element_on_an_article_is_small(server: ServerProcess, window: Window) -> None:
    page = await window(f"{server.url}/articles/{ARTICLE}", **PHONE)
    await page.locator("tertulia-discussion").scroll_into_view_if_needed()
    await shown(page)
    await page.locator("tertulia-discussion .actions > .action").first.click()
    await expect(page.locator("tertulia-discussion article form textarea")).to_be_visible()
    assert await _small(page, 3) == {}
