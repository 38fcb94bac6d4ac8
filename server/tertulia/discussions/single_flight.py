"""Single flight: many ask for the same thing at once, and it is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """One run of ``work`` at a time, and one more for all who asked while it ran."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._current: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    @property
    def is_busy(self) -> bool:
        return self._next is not None or (self._current is not None and not self._current.done())

    async def ask(self) -> T:
        """The result of a run that begins after this call; raises what it raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._run(self._current))
            self._next.add_done_callback(_retrieved)
        return await asyncio.shield(self._next)

    async def _run(self, before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait([before])
        self._current, self._next = self._next, None
        return await self._work()


def _retrieved(task: asyncio.Task[T]) -> None:
    """Marks an error as seen where every caller was cancelled: asyncio would log it as never retrieved."""
    if not task.cancelled():
        task.exception()
