"""Signing in, writing and one's own page in a browser without scripts; on a phone and on a desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import Window
from tests.browser.faults import faults
from tests.browser.mailing import MailingServer, open_mailing

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MailingServer]:
    async with open_mailing(tmp_path_factory.mktemp("own")) as found:
        yield found


async def look(page: Page, state: str, found: list[str], scripts: bool) -> None:
    if scripts:
        found += await faults(page, f"own-{state}")


@pytest.mark.parametrize(
    ("locale", "scheme", "scripts", "name"),
    [
        ("en", "light", False, "Nguyễn Thị Lan"),
        ("en", "light", True, "Trần Văn Minh"),
        ("vi", "dark", True, "Lê Thị Hoa"),
    ],
)
async def test_a_reader_signs_in_writes_and_looks_at_their_own_page(
    place: MailingServer, window: Window, locale: str, scheme: str, scripts: bool, name: str
) -> None:
    """The pages have no script, but axe is one: it looks where they are on."""
    found: list[str] = []
    talk = f"{place.server.url}/d?site=default&key=own-{locale}-{scripts}"
    page = await window(talk, locale=locale, color_scheme=scheme, java_script_enabled=scripts)
    if scripts:  # where the element has a panel of its own
        await page.goto(f"{place.server.url}/sign-in?{urlencode({'return': talk.removeprefix(place.server.url)})}")
    else:
        await page.locator(".account a").click()
    await look(page, f"sign-in-{locale}-{scheme}", found, scripts)
    since = len(place.smtp.mail)
    await page.locator("#email").fill(f"lan.{locale}.{scripts}@example.com")
    await page.locator(".composer button").click()
    await expect(page.locator("#code")).to_be_visible()
    await look(page, f"code-{locale}-{scheme}", found, scripts)
    await page.locator("#code").fill(await place.smtp.code(since))
    await page.locator(".composer button").click()
    await page.locator("#name").fill(name)
    await look(page, f"name-{locale}-{scheme}", found, scripts)
    await page.locator(".composer button").click()
    await expect(page.locator(".account bdi")).to_have_text(name)
    await page.locator("textarea").fill("Good evening.")
    await page.locator(".composer button").click()
    await expect(page.locator(".comment .author")).to_have_text(name)
    await look(page, f"signed-in-{locale}-{scheme}", found, scripts)
    await page.locator(".account a").click()
    await expect(page.locator("#sessions")).to_be_visible()
    await look(page, f"me-{locale}-{scheme}", found, scripts)
    await page.locator("section form button").last.click()
    await expect(page.locator("#email")).to_be_visible()
    assert found == []
