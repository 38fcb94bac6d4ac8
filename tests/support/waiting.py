"""The one way in which tests wait: for a condition, which the failure names, and never for a duration."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
What = str | Callable[[], str]
"""What a test waits for; a function where the failure has to say how far it came."""

PATIENCE = 120.0
"""Seconds after which a test gives up. Nothing takes as long, but a machine with other work may, and what
passes does not wait for it."""
PAUSE = 0.01
"""Seconds between two looks at least. They are as far apart as a look takes: one that starts a program, or asks a
server, leaves half of the machine to what is waited for."""


async def until(holds: Callable[[], object], what: What, seconds: float = PATIENCE) -> None:
    """Waits until ``holds()``, which may be a coroutine function, gives something true."""
    end = time.monotonic() + seconds
    while True:
        looked = time.monotonic()
        found = holds()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return
        now = time.monotonic()
        assert now < end, _failure(what, seconds)
        await asyncio.sleep(max(PAUSE, now - looked))


def wait_until(holds: Callable[[], object], what: What, seconds: float = PATIENCE) -> None:
    """The same for tests without an event loop."""
    end = time.monotonic() + seconds
    while True:
        looked = time.monotonic()
        if holds():
            return
        now = time.monotonic()
        assert now < end, _failure(what, seconds)
        time.sleep(max(PAUSE, now - looked))


async def within(awaitable: Awaitable[T], what: What, seconds: float = PATIENCE) -> T:
    """What ``awaitable`` gives; fails, and says what did not come, when it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        raise AssertionError(_failure(what, seconds)) from None


def _failure(what: What, seconds: float) -> str:
    return f"{what if isinstance(what, str) else what()}: not within {seconds:g} s"
