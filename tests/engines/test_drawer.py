"""A discussion in a box that scrolls by itself, as a drawer beside the article: what holds for pages holds there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import pytest_asyncio

from tests.engines.discussion import BOXES, ELEMENT, PILL, Discussion, saying
from tests.engines.window import Window
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

_LONG = "\n\n".join(["A paragraph that was added afterwards."] * 8)
_DRAWER = "document.querySelector('#drawer')"
_OPEN = """((key, sort) => {
  const box = (height) => Object.assign(document.createElement('div'), { style: `height: ${height}px` });
  const drawer = Object.assign(box(300), { id: 'drawer' });
  drawer.style.overflow = 'auto';
  const discussion = document.createElement('tertulia-discussion');
  for (const [name, value] of Object.entries({ key, sort, loading: 'eager' })) discussion.setAttribute(name, value);
  drawer.append(discussion);
  document.body.replaceChildren(box(800), drawer, box(2000));
  scrollTo(0, 600);
})"""


class Drawer(Discussion):
    """The discussion stands in a box of 300 pixels, in the middle of a page that is higher than the window."""

    async def show(self, sort: str) -> None:
        await self.window.resize(1000, 1400)
        await self.window.open(f"{self.server.url}/d?key={self.key}")
        await self.window.run(f"{_OPEN}('{self.key}', '{sort}')")
        status = f"{ELEMENT}.connection === 'live'"
        await self.window.until(f"{status} && {BOXES}.length === 12", "the discussion is live")

    async def read(self, number: int, top: int = 20) -> None:
        """Scrolls the box so that a comment stands this far below its upper edge."""
        await self.whole()
        place = f"{BOXES}[{number - 1}].getBoundingClientRect().top - {_DRAWER}.getBoundingClientRect().top - {top}"
        for _ in range(2):  # chunks that were never drawn had a guessed height
            await self.window.run(f"{_DRAWER}.scrollBy(0, {place})")
            await self.window.settle()
        assert abs(await self.window.value(float, place)) <= 1

    async def scrolled(self) -> float:
        """How far the page itself is."""
        return await self.window.value(float, "scrollY")


@pytest_asyncio.fixture(loop_scope="session")
async def drawer(start_server: Callable[..., ServerProcess], window: Window) -> Drawer:
    return Drawer(window, start_server(), "drawer")


@pytest.mark.parametrize("sort", ["oldest", "newest"])
async def test_what_the_box_does_not_show_is_not_in_view(drawer: Drawer, sort: str) -> None:
    """Both ends of the list would fit into the window, but neither into the box."""
    await drawer.say(*(f"Number {number}" for number in range(12)))
    await drawer.show(sort)
    await drawer.read(6)
    page, top = await drawer.scrolled(), await drawer.top(f"{BOXES}[5]")
    await drawer.say("Arrival")
    await drawer.window.until(f"{PILL}.innerText === '1 new comment'", "the arrival waits")
    await drawer.window.settle()
    assert await drawer.top(f"{BOXES}[5]") == pytest.approx(top, abs=1)
    await drawer.window.click(PILL)
    await drawer.shows_so_many(13)
    shown = f"""((comment, box) => comment.top >= box.top && comment.bottom <= box.bottom)(
      {saying("Arrival")}.getBoundingClientRect(), {_DRAWER}.getBoundingClientRect())"""
    await drawer.window.until(shown, "the arrival is in view")
    assert await drawer.scrolled() == page


async def test_what_appears_above_does_not_move_what_is_read(drawer: Drawer) -> None:
    await drawer.say(*(f"Number {number}" for number in range(12)))
    await drawer.show("newest")
    await drawer.read(1, top=-20)
    watched = saying("Number 10")
    page, top = await drawer.scrolled(), await drawer.top(watched)
    await drawer.say("Arrival")
    await drawer.shows("Arrival")
    await drawer.window.settle()
    assert await drawer.top(watched) == pytest.approx(top, abs=1)
    assert await drawer.scrolled() == page


async def test_what_grows_above_does_not_move_what_is_read(drawer: Drawer) -> None:
    posted = await drawer.say(*(f"Number {number}" for number in range(12)))
    await drawer.show("oldest")
    await drawer.read(9)
    page, top = await drawer.scrolled(), await drawer.top(f"{BOXES}[8]")
    await drawer.edit(posted[6], f"Number 6\n\n{_LONG}")
    grown = f"{saying('Number 6')}.querySelectorAll('[part~=body] > p').length === 9"
    await drawer.window.until(grown, "the comment above has grown")
    await drawer.window.settle()
    assert await drawer.top(f"{BOXES}[8]") == pytest.approx(top, abs=1)
    assert await drawer.scrolled() == page


async def test_a_page_is_no_higher_for_what_its_box_hides(drawer: Drawer) -> None:
    """Whatever is for ears alone is in the box, too."""
    await drawer.say(*(f"Number {number}" for number in range(12)))
    await drawer.show("oldest")
    await drawer.window.run(f"document.body.replaceChildren({_DRAWER})")
    await drawer.window.until(f"{ELEMENT}.connection === 'live' && {BOXES}.length === 12", "the discussion is live")
    assert await drawer.window.value(bool, f"{_DRAWER}.scrollHeight > innerHeight")
    assert await drawer.window.value(bool, "document.documentElement.scrollHeight <= innerHeight")


@pytest.mark.parametrize("sort", ["oldest", "newest"])
async def test_a_fixed_box_that_shows_all_of_itself_leaves_the_page_where_it_is(drawer: Drawer, sort: str) -> None:
    await drawer.say("First")
    await drawer.window.resize(1000, 1400)
    await drawer.window.open(f"{drawer.server.url}/d?key={drawer.key}")
    await drawer.window.run(f"{_OPEN}('{drawer.key}', '{sort}')")
    await drawer.window.run(f"{_DRAWER}.style = 'position: fixed; inset: 0 0 0 auto; width: 400px; overflow: auto'")
    await drawer.window.until(f"{ELEMENT}.connection === 'live' && {BOXES}.length === 1", "the discussion is live")
    page = await drawer.scrolled()
    await drawer.say("Second")
    await drawer.shows("Second")
    await drawer.window.settle()
    assert await drawer.scrolled() == page


@pytest.mark.parametrize(
    ("of_html", "of_body"),
    [
        ("overflow: hidden; height: 100%", "overflow: auto; height: 100%"),
        ("height: 100%", "overflow-x: hidden; height: 100%"),
    ],
    ids=["the body scrolls in a fixed window", "the body's overflow is the window's"],
)
async def test_a_page_scrolls_as_its_styles_have_it(drawer: Drawer, of_html: str, of_body: str) -> None:
    posted = await drawer.say(*(f"Number {number}" for number in range(30)))
    await drawer.window.resize(1000, 500)
    await drawer.open(sort="oldest")
    await drawer.whole()
    await drawer.window.run(f"document.documentElement.style = '{of_html}'")
    await drawer.window.run(f"document.body.style = '{of_body}'")
    await drawer.window.run(f"{BOXES}[11].scrollIntoView()")
    await drawer.window.settle()
    await drawer.window.run(f"{BOXES}[11].scrollIntoView()")
    await drawer.window.settle()
    top = await drawer.top(f"{BOXES}[11]")
    assert top < 250
    await drawer.edit(posted[9], f"Number 9\n\n{_LONG}")
    grown = f"{saying('Number 9')}.querySelectorAll('[part~=body] > p').length === 9"
    await drawer.window.until(grown, "the comment above has grown")
    await drawer.window.settle()
    assert await drawer.top(f"{BOXES}[11]") == pytest.approx(top, abs=1)
