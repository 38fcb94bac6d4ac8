"""Keeping what readers report: each report has a weight, and enough of them hide a comment until somebody decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, func, insert, select, update

from tertulia.core.causes import Cause, CauseKind, Queue
from tertulia.core.comments import Comment, HiddenBy, State
from tertulia.core.ids import uuid7
from tertulia.errors import no_such_comment
from tertulia.store import bans, mapping, reviews, schema
from tertulia.store.actions import SERVER, Action, Verb, record
from tertulia.store.commands.base import CommandResult
from tertulia.store.commands.comments import Actor, CommentCommand, existing, gone
from tertulia.store.commands.deciding import move
from tertulia.store.event_log import CommittedEvent
from tertulia.store.mapping import milliseconds
from tertulia.store.reviews import IS_REPORT_OPEN, Review, Touched

REPORTERS = 3
"""So many have to report a comment before it is hidden."""
TRUSTED = 2
"""Weight of a report by whom the site trusts; the others' is 1."""
JUDGED = 5
"""Of so many reports in JUDGED_DAYS at least, most have to be upheld, or the next ones weigh nothing."""
JUDGED_DAYS = 90
DISMISSED = 0.8
"""From this share on they weigh nothing."""
APPROVED_FOR = timedelta(hours=1)
"""So long after it was approved by hand a comment is not hidden."""
_c, _d, _p, _n = schema.comment.c, schema.discussion.c, schema.report.c, schema.author.c


@dataclass(frozen=True, slots=True)
class ReportComment(CommentCommand[str]):
    """Reports a comment to the moderators; the value is the report's id. A second one of the same reporter replaces
    the first.

    ``network`` stands for all guests of a network and day, who are one reporter; ``sealed_contact`` is where an answer
    goes. Raises not_found, gone, banned.
    """

    reporter: Actor | None
    reason: str
    note: str
    at: datetime
    network: str | None = None
    sealed_contact: str | None = None

    def apply(self, connection: Connection) -> CommandResult[str]:
        comment = existing(connection, self.comment_id, self.reporter.site if self.reporter else None)
        if comment.state is State.held:
            raise no_such_comment()
        if comment.state.is_tombstone:
            raise gone()
        if self.reporter is not None:
            bans.require_none(connection, self.reporter.id, self.at)
        report_id = self._put(connection)
        site_id = connection.execute(select(_d.site_id).where(_d.id == comment.discussion_id)).scalar_one()
        weight, reporters = _open_weight(connection, comment.id)
        review = self._review(connection, comment, site_id, weight)
        events: tuple[CommittedEvent, ...] = ()
        if reporters >= REPORTERS and weight >= self._needed(connection, comment, review):
            review, events = self._hide(connection, comment, review)
        reviews.put(connection, review)
        return CommandResult(report_id, events, touched=(Touched(site_id, comment.id),))

    # ---- the report -------------------------------------------------------------------------------------

    def _put(self, connection: Connection) -> str:
        """The report's id."""
        reporter, weight = self._reporter(connection)
        values: dict[str, Any] = {
            "reporter_id": self.reporter.id if self.reporter else None,
            "reason": self.reason,
            "note": self.note,
            "at": milliseconds(self.at),
            "open": True,
            "state": "open",
            "weight": weight,
            "sealed_contact": self.sealed_contact,
            "resolved_at": None,
        }
        if reporter is not None:
            its = (_p.comment_id == self.comment_id, _p.reporter == reporter)
            earlier = connection.scalar(select(_p.id).where(*its))
            if earlier is not None:
                connection.execute(update(schema.report).where(_p.id == earlier).values(**values))
                return str(earlier)
        report_id = uuid7()
        row = {"id": report_id, "comment_id": self.comment_id, "reporter": reporter, **values}
        connection.execute(insert(schema.report).values(**row))
        return report_id

    def _reporter(self, connection: Connection) -> tuple[str | None, int]:
        """Who counts as one, and how much their report weighs; None where nobody can be told from others."""
        author = None if self.reporter is None else self._author(connection, self.reporter.id)
        known = author is not None and author.kind != "guest"
        reporter = self.reporter.id if known and self.reporter is not None else self.network
        if reporter is None:
            return None, 1
        weight = TRUSTED if author is not None and known and author.trust >= TRUSTED else 1
        return reporter, 0 if _is_mostly_wrong(connection, reporter, self.at) else weight

    @staticmethod
    def _author(connection: Connection, author_id: str) -> Any:
        return connection.execute(select(_n.kind, _n.trust).where(_n.id == author_id)).one_or_none()

    # ---- what comes of it -------------------------------------------------------------------------------

    def _review(self, connection: Connection, comment: Comment, site_id: int, weight: int) -> Review:
        found = reviews.find(connection, comment.id)
        if found is not None and found.is_open:
            return replace(found, weight=weight)
        at = milliseconds(self.at)
        new = Review(comment_id=comment.id, site_id=site_id, queue=Queue.reported, since=at, weight=weight)
        return new if found is None else replace(new, kept_at=found.kept_at, approved_at=found.approved_at)

    def _needed(self, connection: Connection, comment: Comment, review: Review) -> float:
        """From which weight on it is hidden: twice as much where it was kept, and never what staff stand for."""
        kind = connection.execute(select(_n.kind).where(_n.id == comment.author.id)).scalar_one()
        approved = review.approved_at is not None
        by_hand = approved and milliseconds(self.at - APPROVED_FOR) < (review.approved_at or 0)
        if kind == "staff" or comment.author.badge == "moderator" or comment.pinned or by_hand:
            return float("inf")
        edited = -1 if comment.edited_at is None else milliseconds(comment.edited_at)
        kept = review.kept_at is not None and review.kept_at >= edited
        after = _hide_after(connection, comment)
        return after * (2 if kept else 1) if after else float("inf")

    def _hide(
        self, connection: Connection, comment: Comment, review: Review
    ) -> tuple[Review, tuple[CommittedEvent, ...]]:
        changed, events = move(connection, comment, State.removed, self.at, hidden_by=HiddenBy.reports)
        causes = (*(one for one in review.causes if one.kind is not CauseKind.reports), Cause(CauseKind.reports))
        data = {"weight": review.weight, "version": changed.version}
        about = (review.site_id, comment.author.id, comment.id, comment.discussion_id)
        record(connection, Action(SERVER, Verb.hide_comment, *about, reason="reports", data=data), self.at)
        return replace(review, queue=Queue.suspected, rank=reviews.URGENT, causes=causes), events


def _hide_after(connection: Connection, comment: Comment) -> int:
    """The weight of open reports that hides a comment, as the rules of its discussion say; 0 is never."""
    row = connection.execute(mapping.discussions().where(_d.id == comment.discussion_id)).mappings().one()
    return mapping.to_discussion(row).rules.hide_after


def _open_weight(connection: Connection, comment_id: str) -> tuple[int, int]:
    """The weight of all open reports, and of how many reporters they are."""
    query = select(func.coalesce(func.sum(_p.weight), 0), func.count()).where(_p.comment_id == comment_id)
    weight, reporters = connection.execute(query.where(IS_REPORT_OPEN)).one()
    return int(weight), int(reporters)


def _is_mostly_wrong(connection: Connection, reporter: str, at: datetime) -> bool:
    """Whether hardly anything that they reported of late was upheld."""
    since = milliseconds(at - timedelta(days=JUDGED_DAYS))
    dismissed = func.sum(case((_p.state == "dismissed", 1), else_=0))
    query = select(func.count(), func.coalesce(dismissed, 0)).where(_p.reporter == reporter, _p.at >= since)
    judged, wrong = connection.execute(query.where(_p.state != "open")).one()
    return bool(judged >= JUDGED and wrong >= DISMISSED * judged)
