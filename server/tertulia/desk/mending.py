"""The work of mending reviews: now and then, for what instances of the version before hold, report and decide."""

from __future__ import annotations

from tertulia.identity import utc_now
from tertulia.store.commands import MendReviews
from tertulia.work import Job, Queue
from tertulia.work.queues import MINUTE

PERIOD = 15 * MINUTE


def mending_reviews() -> Queue:
    """Of one task for all instances."""

    async def mend(job: Job) -> None:
        await job.complete(MendReviews(utc_now()))

    return Queue("reviews", mend, period=PERIOD)
