"""The work of mending reviews: now and then, for what instances of the version before hold, report and decide."""

from __future__ import annotations

from tertulia.identity import utc_now
from tertulia.store import Store
from tertulia.store.commands import MENDED, MendReviews
from tertulia.work import Job, Queue
from tertulia.work.queues import MINUTE

PERIOD = 15 * MINUTE


def mending_reviews(store: Store) -> Queue:
    """Of one task for all instances."""

    async def mend(_job: Job) -> None:
        while await store.write(MendReviews(utc_now())) >= MENDED:
            pass

    return Queue("reviews", mend, period=PERIOD, seconds=600)
