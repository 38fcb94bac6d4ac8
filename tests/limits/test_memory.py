"""What is remembered of who posted has a bound."""

from __future__ import annotations

import time

import pytest

from tertulia.limits import memory
from tertulia.limits.memory import BoundedStorage


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


async def test_a_window_moves(now: list[float]) -> None:
    storage = BoundedStorage()
    assert [await storage.acquire_entry("one", 2, 60) for _ in range(3)] == [True, True, False]
    assert await storage.get_moving_window("one", 2, 60) == (1000.0, 2)
    now[0] += 61
    assert await storage.get_moving_window("one", 2, 60) == (1061.0, 0)
    assert await storage.acquire_entry("one", 2, 60)


async def test_who_posts_no_more_is_forgotten(now: list[float]) -> None:
    storage = BoundedStorage()
    for number in range(100_000):
        await storage.acquire_entry(str(number), 2, 60)
        now[0] += 1
    assert len(storage) <= 61


async def test_so_many_are_remembered(now: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_COUNTED", 50)
    storage = BoundedStorage()
    for number in range(500):
        await storage.acquire_entry(str(number), 2, 60)
    assert len(storage) == 50
    assert (await storage.get_moving_window("499", 2, 60))[1] == 1
