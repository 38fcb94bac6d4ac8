"""An element without a shadow root on pages with resets: it looks as it does within one.

A reset takes from every button, list and field what the browser gives it, and the page gives it something else.
All that the browser computes for every element is compared, in the states that readers see.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser import hosts
from tests.browser.conftest import Window
from tests.browser.hosts import PLAIN, Publisher, open_publisher, ready
from tests.browser.scripts import script
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

COMPUTED = script("computed")
KEY = "reset"
RESETS = {path.stem: path.read_text() for path in sorted((Path(__file__).parent / "resets").glob("*.css"))}
"""What pages say of elements by their names, kinds and states; the weightless one in layers, too."""


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    with open_publisher(tmp_path_factory.mktemp("resets")) as opened:
        opened.fill(KEY, 21)  # the field of the search comes with twenty
        yield opened


async def _reached(page: Page) -> None:
    """By the keyboard, so that the ring shows."""
    await page.locator("tertulia-discussion .search").focus()
    await page.keyboard.press("Tab")


async def _replying(page: Page) -> None:
    """With a preview of one, and the form below sent empty."""
    await hosts.with_reply(page)
    await hosts.with_preview(page)
    await hosts.with_error(page)


STATES = (_reached, hosts.with_menu, hosts.with_report, _replying)
"""One after the other in one page."""


async def _looks(page: Page) -> dict[str, dict[str, str]]:
    """The computed properties of every element, and of its pseudo-elements, by its path."""
    found = await page.evaluate(COMPUTED)
    texts = [dict(line.split(": ", 1) for line in text.splitlines() if ": " in line) for text in found["texts"]]
    return {path: texts[number] for path, number in found["seen"]}


def _differences(shadow: dict[str, dict[str, str]], light: dict[str, dict[str, str]]) -> list[str]:
    told = [f"only in one: {path}" for path in shadow.keys() ^ light.keys()]
    for path in shadow.keys() & light.keys():
        for name, value in shadow[path].items():
            if light[path].get(name) != value:
                told.append(f"{path.split(' > ')[-1]} {name}: {light[path].get(name)} instead of {value}")
    return sorted(set(told))


async def _look_alike(shadow: Page, light: Page) -> None:
    """Once both are done with what the last press began."""
    told: list[str] = []

    async def is_alike() -> bool:
        looks = await _looks(shadow)
        assert len(looks) > 300
        told[:] = _differences(looks, await _looks(light))
        return not told

    await until(is_alike, lambda: "\n".join(["the same looks", *told]))


@pytest.mark.parametrize("reset", list(RESETS))
async def test_an_element_without_a_shadow_root_looks_as_with_one_under_a_reset(
    publisher: Publisher, window: Window, reset: str
) -> None:
    pages = []
    for attributes in ("", "no-shadow"):
        css = f"{RESETS[reset]} {PLAIN}"
        address = publisher.page(KEY, css=css, attributes=f"sort=oldest time=absolute timezone=UTC {attributes}")
        page = await window(address, reduced_motion="reduce")
        await ready(page)
        await expect(page.locator("tertulia-discussion .fold").first).to_be_attached()
        pages.append(page)
    await _look_alike(*pages)
    for state in STATES:
        for page in pages:
            await state(page)
        await _look_alike(*pages)


async def test_a_page_has_the_say_over_parts_and_over_what_it_put_there(publisher: Publisher, window: Window) -> None:
    """Within the element resets end, and what a publisher means does not: neither for parts nor for the text before."""
    css = (
        f"{PLAIN} tertulia-discussion {{ color: rgb(1, 2, 3) }} [part~=author] {{ letter-spacing: 3px }} "
        "tertulia-discussion [part~=author] { font-weight: 400 } "
        "tertulia-discussion [part~=submit] { border-radius: 9px } button { border-radius: 7px }"
    )
    page = await window(publisher.page(KEY, css=css, attributes="sort=oldest no-shadow"))
    await ready(page)
    for part, name, value in (
        ("author", "color", "rgb(1, 2, 3)"),
        ("author", "letter-spacing", "3px"),
        ("author", "font-weight", "400"),
        ("submit", "border-radius", "9px"),
        ("action", "border-radius", "2px"),
    ):
        await expect(page.locator(f"tertulia-discussion [part~={part}]").first).to_have_css(name, value)


async def test_what_a_page_put_there_looks_as_the_page_says_until_the_comments_are_there(
    publisher: Publisher, window: Window
) -> None:
    address = publisher.page(KEY, css=f"{PLAIN} b {{ letter-spacing: 3px; font-weight: 300 }}", attributes="no-shadow")
    name = address.rpartition("/")[2]
    kind, text, headers = publisher.host.answers[f"/{name}"]
    inside = text.replace("</tertulia-discussion>", "<b>Comments</b></tertulia-discussion>")
    publisher.host.answers[f"/{name}"] = (kind, inside, headers)
    page = await window("about:blank")
    await page.route("**/api/v1/discussion*", lambda route: route.abort())
    await page.goto(address)
    await expect(page.locator("tertulia-discussion .again")).to_be_visible()
    before = page.locator("tertulia-discussion b")
    await expect(before).to_have_css("letter-spacing", "3px")
    await expect(before).to_have_css("font-weight", "300")
