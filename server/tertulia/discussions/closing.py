"""What time does to discussions: they close at their time, and where guests wrote from is forgotten."""

from __future__ import annotations

from tertulia.identity import utc_now
from tertulia.store import Store, queries
from tertulia.store.commands import CLOSING, CloseDiscussion
from tertulia.store.origins import SweepOrigins
from tertulia.work import Job, Queue
from tertulia.work.queues import HOUR


def closing(store: Store) -> Queue:
    """Refused from its time on is whatever comes; here open pages are told."""

    async def close(job: Job) -> None:
        key = await store.read(queries.key_of, int(job.payload["discussion"]))
        await job.complete(None if key is None else CloseDiscussion(key, utc_now()))

    return Queue(CLOSING, close)


def forgetting(days: int) -> Queue:
    """Once an hour. With no ``days`` only slow mode notes anything, for an hour."""

    async def forget(job: Job) -> None:
        await job.complete(SweepOrigins(utc_now(), days))

    return Queue("origins", forget, period=HOUR)
