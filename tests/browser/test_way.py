"""The way of an arrival, counted: which files of the client run from the socket's message to the comment in the page.

Those that it passes are in the middle of something whenever it is handed on; the others are asked and answer. The table
of docs/architecture.md names them all, and no others. The page runs the client's modules as they are written.
"""

from __future__ import annotations

import json
import re
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import CDPSession, Page, Route, expect

from tests.browser.conftest import Window
from tests.browser.pages import comment, host, post, shown
from tests.browser.scripts import script
from tests.support.client_code import SOURCES
from tests.support.server import ServerProcess

pytestmark = pytest.mark.browser

DOCUMENT = Path(__file__).parents[2] / "docs" / "architecture.md"
MOST = 9
"""Files that an arrival may pass."""
SERVED = "/client/src/"


class Trace(NamedTuple):
    passed: list[str]
    """In the order in which it is handed on, each as often as it is entered."""
    asked: set[str]


def _files(cell: str) -> list[str]:
    return re.findall(r"`([\w/]+\.js)`", cell)


def _table(document: str) -> Trace:
    rows = re.findall(r"^\| \d+ \|([^|]*)\|([^|]*)\|", document, re.MULTILINE)
    passed = [file for first, _ in rows for file in _files(first)]
    return Trace(passed, {file for _, second in rows for file in _files(second)})


def _rooms(files: list[str]) -> list[str]:
    """The folders that are entered, one after another."""
    return [room for room, _ in groupby(str(PurePosixPath(file).parent) for file in files)]


async def _serve_sources(page: Page) -> None:
    """Lets the page run the modules of client/src/ in place of what is built of them."""

    async def answer(route: Route) -> None:
        path = SOURCES / urlsplit(route.request.url).path.removeprefix(SERVED)
        in_one_file = path.with_suffix(".full.js")
        text = (in_one_file if in_one_file.exists() else path).read_text()
        if path.suffix == ".css":
            text = f"export default {json.dumps(text)}"
        await route.fulfill(body=text, content_type="text/javascript")

    await page.route(f"**{SERVED}**", answer)
    await page.route("**/embed.js", lambda route: route.fulfill(body=f"import('{SERVED}index.js')"))


async def _run(session: CDPSession) -> set[str]:
    """The files of which a function was called since this was last asked."""
    scripts = (await session.send("Profiler.takePreciseCoverage"))["result"]
    return {
        one["url"].partition(SERVED)[2]
        for one in scripts
        if SERVED in one["url"] and any(function["ranges"][0]["count"] for function in one["functions"])
    }


@pytest_asyncio.fixture(loop_scope="session")
async def way(shared: ServerProcess, window: Window, key: str) -> Trace:
    """What runs for each of three arrivals; what only one of them met, as a tick of the clock, is not of the way."""
    page = await window("about:blank")
    await page.add_init_script(script("trace_arrivals"))
    await _serve_sources(page)
    await host(page, shared, f'<tertulia-discussion key="{key}"></tertulia-discussion>')
    await shown(page)
    session = await page.context.new_cdp_session(page)
    await session.send("Profiler.enable")
    await session.send("Profiler.startPreciseCoverage", {"callCount": True})
    run: list[set[str]] = []
    for text in ("What a first use costs is not counted.", "Read at once", "And again", "And once more"):
        await _run(session)
        await post(shared, text, key=key)
        await expect(comment(page, text)).to_be_visible()
        run.append(await _run(session))
    passed = await page.evaluate("window.ways['Read at once']")
    return Trace(passed, set.intersection(*run[1:]) - set(passed))


@pytest.mark.asyncio(loop_scope="session")
async def test_the_way_is_as_short_as_its_table_says_and_enters_no_room_twice(way: Trace) -> None:
    table = _table(DOCUMENT.read_text())
    assert list(dict.fromkeys(way.passed)) == table.passed
    assert way.asked == table.asked
    assert len(table.passed) <= MOST
    rooms = _rooms(way.passed)
    assert len(set(rooms)) == len(rooms), rooms


def test_a_row_names_what_is_passed_and_what_is_asked() -> None:
    rows = (
        "| 1 | `a/b.py` | | |\n| | file | asks |\n| 1 | `a/b.js` | `c.js`, `d/E.js` | as `e.js` |\n| 2 | `f.js` | | |\n"
    )
    assert _table(rows) == Trace(["a/b.js", "f.js"], {"c.js", "d/E.js"})


def test_a_room_is_entered_from_another() -> None:
    assert _rooms(["live/a.js", "live/b.js", "c.js", "live/a.js"]) == ["live", ".", "live"]
