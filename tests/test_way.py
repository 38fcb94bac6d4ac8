"""The way of a comment, counted: which files run from a post's first byte to the first write to a connected reader.

Those that it passes are in the middle of something whenever it is handed on; the others are asked and answer. The table
of docs/architecture.md names them all, and no others.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple

import httpx
import pytest
from websockets.asyncio.client import connect

import tertulia
from tertulia.app import running
from tertulia.live.room import Room
from tertulia.protocol import API
from tertulia.serving.detached import DetachedReader
from tertulia.serving.http import BoundedHTTP
from tertulia.serving.limiter import ConnectionLimiter
from tertulia.serving.stats import ServerStats
from tertulia.serving.unread import MIB, Unread
from tertulia.settings import Settings
from tertulia.store import event_log
from tertulia.store.write_queue import WriteQueue
from tests.support.api_client import AsyncApiClient
from tests.support.in_process import listening
from tests.support.waiting import until

HOUSE = f"{Path(tertulia.__file__).parent}/"
PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"
MOST = 22
"""Files that a post may pass."""

BEGINS = BoundedHTTP.data_received.__code__
ENDS = DetachedReader.write.__code__
HANDED_ON = {
    BEGINS,  # to a task of its own
    WriteQueue.submit.__code__,  # to the writer
    event_log.insert.__code__,
    Room.receive.__code__,
    ENDS,
}


class Trace:
    """What runs of the house in all threads."""

    def __init__(self) -> None:
        self.run: set[str] = set()
        self.passed: set[str] = set()
        self.entered_store = 0
        """How often other packages called into ``store``."""
        self.is_over = False

    def note(self, frame: FrameType) -> None:
        if self.is_over or (not self.run and frame.f_code is not BEGINS):
            return
        stack = _stack(frame)
        self.run.add(stack[0])
        if frame.f_code is ENDS and not _is_within(frame, Room._deliver.__code__):
            return  # it tells how many read
        if frame.f_code in HANDED_ON:
            self.passed.update(stack)
        if [_package(file) == "store" for file in stack[:2]] == [True, False]:
            self.entered_store += 1
        self.is_over = frame.f_code is ENDS


class Table(NamedTuple):
    passed: set[str]
    asked: set[str]


@contextmanager
def profiled() -> Iterator[list[Trace]]:
    """The last of this list is told of every function of the house that is called, also in threads begun meanwhile."""
    traces: list[Trace] = []

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and traces and frame.f_code.co_filename.startswith(HOUSE):
            traces[-1].note(frame)

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield traces
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def _stack(frame: FrameType) -> list[str]:
    """The files of the house in which something is under way, from this frame outwards."""
    found: list[str] = []
    at: FrameType | None = frame
    while at is not None:
        if at.f_code.co_filename.startswith(HOUSE):
            found.append(at.f_code.co_filename.removeprefix(HOUSE))
        at = at.f_back
    return found


def _is_within(frame: FrameType, code: CodeType) -> bool:
    at: FrameType | None = frame
    while at is not None and at.f_code is not code:
        at = at.f_back
    return at is not None


def _package(file: str) -> str:
    return file.partition("/")[0]


def _files(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z_/]+\.py)`", cell))


def _table(page: str) -> Table:
    rows = re.findall(r"^\| \d+ \|([^|]*)\|([^|]*)\|", page, re.MULTILINE)
    return Table(set().union(*(_files(first) for first, _ in rows)), set().union(*(_files(asked) for _, asked in rows)))


@pytest.fixture(scope="module")
def table() -> Table:
    return _table(PAGE.read_text())


@pytest.fixture
async def trace(settings: Settings) -> Trace:
    """What runs for each of three posts; what only one of them met, as a tick of the hub, is not of the way."""
    stats = ServerStats(ConnectionLimiter(10, 10), Unread(MIB))
    with profiled() as traces:
        async with running(settings, stats) as server, listening(server.asgi, stats) as port:
            address = f"127.0.0.1:{port}{API}"
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                author = AsyncApiClient(client, "way")
                author.token = (await author.post_comment("What a first use costs is not counted."))["token"]
                async with connect(f"ws://{address}/live?key=way") as reader:
                    assert '"hello"' in str(await reader.recv()), "it is in the room"
                    for number in range(3):
                        traces.append(Trace())
                        await author.post_comment(f"The post number {number}.")
                        await until(lambda: traces[-1].is_over, "a write to the reader")
    found = traces[0]
    found.run.intersection_update(*(other.run for other in traces))
    found.entered_store = min(one.entered_store for one in traces)
    return found


async def test_the_way_is_as_short_as_its_table_says(trace: Trace, table: Table) -> None:
    assert trace.passed == table.passed
    assert trace.run - trace.passed == table.asked
    assert len(trace.passed) <= MOST


async def test_the_store_is_entered_once(trace: Trace) -> None:
    assert trace.entered_store == 1


def test_a_row_names_what_is_passed_and_what_is_asked() -> None:
    rows = "| | file | asks |\n| 1 | `a/b.py` | `c.py`, `d.py` | as `e.py` |\n| | | | COMMIT |\n| 2 | `f.py` | | |\n"
    assert _table(rows) == Table({"a/b.py", "f.py"}, {"c.py", "d.py"})
