"""The connection of a page: what carries it, what happens when it is lost, and that nothing of it stays behind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Window, tertulia
from tests.browser.pages import bodies, comment, comments, count, evaluate_element, form, held, host, post, shown, write
from tests.browser.scripts import script
from tests.support.proxy import Proxy
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def _element(key: str, attributes: str = "") -> str:
    return f'<tertulia-discussion key="{key}" {attributes}></tertulia-discussion>'


async def _state(page: Page) -> object:
    return await evaluate_element(page, "return el.connection")


async def _until_state(page: Page, state: str) -> None:
    await page.wait_for_function(f"document.querySelector('tertulia-discussion')?.connection === '{state}'")


# ---- what carries it ----------------------------------------------------------------------------------------

# notes each attempt, its moment and the moment of being live
_TAKE_NOTES = """
    window.notes = [];
    for (const name of ['WebSocket', 'EventSource']) {
        window[name] = new Proxy(window[name], {
            construct(target, given) { notes.push([name, performance.now()]); return new target(...given); },
        });
    }
    addEventListener('tertulia-state', ({ detail }) => notes.push([detail.state, performance.now()]));
"""


@pytest.mark.parametrize("carrier", ["EventSource", "poll"])
async def test_a_refused_transport_is_replaced_by_the_next(
    shared: ServerProcess, window: Window, key: str, carrier: str
) -> None:
    page = await window("about:blank")
    await page.add_init_script(_TAKE_NOTES)
    attempts = ["WebSocket", "WebSocket", "EventSource"]
    if carrier == "poll":
        await page.route("**/api/v1/events*", _refuse_streams)
        attempts.append("EventSource")
    async with Proxy(shared.port) as proxy:
        proxy.refusing_sockets = True
        await host(page, proxy.url, _element(key))
        await _until_state(page, "live")
        notes = await page.evaluate("window.notes")
        assert [name for name, _ in notes if name in attempts] == attempts
        first, live = notes[0][1], next(at for name, at in notes if name == "live")
        events = next(at for name, at in notes if name == "EventSource")
        print(f"live by {carrier} after {live - first:.0f} ms, {live - events:.0f} ms after the first EventSource")
        await post(shared, "It gets through", key=key)
        await expect(comment(page, "It gets through")).to_have_count(1)
        await write(page, "Lan", "Both ways")
        await expect(comment(page, "Both ways").get_by_role("button", name="Edit")).to_be_visible()


async def _refuse_streams(route: Route) -> None:
    if "event-stream" in route.request.headers.get("accept", ""):
        await route.abort()
    else:
        await route.continue_()


async def test_a_browser_that_is_wrong_about_being_offline_is_live(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await window("about:blank")
    await page.add_init_script("Object.defineProperty(Navigator.prototype, 'onLine', { get: () => false })")
    await host(page, shared, _element(key))
    await shown(page)
    await post(shared, "It gets through", key=key)
    await expect(comment(page, "It gets through")).to_have_count(1)
    await page.evaluate("dispatchEvent(new Event('offline'))")
    assert await _state(page) == "offline"
    await _until_state(page, "live")
    await post(shared, "Still", key=key)
    await expect(comment(page, "Still")).to_have_count(1)
    await write(page, "Lan", "Both ways")
    await expect(comment(page, "Both ways").get_by_role("button", name="Edit")).to_be_visible()


async def test_a_server_that_is_down_changes_nothing(shared: ServerProcess, window: Window, key: str) -> None:
    page = await window("about:blank")
    await page.add_init_script(_TAKE_NOTES)
    async with Proxy(shared.port) as proxy:
        await host(page, proxy.url, _element(key))
        await shown(page)
        proxy.refusing = True
        proxy.cut()
        await page.wait_for_function("notes.filter(([name]) => name === 'WebSocket').length >= 4")
        await expect(page.locator("tertulia-discussion [part~=status]")).to_have_text("Reconnecting…")
        proxy.refusing = False
        await post(shared, "Back again", key=key)
        await expect(comment(page, "Back again")).to_have_count(1)
        assert "EventSource" not in [name for name, _ in await page.evaluate("notes")]


# ---- coming and going ---------------------------------------------------------------------------------------

# what waits five minutes is done when the test says so: a faster clock would outrun the server's heartbeats
_FIVE_MINUTES = """
    const { setTimeout: begin, clearTimeout: end } = window;
    window.setTimeout = (work, ms, ...given) => {
        if (ms !== 300_000) return begin(work, ms, ...given);
        window.later = work;
        return -1;
    };
    window.clearTimeout = (timer) => { if (timer === -1) delete window.later; else end(timer); };
"""

_BE_HIDDEN = """
    (isHidden) => {
        Object.defineProperty(document, 'hidden', { get: () => isHidden, configurable: true });
        const state = isHidden ? 'hidden' : 'visible';
        Object.defineProperty(document, 'visibilityState', { get: () => state, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }
"""


async def test_a_page_that_nobody_sees_is_closed_after_five_minutes(
    shared: ServerProcess, window: Window, key: str
) -> None:
    await post(shared, "Before", key=key)
    page = await window("about:blank")
    await page.add_init_script(_FIVE_MINUTES + _TAKE_NOTES)
    await host(page, shared, _element(key))
    await shown(page)
    sockets = "notes.filter(([name]) => name === 'WebSocket').length"
    assert await page.evaluate("typeof later") == "undefined"
    await page.evaluate(_BE_HIDDEN, True)
    assert await _state(page) == "live"
    await page.evaluate("later()")
    assert await _state(page) == "asleep"
    before = await page.evaluate(sockets)
    for number in range(3):
        await post(shared, f"Missed {number}", key=key)
    assert await page.evaluate(sockets) == before
    await count(page, 1)
    await page.evaluate(_BE_HIDDEN, False)
    await page.wait_for_function(f"{sockets} === {before + 1}")
    await _until_state(page, "live")
    await expect(comments(page)).to_have_count(4)


async def test_a_short_absence_costs_no_connection(shared: ServerProcess, window: Window, key: str) -> None:
    page = await window("about:blank")
    await page.add_init_script(_FIVE_MINUTES)
    await host(page, shared, _element(key))
    await shown(page)
    await page.evaluate(_BE_HIDDEN, True)
    assert await page.evaluate("typeof later") == "function"
    await page.evaluate(_BE_HIDDEN, False)
    assert await page.evaluate("typeof later") == "undefined"
    assert await _state(page) == "live"


async def test_another_epoch_brings_the_list_anew_and_keeps_what_is_read_and_written(
    start_server: Callable[..., ServerProcess], window: Window, key: str
) -> None:
    first = start_server()
    said = [f"Paragraph {number} of a long discussion" for number in range(30)]
    for text in said:
        await post(first, text, key=key)
    page = await window("about:blank", viewport={"width": 800, "height": 600}, reduced_motion="reduce")
    async with Proxy(first.port) as proxy:
        await host(page, proxy.url, _element(key))
        await shown(page)
        await form(page).locator("textarea").fill("Half a thought")
        read = comment(page, said[12])
        await read.evaluate("box => box.scrollIntoView({block: 'start'})")
        await comment(page, said[13]).get_by_role("button", name="Reply").click()
        await comment(page, said[13]).locator("textarea").fill("Half an answer")
        top = await _top(page, said[13])
        first.end()
        tertulia("epoch", "renew", "--data-dir", str(first.data_dir))
        second = start_server(data_dir=first.data_dir)
        proxy.aim(second.port)
        await post(second, "In the new epoch", key=key)
        await count(page, 31)
        await expect(form(page).locator("textarea")).to_have_value("Half a thought")
        await expect(comment(page, said[13]).locator("textarea")).to_have_value("Half an answer")
        await expect(comment(page, said[13]).locator("textarea")).to_be_focused()
        assert abs(await _top(page, said[13]) - top) <= 1
        await post(second, "And live", key=key)
        await count(page, 32)


async def _top(page: Page, text: str) -> float:
    box = await comment(page, text).bounding_box()
    assert box is not None
    return box["y"]


# ---- nothing stays behind -----------------------------------------------------------------------------------

_COUNT_WHAT_IS_OPEN = script("count_what_is_open")
EXTRAS = re.compile(r"/embed-(extras|more)\.")

_NOTHING = {"sockets": 0, "timers": 0, "intervals": 0, "listeners": 0, "observers": 0}


@pytest.mark.parametrize("way", ["another key", "removed"])
async def test_fifty_discussions_later_nothing_is_left_of_them(
    shared: ServerProcess, window: Window, key: str, way: str
) -> None:
    for number in range(3):
        await post(shared, "Something to read", key=f"{key}-{number}")
    page = await window("about:blank")
    await page.add_init_script(_COUNT_WHAT_IS_OPEN)
    await host(page, shared, _element(f"{key}-0", "loading=eager"))
    await shown(page)
    # the file that threads need comes last, listens to the page, and brings the third sheet
    await page.wait_for_function(
        "document.querySelector('tertulia-discussion').shadowRoot.adoptedStyleSheets.length === 3"
    )
    once = await page.evaluate("held()")
    assert once["sockets"] == 1
    await page.evaluate(
        """async ([key, way]) => {
            let el = document.querySelector('tertulia-discussion');
            for (let number = 0; number < 50; number++) {
                // left at each stage of coming: at once, with the comments, with the second file
                const stage = number % 3;
                if (way === 'removed') {
                    el.remove();
                    el = document.createElement('tertulia-discussion');
                    el.setAttribute('loading', 'eager');
                }
                el.setAttribute('key', `${key}-${number % 3}`);
                if (!el.isConnected) document.body.append(el);
                if (stage > 0) while (el.state !== 'ready') await new Promise(requestAnimationFrame);
                if (stage > 1) await el.search('');
            }
        }""",
        [key, way],
    )
    await shown(page)
    # timers of the announced and the settled connection come and go by themselves
    await page.wait_for_function(
        """(once) => {
            const { timers, ...others } = held();
            return Object.keys(others).every((kind) => others[kind] === once[kind]) && timers <= once.timers + 2;
        }""",
        arg=once,
    )
    await page.evaluate("document.querySelector('tertulia-discussion').remove()")
    await page.wait_for_function("JSON.stringify(held()) === JSON.stringify(" + str(_NOTHING).replace("'", '"') + ")")


# ---- what comes while everything is read anew ----------------------------------------------------------------


async def test_who_saves_data_sees_what_arrives(shared: ServerProcess, window: Window, key: str) -> None:
    page = await window("about:blank")
    await page.add_init_script("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    actions: list[str] = []
    page.on("request", lambda request: actions.append(request.url) if "embed-actions" in request.url else None)
    await host(page, shared, _element(key))
    await expect(page.locator("tertulia-discussion [part~=status][data-state=live]")).to_be_attached()
    assert not actions
    await post(shared, "An arrival", key=key)
    await expect(comment(page, "An arrival")).to_be_visible()
    assert actions


async def test_what_cannot_be_loaded_is_said_and_tried_again(shared: ServerProcess, window: Window, key: str) -> None:
    """As without a network, or just after an upgrade: the file has another name then."""
    await post(shared, "Something to search for", key=key)
    page = await window("about:blank")
    await page.route(EXTRAS, lambda route: route.fulfill(status=404))
    await host(page, shared, _element(key))
    await shown(page)
    said = "This could not be loaded. Try again, or reload the page."
    text, bold = form(page).locator("textarea"), form(page).get_by_role("button", name="Bold")
    await text.fill("Every word")
    await text.select_text()
    await bold.click()
    await expect(form(page).locator("[part~=error]")).to_have_text(said)
    await expect(text).to_have_value("Every word")
    assert await evaluate_element(page, "return el.search('search').catch(() => 'not loaded')") == "not loaded"
    await expect(page.locator("tertulia-discussion .found")).to_have_text(said)
    theirs = comment(page, "Something to search for")
    await theirs.get_by_role("button", name="Reply").click()
    await theirs.locator("textarea").fill("A reply that is being written")
    await theirs.get_by_role("button", name="More").click()
    await expect(theirs.get_by_text(said)).to_be_visible()
    await expect(theirs.locator("textarea")).to_have_value("A reply that is being written")
    await page.unroute(EXTRAS)
    await bold.click()
    await expect(text).to_have_value("**Every word**")
    await expect(form(page).locator("[part~=error]")).to_be_hidden()
    assert await evaluate_element(page, "return el.search('search')") == 1
    await theirs.get_by_role("button", name="More").click()
    await theirs.get_by_role("menuitem", name="Report").click()
    await expect(theirs.locator("form.report")).to_be_visible()
    await expect(theirs.get_by_text(said)).to_have_count(0)


async def test_what_comes_late_does_not_close_what_was_opened_meanwhile(
    shared: ServerProcess, window: Window, key: str
) -> None:
    await post(shared, "Answer me", key=key)
    page = await window("about:blank")
    extras = await held(page, EXTRAS)
    await host(page, shared, _element(key))
    await shown(page)
    theirs = comment(page, "Answer me")
    await theirs.get_by_role("button", name="More").click()
    await extras.is_asked.wait()
    await theirs.get_by_role("button", name="Reply").click()
    await theirs.locator("textarea").fill("In a hurry")
    async with page.expect_response(EXTRAS):
        extras.may_go.set()
    await page.wait_for_load_state("networkidle")
    await expect(theirs.locator("textarea")).to_have_value("In a hurry")
    await expect(theirs.get_by_role("menu")).to_have_count(0)
    await theirs.get_by_role("button", name="More").click()
    await theirs.get_by_role("menuitem", name="Report").click()
    await expect(theirs.locator("form.report")).to_be_visible()


async def test_what_few_use_is_loaded_when_they_use_it(shared: ServerProcess, window: Window, key: str) -> None:
    page = await window("about:blank")
    extras: list[str] = []
    page.on("request", lambda request: extras.append(request.url) if EXTRAS.search(request.url) else None)
    await host(page, shared, _element(key))
    await shown(page)
    await form(page).locator("textarea").fill("Plain words")
    await form(page).get_by_label("Name").fill("Lan")
    await form(page).get_by_role("button", name="Post comment").click()
    await expect(comment(page, "Plain words").get_by_role("button", name="Edit")).to_be_visible()
    assert not extras
    await form(page).get_by_role("button", name="Preview").click()
    await expect(form(page).locator("[part~=preview]")).to_contain_text("Please write something first.")
    assert len(extras) == 1


async def test_what_a_slow_snapshot_did_not_have_is_not_lost(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Already here", key=key)
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    is_read, may_arrive = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        is_read.set()
        await may_arrive.wait()
        await route.fulfill(response=answer)

    await page.route("**/api/v1/discussion?*", late)
    await evaluate_element(page, "window.refreshed = el.refresh().then(() => true)")
    await is_read.wait()
    await post(shared, "Said meanwhile", key=key)
    await expect(comment(page, "Said meanwhile")).to_have_count(1)
    may_arrive.set()
    await page.evaluate("refreshed")
    await expect(comment(page, "Said meanwhile")).to_have_count(1)
    await count(page, 2)


async def test_what_was_sent_is_sent_although_the_element_goes(shared: ServerProcess, window: Window, key: str) -> None:
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    sent = await held(page, "**/api/v1/comments")
    await write(page, "Lan", "On to the next page")
    await sent.is_asked.wait()
    await page.evaluate("document.querySelector('tertulia-discussion').remove()")
    async with page.expect_response("**/api/v1/comments"):
        sent.may_go.set()
    assert await bodies(shared, key) == ["On to the next page"]


# ---- blocked storage, live updates off ----------------------------------------------------------------------


async def test_it_works_where_storage_is_blocked(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Already here", key=key)
    page = await window("about:blank")
    await page.add_init_script(
        "const no = () => { throw new DOMException('no', 'SecurityError') };"
        "Object.defineProperty(window, 'localStorage', { get: no });"
        "if (navigator.locks) navigator.locks.request = async () => no()"
    )
    await page.clock.install()
    await host(page, shared, _element(key))
    await shown(page)
    await expect(comment(page, "Already here")).to_have_count(1)
    await form(page).locator("textarea").fill("Said without storage")
    await page.clock.run_for(2_000)
    await expect(form(page).locator("[part~=hint]")).to_have_text("")
    await write(page, "Lan", "Said without storage")
    await expect(comment(page, "Said without storage").get_by_role("button", name="Edit")).to_be_visible()
    await write(page, "Lan", "Said by the same guest")
    await expect(comment(page, "Said by the same guest").get_by_role("button", name="Edit")).to_be_visible()
    assert await bodies(shared, key) == ["Already here", "Said without storage", "Said by the same guest"]


async def test_with_live_updates_off_only_the_numbers_change(shared: ServerProcess, window: Window, key: str) -> None:
    for text in ("Already here", "So is this"):
        await post(shared, text, key=key)
    page = await window("about:blank")
    await host(page, shared, _element(key))
    await shown(page)
    toggle = page.locator("tertulia-discussion [part~=live-toggle]")
    await toggle.click()
    await expect(toggle).to_have_attribute("aria-checked", "false")
    await page.evaluate(
        """() => {
            const root = document.querySelector('tertulia-discussion').shadowRoot;
            const told = [...root.querySelectorAll('.top .heading, .pill-button')];
            window.changes = [];
            new MutationObserver((found) => {
                for (const { target, type, attributeName: name, oldValue } of found) {
                    const isSame = type === 'attributes' && target.getAttribute(name) === oldValue;
                    if (isSame || told.some((one) => one.contains(target))) continue;
                    changes.push(`${type} ${name}: ${target.outerHTML ?? target.data}`);
                }
            }).observe(root, { subtree: true, childList: true, attributeOldValue: true, characterData: true });
        }"""
    )
    for number in range(3):
        await post(shared, f"Arrival {number}", key=key)
    await expect(page.get_by_role("button", name="3 new comments")).to_be_visible()
    await count(page, 5)
    await expect(toggle).to_have_text("Live updates")
    assert await page.evaluate("changes") == []
    await toggle.click()
    await expect(comments(page)).to_have_count(5)
    await count(page, 5)
    await expect(toggle).to_have_text("Live updates")
    await expect(toggle).to_have_attribute("aria-checked", "true")


async def test_who_came_with_live_updates_off_has_no_connection(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await window("about:blank")
    await host(page, shared, _element(key, "live=off"))
    await count(page, 0)
    await expect(page.locator("tertulia-discussion [role=toolbar]")).to_be_attached()
    assert await _state(page) == "idle"
    await page.locator("tertulia-discussion [part~=live-toggle]").click()
    await _until_state(page, "live")


async def test_what_the_reader_chose_counts_on_pages_that_begin_either_way(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await window("about:blank")
    toggle = page.locator("tertulia-discussion [part~=live-toggle]")
    for begins, chosen in (("live=off", "true"), ("", "false"), ("live=off", "true")):
        await host(page, shared, _element(key, begins))
        await toggle.click()
        await expect(toggle).to_have_attribute("aria-checked", chosen)
        for other in ("live=off", ""):
            await host(page, shared, _element(key, other))
            await expect(toggle).to_have_attribute("aria-checked", chosen)
