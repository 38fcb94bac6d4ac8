"""Mending reviews: an instance of the version before knows of none, and may run beside this one for a while."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, or_, select

from tertulia.core.causes import Cause, CauseKind, Queue
from tertulia.core.comments import HiddenBy, State
from tertulia.store import reviews, schema
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.listing import IS_HELD
from tertulia.store.mapping import milliseconds
from tertulia.store.reviews import IS_REPORT_OPEN, Review, Touched

CHECKED_FOR = timedelta(minutes=30)
"""As long as a comment can wait for its check at most, with the tries of hooks that fail."""
LOOKED = 500
"""How many of the newest comments, reports and reviews are looked at: what comes between two looks is less."""
_r, _c, _d, _p, _s = schema.review.c, schema.comment.c, schema.discussion.c, schema.report.c, schema.site.c
_IS_OPEN = _r.closed_at.is_(None)
_ENDS = {State.visible: "approved", State.removed: "removed", State.deleted: "deleted"}


@dataclass(frozen=True, slots=True)
class MendReviews(Command[int]):
    """Gives what is held or reported its row, and ends what waits no more; the value is how many rows were mended."""

    at: datetime

    def apply(self, connection: Connection) -> CommandResult[int]:
        mended = [*self._held(connection), *self._reported(connection), *self._over(connection)]
        for review in mended:
            reviews.put(connection, review)
        touched = tuple(Touched(one.site_id, one.comment_id) for one in mended)
        return CommandResult(len(mended), touched=touched)

    def _held(self, connection: Connection) -> list[Review]:
        """Of comments that are held and wait at no desk."""
        newest = select(_c.id, _c.created_at, _c.discussion_id).where(IS_HELD, self._is_left())
        looked = newest.order_by(_c.created_at.desc(), _c.id.desc()).limit(LOOKED).subquery()
        site_id = select(_d.site_id).where(_d.id == looked.c.discussion_id).scalar_subquery()
        query = select(looked, site_id.label("site_id"))
        query = query.outerjoin(schema.review, and_(_r.comment_id == looked.c.id, _IS_OPEN))
        causes = (Cause(CauseKind.mode),)
        return [
            Review(comment_id=row.id, site_id=row.site_id, queue=Queue.waiting, since=row.created_at, causes=causes)
            for row in connection.execute(query.where(_r.comment_id.is_(None)))
        ]

    def _is_left(self) -> ColumnElement[bool]:
        """Not held for a check alone, which has its own time; what is so after CHECKED_FOR, its check has lost."""
        return or_(_c.hidden_by.is_distinct_from(HiddenBy.check), _c.created_at < milliseconds(self.at - CHECKED_FOR))

    def _reported(self, connection: Connection) -> list[Review]:
        """Of comments that are reported and wait at no desk, or with another weight."""
        newest = select(_p.comment_id).where(_p.open).order_by(_p.at.desc(), _p.id.desc()).limit(LOOKED)
        found: list[Review] = []
        for comment_id in sorted(set(connection.scalars(newest))):
            review = self._weighed(connection, comment_id)
            if review is not None:
                found.append(review)
        return found

    @staticmethod
    def _weighed(connection: Connection, comment_id: str) -> Review | None:
        """The review as the reports weigh; None where it is so already, or nobody can read the comment."""
        of = select(_c.state, _d.site_id).join(schema.discussion, _d.id == _c.discussion_id)
        row = connection.execute(of.where(_c.id == comment_id)).one()
        weighed = select(func.coalesce(func.sum(_p.weight), 0), func.min(_p.at))
        weight, since = connection.execute(weighed.where(_p.comment_id == comment_id, IS_REPORT_OPEN)).one()
        known = reviews.find(connection, comment_id)
        if row.state != State.visible.value or not weight:
            return None
        if known is not None and known.is_open:
            return None if known.weight == weight else replace(known, weight=int(weight))
        return Review(comment_id=comment_id, site_id=row.site_id, queue=Queue.reported, since=since, weight=int(weight))

    def _over(self, connection: Connection) -> list[Review]:
        """Of what somebody has decided about who knows nothing of it."""
        at = milliseconds(self.at)
        found: list[Review] = []
        for site_id in connection.scalars(select(_s.id).order_by(_s.id)).all():
            for queue in Queue:
                for row in self._open(connection, site_id, queue):
                    state = State(row["state"])
                    if _waits(queue, state):
                        continue
                    review = reviews.to_review(row)
                    found.append(replace(review, closed_at=at, closed_by="", decision=_ENDS[state]))
        return found

    @staticmethod
    def _open(connection: Connection, site_id: int, queue: Queue) -> list[RowMapping]:
        query = select(schema.review, _c.state).join(schema.comment, _c.id == _r.comment_id)
        query = query.where(_r.site_id == site_id, _r.queue == queue.value, _IS_OPEN)
        query = query.order_by(_r.rank.desc(), _r.since.desc(), _r.comment_id.desc()).limit(LOOKED)
        return list(connection.execute(query).mappings())


def _waits(queue: Queue, state: State) -> bool:
    """Whether a comment of this state can be in the queue."""
    if queue is Queue.reported:
        return state is State.visible
    return state in (State.held, State.removed)
