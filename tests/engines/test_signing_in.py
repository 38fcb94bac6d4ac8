"""Signing in at a provider from a page of another site: in a window that is cut off, and without cookies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio

from tests.browser.neighbours import COOP, Neighbours, open_neighbours
from tests.engines.firefox import Firefox
from tests.engines.window import Engine, EngineError, ScriptError, Window
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DRAFT = "What I was about to say"
REFUSES = {"cookies of other sites": 1, "all cookies": 2}
"""As Firefox counts what it does with cookies."""
WAYS = {
    "nothing": ({}, {}, "here: Lan"),
    "the page": (COOP, {}, "in another window"),
    "the provider": ({}, COOP, "in another window"),
    "both": (COOP, COOP, "in another window"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    async with open_neighbours(tmp_path_factory.mktemp("signing-in")) as found:
        yield found


@pytest.fixture(autouse=True)
def of_an_engine_that_tells_of_windows(engine: Engine) -> None:
    if engine.name == "webkit":
        pytest.skip("its driver gives one page a session")


async def begin(window: Window, place: Neighbours, headers: dict[str, str]) -> None:
    await window.open(place.page(headers))
    await window.until("document.body.dataset.took === 'false'", "the page is ready")
    await window.click("document.querySelector('textarea')")
    await window.write(DRAFT)


async def says_yes(window: Window) -> None:
    """At the provider; the window may be gone before the press is answered."""
    await window.until("document.querySelector('#yes') !== null", "the provider asks")
    with suppress(EngineError, ScriptError):
        await window.run("document.querySelector('#yes').click()")


async def popup_of(window: Window) -> Window:
    found: list[Window] = []

    async def is_there() -> bool:
        found[:] = await window.opened()
        return bool(found)

    await until(is_there, "a window is opened")
    return found[0]


async def is_alone(window: Window) -> None:
    async def is_closed() -> bool:
        return await window.opened() == []

    await until(is_closed, "the window that was opened is closed")


async def is_signed_in(window: Window, place: Neighbours, told: str) -> None:
    await window.until(f"document.querySelector('output').textContent === '{told}'", "the page knows who signed in")
    token = await window.value(str, "localStorage.getItem('token')")
    assert await place.named(token) == "Lan"
    assert await window.run("document.querySelector('textarea').value") == DRAFT
    assert await window.run("document.cookie") == ""
    assert "tertulia=" not in await window.value(str, "location.href")


@pytest.mark.parametrize(("of_page", "of_provider", "told"), WAYS.values(), ids=WAYS)
async def test_a_reader_signs_in_in_a_window_whoever_cuts_it_off(
    window: Window, place: Neighbours, of_page: dict[str, str], of_provider: dict[str, str], told: str
) -> None:
    place.provider.headers = of_provider
    await begin(window, place, of_page)
    await window.click("document.querySelector('button')")
    await says_yes(await popup_of(window))
    await is_signed_in(window, place, told)
    await is_alone(window)


@pytest.mark.parametrize("of_page", [{}, COOP], ids=["plain", "cut off"])
async def test_where_no_window_opens_the_page_goes_and_comes_back(
    window: Window, place: Neighbours, of_page: dict[str, str]
) -> None:
    place.provider.headers = {}
    await begin(window, place, of_page)
    await window.run("void (window.open = () => null)")
    await window.click("document.querySelector('button')")
    await says_yes(window)
    await is_signed_in(window, place, "here: Lan")


@pytest.mark.parametrize("of_page", [{}, COOP], ids=["plain", "cut off"])
async def test_who_leaves_the_window_tries_again(window: Window, place: Neighbours, of_page: dict[str, str]) -> None:
    place.provider.headers = {}
    await begin(window, place, of_page)
    await window.click("document.querySelector('button')")
    first = await popup_of(window)
    await first.until("document.querySelector('#yes') !== null", "the provider asks")
    await first.run("void setTimeout(() => window.close())")
    await is_alone(window)
    await window.click("document.querySelector('button')")
    await says_yes(await popup_of(window))
    await is_signed_in(window, place, "in another window" if of_page else "here: Lan")


@pytest.mark.parametrize("of_page", [{}, COOP], ids=["plain", "cut off"])
async def test_cookies_of_other_sites_are_not_needed(
    engine: Engine, place: Neighbours, of_page: dict[str, str]
) -> None:
    if engine.name != "firefox":
        pytest.skip("a preference of Firefox")
    place.provider.headers = {}
    strict = await Firefox.start(**{"network.cookie.cookieBehavior": REFUSES["cookies of other sites"]})
    try:
        window = await strict.new_window()
        await begin(window, place, of_page)
        await window.click("document.querySelector('button')")
        await says_yes(await popup_of(window))
        await is_signed_in(window, place, "in another window" if of_page else "here: Lan")
    finally:
        await strict.end()


async def test_without_any_cookie_the_window_says_that_it_cannot_go_on(engine: Engine, place: Neighbours) -> None:
    """What ties the way to this browser is a cookie of the server, in a window of the server."""
    if engine.name != "firefox":
        pytest.skip("a preference of Firefox")
    place.provider.headers = {}
    strict = await Firefox.start(**{"network.cookie.cookieBehavior": REFUSES["all cookies"]})
    try:
        window = await strict.new_window()
        await begin(window, place, {})
        await window.click("document.querySelector('button')")
        popup = await popup_of(window)
        await says_yes(popup)
        await popup.until("document.querySelector('h1')?.textContent === 'You are not signed in'", "the window says so")
        assert await window.run("document.querySelector('output').textContent") == ""
        assert await window.run("document.querySelector('textarea').value") == DRAFT
    finally:
        await strict.end()
