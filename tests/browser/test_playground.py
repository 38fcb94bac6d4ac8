"""The playground in a browser: every state appears, every switch works, and the console stays empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from tertulia.showcase.playground.discussions import LONG_COUNT
from tertulia.showcase.playground.page import STATES
from tests.browser.conftest import Window
from tests.support.server import ServerProcess
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DESK = {"viewport": {"width": 1440, "height": 1000}}


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The playground of a server for all tests of this module: each is another visit of it."""
    server = ServerProcess(tmp_path_factory.mktemp("playground"), ["--playground", "true"])
    yield f"{server.url}/playground"
    server.end()


@pytest.fixture
def own_ground(start_server: Callable[..., ServerProcess]) -> str:
    """The playground of a server where nobody else has written."""
    return f"{start_server('--playground', 'true').url}/playground"


def frame(page: Page, state: str) -> Locator:
    return page.locator(f'.frame[data-state="{state}"]')


async def seen(page: Page, state: str) -> Locator:
    """The frame of a state, scrolled to, as a person looks at it."""
    found = frame(page, state)
    await expect(found.locator("tertulia-discussion")).to_have_count(1)
    await found.scroll_into_view_if_needed()
    return found


async def choose(page: Page, name: str, value: str) -> None:
    await page.locator(f'select[name="{name}"]').select_option(value)


async def total(page: Page) -> int:
    """How many comments the live element has, once it is live."""
    await expect(page.locator("[data-property=connection]")).to_have_text("live")
    return int(await page.locator("[data-property=total]").inner_text())


async def write(element: Locator, text: str) -> None:
    form = element.locator("form").last
    await form.locator("[name=name]").fill("Lan")
    await form.locator("textarea").fill(text)
    await form.locator("[part~=submit]").click()


# ---- states ---------------------------------------------------------------------------------------------


async def test_every_state_appears(own_ground: str, window: Window) -> None:
    page = await window(own_ground, **DESK)
    assert {state.name for state in STATES} == SHOWN.keys()
    for name, shows in SHOWN.items():
        found = await seen(page, name)
        for selector, words in shows:
            await expect(found.locator(selector).first).to_contain_text(words)
    await expect(frame(page, "loading").locator("[part~=skeleton]")).to_be_empty()
    await expect(frame(page, "closed").locator("form")).to_be_hidden()
    shadowless = frame(page, "no-shadow").locator("tertulia-discussion")
    assert await shadowless.evaluate("element => element.shadowRoot === null")
    assert await frame(page, "replies").locator("tertulia-discussion").evaluate("element => !!element.shadowRoot")
    assert await page.evaluate("scrollX") == 0


SHOWN: dict[str, list[tuple[str, str]]] = {
    "empty": [("[part~=heading]", "[ 0 ]"), ("[part~=empty]", "No comments yet")],
    "replies": [
        (".replies .replies .replies [part~=comment]", "And on Sundays?"),
        ("[part~=badge]:not([hidden])", "moderator"),
        ("[part~=header]", "pinned"),
        ("[part~=list]", "removed by a moderator"),
        ("[part~=list]", "deleted by its author"),
    ],
    "long": [("[part~=heading]", f"[ {LONG_COUNT} ]"), ("[part~=more]:not([hidden])", "10 more comments")],
    "waiting": [("[part~=pill-button]:not([hidden])", "2 new comments"), ("[part~=chip]", "1 new reply")],
    "held": [("[part~=notice]", "once a moderator has approved")],
    "closed": [("[part~=notice]", "This discussion is closed")],
    "sent": [("[part~=body] em", "east stairs"), ("[part~=actions]", "Edit")],
    "queued": [(".waiting .stage", "Waiting for a connection")],
    "failed": [(".failed .stage", "Not sent. This discussion is closed")],
    "approval": [("[part~=badge]:not([hidden])", "Waiting for approval")],
    "reply": [("[part~=comment] form [part~=submit]", "Post reply"), ("[part~=cancel]", "Cancel")],
    "loading": [("[part~=skeleton]", "")],
    "error": [("[part~=skeleton]", "could not be loaded"), ("[part~=again]", "Try again")],
    "search": [(".found", "6 comments match"), ("article:not([hidden]) [part~=body]", "river")],
    "paused": [("[part~=pill-button]:not([hidden])", "2 new comments")],
    "no-shadow": [(".replies .replies .replies [part~=comment]", "And on Sundays?")],
    "relative": [("time", "minutes ago")],
}


async def test_showing_states_neither_scrolls_the_page_nor_takes_the_focus(ground: str, window: Window) -> None:
    page = await window(ground, **DESK)
    posted = page.locator('#log [data-state="sent"]', has_text="tertulia-posted")
    await expect(posted).to_have_count(1)
    assert await page.evaluate("[scrollY, document.activeElement.localName]") == [0, "body"]
    found = await seen(page, "reply")
    # where it is seen, since what stands above may still grow
    top = await found.evaluate("element => element.getBoundingClientRect().top")
    await expect(found.locator("[part~=comment] form")).to_be_visible()
    assert abs(await found.evaluate("element => element.getBoundingClientRect().top") - top) <= 1
    assert await page.evaluate("document.activeElement.localName") == "body"
    # who touches an element has it as it is
    await found.get_by_role("button", name="Cancel").click()
    await found.get_by_role("button", name="Reply to").first.click()
    await expect(found.locator("[part~=comment] form")).to_be_visible()
    focused = "document.activeElement.shadowRoot?.activeElement?.localName"
    await page.wait_for_function(f"['input', 'textarea'].includes({focused})")


async def test_what_grows_in_a_frame_that_is_seen_in_part_does_not_scroll_the_page(ground: str, window: Window) -> None:
    page = await window(ground, viewport={"width": 390, "height": 844})  # one beside another, either may be held on to
    await expect((await seen(page, "replies")).locator("[part~=comment]").first).to_be_visible()
    grow = """frame => {
      scrollBy(0, frame.getBoundingClientRect().top + 200);
      const shown = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const grown = Object.assign(document.createElement('p'), { textContent: 'grown' });
      const top = () => Math.round(frame.getBoundingClientRect().top);
      return shown().then(() => frame.prepend(grown)).then(shown).then(top);
    }"""
    assert await frame(page, "replies").evaluate(grow) == -200


async def test_a_second_visit_posts_nothing_twice(own_ground: str, window: Window) -> None:
    page = await window(own_ground, **DESK)
    for _ in range(2):
        for name in ("sent", "approval", "queued", "failed"):
            found = await seen(page, name)
            await expect(found.locator("[part~=author]", has_text="You")).to_have_count(1)
        await page.reload()


# ---- switches -------------------------------------------------------------------------------------------


async def test_switches_are_attributes_of_every_element_and_stay_in_the_address(ground: str, window: Window) -> None:
    page = await window(ground, **DESK)
    live = (await seen(page, "live")).locator("tertulia-discussion")
    await choose(page, "theme", "dark")
    await expect(live).to_have_css("background-color", "rgb(18, 18, 18)")
    await expect(live).to_have_css("color", "rgb(232, 232, 232)")
    await choose(page, "theme", "light")
    await expect(live).to_have_css("background-color", "rgb(255, 255, 255)")
    await choose(page, "sort", "oldest")
    await choose(page, "composer", "top")
    await choose(page, "time", "relative")
    await expect(live.locator("time").first).to_have_text("5 hours ago")
    await choose(page, "lang", "ar")
    await expect(live.locator("[part~=heading]").first).to_contain_text("كل التعليقات")
    await expect(live.locator("[dir=rtl]").first).to_be_visible()
    snippet = page.locator("#snippet")
    await expect(snippet).to_contain_text('theme="light" lang="ar" sort="oldest" composer="top" time="relative"')
    await expect(snippet).to_contain_text("--tertulia-bg: Canvas")
    assert page.url.endswith("?theme=light&lang=ar&sort=oldest&composer=top&time=relative")
    for name in (state.name for state in STATES):
        await expect(frame(page, name).locator("tertulia-discussion")).to_have_attribute("lang", "ar")
    # what makes a state stays
    await expect(frame(page, "waiting").locator("tertulia-discussion")).to_have_attribute("composer", "bottom")
    await page.reload()
    await expect(frame(page, "live").locator("[part~=heading]").first).to_contain_text("كل التعليقات")
    await page.get_by_role("button", name="Reset").click()
    await expect(frame(page, "live").locator("[part~=heading]").first).to_contain_text("All comments")
    assert page.url == ground


async def test_width_and_the_page_around_are_those_of_the_frames(ground: str, window: Window) -> None:
    page = await window(ground, **DESK)
    live = await seen(page, "live")
    for value, width in (("360", 360), ("600", 600)):
        await choose(page, "width", value)
        box = await live.bounding_box()
        assert box is not None
        assert box["width"] == width
    await choose(page, "width", "100")
    box = await live.bounding_box()
    assert box is not None
    assert box["width"] > 900
    element = live.locator("tertulia-discussion")
    await choose(page, "ground", "dark")
    await expect(live).to_have_css("background-color", "rgb(20, 24, 29)")
    await expect(element).to_have_css("color", "rgb(223, 228, 234)")
    await choose(page, "ground", "light")
    await expect(live).to_have_css("background-color", "rgb(255, 255, 255)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone(ground: str, window: Window, scheme: str) -> None:
    page = await window(ground, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    await expect((await seen(page, "live")).locator("[part~=heading]").first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await expect(page.locator('select[name="theme"]')).to_be_hidden()
    await page.locator("summary").click()
    await expect(page.locator('select[name="theme"]')).to_be_visible()


# ---- faults ---------------------------------------------------------------------------------------------


_COUNTING_STREAMS = """
    window.opened = { WebSocket: 0, EventSource: 0 };
    for (const name of Object.keys(opened)) {
        const Real = window[name];
        window[name] = class extends Real {
            constructor(...given) {
                super(...given);
                opened[name]++;
            }
        };
    }
"""


@pytest.mark.parametrize("fault", ["socket", "streams"])
async def test_it_is_live_where_streams_are_refused(ground: str, window: Window, fault: str) -> None:
    page, other = await window("about:blank", **DESK), await window(ground, **DESK)
    await page.add_init_script(_COUNTING_STREAMS)
    await page.goto(ground)
    live = await seen(page, "live")
    before = await total(page)
    assert (await page.evaluate("opened"))["WebSocket"] > 0
    # at once, since elements open theirs as they come near
    await page.locator('select[name="fault"]').evaluate(
        """(select, fault) => {
          Object.assign(opened, { WebSocket: 0, EventSource: 0 });
          const connection = document.querySelector("[data-property=connection]");
          window.shown = new Set();
          new MutationObserver(() => shown.add(connection.textContent))
            .observe(connection, { childList: true, characterData: true, subtree: true });
          select.value = fault;
          select.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        fault,
    )
    # it may be live again before anybody outside of the page can look

    async def was_cut() -> bool:
        return bool(await page.evaluate("[...shown].some((text) => text !== 'live')"))

    await until(was_cut, "a connection that is cut")
    await expect(page.locator("[data-property=connection]")).to_have_text("live")
    await write((await seen(other, "live")).locator("tertulia-discussion"), f"Written elsewhere: {fault}")
    await expect(page.locator("[data-property=total]")).to_have_text(str(before + 1))
    await expect(live.locator("[part~=body]", has_text=f"Written elsewhere: {fault}")).to_have_count(1)
    opened = await page.evaluate("opened")
    assert opened["WebSocket"] == 0
    assert (opened["EventSource"] > 0) is (fault == "socket")


async def test_offline_a_comment_waits_and_goes_on_its_way(ground: str, window: Window) -> None:
    page = await window(ground, **DESK)
    live = await seen(page, "live")
    before = await total(page)
    await choose(page, "fault", "offline")
    await expect(live.locator("[part~=status]")).to_contain_text("Offline")
    await write(live.locator("tertulia-discussion"), "From a tunnel")
    await expect(live.locator(".stage", has_text="Waiting for a connection")).to_be_visible()
    await choose(page, "fault", "none")
    await expect(page.locator("[data-property=connection]")).to_have_text("live")
    await expect(page.locator("[data-property=total]")).to_have_text(str(before + 1))
    await expect(live.locator("[part~=body]", has_text="From a tunnel")).to_have_count(1)


@pytest.mark.parametrize("fault", ["post-fails", "answer-lost"])
async def test_a_post_or_its_answer_that_gets_lost_makes_one_comment(ground: str, window: Window, fault: str) -> None:
    page = await window(ground, **DESK)
    live = await seen(page, "live")
    before = await total(page)
    await expect((await seen(page, "approval")).locator("[part~=badge]:not([hidden])")).to_be_visible()
    await seen(page, "live")
    await page.locator(f'[data-once="{fault}"]').click()
    await write(live.locator("tertulia-discussion"), f"Posted once: {fault}")
    await expect(page.locator("#fault-status")).to_contain_text("got lost")
    log = page.locator('#log [data-state="live"]')
    await expect(log.filter(has_text="tertulia-post-error")).to_have_count(1)
    await expect(log.filter(has_text="tertulia-posted")).to_have_count(1)
    await expect(live.locator("[part~=body]", has_text=f"Posted once: {fault}")).to_have_count(1)
    await expect(page.locator("[data-property=total]")).to_have_text(str(before + 1))


async def test_slow_answers_are_waited_for(ground: str, window: Window) -> None:
    page = await window(ground, **DESK)
    live = await seen(page, "live")
    await expect(page.locator("[data-property=state]")).to_have_text("ready")
    await choose(page, "fault", "slow")
    await choose(page, "lang", "de")
    await expect(page.locator("[data-property=state]")).to_have_text("loading")
    await expect(live.locator("[part~=skeleton]")).to_be_visible()
    await expect(live.locator("[part~=heading]").first).to_contain_text("Alle Kommentare")


async def test_a_restart_is_logged_and_survived(ground: str, window: Window) -> None:
    page = await window(ground, **DESK)
    await seen(page, "live")
    await expect(page.locator("[data-property=connection]")).to_have_text("live")
    await page.get_by_role("button", name="Server restarts").click()
    states = page.locator('#log [data-state="live"]', has_text="tertulia-state")
    await expect(states).to_have_count(5)
    told = [line.split()[-1] for line in reversed(await states.all_inner_texts())]
    assert told[2:] == ['{"state":"waiting"}', '{"state":"connecting"}', '{"state":"live"}']


async def test_methods_are_those_of_the_element(ground: str, window: Window) -> None:
    page = await window(ground, **DESK)
    live = await seen(page, "live")
    await expect(page.locator("[data-property=state]")).to_have_text("ready")
    toggle = live.locator("[part~=live-toggle]")
    await page.get_by_role("button", name="pause()").click()
    await expect(toggle).to_have_attribute("aria-checked", "false")
    await page.get_by_role("button", name="play()").click()
    await expect(toggle).to_have_attribute("aria-checked", "true")
    await page.get_by_role("button", name='search("river")').click()
    await expect(live.locator(".found")).to_contain_text("match")
    await page.get_by_role("button", name='search("")').click()
    await expect(live.locator(".found")).to_be_empty()
    await page.locator("#log-of").select_option("all")
    await expect(page.locator('#log [data-state="sent"]').first).to_be_visible()
