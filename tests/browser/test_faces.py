"""The attribute `faces`: a letter on a colour before each name, which costs no request and moves nothing."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Window
from tests.browser.pages import comment, held, host, post, shown, write
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAMED = "tertulia-discussion .author[data-face]"
TOPS = "document.querySelector('tertulia-discussion').shadowRoot"
TOPS += ".querySelectorAll('article').values().map((one) => one.getBoundingClientRect().top).toArray()"
CONTRASTS = """() => {
  const luminance = (rgb) => {
    const linear = (one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.map((one) => linear(one / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const drawn = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return luminance([...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3));
  };
  const name = document.querySelector('tertulia-discussion').shadowRoot.querySelector('.author[data-face]');
  return Array.from({ length: 24 }, (_, hue) => {
    name.dataset.hue = hue;
    const { backgroundColor, color } = getComputedStyle(name, '::before');
    const [low, high] = [drawn(backgroundColor), drawn(color)].sort((a, b) => a - b);
    return [backgroundColor, (high + 0.05) / (low + 0.05)];
  });
}"""


async def _open(page: Page, server: ServerProcess, key: str, attributes: str = "faces") -> None:
    await host(page, server, f'<tertulia-discussion key="{key}" {attributes}></tertulia-discussion>')
    await shown(page)


async def test_each_name_has_a_letter_and_what_arrives_has_one_when_it_appears(
    shared: ServerProcess, window: Window, key: str
) -> None:
    root = await post(shared, "The first", key=key, author={"name": "Đặng Lan"})
    await post(shared, "An answer", key=key, author={"name": "ßen"}, parent_id=root["comment"]["id"])
    page = await window("about:blank")
    await _open(page, shared, key)
    await expect(page.locator(NAMED)).to_have_count(2)
    assert [await one.get_attribute("data-face") for one in await page.locator(NAMED).all()] == ["Đ", "ß"]
    await write(page, "minh", "One more")
    mine = comment(page, "One more").locator(".author")
    await expect(mine).to_have_attribute("data-face", "M")
    await expect(comment(page, "One more").get_by_role("button", name="Edit")).to_be_visible()
    hue = await mine.get_attribute("data-hue")
    await page.reload()
    await expect(mine).to_have_attribute("data-hue", hue or "")
    await expect(mine).to_have_text("minh")
    assert "- text: minh" in await comment(page, "One more").aria_snapshot(), "nothing is said twice"


@pytest.mark.parametrize("width", [1200, 360])
async def test_nothing_moves_when_they_come(shared: ServerProcess, window: Window, key: str, width: int) -> None:
    for number in range(5):
        await post(shared, f"Comment {number}", key=key, author={"name": f"Somebody with a name {number}"})
    page = await window("about:blank")
    await page.set_viewport_size({"width": width, "height": 700})
    coming = await held(page, "**/embed-about.*.js")
    await _open(page, shared, key)
    await coming.is_asked.wait()
    before = await page.evaluate(TOPS)
    requests: list[str] = []
    coming.may_go.set()
    await expect(page.locator(NAMED)).to_have_count(5)
    page.on("request", lambda request: requests.append(request.url))
    assert await page.evaluate(TOPS) == before
    assert requests == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_each_letter_can_be_read(shared: ServerProcess, window: Window, key: str, scheme: str) -> None:
    await post(shared, "A comment", key=key)
    page = await window("about:blank")
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    await _open(page, shared, key)
    await expect(page.locator(NAMED)).to_have_count(1)
    found = dict(await page.evaluate(CONTRASTS))
    assert len(found) == 24
    assert min(found.values()) >= 4.5, found


@pytest.mark.parametrize(("name", "outer", "inner"), [("محمد", "Right", "Left"), ("Lan", "Left", "Right")])
async def test_a_letter_stands_where_the_name_begins_and_has_an_edge_in_forced_colours(
    shared: ServerProcess, window: Window, key: str, name: str, outer: str, inner: str
) -> None:
    await post(shared, "A comment", key=key, author={"name": name})
    page = await window("about:blank")
    await page.emulate_media(forced_colors="active")
    await _open(page, shared, key, 'faces lang="ar"')
    author = page.locator(NAMED)
    await expect(author).to_have_count(1)
    style = "(author) => ({ ...getComputedStyle(author, '::before') })"
    face = await author.evaluate(style)
    assert (face[f"margin{outer}"], face["outlineStyle"]) == ("0px", "solid")
    assert face[f"margin{inner}"] != "0px"


async def test_without_the_attribute_there_is_none(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "A comment", key=key)
    page = await window("about:blank")
    await _open(page, shared, key, "")
    await write(page, "Lan", "Another")
    await expect(comment(page, "Another").get_by_role("button", name="Edit")).to_be_visible()
    await expect(page.locator(NAMED)).to_have_count(0)
