"""What a test asks of a browser, whichever engine it has.

    Engine           a browser process, for the whole run        chromium.py   Playwright and the DevTools protocol
      └─ Window      one page with a profile of its own          firefox.py    WebDriver BiDi
                                                                 webkit.py     W3C WebDriver

An engine brings the few primitives; what is built from them stands here. Lengths are CSS pixels of the viewport.
"""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from typing import Protocol, TypeVar, cast, get_origin

from tests.support.waiting import PATIENCE

T = TypeVar("T")
JsonObject = dict[str, object]

# how long a command may take, a script that waits for something included
COMMAND_S = 120
_POLL_S = 0.05

_COMPLAINTS = """(() => {
  window.complaints = [];
  addEventListener('error', (event) => window.complaints.push(event.message));
  addEventListener('unhandledrejection', (event) => window.complaints.push(`${event.reason}`));
})()"""


class EngineError(Exception):
    """The browser refused a command, or the page that it was for is gone."""


class ScriptError(Exception):
    """JavaScript of a test threw."""


class Engine(Protocol):
    """A running browser."""

    @property
    def name(self) -> str: ...

    async def new_window(self) -> Window:
        """An empty page that shares neither storage nor cache with any other."""

    async def end(self) -> None: ...


class Window(ABC):
    """One page, in the foreground."""

    @abstractmethod
    async def go(self, url: str) -> None:
        """Loads a page; returns once its load event has fired."""

    @abstractmethod
    async def back(self) -> None:
        """One step back in the history; what is there then is for the caller to wait for."""

    @abstractmethod
    async def resize(self, width: int, height: int) -> None:
        """Gives the viewport a size."""

    @abstractmethod
    async def press(self, x: float, y: float) -> None:
        """Presses and releases the main button of the mouse."""

    @abstractmethod
    async def write(self, text: str) -> None:
        """Presses the key of each character, for whatever has the focus."""

    async def opened(self) -> list[Window]:
        """The other windows of its profile, which its page has opened; of engines that can tell."""
        raise NotImplementedError

    @abstractmethod
    async def close(self) -> None:
        """Closes the page and forgets its profile."""

    @abstractmethod
    async def _evaluate(self, expression: str) -> str:
        """What the expression's promise of a string comes to; raises `EngineError`."""

    async def open(self, url: str) -> None:
        """Loads a page and notes from then on what goes wrong in it."""
        await self.go(url)
        await self.run(_COMPLAINTS)

    async def run(self, js: str) -> object:
        """The value of an expression, after any promise, as JSON has it; raises `ScriptError` where it throws."""
        answer: JsonObject = json.loads(await self._evaluate(_telling(js)))
        if "error" in answer:
            raise ScriptError(f"{answer['error']} in: {js}")
        return answer["value"]

    async def value(self, kind: type[T], js: str) -> T:
        """The value of an expression that has to be of one kind."""
        found = await self.run(js)
        if kind is float and isinstance(found, int):
            found = float(found)
        assert isinstance(found, get_origin(kind) or kind), f"{found!r} is no {kind}: {js}"
        return cast("T", found)

    async def until(self, condition: str, what: str, within: float = PATIENCE) -> None:
        """Waits until an expression is true; the page may load anew meanwhile."""
        end = time.monotonic() + within
        trouble = ""
        while True:
            try:
                if await self.run(f"Boolean({condition})"):
                    return
                trouble = ""
            except (EngineError, ScriptError) as error:
                trouble = f"; the last answer: {error}"
            assert time.monotonic() < end, f"after {within} s still not true: {what}{trouble}"
            await asyncio.sleep(_POLL_S)

    async def click(self, element: str) -> None:
        """Clicks the middle of the element that the expression gives, scrolling to it where it is out of view."""
        x, y = await self.value(list[float], _middle(element))
        await self.press(x, y)

    async def settle(self) -> None:
        """Lets the page lay itself out and draw what is due."""
        await self.run("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    async def complaints(self) -> object:
        """What went wrong in the page unnoticed since it was opened."""
        return await self.run("window.complaints ?? []")


def _telling(js: str) -> str:
    """An expression whose promise is fulfilled with JSON, whatever the given one does."""
    return (
        f"(async () => {{ try {{ return JSON.stringify({{value: (await ({js})) ?? null}}) }} "
        "catch (error) { return JSON.stringify({error: `${error}`}) } })()"
    )


def _middle(element: str) -> str:
    return f"""((element) => {{
      const middle = ({{left, top, width, height}}) => [Math.floor(left + width / 2), Math.floor(top + height / 2)];
      const [, y] = middle(element.getBoundingClientRect());
      if (y < 0 || y >= innerHeight) element.scrollIntoView({{block: 'center', behavior: 'instant'}});
      return middle(element.getBoundingClientRect());
    }})({element})"""


def mouse_actions(x: float, y: float) -> list[JsonObject]:
    """A click, as both WebDriver protocols say it."""
    steps: list[JsonObject] = [
        {"type": "pointerMove", "x": int(x), "y": int(y)},
        {"type": "pointerDown", "button": 0},
        {"type": "pointerUp", "button": 0},
    ]
    return [{"type": "pointer", "id": "mouse", "actions": steps}]


def key_actions(text: str) -> list[JsonObject]:
    """Typing, as both WebDriver protocols say it."""
    steps: list[JsonObject] = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
    return [{"type": "key", "id": "keyboard", "actions": steps}]
