"""An event loop whose time a test moves, and which knows when nothing is left to run."""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import Any

RESOLUTION = time.get_clock_info("monotonic").resolution
"""Timers that are due within it run now."""


class _Selector(selectors.DefaultSelector):
    """The loop asks it with a timeout of 0 while callbacks are ready; otherwise nothing can run but by the outside."""

    def __init__(self) -> None:
        super().__init__()
        self.waiters: list[asyncio.Future[None]] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.waiters and (timeout is None or timeout > RESOLUTION):
            waiters, self.waiters = self.waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
            timeout = 0
        return super().select(timeout)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its ``time`` stands still unless ``now`` is set, in seconds."""

    def __init__(self, *_: Any) -> None:
        self._waiting = _Selector()
        super().__init__(self._waiting)
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    async def idle(self) -> None:
        """Returns when no callback is ready and no timer is due: the rest waits for the clock or for the test."""
        waiter: asyncio.Future[None] = self.create_future()
        self._waiting.waiters.append(waiter)
        await waiter


class Clock:
    """The time of the test's loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    async def advance(self, seconds: float) -> None:
        """Moves time on, and lets everything happen that is due then."""
        self._loop.now += seconds
        await self._loop.idle()


async def run_until_idle() -> None:
    """Lets everything run that can run without the clock and without the test."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    await loop.idle()
