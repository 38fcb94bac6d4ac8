"""How the discussion looks: on strict and on hostile pages, with any colours, letters, widths and wishes of the reader.

Pictures are made where PICTURES is set (tests/browser/pictures.py), a few are in docs/looks/, and none is compared
with older ones: fonts differ from machine to machine. What must hold is measured: colours, boxes, animations.
Pixels are compared only between two states of the same run.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser import hosts
from tests.browser.conftest import Window
from tests.browser.hosts import COLOURS, LANGUAGES, PLAIN, Publisher, open_publisher, ready
from tests.browser.pictures import ARTEFACTS, keep, picture
from tests.browser.scripts import script

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DARK = f"{PLAIN} html {{ background: #121212; color: #e8e8e8 }}"
STRICT = (
    "default-src 'none'; script-src {server}; connect-src {server} {socket}; style-src 'self'; img-src data:; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# WCAG 1.4.12: what readers may set
SPACING = (
    "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } "
    "p { margin-block-end: 2em !important }"
)
HOSTILE_CSS = (
    f"{PLAIN} * {{ all: unset }} article {{ display: none }} button {{ position: fixed; font-size: 40px }} "
    "header, form, label, input, textarea, p { color: red; background: yellow; text-transform: uppercase } "
)


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    with open_publisher(tmp_path_factory.mktemp("looks")) as opened:
        yield opened


@pytest.fixture(scope="module")
def full(publisher: Publisher) -> str:
    """The key of a discussion of everything, which tests only read."""
    publisher.fill("full")
    return "full"


# ---- strict pages --------------------------------------------------------------------------------------------


async def test_a_strict_policy_has_nothing_to_refuse(publisher: Publisher, window: Window) -> None:
    """A page that allows scripts of the server alone, no inline style and no HTML from strings (A1)."""
    key = "strict"
    publisher.fill(key, 8)
    server = publisher.server.url
    page = await window("about:blank")
    await page.add_init_script("""
        window.violations = [];
        addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
            window.violations.push([violatedDirective, blockedURI, sourceFile, lineNumber].join(' ')), true);
    """)
    loaded: list[str] = []
    page.on("response", lambda response: loaded.append(response.url))
    policy = STRICT.format(server=server, socket=server.replace("http", "ws"))
    await page.goto(publisher.page(key, attributes="sort=oldest", csp=policy))
    await ready(page)
    await expect(page.locator("tertulia-discussion .status")).to_contain_text("reader")
    await hosts.with_menu(page)
    await hosts.with_reply(page)
    await hosts.with_preview(page)
    await page.locator("tertulia-discussion article form .cancel").click()
    await hosts.write(page, "Said under a strict policy.")
    await expect(page.locator("tertulia-discussion article", has_text="strict policy")).to_be_visible()
    await expect(page.locator("tertulia-discussion [aria-busy]")).to_have_count(0)
    publisher.say(key, "And heard.", "A stranger")
    await expect(page.locator("tertulia-discussion article", has_text="And heard.")).to_be_visible()
    assert any("/embed-actions." in url for url in loaded), "the second file was imported"
    looks = await page.locator("tertulia-discussion .bar").evaluate("bar => getComputedStyle(bar).display")
    assert looks == "flex", "it is styled"
    assert await page.evaluate("window.violations") == []


# ---- colours -------------------------------------------------------------------------------------------------

CONTRASTS = script("contrasts")


async def _contrasts(page: Page) -> list[str]:
    """What is too faint; fails if there was nothing to see."""
    found = await page.evaluate(CONTRASTS)
    assert len([one for one in found if one["kind"] == "text"]) > 50
    assert len([one for one in found if one["kind"] == "border"]) >= 3
    least = {"text": 4.5, "border": 3}
    return [f"{one['kind']} {one['what']!r}: {one['ratio']:.2f}" for one in found if one["ratio"] < least[one["kind"]]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("colours", list(COLOURS))
async def test_everything_can_be_read_with_any_colours(
    publisher: Publisher, window: Window, full: str, colours: str, scheme: str
) -> None:
    """Four kinds of pages and two settings of the reader's system (A3)."""
    page_css = f"{PLAIN} {COLOURS[colours]}"
    page = await window(publisher.page(full, css=page_css, attributes="sort=oldest"), color_scheme=scheme)
    await ready(page)
    await hosts.with_menu(page)
    await hosts.with_report(page)
    faint = await _contrasts(page)
    await hosts.with_reply(page)
    await hosts.with_preview(page)
    await hosts.with_failed(page)
    await hosts.with_queued(page)
    await hosts.with_error(page)
    faint += await _contrasts(page)
    assert not faint, "\n".join(dict.fromkeys(faint))


# ---- narrow, large, spaced -----------------------------------------------------------------------------------

MISFITS = script("misfits")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "css", [PLAIN, PLAIN + SPACING, f"{PLAIN} html {{ font-size: 200% }}"], ids=["", "spaced", "large"]
)
async def test_nothing_is_cut_off_on_the_narrowest_window(
    publisher: Publisher, window: Window, lang: str, css: str
) -> None:
    """320 px: a small phone, or a desk at 400 % (A17)."""
    key = f"narrow-{lang}-{len(css)}"
    ids = publisher.fill(key)
    attributes = (
        "sort=oldest no-shadow" if css.startswith(PLAIN + SPACING) else "sort=oldest"
    )  # a page's * stops at a shadow
    page = await window(
        publisher.page(key, lang=lang, css=css, attributes=attributes), viewport={"width": 320, "height": 640}
    )
    await ready(page)
    await hosts.with_pill_and_chip(page, publisher, key, ids)
    await hosts.with_menu(page)
    await hosts.with_report(page)
    misfits = await page.evaluate(MISFITS)
    await hosts.with_reply(page)
    await hosts.with_preview(page)
    await hosts.with_error(page)
    misfits += await page.evaluate(MISFITS)
    assert not misfits, "\n".join(dict.fromkeys(misfits))


async def test_everything_that_is_clicked_is_large_enough(publisher: Publisher, window: Window) -> None:
    """24 px each way (WCAG 2.5.8); links within sentences are excepted there."""
    ids = publisher.fill("targets")
    page = await window(publisher.page("targets", attributes="sort=oldest"), viewport={"width": 360, "height": 700})
    await ready(page)
    await hosts.with_pill_and_chip(page, publisher, "targets", ids)
    await hosts.with_menu(page)
    await hosts.with_reply(page)
    await hosts.with_failed(page)
    boxes = await page.evaluate("""() => {
        const root = document.querySelector('tertulia-discussion').shadowRoot;
        const targets = [...root.querySelectorAll('button, select, input, textarea, a.meta, .answers a')];
        return targets.filter((one) => one.checkVisibility()).map((one) => {
            const { width, height } = one.getBoundingClientRect();
            return [`${one.className} ${one.textContent.slice(0, 20)}`, width, height];
        });
    }""")
    assert len(boxes) > 60
    assert [box for box in boxes if min(box[1], box[2]) < 24] == []


# ---- wishes of the reader ------------------------------------------------------------------------------------


async def test_nothing_moves_for_who_wants_calm(publisher: Publisher, window: Window) -> None:
    """prefers-reduced-motion: nothing is animated and every scroll is a jump (A19)."""
    for motion in ("no-preference", "reduce"):
        key = f"calm-{motion}"
        ids = publisher.fill(key)
        page = await window("about:blank", reduced_motion=motion)
        await page.add_init_script("""
            window.moved = [];
            addEventListener('animationstart', ({ animationName }) => window.moved.push(animationName), true);
            const scroll = Element.prototype.scrollIntoView;
            Element.prototype.scrollIntoView = function (how) {
                if (how.behavior === 'smooth') window.moved.push('scroll');
                scroll.call(this, how);
            };
        """)
        await page.goto(publisher.page(key, attributes="sort=oldest"))
        await ready(page)
        await hosts.with_pill_and_chip(page, publisher, key, ids)
        await page.locator("tertulia-discussion .pill-button").click()
        await expect(page.locator("tertulia-discussion article.new", has_text="One more.")).to_be_in_viewport()
        running = await page.evaluate("""() => {
            const root = document.querySelector('tertulia-discussion').shadowRoot;
            return root.getAnimations().map(({ animationName }) => animationName);
        }""")
        moved = await page.evaluate("window.moved")
        if motion == "reduce":
            assert running + moved == []
        else:
            assert "new" in running, "otherwise this would see nothing"
            assert "scroll" in moved


async def test_borders_are_there_where_colours_are_forced(publisher: Publisher, window: Window, full: str) -> None:
    page = await window(publisher.page(full, attributes="sort=oldest"), forced_colors="active")
    await ready(page)
    await hosts.with_reply(page)
    await hosts.with_error(page)
    borders = await page.evaluate("""() => {
        const root = document.querySelector('tertulia-discussion').shadowRoot;
        const bordered = 'input, textarea, .submit, .tool, .chunk > article, .badge, .status-dot, .replies:not(:empty)';
        return [...root.querySelectorAll(bordered)].filter((one) => one.checkVisibility()).map((one) => {
            const style = getComputedStyle(one);
            const seen = ['Top', 'InlineStart'].some((side) =>
                parseFloat(style[`border${side}Width`]) >= 1 && !/^rgba.*, 0.$/.test(style[`border${side}Color`]));
            return [`${one.localName}.${one.className} ${style.borderTop}`, seen];
        });
    }""")
    assert len(borders) > 30
    assert [what for what, is_seen in borders if not is_seen] == []


async def _pixels(element: Locator) -> bytes:
    """A picture of it, and of what is drawn around it."""
    await element.scroll_into_view_if_needed()
    box = await element.bounding_box()
    assert box is not None
    clip = {"x": box["x"] - 8, "y": box["y"] - 8, "width": box["width"] + 16, "height": box["height"] + 16}
    return await element.page.screenshot(clip=clip, animations="disabled", caret="hide")  # type: ignore[arg-type]


async def test_states_look_different_where_colours_are_forced(publisher: Publisher, window: Window) -> None:
    """Grounds are not drawn there, so what they tell has to be told by something else."""
    ids = publisher.fill("forced")
    page = await window(publisher.page("forced", attributes="sort=oldest"), forced_colors="active")
    await ready(page)
    root = page.locator("tertulia-discussion")
    toggle = root.get_by_role("switch", name="Live updates")
    await expect(root.locator("[part~=status][data-state=live]")).to_be_visible()
    on, dot = await _pixels(toggle), await _pixels(root.locator(".status-dot"))
    await expect(toggle).to_be_checked()
    assert await _pixels(toggle) == on, "otherwise a difference would say nothing"
    await toggle.click()
    await expect(toggle).not_to_be_checked()
    await page.mouse.move(0, 0)
    await page.evaluate("document.querySelector('tertulia-discussion').shadowRoot.activeElement?.blur()")
    assert await _pixels(toggle) != on
    await toggle.click()
    await expect(root.locator("[part~=status][data-state=live]")).to_be_visible()
    await root.locator("[part~=status]").evaluate("one => (one.dataset.state = 'waiting')")
    assert await _pixels(root.locator(".status-dot")) != dot
    first = root.locator(f"#comment-{ids[0]} > .box")
    for element, name, value in (
        (first.locator(".up"), "aria-pressed", "true"),
        (root.locator(".compose .tool").last, "aria-pressed", "true"),
    ):
        await element.evaluate("(one, name) => one.setAttribute(name, 'false')", name)
        before = await _pixels(element)
        await element.evaluate("(one, [name, value]) => one.setAttribute(name, value)", [name, value])
        assert await _pixels(element) != before, name
    for state in ("target", "unread"):
        before = await _pixels(first)
        await first.evaluate("(one, state) => one.parentElement.classList.add(state)", state)
        assert await _pixels(first) != before, state


FIELDS = script("fields")


@pytest.mark.parametrize("shadow", ["", "no-shadow"])
async def test_no_field_makes_a_phone_zoom_in(publisher: Publisher, window: Window, shadow: str) -> None:
    """Below 16 px iOS does, whatever field it is: all that there are, in all states, on a page of 13 px."""
    publisher.fill("fields")
    small = "html { font-size: 62.5% } body { font: 13px/1.4 sans-serif }"
    page = await window(
        publisher.page("fields", css=small, attributes=f"sort=oldest {shadow}"),
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
    )
    await ready(page)
    found: dict[str, float] = {}

    async def look() -> None:
        found.update(dict(await page.evaluate(FIELDS)))

    await look()
    await hosts.with_search(page)
    await look()
    await page.locator("tertulia-discussion .search").fill("")
    await hosts.with_menu(page)
    await hosts.with_report(page)
    await look()
    await page.locator("tertulia-discussion form.report").get_by_role("button", name="Cancel").click()
    await hosts.with_reply(page)
    await look()
    await hosts.write(page, "Written here.")
    await page.locator("tertulia-discussion [data-act=edit]:visible").click()
    await expect(page.locator("tertulia-discussion article form textarea")).to_have_value("Written here.")
    await look()
    assert {what.split()[0] for what in found} >= {"input", "select", "textarea"}
    assert len(found) >= 5
    assert {what: size for what, size in found.items() if size < 16} == {}


# ---- hostile text and hostile pages --------------------------------------------------------------------------

ZALGO = "Z" + "\u0335\u0321\u0322\u0327\u0328\u0301\u0300\u030d\u030e\u0304\u0305\u033f" * 12 + "algo"
NASTY = {
    "A script": "<script>window.owned = 1</script><img src=x onerror='window.owned = 1'><style>*{display:none}</style>",
    "A \u202eturned name": "Text \u202ethat turns\u202c, \u2067and another\u2069.",
    ZALGO: ZALGO * 3,
    "W" * 64: "W" * 400,
    "عبد الرحمن بن محمد": "A name from right to left, \u05d0\u05d1\u05d2 and more.",
    "ﷺ" * 60: "\ufdfd" * 60,
}


@pytest.mark.parametrize("width", [320, 1000])
async def test_hostile_text_stays_in_its_place(publisher: Publisher, window: Window, width: int) -> None:
    """It injects nothing, widens nothing and paints nothing over its neighbours (A20)."""
    key = f"nasty-{width}"
    for name, text in NASTY.items():
        publisher.say(key, text, name)
        publisher.say(key, "A neighbour.", "A neighbour")
    page = await window(publisher.page(key, attributes="sort=oldest"), viewport={"width": width, "height": 700})
    await ready(page)
    tags = await page.locator("tertulia-discussion article *").evaluate_all(
        "all => [...new Set(all.map(e => e.localName))]"
    )
    assert not {"script", "img", "style", "iframe"} & set(tags)
    assert await page.evaluate("window.owned") is None
    assert await page.evaluate(MISFITS) == []
    await _paints_only_in_its_box(page)


async def _paints_only_in_its_box(page: Page) -> None:
    """Neighbours look the same with the hostile comments invisible: nobody paints over them."""
    neighbours = page.locator("tertulia-discussion article > .box", has_text="A neighbour.")
    assert await neighbours.count() == len(NASTY)
    before = [await one.screenshot(animations="disabled") for one in await neighbours.all()]
    hidden = await page.evaluate("""() => {
        const boxes = [...document.querySelector('tertulia-discussion').shadowRoot.querySelectorAll('article > .box')];
        const nasty = boxes.filter((box) => !box.textContent.includes('A neighbour.'));
        for (const box of nasty) box.style.visibility = 'hidden';
        return nasty.length;
    }""")
    assert hidden == len(NASTY)
    after = [await one.screenshot(animations="disabled") for one in await neighbours.all()]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True] * len(NASTY)


async def test_a_hostile_page_changes_nothing(publisher: Publisher, window: Window, full: str) -> None:
    """The shadow keeps the styles of the page out; what is inherited on purpose is the same on both pages (A25)."""
    inherited = "body { display: block; margin: 0; padding: 0; font: 16px/1.2 sans-serif; color: black } "
    place = "main { display: block; margin: 16px; width: 700px } h1, head { display: none }"
    pictures = []
    for css in (PLAIN, HOSTILE_CSS):
        page = await window(publisher.page(full, css=f"{css} {inherited} {place}", attributes="sort=oldest live=off"))
        await ready(page)
        await hosts.with_menu(page)
        await page.mouse.move(0, 0)
        await page.evaluate("document.activeElement.blur()")
        pictures.append(await page.locator("tertulia-discussion").screenshot(animations="disabled"))
    if pictures[0] != pictures[1]:
        for name, seen in zip(("neutral", "hostile"), pictures, strict=True):
            keep(f"{name}-page", seen)
    assert pictures[0] == pictures[1], f"compare the pictures in {ARTEFACTS}"


# ---- pictures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", [*LANGUAGES, "ja"])
async def test_pictures_of_the_main_states(
    publisher: Publisher, window: Window, lang: str, scheme: str, width: int
) -> None:
    """Nothing overlaps and the columns are straight in them."""
    key = f"picture-{lang}-{scheme}-{width}"
    ids = publisher.fill(key)
    page = await window("about:blank", viewport={"width": width, "height": 800}, color_scheme=scheme)
    await _was_here_before(page, publisher, key, ids[19])
    await page.goto(
        publisher.page(key, lang=lang, css=DARK if scheme == "dark" else PLAIN, attributes="sort=oldest timezone=UTC")
    )
    await ready(page)
    name = f"{lang}-{scheme}-{width}"
    await hosts.with_pill_and_chip(page, publisher, key, ids)
    await _picture(page, f"{name}-1-waiting")
    await hosts.with_menu(page)
    await hosts.with_report(page)
    await _picture(page, f"{name}-2-report")
    await hosts.with_reply(page)
    await hosts.with_preview(page)
    await _picture(page, f"{name}-3-preview")
    await hosts.with_failed(page)
    await hosts.with_queued(page)
    await hosts.with_error(page)
    await page.evaluate("scrollTo(0, document.scrollingElement.scrollHeight)")
    await _picture(page, f"{name}-4-form")
    await page.locator("tertulia-discussion .divider").evaluate("line => line.scrollIntoView({ block: 'center' })")
    await _picture(page, f"{name}-5-since-last-visit")


async def _was_here_before(page: Page, publisher: Publisher, key: str, last_seen: str) -> None:
    """The comments after this one are new to the reader."""
    comment = publisher.ask("GET", f"/comments/{last_seen}")["comment"]
    item = f"tertulia:seen:{publisher.server.url}:default:{key}"
    await page.add_init_script(f"try {{ localStorage.setItem('{item}', '{comment['created_at']}') }} catch {{}}")


CROOKED = script("crooked")


async def _picture(page: Page, name: str) -> None:
    await picture(page, name)
    assert await page.evaluate(CROOKED) == [], name
