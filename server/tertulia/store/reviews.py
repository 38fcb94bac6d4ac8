"""Reviews: a row of each comment that waits, or has waited, for a moderator; what waits is what is not closed.

A row is written in the transaction of what makes it wait, so that a queue is never counted, only read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, literal_column, select, update

from tertulia.core.causes import Cause, Queue, cause, queue_for
from tertulia.store import prepared, schema
from tertulia.store.prepared import Insert
from tertulia.store.records import insert_into

URGENT, ORDINARY = 0, 1
"""Ranks: what is urgent stands first in its queue."""
IS_REPORT_OPEN = schema.report.c.state == literal_column("'open'")
"""In literal words, as the partial index has them."""
_r = schema.review.c
_NEW = Insert(schema.review, "comment_id", "site_id", "queue", "rank", "since", "weight", "causes")
_ONE = select(schema.review).where(_r.comment_id == bindparam("comment"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Times are milliseconds since 1970. ``weight`` is that of the open reports; ``decision`` what came of it."""

    comment_id: str
    site_id: int
    queue: Queue
    rank: int = ORDINARY
    since: int
    weight: int = 0
    causes: tuple[Cause, ...] = ()
    kept_at: int | None = None
    approved_at: int | None = None
    closed_at: int | None = None
    closed_by: str | None = None
    decision: str | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class Touched:
    """A comment of which the desk of a site has to be told; ``by`` is who decided, None where nobody did."""

    site_id: int
    comment_id: str
    by: str | None = None


def begin(connection: Connection, comment_id: str, site_id: int, causes: Sequence[Cause], at: int) -> None:
    """Queues the row of a new comment that has to wait."""
    _NEW.queue(
        connection,
        {
            "comment_id": comment_id,
            "site_id": site_id,
            "queue": queue_for(causes).value,
            "rank": ORDINARY,
            "since": at,
            "weight": 0,
            "causes": [one.stored() for one in causes],
        },
    )


def find(connection: Connection, comment_id: str) -> Review | None:
    """None of a comment that nobody has to look at, and nobody had to."""
    prepared.flush(connection)
    row = connection.execute(_ONE, {"comment": comment_id}).mappings().one_or_none()
    return None if row is None else to_review(row)


def put(connection: Connection, review: Review) -> None:
    """Makes the row, or makes it as this is."""
    values = stored(review)
    made = insert_into(connection, schema.review).values(**values)
    others = {name: value for name, value in values.items() if name != "comment_id"}
    connection.execute(made.on_conflict_do_update(index_elements=[_r.comment_id], set_=others))


def forget(connection: Connection, comment_id: str, at: int) -> None:
    """Ends the waiting of a comment that its author has deleted, and keeps nothing of why."""
    query = update(schema.review).where(_r.comment_id == comment_id)
    connection.execute(query.where(_r.closed_at.is_(None)).values(closed_at=at, closed_by="", decision="deleted"))
    connection.execute(query.values(causes=[]))


def stored(review: Review) -> dict[str, Any]:
    """As JSON, and as a row."""
    values = asdict(review)
    return {**values, "queue": review.queue.value, "causes": [one.stored() for one in review.causes]}


def to_review(row: Any) -> Review:
    """From a row, or from what ``stored`` gave."""
    names = Review.__dataclass_fields__
    values = {name: row[name] for name in names}
    return Review(**{**values, "queue": Queue(row["queue"]), "causes": tuple(map(cause, row["causes"]))})
