"""The pages by themselves: without JavaScript, on a small phone, with hostile text, in both colour schemes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Window
from tests.browser.pages import article, comment, comments, discussion, live, open_discussion, post, shown
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_everything_works_without_javascript(site: ServerProcess, window: Window) -> None:
    page = await window(article(site), java_script_enabled=False)
    await expect(page.get_by_role("heading", name="All comments [ 16 ]")).to_be_visible()
    await expect(page.locator("article.comment")).to_have_count(16)
    await page.get_by_label("Name").fill("Đặng Thị Hường")
    await page.locator("textarea").fill("Không cần JavaScript.")
    await page.locator("form.composer button").click()
    said = page.locator("article.comment", has_text="Không cần JavaScript.")
    await expect(said).to_be_visible()
    assert "#comment-" in page.url
    await said.get_by_role("link", name="Reply").click()
    await page.get_by_label("Name").fill("Minh")
    await page.locator("textarea").fill("Thật vậy.")
    await page.locator("form.composer button").click()
    await expect(page.get_by_role("heading", name="All comments [ 18 ]")).to_be_visible()
    await expect(page.locator("article.comment", has_text="Thật vậy.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_is_wider_than_a_small_phone(site: ServerProcess, window: Window, scheme: str) -> None:
    page = await window(article(site), viewport={"width": 320, "height": 640}, color_scheme=scheme)
    await post(site, "x" * 500 + "\n\n```\n" + "y" * 500 + "\n```")
    await page.reload()
    await live(page)
    await page.keyboard.press("End")
    width = await page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= 320


async def test_hostile_text_stays_text(site: ServerProcess, window: Window) -> None:
    hostile = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    await post(site, hostile + " [a](javascript:document.title='owned')", author={"name": "<b>bold</b>"})
    await post(site, "</textarea></form><style>*{display:none}</style>", author={"name": "\u202egnorw"})
    page = await window(article(site))
    await live(page)
    await page.locator("tertulia-discussion form").last.scroll_into_view_if_needed()
    await expect(comment(page, "<img src=x")).to_have_count(1)
    await expect(comment(page, "<img src=x").locator("bdi").first).to_have_text("<b>bold</b>")
    assert await page.locator("tertulia-discussion script, tertulia-discussion img").count() == 0
    assert await page.title() != "owned"
    for link in await page.locator("tertulia-discussion article a").all():
        assert not ((await link.get_attribute("href")) or "").startswith("javascript")


async def test_a_link_leads_to_its_comment(site: ServerProcess, window: Window) -> None:
    said = await post(site, "SiteDefaults at this one")
    page = await window(f"{article(site)}#comment-{said['comment']['id']}")
    await expect(comment(page, "SiteDefaults at this one")).to_be_in_viewport()


async def test_the_vietnamese_page_speaks_vietnamese(site: ServerProcess, window: Window) -> None:
    page = await window(f"{site.url}/articles/bat-pho-sang-va-chuyen-gia")
    await page.locator("tertulia-discussion").scroll_into_view_if_needed()
    await expect(discussion(page)).to_be_visible()
    await expect(page.get_by_role("heading", name="Tất cả bình luận")).to_be_visible()
    await expect(page.get_by_role("heading", name="Bình luận của bạn")).to_be_visible()


LOOK = """one => {
    const names = ['color', 'backgroundColor', 'borderTopColor', 'borderTopWidth', 'borderTopLeftRadius', 'fontFamily',
        'fontSize', 'fontWeight', 'height', 'lineHeight', 'paddingLeft', 'paddingTop', 'textDecorationLine'];
    const style = getComputedStyle(one);
    return Object.fromEntries(names.map((name) => [name, style[name]]));
}"""
# what it is, on the page by itself, in the element
SAME = [
    ("send", "form.composer button", ".compose .submit"),
    ("name", "form.composer [name=name]", ".compose [name=name]"),
    ("author", "article.comment .author", "article .author"),
    ("time", "article.comment .moment", "article .meta"),
    ("reply", "article.comment .actions a", "article [data-act=reply]"),
    ("like", "article.comment .up", "article .up"),
    ("text", "article.comment .body p", "article .body p"),
]
SAME_IN_A_REPLY = [
    ("send", "form.composer button", "article .submit"),
    ("cancel", "form.composer .cancel", "article .cancel"),
]
# a link has no height and no border of its own where a button has them
LINKS = {"reply": {"height", "lineHeight", "paddingTop", "borderTopColor", "borderTopLeftRadius", "backgroundColor"}}


# how far it is from sending to cancelling, in both directions
APART = """foot => {
    const [send, cancel] = [...foot.querySelectorAll('button, a')].map((one) => one.getBoundingClientRect());
    return [cancel.left - send.right, cancel.top - send.top];
}"""
# Whether the number of an item is as wide as it looks, and fits into what its list leaves free.
MARKERS = """items => items.map((item, index) => {
    const number = item.appendChild(document.createElement('span'));
    number.textContent = `${100 + index}.\u00a0`;
    const { width } = number.getBoundingClientRect();
    number.remove();
    const room = item.getBoundingClientRect().left - item.parentElement.getBoundingClientRect().left;
    return [width > 20, width <= room];
})"""


async def _look_alike(plain: Page, with_script: Page, same: list[tuple[str, str, str]]) -> None:
    for what, by_itself, inside in same:
        expected = await plain.locator(by_itself).first.evaluate(LOOK)
        found = await with_script.locator(f"tertulia-discussion {inside}").first.evaluate(LOOK)
        for name in LINKS.get(what, set()):
            del expected[name], found[name]
        assert found == expected, what


@pytest.mark.parametrize("width", [360, 1100])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_and_the_element_look_alike(
    site: ServerProcess, window: Window, scheme: str, width: int
) -> None:
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    plain = await window(article(site), java_script_enabled=False, **options)
    with_script = await window(article(site), **options)
    await live(with_script)
    await expect(with_script.locator("tertulia-discussion [role=toolbar]").first).to_be_attached()
    await _look_alike(plain, with_script, SAME)
    gap = """([heading, label]) => {
        const lines = document.createRange();
        lines.selectNodeContents(heading);
        return label.getBoundingClientRect().top - lines.getBoundingClientRect().bottom;
    }"""
    gaps = []
    for page, heading, label in (
        (plain, "#your-comments", ".composer label"),
        (with_script, "tertulia-discussion .compose > .heading", "tertulia-discussion .compose label"),
    ):
        parts = [await page.locator(one).first.element_handle() for one in (heading, label)]
        gaps.append(await page.evaluate(gap, parts))
    assert gaps[0] == pytest.approx(gaps[1], abs=1)
    await plain.locator("article.comment").first.get_by_role("link", name="Reply").click()
    await comments(with_script).first.get_by_role("button", name="Reply").click()
    await _look_alike(plain, with_script, SAME_IN_A_REPLY)
    for what, by_itself, inside in SAME_IN_A_REPLY:
        word = await with_script.locator(f"tertulia-discussion {inside}").first.inner_text()
        await expect(plain.locator(by_itself), what).to_have_text(word)
    feet = plain.locator(".composer .foot"), with_script.locator("article .foot")
    apart = [await foot.evaluate(APART) for foot in feet]
    assert apart[0] == pytest.approx(apart[1], abs=1)
    await plain.get_by_role("link", name="Cancel").click()
    await expect(plain.locator(".composer .cancel")).to_have_count(0)


async def test_dates_stay_as_they_are_when_the_script_comes(site: ServerProcess, window: Window) -> None:
    """An English article: the element by itself would write the month as a word."""
    plain = await window(article(site), java_script_enabled=False)
    page = await window(article(site))
    await live(page)
    written = await plain.locator("article.comment time").all_inner_texts()
    assert len(written) == 16
    assert [one for one in written if not re.fullmatch(r"\d\d/\d\d/\d\d \d\d:\d\d", one)] == []
    found = await page.locator("tertulia-discussion [role=feed] time").all_inner_texts()
    assert sorted(found) == sorted(written)


async def test_times_are_relative_for_a_day_where_an_element_says_auto(
    shared: ServerProcess, window: Window, key: str
) -> None:
    await post(shared, "Said just now", key=key)
    page = await open_discussion(window, shared, key, "time=auto timezone=UTC")
    time = page.locator("tertulia-discussion [role=feed] time")
    await expect(time).to_have_text(re.compile(r"now|\d+ minutes? ago"))

    async def three_days_later(route: Route) -> None:
        answer = await route.fetch()
        told = await answer.json()
        told["server_time"] = (datetime.fromisoformat(told["server_time"]) + timedelta(days=3)).isoformat()
        await route.fulfill(json=told)

    await page.route("**/api/v1/discussion?*", three_days_later)
    await page.reload()
    await shown(page)
    at = datetime.fromisoformat(str(await time.get_attribute("datetime")))
    assert re.fullmatch(rf"{at.day} [A-Z][a-z]+ {at.year}", await time.inner_text())
    written = f"{at.day} {at:%B} {at.year} at {at:%H:%M}"
    await expect(time).to_have_attribute("title", written)


async def test_a_list_that_begins_at_100_shows_its_whole_number(site: ServerProcess, window: Window) -> None:
    """On a phone, with and without the script: what sticks out of a comment is cut."""
    await post(site, "100. The first\n101. The second", author={"name": "Lan"})
    options = {"viewport": {"width": 360, "height": 740}}
    plain = await window(article(site), java_script_enabled=False, **options)
    page = await window(article(site), **options)
    await live(page)
    for items in (plain.locator("article.comment .body ol > li"), comment(page, "The first").locator("ol > li")):
        await expect(items).to_have_count(2)
        assert await items.first.evaluate("one => one.parentElement.start") == 100
        assert await items.evaluate_all(MARKERS) == [[True, True]] * 2


@pytest.mark.parametrize("width", [360, 700])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_description_of_the_api_fits_its_window(
    site: ServerProcess, window: Window, scheme: str, width: int
) -> None:
    """On a phone, and where its tables are still tables: what is wider than the window scrolls by itself."""
    page = await window(f"{site.url}/api/docs", viewport={"width": width, "height": 740}, color_scheme=scheme)
    outside = await page.evaluate("""() => {
        const sticksOut = (one) => {
            const { left, right, width } = one.getBoundingClientRect();
            return width > 0 && (left < -0.5 || right > innerWidth + 0.5);
        };
        const all = [...document.body.querySelectorAll('*')];
        const outer = all.filter((one) => !one.closest('.scroll') || one.matches('.scroll'));
        return outer.filter(sticksOut).map((one) => one.outerHTML.slice(0, 80));
    }""")
    assert outside == []
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= width
    columns = await page.locator("td").evaluate_all(
        "all => Math.min(...all.map((one) => one.clientWidth).filter(Boolean))"
    )
    assert columns >= 24, "no column of single letters"
    if width == 360:
        assert await page.locator(".scroll").evaluate_all(
            "all => all.every((one) => one.scrollWidth <= one.clientWidth)"
        )
