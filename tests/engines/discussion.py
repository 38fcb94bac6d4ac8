"""A discussion on a page as its reader has it, by roles, part names and visible text alone."""

from __future__ import annotations

from tests.browser.pages import post
from tests.engines.window import Window
from tests.support.api_client import AsyncApiClient, Json
from tests.support.server import ServerProcess

ELEMENT = "document.querySelector('tertulia-discussion')"
ROOT = f"{ELEMENT}.shadowRoot"
BOXES = f"[...{ROOT}.querySelectorAll('[role=feed] article > .box')]"
_TEXTS = f"{BOXES}.map((box) => box.querySelector('[part~=body] > p').textContent)"
PILL = f"{ROOT}.querySelector('[part~=pill-button]')"
TEXTAREA = f"[...{ROOT}.querySelectorAll('form textarea')].at(-1)"


class Discussion:
    """The one of a page that has nothing else: `/d?key=KEY`."""

    def __init__(self, window: Window, server: ServerProcess, key: str) -> None:
        self.window = window
        self.server = server
        self.key = key

    async def say(self, *texts: str, **more: object) -> list[Json]:
        """Strangers say something; what the server answered each."""
        return [await post(self.server, text, key=self.key, **more) for text in texts]

    async def edit(self, posted: Json, text: str) -> None:
        """Who posted a comment says something else in it."""
        author = AsyncApiClient(self.server.url, self.key, token=posted["token"])
        await author.edit(posted["comment"]["id"], text)

    async def open(self, base: str | None = None, sort: str = "oldest") -> None:
        """Opens the page, by another address of the server if one is given, and waits until it is live."""
        await self.window.open(f"{base or self.server.url}/d?key={self.key}")
        await self.window.run(f"{ELEMENT}.setAttribute('sort', '{sort}')")
        await self.live()
        sorted_so = f"{ROOT}.querySelector('[part~=sort]').value === '{sort}'"
        await self.window.until(sorted_so, f"the order is {sort}")

    async def live(self) -> None:
        """Waits until the comments are there and the stream is connected."""
        await self.window.until(f"{ELEMENT} !== null", "there is a discussion")
        await self.window.run(f"{ELEMENT}.scrollIntoView()")
        status = f"{ROOT}.querySelector('[part~=status]').innerText.includes('reader')"
        await self.window.until(f"{BOXES}.length > 0 && {status}", "the discussion is live")

    async def whole(self) -> None:
        """Waits for the second file: before it what is read keeps its place by the browser alone, in WebKit not."""
        await self.window.until(f"{ROOT}.querySelector('[part~=tool]') !== null", "the second file is there")

    async def read(self, number: int, top: int = 100) -> None:
        """Scrolls so that a comment, counted from 1 in the list's order, stands this far below the viewport's top."""
        await self.whole()
        await self.window.run(f"scrollBy(0, {BOXES}[{number - 1}].getBoundingClientRect().top - {top})")
        await self.window.settle()
        # chunks that were never drawn had a guessed height
        await self.window.run(f"scrollBy(0, {BOXES}[{number - 1}].getBoundingClientRect().top - {top})")
        await self.window.settle()
        place = await self.top(f"{BOXES}[{number - 1}]")
        assert abs(place - top) <= 1, f"comment {number} stands at {place}, not at {top}"

    async def go_to_the_end(self) -> None:
        """Reads to where the form is: arrivals appear there at once."""
        await self.window.run(f"{TEXTAREA}.scrollIntoView({{block: 'end'}})")
        await self.window.settle()

    async def top(self, element: str) -> float:
        """How far the element that the expression gives stands below the viewport's top."""
        return await self.window.value(float, f"({element}).getBoundingClientRect().top")

    async def count(self) -> int:
        return await self.window.value(int, f"{BOXES}.length")

    async def elements(self) -> int:
        """How many elements the list is made of."""
        return await self.window.value(int, f"{ROOT}.querySelectorAll('[role=feed], [role=feed] *').length")

    async def texts(self) -> list[str]:
        """The comments in the list's order: the first paragraph of each."""
        return await self.window.value(list[str], _TEXTS)

    async def shows(self, text: str) -> None:
        """Waits until a comment that says so stands in the list."""
        await self.window.until(f"{_TEXTS}.includes({text!r})", f"the list shows {text!r}")

    async def shows_so_many(self, count: int) -> None:
        await self.window.until(f"{BOXES}.length === {count}", f"the list shows {count} comments")


def saying(text: str) -> str:
    """The expression for the comment whose first paragraph it is."""
    return f"{BOXES}.find((box) => box.querySelector('[part~=body] > p').textContent === {text!r})"
