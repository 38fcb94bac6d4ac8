"""The sites: read now and then, and once for all who come at the same time."""

from __future__ import annotations

import asyncio

import pytest

from tertulia.discussions import sites
from tertulia.discussions.sites import Sites


class Reading:
    """What is read, and how often it was."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {"default": []}
        self.times = 0

    async def __call__(self) -> dict[str, list[str]]:
        self.times += 1
        await asyncio.sleep(0)
        return self.found


async def test_thousands_who_come_at_once_read_it_once_or_twice() -> None:
    reading = Reading()
    known = Sites(reading, ("https://news.example",))
    found = await asyncio.gather(*(known.known() for _ in range(2_000)))
    assert {one["default"] for one in found} == {frozenset({"https://news.example"})}
    assert reading.times <= 2


async def test_what_is_fresh_is_not_read_again_and_what_is_old_is(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading()
    known = Sites(reading, ())
    for _ in range(3):
        await known.known()
    assert reading.times == 1
    reading.found = {"default": [], "news": ["https://news.example"]}
    assert "news" not in await known.known()
    monkeypatch.setattr(sites, "FRESH_SECONDS", -1.0)
    assert await known.known() == {"default": frozenset(), "news": frozenset({"https://news.example"})}
