"""The one way in which tests wait: for a condition, which the failure names, and never for a duration."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds after which a test gives up. Nothing takes as long; a machine with other work may."""
PAUSE = 0.01
"""Seconds between two looks."""


async def until(holds: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Waits until ``holds()``, which may be a coroutine function, gives something true."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return
        assert time.monotonic() < end, f"{what}: not within {seconds:g} s"
        await asyncio.sleep(PAUSE)


def wait_until(holds: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """The same for tests without an event loop."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {seconds:g} s"
        time.sleep(PAUSE)


async def within(awaitable: Awaitable[T], what: str, seconds: float = PATIENCE) -> T:
    """What ``awaitable`` gives; fails, and says what did not come, when it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        raise AssertionError(f"{what}: not within {seconds:g} s") from None
