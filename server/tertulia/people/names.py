"""Noting the names that members and staff had before names were noted: a few at a time, since posts wait meanwhile."""

from __future__ import annotations

from tertulia.store import Store
from tertulia.store.commands import TakeNames
from tertulia.store.names import QUEUE
from tertulia.work import Job, Queue

BATCH = 50
"""Names that are noted in one transaction: some 5 ms of the writer."""
SECONDS = 3600
"""How long all of them may take: a million take minutes."""


def taking_names(store: Store) -> Queue:
    """The work; the migration makes its one task."""

    async def take(job: Job) -> None:
        last: str | None = ""
        while last is not None:
            last = await store.write(TakeNames(last, BATCH))

    return Queue(QUEUE, take, seconds=SECONDS)
