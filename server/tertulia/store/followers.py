"""Followers: whatever is derived from the log reads it behind a cursor, as a reader does.

A batch that appends events touches one task a discussion in its own transaction; whoever takes the task has each
follower read on from its cursor. The cursor moves in the transaction of what the follower stores, so that each event
counts once, whoever dies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, CursorResult, delete, select, update
from sqlalchemy import insert as inserted

from tertulia.store import desk_log, schema, tasks
from tertulia.store.commands import Command, CommandResult
from tertulia.store.event_log import CommittedEvent
from tertulia.store.tasks import LeaseLostError

QUEUE = "follow"
CATCH_UP = "catch-up"
"""The queue of the look for discussions that followers have not read to the end."""
BATCH = 200
"""Events that a follower reads at once."""

_c, _e = schema.cursor.c, schema.event.c


class LoggedEvent(NamedTuple):
    """An event of the log without its payload: followers read what is true now of the comment."""

    seq: int
    kind: str
    comment_id: str | None


@dataclass(frozen=True, slots=True)
class NextEvents:
    """What a follower has not read of a discussion, at most BATCH events, and where its cursor is."""

    discussion_id: int
    after: int
    events: tuple[LoggedEvent, ...]


def touch(connection: Connection, events: Iterable[CommittedEvent]) -> None:
    """Has the discussions of these events followed, once the transaction is committed."""
    for discussion_id in sorted({one.discussion_id for one in events}):
        follow(connection, discussion_id)


def follow(connection: Connection, discussion_id: int) -> None:
    """Has the followers read on in a discussion."""
    tasks.enqueue(connection, QUEUE, {"discussion": discussion_id}, name=f"{QUEUE}:{discussion_id}")


def begin_again(connection: Connection, follower: str) -> None:
    """The follower reads everything once more, from the beginning."""
    connection.execute(delete(schema.cursor).where(_c.follower == follower))
    tasks.enqueue(connection, CATCH_UP, {}, name=tasks.PERIODIC + CATCH_UP)


def next_events(connection: Connection, follower: str, discussion_id: int) -> NextEvents:
    """The next events for a follower; it has read all where there are none."""
    after = _cursor(connection, follower, discussion_id)
    query = select(_e.seq, _e.kind, _e.comment_id).where(_e.discussion_id == discussion_id, _e.seq > after)
    rows = connection.execute(query.order_by(_e.seq).limit(BATCH))
    return NextEvents(discussion_id, after, tuple(LoggedEvent(*row) for row in rows))


def behind(connection: Connection, follower: str, after: int, limit: int) -> list[int]:
    """Discussions with ids above ``after`` in which a follower has something to read, in the order of their ids."""
    d = schema.discussion.c
    reached = select(_c.seq).where(_c.follower == follower, _c.discussion_id == d.id).scalar_subquery()
    # a desk has nothing for them: its events are about no comment
    query = select(d.id).where(d.id > after, d.seq > 0, d.key != desk_log.KEY, (reached.is_(None)) | (reached < d.seq))
    return list(connection.scalars(query.order_by(d.id).limit(limit)))


def move_cursor(connection: Connection, follower: str, read: NextEvents) -> None:
    """The follower has read these events, in the transaction of what came of them.

    Raises LeaseLostError where the cursor is elsewhere: somebody else has read them, and stored what came of them.
    """
    to = read.events[-1].seq
    if read.after == 0 and _cursor(connection, follower, read.discussion_id, default=None) is None:
        values = {"follower": follower, "discussion_id": read.discussion_id, "seq": to}
        connection.execute(inserted(schema.cursor).values(**values))
        return
    moved = update(schema.cursor).where(
        _c.follower == follower, _c.discussion_id == read.discussion_id, _c.seq == read.after
    )
    if not cast("CursorResult[Any]", connection.execute(moved.values(seq=to))).rowcount:
        raise LeaseLostError(f"{follower} {read.discussion_id}")


def _cursor(connection: Connection, follower: str, discussion_id: int, default: int | None = 0) -> Any:
    query = select(_c.seq).where(_c.follower == follower, _c.discussion_id == discussion_id)
    found = connection.scalar(query)
    return default if found is None else found


@dataclass(frozen=True, slots=True)
class FollowDiscussions(Command[None]):
    """Has the followers read on in these discussions."""

    discussion_ids: tuple[int, ...]

    def apply(self, connection: Connection) -> CommandResult[None]:
        for discussion_id in self.discussion_ids:
            follow(connection, discussion_id)
        return CommandResult(None, makes_tasks=bool(self.discussion_ids))
