"""The server's own pages where the reader's system says the colours: no ground and no shadow is drawn there.

What has the focus, what was linked to, what is open and what the pointer is over still look different. The element has
its tests in test_looks.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import ARTICLE, Window, tertulia
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FORCED = {"forced_colors": "active", "java_script_enabled": False}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    found = ServerProcess(tmp_path_factory.mktemp("forced"), ["--with-samples", "--search"])
    yield found
    found.end()


async def _pixels(element: Locator) -> bytes:
    """A picture of it, and of what is drawn around it."""
    await element.scroll_into_view_if_needed()
    box = await element.bounding_box()
    assert box is not None
    x, y = max(0, box["x"] - 8), max(0, box["y"] - 8)
    clip = {"x": x, "y": y, "width": box["width"] + 16, "height": box["height"] + 16}
    return await element.page.screenshot(clip=clip, animations="disabled", caret="hide")  # type: ignore[arg-type]


async def _shows_focus(page: Page, element: Locator) -> None:
    """Whether a ring is drawn when the keyboard comes to it, and gone when it leaves."""
    await page.mouse.move(0, 0)
    before = await _pixels(element)
    assert await _pixels(element) == before, "otherwise a difference would say nothing"
    await element.focus()
    assert await _pixels(element) != before
    style = await element.evaluate("one => [getComputedStyle(one).outlineStyle, getComputedStyle(one).outlineWidth]")
    assert style[0] == "solid"
    assert float(style[1].removesuffix("px")) >= 2
    await element.blur()
    assert await _pixels(element) == before


async def _shows_pointer(page: Page, element: Locator) -> None:
    await page.mouse.move(0, 0)
    before = await _pixels(element)
    await element.hover()
    assert await _pixels(element) != before


@pytest.mark.parametrize("path", [f"/articles/{ARTICLE}", "/search?q=river", "/staff/sign-in", "/d?key=none"])
async def test_the_focus_and_the_pointer_are_seen(server: ServerProcess, window: Window, path: str) -> None:
    page = await window(server.url + path, **FORCED)
    main = page.locator("main, body").last
    button = main.locator("form button:visible").last
    field = main.locator("input:not([type=hidden]):visible").first
    for element in (button, field, page.locator("a:visible").last):
        await _shows_focus(page, element)
    await _shows_pointer(page, button)


async def test_the_comment_that_was_linked_to_is_seen(server: ServerProcess, window: Window) -> None:
    page = await window(f"{server.url}/articles/{ARTICLE}", **FORCED)
    second = page.locator("article.comment").nth(1)
    place = await second.get_attribute("id")
    before = await _pixels(second)
    await page.goto(f"{server.url}/articles/{ARTICLE}#{place}")
    assert await second.evaluate("one => one.matches(':target')")
    assert await _pixels(second) != before
    await expect(second).to_have_css("outline-width", "2px")
    seen = await second.evaluate("one => getComputedStyle(one).outlineColor")
    ground = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert seen not in (ground, "rgba(0, 0, 0, 0)")


async def test_the_page_of_the_staff_that_is_open_is_seen(server: ServerProcess, window: Window) -> None:
    """By a line below its name, which the others do not have."""
    given = ("--site", "default", "--role", "owner", "--public-url", server.url, "--data-dir", str(server.data_dir))
    page = await window(tertulia("staff", "invite", "Mai", *given).strip(), **FORCED)
    await page.get_by_role("button").click()
    await page.wait_for_url("**/staff/sites/default/desk/*")
    await page.goto(f"{server.url}/staff/sites/default/tokens")
    current = page.locator(".tabs [aria-current]")
    lines = await page.locator(".tabs a").evaluate_all(
        "all => all.map((one) => parseFloat(getComputedStyle(one).borderBlockEndWidth))"
    )
    assert sorted(lines)[-1] == 3
    assert sorted(lines)[-2] == 0
    await expect(current).to_have_css("border-bottom-width", "3px")
    await _shows_focus(page, current)
