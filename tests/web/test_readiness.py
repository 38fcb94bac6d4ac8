"""/readyz: an answer whatever hangs, and no more questions to what hangs than a few."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tertulia.errors import ErrorCode, Problem
from tertulia.store import queries
from tertulia.store.failures import FailureLog
from tertulia.web.readiness import BUSY_SECONDS, MAX_ABANDONED, READY_SECONDS, Readiness


def anything(**attributes: object) -> Any:
    return SimpleNamespace(**attributes)


class Parts:
    """The parts that are asked; each may hang, and takes no notice of being cancelled."""

    def __init__(self, busy_seconds: float = BUSY_SECONDS) -> None:
        self.hanging: set[str] = set()
        self.asked: list[str] = []
        self.end = asyncio.Event()
        self.writes = self.counts = True
        self.reading: Exception | None = None
        write_queue = SimpleNamespace(can_write=self._can_write)
        self.store = anything(
            read=self._read, answered_at=-1e9, write_queue=write_queue, epoch="e", failures=FailureLog()
        )
        self.hub = anything(draining=False)
        self.bus = anything(is_degraded=False, receives_unverified=False)
        shared = anything(can_count=self._can_count)
        self.readiness = Readiness(
            self.store, self.hub, self.bus, shared, ready_seconds=0.05, busy_seconds=busy_seconds
        )

    async def _reached(self, part: str) -> None:
        self.asked.append(part)
        while part in self.hanging and not self.end.is_set():
            try:
                await self.end.wait()
            except asyncio.CancelledError:
                continue  # a driver that takes leave of a server that is silent

    async def _read(self, query: object) -> str:
        assert query is queries.epoch
        await self._reached("reads")
        if self.reading is not None:
            raise self.reading
        return "e"

    async def _can_write(self) -> bool:
        await self._reached("writes")
        return self.writes

    async def _can_count(self) -> bool:
        await self._reached("counts")
        return self.counts


@pytest.fixture
async def parts() -> Parts:
    return Parts()


def test_the_real_seconds() -> None:
    """Probes commonly wait 2 to 5 s."""
    assert (READY_SECONDS, BUSY_SECONDS) == (1.5, 2.0)


SILENT = (503, "the database does not answer")
UNWRITTEN = (503, "the database cannot write")
ALONE = (200, "slower: Redis refuses, and each instance counts posts alone")


@pytest.mark.parametrize(
    ("hanging", "told"), [("", (200, "ok")), ("reads", SILENT), ("writes", UNWRITTEN), ("counts", ALONE)]
)
async def test_whatever_hangs_there_is_an_answer(parts: Parts, hanging: str, told: tuple[int, str]) -> None:
    parts.hanging = {hanging}
    async with asyncio.timeout(60):
        assert await parts.readiness.probe() == told
    parts.end.set()


async def test_what_is_there_is_told(parts: Parts) -> None:
    parts.counts = False
    assert await parts.readiness.probe() == ALONE
    parts.bus.receives_unverified = True
    assert await parts.readiness.probe() == (200, "slower: messages on Redis are not believed")
    parts.bus.is_degraded = True
    assert await parts.readiness.probe() == (200, "slower: Redis is in doubt")
    parts.writes = False
    assert await parts.readiness.probe() == UNWRITTEN
    parts.store.epoch = "another"
    assert (await parts.readiness.probe())[1].startswith("the database has another epoch")
    parts.reading = Problem(ErrorCode.unavailable, "The database does not answer; try again.")
    assert await parts.readiness.probe() == SILENT
    parts.hub.draining = True
    assert await parts.readiness.probe() == (503, "draining")


async def test_a_database_that_answers_others_is_busy_and_not_away() -> None:
    """All connections of the pool are in use: an instance with much to do is not to be left alone by its proxy."""
    parts = Parts(busy_seconds=1e12)
    parts.hanging = {"reads"}
    assert await parts.readiness.probe() == (200, "ok")
    parts.end.set()


async def test_what_hangs_is_asked_few_times_at_once_and_again_once_it_ends(parts: Parts) -> None:
    parts.hanging = {"reads"}
    assert {await parts.readiness.probe() for _ in range(10)} == {SILENT}
    assert parts.asked == ["reads"] * MAX_ABANDONED
    parts.hanging.clear()
    parts.end.set()
    async with asyncio.timeout(60):
        while parts.readiness.abandoned:  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0)
    assert await parts.readiness.probe() == (200, "ok")


@pytest.mark.parametrize("error", [OSError("the disk is gone"), KeyError("a mistake of ours")])
async def test_a_database_that_fails_is_told_in_the_log(
    parts: Parts, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    parts.reading = error
    assert {await parts.readiness.probe() for _ in range(5)} == {SILENT}
    is_ours = isinstance(error, KeyError)
    assert [record.exc_info is not None for record in caplog.records] == ([True] * 5 if is_ours else [False])


async def test_what_hinders_nobody_is_a_warning_and_still_ready(parts: Parts) -> None:
    warned = Readiness(parts.store, parts.hub, parts.bus, None, warning=lambda: "look at the proxy")
    assert await warned.probe() == (200, "warning: look at the proxy")
    parts.writes = False
    assert await warned.probe() == UNWRITTEN
