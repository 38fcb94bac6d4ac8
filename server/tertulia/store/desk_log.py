"""The log of a site's desk: an event of each comment that begins to wait, or waits no more, numbered like any other.

It is the log of a discussion of its own, so that desks resume as readers do. Its events hold no text, which nobody
then has to take back: a desk asks for what it shows. They are appended at the end of a batch, in the order of sites:
discussions are locked first and desks last, so that no two batches wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, RowMapping, bindparam, select

from tertulia.core.causes import Queue
from tertulia.core.comments import DiscussionKey
from tertulia.protocol import DeskEvent, DeskItem, EncodedEvent, timestamp
from tertulia.store import clock, event_log, schema
from tertulia.store.event_log import CommittedEvent
from tertulia.store.mapping import to_datetime
from tertulia.store.records import insert_into
from tertulia.store.reviews import Touched

KEY = "\x1fdesk"
"""Of the discussion that is a desk; no request can name it."""
_c, _d, _r, _s = schema.comment.c, schema.discussion.c, schema.review.c, schema.site.c
_DESK = select(_d.id).where(_d.site_id == bindparam("site"), _d.key == KEY)
_ITEM = (
    select(schema.review, _c.state, _c.version)
    .join_from(schema.review, schema.comment, _c.id == _r.comment_id)
    .where(_r.comment_id == bindparam("comment"))
)


def desk_of(site: str) -> DiscussionKey:
    """What the desk of a site is called."""
    return DiscussionKey(site, KEY)


def append(connection: Connection, touched: Iterable[Touched]) -> list[CommittedEvent]:
    """Tells the desks of these comments as they are now."""
    by: dict[tuple[int, str], str | None] = {}
    for one in touched:
        by[one.site_id, one.comment_id] = one.by or by.get((one.site_id, one.comment_id))
    events: list[CommittedEvent] = []
    at = clock.now(connection) if by else 0
    for (site_id, comment_id), who in sorted(by.items(), key=lambda pair: pair[0][0]):
        row = connection.execute(_ITEM, {"comment": comment_id}).mappings().one_or_none()
        if row is not None:
            events.append(_append(connection, _desk(connection, site_id, at), _item(row, who), at))
    return events


def _desk(connection: Connection, site_id: int, at: int) -> int:
    found = connection.scalar(_DESK, {"site": site_id})
    if found is not None:
        return int(found)
    values = {"site_id": site_id, "key": KEY, "title": "", "url": "", "mode": "open", "seq": 0, "comment_count": 0}
    made = insert_into(connection, schema.discussion).values(**values, created_at=at)
    connection.execute(made.on_conflict_do_nothing())
    return int(connection.execute(_DESK, {"site": site_id}).scalar_one())


def _item(row: RowMapping, by: str | None) -> DeskItem:
    is_open = row["closed_at"] is None
    return DeskItem(
        comment_id=row["comment_id"],
        version=row["version"],
        queue=Queue(row["queue"]) if is_open else None,
        state=row["state"],
        since=timestamp(to_datetime(row["since"])),
        causes=sorted({one["kind"] for one in row["causes"]}),
        reports=row["weight"],
        by=by,
        decision=None if is_open else row["decision"],
    )


def _append(connection: Connection, desk: int, item: DeskItem, at: int) -> CommittedEvent:
    now = event_log.advance(connection, desk, shown=0)
    event = DeskEvent(seq=now.seq, at=timestamp(to_datetime(at)), item=item)
    encoded = EncodedEvent(now.seq, event.kind, None, event.model_dump_json())
    return event_log.insert_encoded(connection, desk, now.key, encoded, at)
