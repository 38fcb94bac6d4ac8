"""What somebody reads or writes stays where it is while comments arrive: acceptance checks A4 and A5."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engines.discussion import BOXES, PILL, ROOT, TEXTAREA, Discussion, saying
from tests.engines.window import Window
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

_LONG = "\n\n".join(["A paragraph that was added afterwards."] * 8)


@pytest.fixture
def discussion(start_server: Callable[..., ServerProcess], window: Window) -> Discussion:
    return Discussion(window, start_server(), "reading")


async def _open_thirty(discussion: Discussion, sort: str) -> list[dict[str, object]]:
    posted = await discussion.say(*(f"Number {number}" for number in range(30)))
    await discussion.window.resize(1000, 500)
    await discussion.open(sort=sort)
    assert await discussion.count() == 30
    return posted


@pytest.mark.parametrize("sort", ["oldest", "newest"])
async def test_arrivals_wait_while_the_twelfth_comment_is_read(discussion: Discussion, sort: str) -> None:
    await _open_thirty(discussion, sort)
    await discussion.read(12)
    watched = saying((await discussion.texts())[11])
    elements = await discussion.elements()
    before = await discussion.top(watched)
    await discussion.say(*(f"Arrival {number}" for number in range(4)))
    await discussion.window.until(f"{PILL}.checkVisibility()", "the pill is there")
    await discussion.window.until(f"{PILL}.innerText === '4 new comments'", "the pill counts the four")
    await discussion.window.settle()
    assert await discussion.elements() == elements
    assert await discussion.top(watched) == pytest.approx(before, abs=1)
    await discussion.window.click(PILL)
    await discussion.shows_so_many(34)
    first = "Arrival 0" if sort == "oldest" else "Arrival 3"
    await discussion.window.until(f"{ROOT}.activeElement.contains({saying(first)})", "the first new one has the focus")
    await discussion.window.until(_is_in_view(saying(first)), "the first new one is in view")
    assert not await discussion.window.run(f"{PILL}.checkVisibility()")


async def test_an_arrival_above_does_not_move_what_is_read(discussion: Discussion) -> None:
    """The list's edge is just out of view, so a new comment appears at once, before the first."""
    await _open_thirty(discussion, "newest")
    await discussion.read(1, top=-20)
    watched = saying("Number 28")
    before = await discussion.top(watched)
    await discussion.say("Arrival")
    await discussion.shows("Arrival")
    await discussion.window.settle()
    assert (await discussion.texts())[0] == "Arrival"
    assert await discussion.top(watched) == pytest.approx(before, abs=1)


async def test_a_comment_that_grows_above_does_not_move_what_is_read(discussion: Discussion) -> None:
    posted = await _open_thirty(discussion, "oldest")
    await discussion.read(12)
    watched = saying("Number 11")
    before = await discussion.top(watched)
    await discussion.edit(posted[9], f"Number 9\n\n{_LONG}")
    grown = f"{saying('Number 9')}.querySelectorAll('[part~=body] > p').length === 9"
    await discussion.window.until(grown, "the tenth comment has grown")
    await discussion.window.settle()
    assert await discussion.top(watched) == pytest.approx(before, abs=1)


async def test_an_arrival_at_the_end_leaves_the_writer_alone(discussion: Discussion) -> None:
    await _open_thirty(discussion, "oldest")
    window = discussion.window
    await discussion.go_to_the_end()
    await window.click(TEXTAREA)
    await window.write("Tôi đang ")
    before = await discussion.top(TEXTAREA)
    await discussion.say("Arrival")
    await discussion.shows("Arrival")
    await window.settle()
    assert await window.run(f"{ROOT}.activeElement === {TEXTAREA}")
    assert await discussion.top(TEXTAREA) == pytest.approx(before, abs=1)
    await window.write("viết")
    assert await window.run(f"{TEXTAREA}.value") == "Tôi đang viết"


async def test_an_arrival_at_the_end_is_shown_to_who_reads_there(discussion: Discussion) -> None:
    await _open_thirty(discussion, "oldest")
    await discussion.go_to_the_end()
    focus = "document.activeElement === document.body"
    assert await discussion.window.run(focus)
    await discussion.say("Arrival")
    await discussion.shows("Arrival")
    assert await discussion.window.run(focus)
    assert await discussion.window.run(f"{BOXES}.at(-1) === {saying('Arrival')}")


def _is_in_view(element: str) -> str:
    return f"(({{top, bottom}}) => top >= 0 && bottom <= innerHeight)(({element}).getBoundingClientRect())"
