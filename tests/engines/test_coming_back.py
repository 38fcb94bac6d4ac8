"""Who was cut off, or went away and came back, misses nothing: acceptance checks A10 and A14."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.engines.discussion import BOXES, Discussion
from tests.engines.window import Engine, Window
from tests.support.proxy import Proxy
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Firefox keeps no page that has had a WebSocket: https://github.com/mozilla/standards-positions/issues/1390
_KEEP_PAGES_WITH_SOCKETS = {"chromium", "webkit"}


@pytest.fixture
def discussion(start_server: Callable[..., ServerProcess], window: Window) -> Discussion:
    return Discussion(window, start_server(), "coming-back")


async def test_five_cuts_while_a_hundred_comments_are_posted_cost_nothing(discussion: Discussion) -> None:
    await discussion.say("The first")
    async with Proxy(discussion.server.port) as proxy:
        await discussion.open(base=proxy.url)
        await discussion.go_to_the_end()
        said = [f"Number {number}" for number in range(100)]
        for begin in range(0, 100, 20):
            await discussion.say(*said[begin : begin + 10])
            proxy.cut()
            await discussion.say(*said[begin + 10 : begin + 20])
        await _read_on(discussion, 101)
        assert await discussion.texts() == ["The first", *said]


async def _read_on(discussion: Discussion, count: int) -> None:
    """Goes to the end again and again, as it moves away with what appears there."""
    end = time.monotonic() + 60
    while (shown := await discussion.count()) < count:
        assert time.monotonic() < end, f"{shown} of {count} comments are shown"
        await discussion.go_to_the_end()


async def test_a_page_that_was_left_comes_back_live_and_complete(
    discussion: Discussion, engine: Engine, record_property: Callable[[str, object], None]
) -> None:
    await discussion.say("Before")
    await discussion.open()
    window = discussion.window
    await window.run("addEventListener('pageshow', (event) => { window.wasKept = event.persisted })")
    await window.go(discussion.server.url)
    await discussion.say("Meanwhile", "Meanwhile, too")
    await window.back()
    await window.until(f"location.pathname === '/d' && {BOXES}.length > 0", "the discussion is there again")
    await discussion.live()
    await discussion.go_to_the_end()
    await discussion.shows_so_many(3)
    await discussion.say("Afterwards")
    await discussion.shows_so_many(4)
    assert await discussion.texts() == ["Before", "Meanwhile", "Meanwhile, too", "Afterwards"]
    was_kept = await window.run("window.wasKept ?? false")
    record_property("kept in the back/forward cache", was_kept)
    assert was_kept or engine.name not in _KEEP_PAGES_WITH_SOCKETS
