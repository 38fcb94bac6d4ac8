"""The pages by themselves: without JavaScript, on a small phone, with hostile text, in both colour schemes."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Window
from tests.browser.pages import article, comment, discussion, live, post
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
# a link has no height and no border of its own where a button has them
LINKS = {"reply": {"height", "lineHeight", "paddingTop", "borderTopColor", "borderTopLeftRadius", "backgroundColor"}}


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
    for what, by_itself, inside in SAME:
        expected = await plain.locator(by_itself).first.evaluate(LOOK)
        found = await with_script.locator(f"tertulia-discussion {inside}").first.evaluate(LOOK)
        for name in LINKS.get(what, set()):
            del expected[name], found[name]
        assert found == expected, what
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
