"""Telling the discussions of a site that its rules are others: those made last first, which are the ones that are read.

The rules hold from the commit that changes them; the events are for open pages, and for what is kept of a discussion.
"""

from __future__ import annotations

import asyncio

from tertulia.identity import utc_now
from tertulia.store import Store, administration, queries
from tertulia.store.commands import TellRules
from tertulia.work import Job, Queue

BATCH = 50
"""Discussions whose events are committed together, so that posts wait a few milliseconds at most."""
SECONDS = 3600
"""How long the discussions of one site may take: 100,000 take minutes."""


class SiteRules:
    """The work of telling."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def queue(self) -> Queue:
        return Queue(administration.SITE_RULES, self._tell, seconds=SECONDS)

    async def _tell(self, job: Job) -> None:
        site_id, below = int(job.payload["site"]), None
        while found := await self._store.read(queries.discussions_below, site_id, below, BATCH):
            await asyncio.gather(*(self._store.write(TellRules(one.key, utc_now())) for one in found))
            below = found[-1].id
