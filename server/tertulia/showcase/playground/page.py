"""The page at /playground, on which front-end developers see every state of the element and break its connection.

Its sections, switches and buttons are listed here; its scripts create the elements, inject the faults and keep the log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.languages import every
from tertulia.pages.assets import Asset, hashed
from tertulia.pages.rendering import Rendering
from tertulia.showcase.playground.discussions import PREFIX, WITHHELD


@dataclass(frozen=True, slots=True)
class ElementState:
    """An element of the page. ``stage`` names what the page's scripts do to it, if anything.

    ``source`` is where the state comes from: from the server alone; from the page, which did what a reader would do; or
    from the page, which answered instead of the server.
    """

    name: str
    title: str
    note: str
    key: str
    source: Literal["server", "by hand", "staged"] = "server"
    stage: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    """Attributes without which there is no such state: switches do not change them."""
    defaults: dict[str, str] = field(default_factory=lambda: {"composer": "bottom"})
    """Attributes that show it best, used unless a switch is set."""


_OLDEST_FIRST = {"composer": "bottom", "sort": "oldest"}
STATES = (
    ElementState(
        "empty",
        "Empty",
        "A discussion that nobody has written in. It has a key of its own at each visit.",
        "empty",
        defaults={},
    ),
    ElementState(
        "replies",
        "List with replies",
        "Pinned, a moderator's, edited, removed, deleted, voted on, formatted, right to left, and replies four deep.",
        "replies",
        defaults=_OLDEST_FIRST,
    ),
    ElementState(
        "long", "Long list", "Sixty comments: fifty at first, then a button. From twenty on there is a search.", "long"
    ),
    ElementState("held", "Held mode", "New comments wait for a moderator's approval.", "held", defaults={}),
    ElementState("closed", "Closed", "It can be read; nothing can be said.", "closed"),
    ElementState(
        "sent", "Own comment: sent", "Written and sent by the page, as a reader would.", "own", "by hand", "sent"
    ),
    ElementState(
        "queued",
        "Own comment: queued",
        "No post of this element leaves the page, so it is tried again and again.",
        "queued",
        "staged",
        "queued",
    ),
    ElementState(
        "failed",
        "Own comment: failed",
        "The element was told that the discussion is open. The server, which knows better, refuses.",
        "closing",
        "staged",
        "failed",
    ),
    ElementState(
        "approval", "Own comment: held", "Sent into held mode; only its author sees it.", "approval", "by hand", "held"
    ),
    ElementState(
        "reply",
        "Reply open",
        "What a click on Reply opens: name, formatting, preview, cancel.",
        "replies",
        "by hand",
        "reply",
        defaults=_OLDEST_FIRST,
    ),
    ElementState(
        "loading",
        "Loading",
        "The first answer never comes. Readers see this for a moment.",
        "loading",
        "staged",
        "loading",
    ),
    ElementState(
        "error", "Load error", "The first answer is 503. It tries again by itself.", "error", "staged", "error"
    ),
    ElementState(
        "search", "Search", 'element.search("river"): without regard to accents and case.', "long", "by hand", "search"
    ),
    ElementState(
        "paused",
        "Paused",
        "element.pause(): arrivals are counted, and nothing moves until the reader says so.",
        "busy",
        "staged",
        "waiting",
        {"sort": "oldest"},
    ),
    ElementState(
        "no-shadow",
        "Without shadow root",
        "no-shadow: in the page itself, with the page's styles, for translators and your own CSS.",
        "replies",
        attributes={"no-shadow": ""},
        defaults=_OLDEST_FIRST,
    ),
    ElementState(
        "relative",
        "Relative times",
        'time="relative": the exact moment is in the title.',
        "replies",
        attributes={"time": "relative"},
    ),
    # the last one: the element measures against the viewport, not its frame, and would show what is near its end
    ElementState(
        "waiting",
        "Pill and chip waiting",
        "Arrivals that would move what is read wait: replies behind a chip, others behind the pill. The page hides the "
        "three newest comments from the first answer; the server sends them as missed.",
        "busy",
        "staged",
        "waiting",
        {"sort": "oldest", "composer": "bottom"},
    ),
)

FAULTS = (
    ("none", "all is well"),
    ("offline", "offline"),
    ("socket", "WebSocket refused"),
    ("streams", "WebSocket and events refused"),
    ("slow", "answers take 3 s"),
)
ONE_TIME_FAULTS = (
    ("post-fails", "Next post fails", "The next post of the live one gets lost"),
    ("answer-lost", "Next answer lost", "The next post of the live one arrives, and its answer gets lost"),
    ("restart", "Server restarts", "Every stream is cut as a server that restarts does it (1012)"),
)


class Playground:
    """The page at /playground and its three files."""

    def __init__(self, rendering: Rendering) -> None:
        own = files("tertulia.showcase.playground")
        self._rendering = rendering.extended("tertulia.showcase.playground")
        self._styles = hashed(own / "playground.css", "text/css")
        self._before = hashed(own / "playground-before.js", "text/javascript")
        self._script = hashed(own / "playground.js", "text/javascript")

    def routes(self) -> list[Route]:
        assets: tuple[Asset, ...] = (self._styles, self._before, self._script)
        return [Route("/playground", self._page, methods=["GET"]), *(asset.route() for asset in assets)]

    async def _page(self, _request: Request) -> Response:
        context = {
            "states": STATES,
            "faults": FAULTS,
            "once": ONE_TIME_FAULTS,
            "languages": every().values(),
            "prefix": PREFIX,
            "waiting": WITHHELD,
            "own_styles": self._styles.path,
            "before": self._before.path,
            "own_script": self._script.path,
        }
        return self._rendering.page("playground.html", "en", context)
