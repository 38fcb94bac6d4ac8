"""The log of a discussion: each change is one event, numbered under the lock of the discussion's row.

A seq is taken and its event appended in the transaction of the change itself: nobody sees one without the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from tertulia.core.comments import Comment, DiscussionKey
from tertulia.protocol import (
    EncodedEvent,
    Event,
    EventKind,
    ParentCount,
    Votes,
    comment_view,
    encode,
    redacted,
    timestamp,
)
from tertulia.store import rows, schema, statements


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that is committed, and where."""

    key: DiscussionKey
    event: EncodedEvent


def publish(
    connection: Connection, kind: EventKind, comment: Comment, at: datetime, *, shown: int = 0, later: bool = False
) -> Happened:
    """Appends one event about a comment; ``shown`` is by how much the visible comments become more or fewer.

    ``later`` where the comment itself is inserted with the next flush.
    """
    seq, count, key = advance(connection, comment.discussion_id, shown=shown)
    parent = _count_reply(connection, comment.parent_id, shown) if shown and comment.parent_id else None
    if kind == "comment.voted":
        votes = Votes(up=comment.up, down=comment.down)
        event = Event(seq=seq, kind=kind, at=timestamp(at), comment_id=comment.id, votes=votes)
    else:
        event = Event(
            seq=seq,
            kind=kind,
            at=timestamp(at),
            comment=comment_view(comment),
            comment_count=count if shown else None,
            parent=parent,
        )
    return append(connection, comment.discussion_id, key, event, at, later=later)


def append(
    connection: Connection, discussion_id: int, key: DiscussionKey, event: Event, at: datetime, *, later: bool = False
) -> Happened:
    encoded = encode(event)
    values = {
        "discussion_id": discussion_id,
        "seq": event.seq,
        "kind": event.kind,
        "comment_id": encoded.comment_id,
        "at": rows.milliseconds(at),
        "payload": encoded.payload,
    }
    insert_ = statements.NEW_EVENT.later if later else statements.NEW_EVENT.run
    insert_(connection, values)
    return Happened(key, encoded)


def advance(connection: Connection, discussion_id: int, *, shown: int) -> tuple[int, int, DiscussionKey]:
    # the row stays locked until the commit, so seqs are committed in their order and without holes
    row = statements.ADVANCE.row(connection, {"discussion": discussion_id, "shown": shown})
    assert row is not None  # noqa: S101 - a comment has a discussion
    return row["seq"], row["comment_count"], DiscussionKey(row["site"], row["key"])


def _count_reply(connection: Connection, parent_id: str, shown: int) -> ParentCount:
    row = statements.COUNT_REPLY.row(connection, {"parent": parent_id, "shown": shown})
    assert row is not None  # noqa: S101 - a reply has a parent
    return ParentCount(id=parent_id, reply_count=row["reply_count"])


def redact(connection: Connection, comment: Comment) -> None:
    e = schema.event.c
    earlier = connection.execute(
        select(e.discussion_id, e.seq, e.payload).where(e.comment_id == comment.id, e.kind != "comment.voted")
    ).all()
    for row in earlier:
        connection.execute(
            update(schema.event)
            .where(e.discussion_id == row.discussion_id, e.seq == row.seq)
            .values(payload=redacted(row.payload, comment.state))
        )


def head(connection: Connection, discussion_id: int) -> int:
    query = select(schema.discussion.c.seq).where(schema.discussion.c.id == discussion_id)
    seq: int = connection.execute(query).scalar_one()
    return seq
