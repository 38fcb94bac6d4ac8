"""Two windows on one article: what is typed in one appears in the other, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest
from playwright.async_api import Locator, Route, expect

from tests.browser.conftest import ARTICLE, Window
from tests.browser.pages import article, at_the_end, comment, comments, discussion, live, post, read_on, texts, write
from tests.support.api_client import AsyncApiClient
from tests.support.proxy import Proxy
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_comment_typed_in_one_window_appears_in_the_other(site: ServerProcess, window: Window) -> None:
    reader, writer = await window(article(site)), await window(article(site))
    await at_the_end(reader)
    await live(writer)
    await expect(reader.get_by_text("2 readers")).to_be_visible()
    before = await comments(reader).count()
    await write(writer, "Nguyễn Thị Ánh Tuyết", "Tôi sẽ ra **bờ sông** tối nay.")
    await expect(comment(writer, "bờ sông")).to_have_count(1)
    await expect(comment(reader, "bờ sông")).to_have_count(1)
    await expect(comment(reader, "bờ sông").locator("strong")).to_have_text("bờ sông")
    await expect(comment(reader, "bờ sông").locator("bdi").first).to_have_text("Nguyễn Thị Ánh Tuyết")
    await expect(reader.get_by_role("heading", name=f"All comments [ {before + 1} ]")).to_be_visible()
    await expect(comments(writer)).to_have_count(before + 1)


async def test_who_has_posted_writes_no_more_and_who_still_writes_does(site: ServerProcess, window: Window) -> None:
    await post(site, "Already here", key="writers")
    reader, one, other = [await window(f"{site.url}/d?key=writers") for _ in range(3)]
    for page in (reader, one, other):
        await live(page)
    writing = reader.locator("tertulia-discussion .writing")
    await one.locator("tertulia-discussion form textarea").last.press_sequentially("I think")
    await expect(writing).to_have_text("Someone is writing…")
    await other.locator("tertulia-discussion form textarea").last.press_sequentially("So do I")
    await expect(writing).to_have_text("2 people are writing…")
    await write(one, "Lan", "I think so")
    await expect(comment(reader, "I think so")).to_have_count(1)
    assert await writing.inner_text() == "Someone is writing…"
    await write(other, "Minh", "So do I")
    await expect(comment(reader, "So do I")).to_have_count(1)
    assert await writing.inner_text() == ""


async def test_a_reply_an_edit_and_a_deletion_are_live(site: ServerProcess, window: Window) -> None:
    reader, writer = await window(article(site)), await window(article(site))
    await at_the_end(reader)
    await live(writer)
    await write(writer, "Lan", "First thoughts")
    mine = comments(writer).last
    await expect(mine).to_contain_text("First thoughts")
    await mine.get_by_role("button", name="Edit").click()
    await mine.locator("textarea").fill("Second thoughts")
    await mine.get_by_role("button", name="Save").click()
    await expect(comment(reader, "Second thoughts")).to_contain_text("edited")
    theirs = comment(reader, "Second thoughts")
    await theirs.get_by_role("button", name="Reply").click()
    await theirs.get_by_label("Name").fill("Minh")
    await theirs.locator("textarea").fill("I liked the first ones")
    await theirs.get_by_role("button", name="Post reply").click()
    chip = comment(writer, "Second thoughts").get_by_role("button", name="1 new reply")
    await chip.click()
    await expect(comment(writer, "I liked the first ones")).to_have_count(1)
    await expect(chip).to_have_count(0)
    mine = comment(writer, "Second thoughts")
    await mine.get_by_role("button", name="Delete").click()
    await mine.get_by_role("button", name="Undo").click()
    await mine.get_by_role("button", name="Delete").click()
    await expect(mine).to_contain_text("Deleting…")
    await expect(comment(reader, "Second thoughts")).to_have_count(1)  # as long as it can be undone
    await writer.close()
    await expect(comment(reader, "deleted by its author")).to_have_count(1)
    await expect(comment(reader, "Second thoughts")).to_have_count(0)
    await expect(comment(reader, "I liked the first ones")).to_have_count(1)


async def test_a_socket_cut_midway_costs_nothing(site: ServerProcess, window: Window) -> None:
    async with Proxy(site.port) as proxy:
        reader = await window(article(proxy.url))
        await at_the_end(reader)
        shown, known = await comments(reader).count(), len(await texts(reader))
        for number in range(10):
            if number == 3:
                proxy.refusing = True
                proxy.cut()
            if number == 7:
                proxy.refusing = False
            await post(site, f"Number {number}")
        await read_on(reader, shown + 10)
        assert (await texts(reader))[known:] == [f"Number {number}" for number in range(10)]


async def test_a_server_that_was_killed_is_found_again(
    start_server: Callable[..., ServerProcess], window: Window
) -> None:
    first = start_server("--with-samples")
    async with Proxy(first.port) as proxy:
        reader = await window(article(proxy.url))
        await at_the_end(reader)
        known = len(await texts(reader))
        await post(first, "Before the end")
        await expect(comment(reader, "Before the end")).to_have_count(1)
        first.kill()
        second = start_server(data_dir=first.data_dir)
        proxy.aim(second.port)
        await post(second, "After it")
        await expect(comment(reader, "After it")).to_have_count(1)
        assert (await texts(reader))[known:] == ["Before the end", "After it"]


async def test_an_answer_that_got_lost_makes_no_second_comment(site: ServerProcess, window: Window) -> None:
    writer = await window(article(site))
    await live(writer)
    lost: list[str] = []

    async def lose_the_first(route: Route) -> None:
        if not lost and route.request.method == "POST":
            lost.append(route.request.headers["idempotency-key"])
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await writer.route("**/api/v1/comments", lose_the_first)
    await write(writer, "Lan", "Said once")
    await expect(comment(writer, "Said once").get_by_role("button", name="Reply")).to_be_visible()
    assert len(lost) == 1
    await expect(comment(writer, "Said once")).to_have_count(1)
    async with httpx.AsyncClient(base_url=site.url) as client:
        events = (await client.get("/api/v1/events", params={"key": ARTICLE})).json()["events"]
    assert sum("Said once" in str(event) for event in events) == 1


@pytest.mark.parametrize("blocked", [("WebSocket",), ("WebSocket", "EventSource")], ids=["sse", "polling"])
async def test_it_is_live_where_a_transport_is_blocked(
    site: ServerProcess, window: Window, blocked: tuple[str, ...]
) -> None:
    reader = await window("about:blank")
    for name in blocked:
        event = "close" if name == "WebSocket" else "error"
        await reader.add_init_script(
            f"window.{name} = class {{ close() {{}} constructor() {{ setTimeout(() => "
            f"this.on{event}?.({{code: 1006, reason: ''}}), 20) }} }}"
        )
    await reader.goto(article(site))
    await reader.locator("tertulia-discussion").scroll_into_view_if_needed()
    await expect(discussion(reader)).to_be_visible()
    await reader.locator("tertulia-discussion form textarea").last.scroll_into_view_if_needed()
    await post(site, "Arrives all the same")
    await expect(comment(reader, "Arrives all the same")).to_have_count(1)


PRESSES = 12


async def _top(element: Locator) -> float:
    box = await element.bounding_box()
    assert box is not None
    return box["y"]


async def test_arrivals_wait_where_somebody_reads(site: ServerProcess, window: Window) -> None:
    reader = await window(article(site), viewport={"width": 1000, "height": 500})
    await live(reader)
    watched = comments(reader).first
    await watched.scroll_into_view_if_needed()
    top = await _top(watched)
    shown = await comments(reader).count()
    for number in range(4):
        await post(site, f"Arrival {number}")
    pill = reader.get_by_role("button", name="4 new comments")
    await expect(pill).to_be_visible()
    assert await comments(reader).count() == shown
    assert abs(await _top(watched) - top) <= 1
    await pill.click()
    await expect(comment(reader, "Arrival 3")).to_have_count(1)
    await expect(comment(reader, "Arrival 0")).to_be_in_viewport()
    await expect(pill).to_be_hidden()


async def test_a_list_that_begins_with_the_newest_grows_on(site: ServerProcess, window: Window) -> None:
    """It is kept in chunks, and before a full one another has to begin."""
    await post(site, "One", key="growing")
    await post(site, "Two", key="growing")
    reader = await window(f"{site.url}/d?key=growing")
    await live(reader)
    await reader.get_by_role("combobox").select_option("newest")
    await expect(comments(reader).first).to_contain_text("Two")
    await reader.locator("tertulia-discussion article").first.focus()  # nothing moves where somebody is busy
    for number in range(120):
        await post(site, f"Number {number}", key="growing")
    await expect(reader.get_by_role("heading", name="All comments [ 122 ]")).to_be_visible()
    await reader.locator("tertulia-discussion [part~=pill-button]").click()
    await expect(comments(reader)).to_have_count(122)
    assert await texts(reader) == [*(f"Number {number}" for number in reversed(range(120))), "Two", "One"]


async def test_what_a_busy_discussion_leaves_out_is_offered(
    start_server: Callable[..., ServerProcess], window: Window
) -> None:
    server = start_server("--with-samples", "--tick-rate", "1", "--summary-rate", "2")
    reader = await window(article(server))
    fetched: list[str] = []
    reader.on("request", lambda request: fetched.append(request.url) if "/api/v1/events?" in request.url else None)
    await live(reader)
    await comments(reader).first.scroll_into_view_if_needed()
    known, before = await texts(reader), await comments(reader).count()
    said = [f"Number {number}" for number in range(60)]
    await _burst(server, said)
    await expect(reader.get_by_role("heading", name=f"All comments [ {before + 60} ]")).to_be_visible()
    pill = reader.get_by_role("button", name="60 new comments")
    await expect(pill).to_be_visible()
    assert fetched == []
    await reader.route("**/api/v1/events?*", lambda route: route.abort(), times=1)
    async with reader.expect_event("requestfailed", lambda request: "/api/v1/events?" in request.url):
        await pill.click()
    await reader.evaluate("new Promise((seen) => requestAnimationFrame(() => setTimeout(seen)))")
    offer = reader.locator("tertulia-discussion [part~=pill-button]")
    await expect(offer).not_to_have_text("60 new comments")  # those that were not left out are shown
    await expect(offer).to_be_visible()
    await _press_until(offer, comments(reader), before + 60)
    await expect(offer).to_be_hidden()
    shown = await texts(reader)
    assert shown[: len(known)] == known
    assert shown[len(known) :] == await _last_texts(server, 60)
    assert sorted(shown[len(known) :]) == sorted(said)


async def _press_until(offer: Locator, shown: Locator, many: int) -> None:
    """A press counts for nothing while the answer to the one before is on its way: whoever reads presses again."""
    for _ in range(PRESSES):
        if await offer.is_visible():
            await offer.click()
        with suppress(AssertionError):
            await expect(shown).to_have_count(many, timeout=PATIENCE / PRESSES * 1000)
            return
    await expect(shown).to_have_count(many)


async def _burst(server: ServerProcess, said: list[str]) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        stranger = AsyncApiClient(client, ARTICLE, name="A stranger")
        await asyncio.gather(*(stranger.post_comment(text) for text in said))


async def _last_texts(server: ServerProcess, last: int) -> list[str]:
    """The ``last`` comments that were made, oldest first."""
    log = await AsyncApiClient(server.url, ARTICLE).events()
    made = [event["comment"] for event in log["events"] if event["kind"] == "comment.created"]
    made.sort(key=lambda comment: (comment["created_at"], comment["id"]))
    return [comment["body"][0]["children"][0]["text"] for comment in made[-last:]]


async def test_live_updates_can_be_stopped(site: ServerProcess, window: Window) -> None:
    reader = await window(article(site))
    await at_the_end(reader)
    await comments(reader).last.scroll_into_view_if_needed()
    await reader.get_by_role("switch", name="Live updates", checked=True).click()
    await post(site, "Not yet")
    await expect(reader.get_by_role("button", name="1 new comment")).to_be_visible()
    await expect(comment(reader, "Not yet")).to_have_count(0)
    await reader.get_by_role("switch", name="Live updates", checked=False).click()
    await reader.locator("tertulia-discussion form textarea").last.scroll_into_view_if_needed()
    await expect(comment(reader, "Not yet")).to_have_count(1)
