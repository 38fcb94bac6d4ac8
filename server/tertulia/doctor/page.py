"""A page that embeds discussions: what its HTML says, and whether the server lets it read.

A browser tells its console why comments do not come, but nothing of an attribute that is only mistyped: that would cost
every reader bytes for what whoever sets the page up needs once.
"""

from __future__ import annotations

import asyncio
import difflib
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

from tertulia.core.keys import is_unrendered
from tertulia.doctor.finding import Finding, Verdict
from tertulia.protocol import API

ANSWER_SECONDS = 5.0
PAGE_BYTES = 4 * 1024 * 1024
"""Of a page's HTML; what is behind it is not looked at."""
ELEMENT, SCRIPT = "tertulia-discussion", re.compile(r"/embed[.\w]*\.js\Z")

VALUES: Final[dict[str, tuple[str, str]]] = {
    "sort": ("newest|oldest|top", "newest, oldest or top"),
    "composer": ("top|bottom", "top or bottom"),
    "theme": ("light|dark|auto", "light, dark or auto; without it, the colours are those of the page"),
    "loading": ("lazy|eager", "lazy or eager"),
    "time": ("absolute|relative|auto", "absolute, relative or auto"),
    "live": ("on|off", "on or off"),
    "announce": ("on|off", "on or off"),
    "credentials": ("omit|include", "omit or include"),
    "heading-level": ("[2-6]", "a number from 2 to 6"),
    "max": (r"[1-9]\d?|100", "a number from 1 to 100"),
    "depth": ("[0-3]", "a number from 0 to 3"),
    "no-shadow": (
        "true|no-shadow",
        "nothing: it holds where it is there at all, and is left out where it shall not",
    ),
}
"""What attributes may say, as a pattern and in words: those of the client's diagnosis/index.js."""
OTHERS = ("discussion", "key", "site", "server", "lang", "timezone", "token-endpoint", "sign-in", "heading", "faces")
NEAR = 0.7
"""From this likeness on a name that is unknown was probably meant as one that is known."""
_OF_ALL = re.compile(
    r"(?:id|class|style|title|dir|hidden|role|slot|part|is|tabindex|nonce|(?:data|aria|on|v|x|ng).*)\Z"
)


class _Page(HTMLParser):
    """What the HTML has of discussions: the attributes of each, and the addresses of scripts that show them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[dict[str, str]] = []
        self.scripts: list[str] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: (value or "").strip() for name, value in reversed(attrs)}
        if tag == ELEMENT:
            self.elements.append(given)
        elif tag == "base" and not self.base:
            self.base = given.get("href", "")
        elif tag == "script" and SCRIPT.search(urlsplit(given.get("src", "")).path):
            self.scripts.append(given["src"])


async def examine_page(address: str, server: str | None) -> AsyncIterator[Finding]:
    """Each discussion of the page at ``address``; ``server`` is asked where neither element nor script names one."""
    try:
        landed, html = await asyncio.to_thread(_fetched, address)
    except (OSError, http.client.HTTPException, ValueError) as error:
        yield Finding("page", "fail", f"{address} does not answer: {error}", "name a page that readers see")
        return
    page = _Page()
    page.feed(html)
    page.close()
    if not page.elements:
        advice = f"put <{ELEMENT}> there, unless a script of the page makes it"
        yield Finding("page", "warn", f"Its HTML has no <{ELEMENT}>.", advice)
        return
    if not page.scripts:
        advice = "put <script src=…/embed.js defer> there, unless a script of the page loads it"
        yield Finding("page", "warn", "Its HTML has no script embed.js.", advice)
    script = _joined(_joined(landed, page.base), page.scripts[0]) if page.scripts else server
    for number, given in enumerate(page.elements, 1):
        tried = "page" if len(page.elements) == 1 else f"page, discussion {number}"
        mistakes = [Finding(tried, *one) for one in _mistakes(given)]
        for finding in mistakes or [Finding(tried, "ok", "Its attributes are understood.")]:
            yield finding
        named = given.get("server") or script
        if named and not _lacks_scheme(given):
            yield await asyncio.to_thread(_reading, tried, landed, named, given.get("site") or "default")


def _fetched(address: str) -> tuple[str, str]:
    """Where it is in the end, and its HTML. Raises: OSError, HTTPException, or ValueError for an odd address."""
    with _opened(address, Accept="text/html") as answer:
        charset = answer.headers.get_content_charset() or "utf-8"
        body: bytes = answer.read(PAGE_BYTES)
        landed: str = answer.url
    try:
        return landed, body.decode(charset, "replace")
    except LookupError:
        return landed, body.decode("utf-8", "replace")


def _joined(base: str, address: str) -> str:
    with suppress(ValueError):
        return urljoin(base, address)
    return base


def _opened(address: str, **headers: str) -> http.client.HTTPResponse:
    """An answer of 2xx, after redirections. Raises: HTTPError for another, OSError, HTTPException, ValueError."""
    # the operator's own words, which the command takes with http or https alone; none of these leads to a file
    request = urllib.request.Request(address, headers={"User-Agent": "tertulia doctor", **headers})  # noqa: S310
    opened: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=ANSWER_SECONDS)  # noqa: S310
    return opened


def _lacks_scheme(given: dict[str, str]) -> bool:
    server = given.get("server", "")
    return server != "" and not re.match(r"(?:https?:)?//", server, re.IGNORECASE)


def _mistakes(given: dict[str, str]) -> Iterator[tuple[Verdict, str, str]]:
    """What no browser tells of, or only where nothing can be loaded."""
    for name, value in given.items():
        pattern, words = VALUES.get(name, ("", ""))
        if value and pattern and not re.fullmatch(pattern, value):
            yield "warn", f'{name}="{value}" is not understood.', f"write {words}"
        if name in VALUES or name in OTHERS or _OF_ALL.match(name):
            continue
        if near := difflib.get_close_matches(name, [*VALUES, *OTHERS], 1, NEAR):
            yield "warn", f'{name}="{value}" is no attribute of it.', f"write {near[0]}, if that is meant"
    if _lacks_scheme(given):
        yield "fail", f'server="{given["server"]}" has no scheme.', 'write one: server="https://comments.example"'
    key = given.get("discussion") or given.get("key")
    if key and is_unrendered(key):
        yield "warn", f'"{key}" names no discussion: a template left it behind.', "write the page's address"


def _reading(tried: str, address: str, server: str, site: str) -> Finding:
    """Whether the server lets this page read a discussion that nobody has written in, which stores nothing."""
    try:
        page, parts = urlsplit(address), urlsplit(urljoin(address, server))
    except ValueError:
        return Finding(tried, "fail", f"{server} is no address.", 'write one: server="https://comments.example"')
    origin = f"{page.scheme}://{page.netloc}"
    asked = f"{parts.scheme}://{parts.netloc}"
    question = urlencode({"site": site, "key": "doctor"})
    try:
        with _opened(f"{asked}{API}/discussion?{question}", Origin=origin) as answer:
            allowed = answer.headers["Access-Control-Allow-Origin"]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            advice = f"add it: tertulia site add {site} --origin {origin}"
            return Finding(tried, "fail", f'{asked} has no site "{site}".', advice)
        allowed = None
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Finding(tried, "fail", f"{asked} does not answer: {error}", "start it, or write its address in server=…")
    if origin == asked or allowed in (origin, "*"):
        return Finding(tried, "ok", f'{asked} lets it read discussions of the site "{site}".')
    setting = (
        f"TERTULIA_ALLOWED_ORIGINS={origin}" if site == "default" else f"tertulia site add {site} --origin {origin}"
    )
    return Finding(
        tried, "fail", f"{asked} does not allow pages of {origin}.", f"add it to those that are there: {setting}"
    )
