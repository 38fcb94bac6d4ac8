"""Closing discussions at their time: refused is from that moment on whatever comes, and open pages are told here."""

from __future__ import annotations

from tertulia.identity import utc_now
from tertulia.store import Store, queries
from tertulia.store.commands import CLOSING, CloseDiscussion
from tertulia.work import Job, Queue


def closing(store: Store) -> Queue:
    """The work of closing them."""

    async def close(job: Job) -> None:
        key = await store.read(queries.key_of, int(job.payload["discussion"]))
        await job.complete(None if key is None else CloseDiscussion(key, utc_now()))

    return Queue(CLOSING, close)
