"""Who reads with a screen reader, a keyboard, large letters or little contrast: what axe finds, and what it cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser import hosts
from tests.browser.conftest import Window
from tests.browser.hosts import COLOURS, LANGUAGES, PLAIN, World, open_world, ready

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DARK = "html { background: #121212; color: #e8e8e8 }"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("accessibility")) as opened:
        yield opened


class Examiner:
    """Lets axe look at one state after another, on the light page and on a dark one."""

    def __init__(self) -> None:
        self.found: list[str] = []

    async def look(self, page: Page, state: str) -> None:
        await self._run(page, state, {"type": "tag", "values": RULES})
        await page.add_style_tag(content=DARK)
        await self._run(page, f"{state}, dark", {"type": "rule", "values": ["color-contrast"]})
        await page.evaluate("document.head.querySelector('style:last-of-type').remove()")

    async def _run(self, page: Page, state: str, rules: dict[str, object]) -> None:
        results = await Axe().run(page, options={"resultTypes": ["violations"], "runOnly": rules})
        for violation in results.response["violations"]:
            nodes = "; ".join(str(node["target"]) + " " + node["html"][:160] for node in violation["nodes"][:3])
            self.found.append(f"{state}: {violation['id']}: {violation['help']}: {nodes}")


@pytest.mark.parametrize("root", ["shadow", "no-shadow"])
@pytest.mark.parametrize("lang", LANGUAGES)
async def test_axe_finds_nothing_in_any_state(world: World, window: Window, lang: str, root: str) -> None:
    attributes = "" if root == "shadow" else root
    examiner = Examiner()
    key = f"axe-{lang}-{root}"
    ids = world.fill(key)
    page = await window(world.page(key, lang=lang, attributes=f"sort=oldest {attributes}"))
    await ready(page)
    await examiner.look(page, "list")
    await hosts.with_pill_and_chip(page, world, key, ids)
    await examiner.look(page, "pill and chip")
    await hosts.with_menu(page)
    await examiner.look(page, "menu")
    await hosts.with_report(page)
    await examiner.look(page, "report")
    await hosts.with_reply(page)
    await examiner.look(page, "reply")
    await hosts.with_preview(page)
    await examiner.look(page, "preview")
    await hosts.with_search(page)
    await examiner.look(page, "search")
    await hosts.with_search(page, "")
    await hosts.with_error(page)
    await examiner.look(page, "error")
    await hosts.with_failed(page)
    await hosts.with_queued(page)
    await examiner.look(page, "failed and queued")
    await _examine_modes(examiner, world, window, lang, attributes)
    assert not examiner.found, "\n".join(examiner.found)


async def _examine_modes(examiner: Examiner, world: World, window: Window, lang: str, attributes: str) -> None:
    key = f"axe-modes-{lang}-{attributes}"
    page = await window(world.page(key, lang=lang, attributes=attributes))
    await ready(page)
    await examiner.look(page, "empty")
    world.say(key, "The first.")
    world.set_mode(key, "held")
    await expect(page.locator("tertulia-discussion .notice")).to_be_visible()
    await hosts.write(page, "Waits for a moderator.")
    await expect(page.locator("tertulia-discussion .badge:visible")).to_be_visible()
    await examiner.look(page, "held")
    world.set_mode(key, "closed")
    await expect(page.locator("tertulia-discussion .compose form")).to_be_hidden()
    await examiner.look(page, "closed")
