"""Mending reviews: an instance of the version before knows of none, and may run beside this one for a while."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, and_, func, literal_column, or_, select

from tertulia.core.causes import Cause, CauseKind, Queue
from tertulia.core.comments import State
from tertulia.store import reviews, schema
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.listing import IS_HELD
from tertulia.store.mapping import milliseconds
from tertulia.store.reviews import Review, Touched

MENDED = 200
"""Rows that are mended in one transaction."""
_r, _c, _d, _p = schema.review.c, schema.comment.c, schema.discussion.c, schema.report.c
_IS_OPEN = _r.closed_at.is_(None)
_IS_REPORT_OPEN = and_(_p.open, _p.state == literal_column("'open'"))
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
        query = select(_c.id, _c.created_at, _d.site_id).join(schema.discussion, _d.id == _c.discussion_id)
        query = query.outerjoin(schema.review, and_(_r.comment_id == _c.id, _IS_OPEN)).where(IS_HELD)
        rows = connection.execute(query.where(_r.comment_id.is_(None)).limit(MENDED))
        causes = (Cause(CauseKind.mode),)
        return [
            Review(comment_id=row.id, site_id=row.site_id, queue=Queue.waiting, since=row.created_at, causes=causes)
            for row in rows
        ]

    def _reported(self, connection: Connection) -> list[Review]:
        """Of comments that are reported and wait at no desk, or with another weight."""
        weighed = (
            select(_p.comment_id, func.sum(_p.weight).label("weight"), func.min(_p.at).label("since"))
            .where(_IS_REPORT_OPEN)
            .group_by(_p.comment_id)
            .subquery()
        )
        query = select(weighed, _d.site_id, _r.closed_at).join(schema.comment, _c.id == weighed.c.comment_id)
        query = query.join(schema.discussion, _d.id == _c.discussion_id)
        query = query.outerjoin(schema.review, _r.comment_id == _c.id).where(_c.state == State.visible.value)
        unlike = or_(_r.comment_id.is_(None), _r.closed_at.is_not(None), _r.weight != weighed.c.weight)
        found: list[Review] = []
        for row in connection.execute(query.where(unlike).limit(MENDED)):
            known = reviews.find(connection, row.comment_id)
            new = Review(comment_id=row.comment_id, site_id=row.site_id, queue=Queue.reported, since=row.since)
            found.append(replace(known if known is not None and known.is_open else new, weight=int(row.weight)))
        return found

    def _over(self, connection: Connection) -> list[Review]:
        """Of what somebody has decided about who knows nothing of it."""
        shown = and_(_r.queue != Queue.reported.value, _c.state == State.visible.value)
        gone = and_(_r.queue == Queue.reported.value, _c.state != State.visible.value)
        over = or_(shown, gone, _c.state == State.deleted.value)
        query = select(schema.review, _c.state).join(schema.comment, _c.id == _r.comment_id).where(_IS_OPEN, over)
        at = milliseconds(self.at)
        return [
            replace(reviews.to_review(row), closed_at=at, closed_by="", decision=_ENDS[State(row["state"])])
            for row in connection.execute(query.limit(MENDED)).mappings()
        ]
