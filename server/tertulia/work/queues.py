"""What there is to do: queues, their handlers, and when what failed is tried again."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from tertulia.errors import StartupError
from tertulia.store import Store
from tertulia.store.commands import Command
from tertulia.store.tasks import Claimed, CompleteTask, Payload

T = TypeVar("T")
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
DELAYS = (5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR)
"""Milliseconds after each failure; after one more the task is dead."""
SPREAD = 0.2
"""Of each delay, so that what failed together does not come back together."""


def delay_after(attempts: int, chance: Callable[[], float] = random.random) -> int | None:
    """Milliseconds until the next attempt after so many; None when there is none."""
    if attempts > len(DELAYS):
        return None
    return round(DELAYS[attempts - 1] * (1 + SPREAD * (2 * chance() - 1)))


class RefusedError(Exception):
    """No attempt can succeed: the task is dead at once."""


class Job:
    """One task in a handler's hands."""

    def __init__(self, store: Store, claimed: Claimed, again_in: int | None = None) -> None:
        self.is_complete = False
        self.claimed = claimed
        self._store = store
        self._again_in = again_in

    @property
    def payload(self) -> Payload:
        return self.claimed.payload

    async def complete(self, effect: Command[T] | None = None) -> T:
        """Stores what came of the task and that it is done, in one transaction; the effect's value.

        Raises what the effect raises, and LeaseLostError where somebody else has the task by now: nothing is stored.
        """
        value = await self._store.write(CompleteTask(self.claimed, effect, self._again_in))
        self.is_complete = True
        return value


Handler = Callable[[Job], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Queue:
    """Tasks of one kind. A handler may leave ``Job.complete`` to the worker where nothing is stored here.

    ``at_once``: how many in one process; ``seconds``: how long one may take; ``period``: milliseconds between two runs
    of work that nobody asks for, of which there is one task for all instances.
    """

    name: str
    handler: Handler
    at_once: int = 1
    seconds: float = 30.0
    period: int | None = None


def working_on(setting: str, queues: Iterable[Queue]) -> list[Queue]:
    """The queues that this process works on: ``all``, ``none``, or those named, separated by commas.

    Raises StartupError for a name that is none of theirs.
    """
    known = {queue.name: queue for queue in queues}
    if setting in ("all", "none"):
        return [*known.values()] if setting == "all" else []
    names = [name.strip() for name in setting.split(",")]
    for name in names:
        if name not in known:
            raise StartupError(f"TERTULIA_WORK: there is no queue {name!r}; there are: {', '.join(known) or 'none'}")
    return [known[name] for name in names]
