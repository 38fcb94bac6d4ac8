"""Who reads with a screen reader, a keyboard, large letters or little contrast: what axe finds, and what it cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page, expect

from tests.browser import hosts
from tests.browser.conftest import Window
from tests.browser.faults import RULES
from tests.browser.hosts import LANGUAGES, Publisher, open_publisher, ready

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DARK = "html { background: #121212; color: #e8e8e8 }"


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    with open_publisher(tmp_path_factory.mktemp("accessibility")) as opened:
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
        named = {"label-content-name-mismatch": {"enabled": True}}
        options = {"resultTypes": ["violations"], "runOnly": rules, "rules": named if rules["type"] == "tag" else {}}
        results = await Axe().run(page, options=options)
        for violation in results.response["violations"]:
            nodes = "; ".join(str(node["target"]) + " " + node["html"][:160] for node in violation["nodes"][:3])
            self.found.append(f"{state}: {violation['id']}: {violation['help']}: {nodes}")


@pytest.mark.parametrize("root", ["shadow", "no-shadow"])
@pytest.mark.parametrize("lang", LANGUAGES)
async def test_axe_finds_nothing_in_any_state(publisher: Publisher, window: Window, lang: str, root: str) -> None:
    attributes = "" if root == "shadow" else root
    examiner = Examiner()
    key = f"axe-{lang}-{root}"
    ids = publisher.fill(key)
    page = await window(publisher.page(key, lang=lang, attributes=f"sort=oldest {attributes}"))
    await ready(page)
    await examiner.look(page, "list")
    await hosts.with_pill_and_chip(page, publisher, key, ids)
    await hosts.with_menu(page)
    await examiner.look(page, "pill, chip and menu")
    await hosts.with_report(page)
    await examiner.look(page, "report")
    await hosts.with_reply(page)
    await examiner.look(page, "reply")
    await hosts.with_preview(page)
    await examiner.look(page, "preview")
    await hosts.with_search(page)
    await examiner.look(page, "search")
    await hosts.with_search(page, "")
    await hosts.with_failed(page)
    await hosts.with_queued(page)
    await hosts.with_error(page)
    await examiner.look(page, "failed, queued and an error")
    await _examine_modes(examiner, publisher, window, lang, attributes)
    assert not examiner.found, "\n".join(examiner.found)


async def _examine_modes(examiner: Examiner, publisher: Publisher, window: Window, lang: str, attributes: str) -> None:
    key = f"axe-modes-{lang}-{attributes}"
    page = await window(publisher.page(key, lang=lang, attributes=attributes))
    await ready(page)
    await examiner.look(page, "empty")
    publisher.say(key, "The first.")
    publisher.set_mode(key, "held")
    await expect(page.locator("tertulia-discussion .notice")).to_be_visible()
    await hosts.write(page, "Waits for a moderator.")
    await expect(page.locator("tertulia-discussion .badge:visible")).to_be_visible()
    await examiner.look(page, "held")
    publisher.set_mode(key, "closed")
    await expect(page.locator("tertulia-discussion .compose form")).to_be_hidden()
    await examiner.look(page, "closed")


# ---- the keyboard alone --------------------------------------------------------------------------------------

FOCUSED = """() => {
    let active = document.activeElement;
    while (active.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    const ringed = active.matches('article') ? active.querySelector('.box') : active;
    const { outlineStyle, outlineWidth } = getComputedStyle(ringed);
    const { top, bottom, left, right } = ringed.getBoundingClientRect();
    const x = (left + right) / 2, y = (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2;
    const hit = active.getRootNode().elementFromPoint(x, y);
    return {
        what: active.closest('tertulia-discussion, .all') ? `${active.localName}.${active.className}` : active.id,
        isRinged: outlineStyle === 'auto' || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2),
        isSeen: bottom > 0 && top < innerHeight && right > left && (ringed.contains(hit) || ringed === hit),
    };
}"""


class Keyboard:
    """Presses keys, and after each the focus has to be there to see."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def press(self, key: str) -> str:
        """Where the focus is afterwards."""
        await self.page.keyboard.press(key)
        found = await self.page.evaluate(FOCUSED)
        assert found["isRinged"], f"after {key} nobody sees that the focus is on {found['what']}"
        assert found["isSeen"], f"after {key} {found['what']} is not in view"
        return str(found["what"])

    async def go(self, wanted: Locator, key: str = "Tab", most: int = 40) -> None:
        """Presses a key until what is wanted has the focus."""
        for _ in range(most):
            await self.press(key)
            if await wanted.evaluate("element => element.getRootNode().activeElement === element"):
                return
        raise AssertionError(f"{most} times {key} do not lead to {wanted}")


def _article(page: Page, text: str) -> Locator:
    return page.locator("tertulia-discussion article", has=page.locator(":scope > .box", has_text=text))


@pytest.mark.parametrize("root", ["shadow", "no-shadow"])
async def test_the_keyboard_is_enough(publisher: Publisher, window: Window, root: str) -> None:
    """The list is reached, gone through and left; a reply is opened, closed, written and sent (A18)."""
    key = f"keys-{root}"
    publisher.fill(key)
    attributes = f"sort=oldest {'' if root == 'shadow' else root}"
    page = await window(publisher.page(key, attributes=attributes), viewport={"width": 1000, "height": 700})
    await page.evaluate("document.querySelector('main').insertAdjacentHTML('afterend', '<a id=after href=#>After</a>')")
    await ready(page)
    keyboard = Keyboard(page)
    articles = page.locator("tertulia-discussion article")
    await keyboard.go(articles.nth(0), most=6)
    for index in (1, 2, 3):
        await keyboard.press("PageDown")
        await expect(articles.nth(index)).to_be_focused()
    await keyboard.press("PageUp")
    await expect(articles.nth(2)).to_be_focused()
    await keyboard.press("Control+Home")
    await expect(page.locator("tertulia-discussion .search")).to_be_focused()
    await keyboard.go(articles.nth(2), most=20)
    await keyboard.press("Control+End")
    await expect(page.locator("tertulia-discussion .compose [name=name]")).to_be_focused()
    await keyboard.press("Shift+Tab")
    await keyboard.go(articles.nth(2), "PageUp")
    reply = articles.nth(2).locator("> .box > .actions > .action").first
    await keyboard.go(reply)
    await page.keyboard.press("Enter")
    form = articles.nth(2).locator("form")
    await expect(form.locator("[name=name]")).to_be_focused()
    await keyboard.press("Escape")
    await expect(reply).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(form.locator("[name=name]")).to_be_focused()
    await page.keyboard.type("Keys")
    await keyboard.press("Tab")
    await expect(form.locator(".tool.bold")).to_be_focused()
    await keyboard.press("ArrowRight")
    await expect(form.locator(".tool.italic")).to_be_focused()
    await keyboard.press("Tab")
    await expect(form.locator("textarea")).to_be_focused()
    await page.keyboard.type("Written without a mouse.")
    await page.keyboard.press("Control+Enter")
    said = _article(page, "Written without a mouse.")
    await expect(said).to_be_visible()
    await expect(said).not_to_have_attribute("aria-busy", "true")
    await page.locator("tertulia-discussion .compose .submit").focus()
    assert await keyboard.press("Tab") == "after", "nothing holds the focus"


async def test_the_list_is_left_for_the_page_where_nothing_follows_it(publisher: Publisher, window: Window) -> None:
    """With the form above the list, Ctrl+End goes on to the page, and Page Down skips what a search has hidden."""
    publisher.fill("leaving")
    page = await window(publisher.page("leaving", attributes="sort=newest"))
    await page.evaluate("document.querySelector('main').insertAdjacentHTML('afterend', '<a id=after href=#>After</a>')")
    await ready(page)
    keyboard = Keyboard(page)
    await hosts.with_search(page, "Hung")
    shown = page.locator("tertulia-discussion article:visible")
    await shown.nth(0).focus()
    await keyboard.press("PageDown")
    await expect(shown.nth(1)).to_be_focused()
    assert await keyboard.press("Control+End") == "after"
    await shown.nth(1).focus()
    await keyboard.press("Control+Home")
    await expect(page.locator("tertulia-discussion .compose .submit")).to_be_focused()


async def test_the_feed_says_what_it_is(publisher: Publisher, window: Window) -> None:
    """What the feed pattern of the W3C asks for: a label, articles alone, their number, author, time and text."""
    publisher.fill("feed", 12)
    page = await window(publisher.page("feed", attributes="sort=oldest"))
    await ready(page)
    feed = page.get_by_role("feed", name="All comments [ 11 ]")
    assert await feed.count() == 1
    tops = feed.locator("> .chunk > article")
    said = await tops.evaluate_all("all => all.map((one) => [one.ariaPosInSet, one.ariaSetSize])")
    assert said == [[str(index + 1), str(len(said))] for index in range(len(said))]
    assert set(await feed.locator("> .chunk > *").evaluate_all("all => all.map((one) => one.localName)")) == {"article"}
    first = tops.first
    shown = await first.locator("time").first.inner_text()
    assert await first.get_attribute("aria-label") == f"Lê Minh, {shown}"
    assert await first.evaluate("one => one.ariaDescribedByElements[0].textContent.includes('Saturday')")
    assert await page.locator("tertulia-discussion [aria-live]").count() == 0, "the list itself is not announced"
