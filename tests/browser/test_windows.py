"""Several windows of one browser on one server: they share a connection, and leave some for everything else."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, Window
from tests.browser.pages import bodies, comment, form, post, read_on, shown, write
from tests.support.api_client import AsyncApiClient
from tests.support.proxy import Proxy
from tests.support.server import ServerProcess
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MANY = 8  # a browser has six connections to a host


async def _readers(server: ServerProcess, key: str) -> int:
    """How many live connections the discussion has at the server."""
    readers: int = (await AsyncApiClient(server.url, key).snapshot())["discussion"]["readers"]
    return readers


async def _until_readers(server: ServerProcess, key: str, number: int) -> None:
    async def are_so_many() -> bool:
        return await _readers(server, key) == number

    await until(are_so_many, f"{number} connections to the discussion")


async def _another(page: Page, url: str, script: str = "") -> Page:
    """Another window of the same browser."""
    other = await page.context.new_page()
    other.set_default_timeout(PATIENCE_MS)
    if script:
        await other.add_init_script(script)
    await other.goto(url)
    return other


def _page(base: str, key: str) -> str:
    return f"{base}/d?key={quote(key)}"


async def _open(window: Window, url: str, number: int, script: str = "") -> list[Page]:
    first = await window("about:blank")
    pages = [first, *[await _another(first, url, script) for _ in range(number - 1)]]
    if script:
        await first.add_init_script(script)
    await first.goto(url)
    for page in pages:
        await shown(page)
    return pages


async def _all_show(pages: list[Page], text: str) -> None:
    for page in pages:
        await expect(comment(page, text)).to_have_count(1)


# ---- without sockets ----------------------------------------------------------------------------------------


async def test_eight_windows_of_one_discussion_load_follow_and_post_without_sockets(
    shared: ServerProcess, window: Window, key: str
) -> None:
    await post(shared, "Before", key=key)
    async with Proxy(shared.port) as proxy:
        proxy.refusing_sockets = True
        pages = await _open(window, _page(proxy.url, key), MANY)
        await _until_readers(shared, key, 1)
        for number, page in enumerate(pages):
            await write(page, "Lan", f"From window {number}")
            for other in pages:  # what arrives moves the button that the next one presses
                await read_on(other, 2 + number)
        for number in range(MANY):
            await _all_show(pages, f"From window {number}")
        assert await _readers(shared, key) == 1
        assert len(await bodies(shared, key)) == 1 + MANY


@pytest.mark.parametrize("without", ["", "delete Navigator.prototype.locks;", "delete window.BroadcastChannel;"])
async def test_eight_windows_of_eight_discussions_load_follow_and_post_without_sockets(
    shared: ServerProcess, window: Window, key: str, without: str
) -> None:
    async with Proxy(shared.port) as proxy:
        proxy.refusing_sockets = True
        keys = [f"{key}-{number}" for number in range(MANY)]
        first = await window("about:blank")
        pages = [await _another(first, _page(proxy.url, one), without) for one in keys]
        for page in pages:
            await shown(page)
        for one in keys:
            await post(shared, "Arrives", key=one)
        await _all_show(pages, "Arrives")
        for page in pages:
            await write(page, "Lan", "And one of my own")
        for page in pages:
            await expect(comment(page, "And one of my own").get_by_role("button", name="Edit")).to_be_visible()

        async def are_few() -> bool:
            return sum([await _readers(shared, one) for one in keys]) <= 2

        # who is new takes a stream while it asks, and gives it back where two have one
        await until(are_few, "two streams at most")


# ---- with sockets -------------------------------------------------------------------------------------------


async def test_windows_of_one_discussion_have_one_connection(shared: ServerProcess, window: Window, key: str) -> None:
    pages = await _open(window, _page(shared.url, key), 4)
    await _until_readers(shared, key, 1)
    await post(shared, "To all", key=key)
    await _all_show(pages, "To all")
    other = await window(_page(shared.url, key))
    await shown(other)
    await _until_readers(shared, key, 2)


async def test_two_elements_of_one_page_have_one_connection(shared: ServerProcess, window: Window, key: str) -> None:
    page = await window(_page(shared.url, key))
    await shown(page)
    await page.evaluate(
        "document.body.append(document.querySelector('tertulia-discussion').cloneNode(), document.createElement('hr'))"
    )
    await expect(page.locator("tertulia-discussion [role=toolbar]")).to_have_count(2)
    await _until_readers(shared, key, 1)
    await post(shared, "To both", key=key)
    await expect(page.locator("tertulia-discussion article")).to_have_count(2)


async def test_a_window_by_itself_loads_nothing_for_it(shared: ServerProcess, window: Window, key: str) -> None:
    page = await window("about:blank")
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url) if "embed-sharing" in request.url else None)
    await page.goto(_page(shared.url, key))
    await shown(page)
    await write(page, "Lan", "Alone")
    await expect(comment(page, "Alone").get_by_role("button", name="Edit")).to_be_visible()
    assert loaded == []
    await shown(await _another(page, _page(shared.url, key)))
    await _until_readers(shared, key, 1)
    assert len(loaded) == 1


_DEAF = "addEventListener('freeze', (event) => event.stopImmediatePropagation(), true);"
ENDS = ("closed", "crashed", "frozen", "frozen without being told")


@pytest.mark.parametrize("end", ENDS)
async def test_another_window_takes_over(shared: ServerProcess, window: Window, key: str, end: str) -> None:
    pages = await _open(window, _page(shared.url, key), 3, _DEAF if end == ENDS[-1] else "")
    await _until_readers(shared, key, 1)
    await post(shared, "Before", key=key)
    await _all_show(pages, "Before")
    leader = await _leader(pages)
    others = [page for page in pages if page is not leader]
    session = await leader.context.new_cdp_session(leader)
    if end == "closed":
        await leader.close()
    elif end == "crashed":
        async with leader.expect_event("crash"):
            crashing = asyncio.create_task(session.send("Page.crash"))
        crashing.cancel()
    else:
        await session.send("Page.setWebLifecycleState", {"state": "frozen"})
    await post(shared, "After", key=key)
    await _all_show(others, "After")
    await write(others[0], "Lan", "From one who is left")
    await _all_show(others, "From one who is left")
    if end in ENDS[2:]:
        await session.send("Page.setWebLifecycleState", {"state": "active"})
        await _all_show(pages, "From one who is left")
        await post(shared, "At last", key=key)
        await _all_show(pages, "At last")
    await _until_readers(shared, key, 1)


async def _leader(pages: list[Page]) -> Page:
    """The window that has the lock."""
    for page in pages:
        is_leader = await page.evaluate(
            """async () => {
                const { held } = await navigator.locks.query();
                const [mine] = await new Promise((resolve) => navigator.locks.request('who', async () => {
                    resolve((await navigator.locks.query()).held.filter(({ name }) => name === 'who'));
                }));
                return held.some(({ name, clientId }) => name !== 'who' && clientId === mine.clientId);
            }"""
        )
        if is_leader:
            return page
    raise AssertionError("nobody leads")


@pytest.mark.parametrize("missing", ["delete Navigator.prototype.locks;", "delete window.BroadcastChannel;"])
async def test_where_windows_cannot_share_each_goes_alone(
    shared: ServerProcess, window: Window, key: str, missing: str
) -> None:
    pages = await _open(window, _page(shared.url, key), 3, missing)
    await _until_readers(shared, key, 3)
    await post(shared, "To all", key=key)
    await _all_show(pages, "To all")


async def test_what_windows_tell_each_other_has_nothing_of_who_they_are(
    shared: ServerProcess, window: Window, key: str
) -> None:
    pages = await _open(window, _page(shared.url, key), 2)
    await _until_readers(shared, key, 1)
    await pages[0].evaluate(
        """(key) => {
            window.told = [];
            const channel = new BroadcastChannel(`tertulia:live:${location.origin}:default:${key}`);
            channel.onmessage = ({ data }) => told.push(JSON.stringify(data));
        }""",
        key,
    )
    await write(pages[1], "Lan", "Said by a guest")
    await _all_show(pages, "Said by a guest")
    told = await pages[0].evaluate("told")
    assert any("Said by a guest" in one for one in told)
    token = await pages[1].evaluate("localStorage.getItem(`tertulia:token:${location.origin}:default`)")
    assert token
    assert not any(token in one or "viewer" in one or "idempotency" in one for one in told)


async def test_who_writes_in_another_window_of_mine_is_nobody_else(
    shared: ServerProcess, window: Window, key: str
) -> None:
    mine = await _open(window, _page(shared.url, key), 3)
    await _until_readers(shared, key, 1)
    theirs = await window(_page(shared.url, key))
    await shown(theirs)
    for page in mine:
        await form(page).locator("textarea").fill("Half a thought")
        await expect(theirs.locator("tertulia-discussion .writing")).to_have_text("Someone is writing…")
        for one in mine:
            await expect(one.locator("tertulia-discussion .writing")).to_have_text("")
