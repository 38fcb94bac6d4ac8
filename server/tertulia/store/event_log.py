"""The log of a discussion: each change is one event, numbered under the lock of the discussion's row.

A seq is taken and its event appended in the transaction of the change itself: nobody sees one without the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, literal_column, select, update

from tertulia.core.comments import Comment, DiscussionKey
from tertulia.protocol import (
    CommentView,
    EncodedEvent,
    Event,
    EventKind,
    ParentCount,
    Votes,
    comment_view,
    encode,
    superseded,
    timestamp,
)
from tertulia.store import mapping, schema
from tertulia.store.prepared import Insert, Prepared

VOTES_SUPERSEDED = 100
"""How many earlier votes one vote supersedes at most. There is one, but in a log from before there may be thousands."""


_c, _d = schema.comment.c, schema.discussion.c
_ADVANCE = Prepared(
    update(schema.discussion)
    .where(_d.id == bindparam("discussion"))
    .values(seq=_d.seq + literal_column("1"), comment_count=_d.comment_count + bindparam("shown"))
    .returning(
        _d.seq,
        _d.comment_count,
        _d.key,
        select(schema.site.c.key).where(schema.site.c.id == _d.site_id).scalar_subquery().label("site"),
    )
)
_COUNT_REPLY = Prepared(
    update(schema.comment)
    .where(_c.id == bindparam("parent"))
    .values(reply_count=_c.reply_count + bindparam("shown"))
    .returning(_c.reply_count)
)
_THREAD_COUNT = Prepared(select(schema.thread.c.reply_count).where(schema.thread.c.root_id == bindparam("root")))
_NEW_EVENT = Insert(schema.event)


@dataclass(frozen=True, slots=True)
class CommittedEvent:
    """An event that is committed, and where; ``discussion_id`` is the store's own name of the discussion."""

    key: DiscussionKey
    event: EncodedEvent
    discussion_id: int = 0


class Advanced(NamedTuple):
    """A discussion's counters after an event, and which discussion it is."""

    seq: int
    comment_count: int
    key: DiscussionKey


def append(
    connection: Connection,
    kind: EventKind,
    comment: Comment,
    at: datetime,
    *,
    shown: int = 0,
    view: CommentView | None = None,
    queued: bool = False,
) -> CommittedEvent:
    """Appends one event about a comment; ``shown`` is by how much the visible comments become more or fewer.

    ``view`` is what everybody sees of the comment, where it is made already. ``queued`` where the comment itself is
    inserted with the next flush.
    """
    now = advance(connection, comment.discussion_id, shown=shown)
    if kind == "comment.voted":
        votes = Votes(up=comment.up, down=comment.down)
        event = Event(seq=now.seq, kind=kind, at=timestamp(at), comment_id=comment.id, votes=votes)
    else:
        event = Event(
            seq=now.seq,
            kind=kind,
            at=timestamp(at),
            comment=view or comment_view(comment),
            comment_count=now.comment_count if shown else None,
        )
        if shown and comment.parent_id:
            event.parent = _count_reply(connection, comment.parent_id, shown)
            event.thread_counts = _thread_counts(connection, comment.root_id)
    return insert(connection, comment.discussion_id, now.key, event, at, queued=queued)


def insert(
    connection: Connection, discussion_id: int, key: DiscussionKey, event: Event, at: datetime, *, queued: bool = False
) -> CommittedEvent:
    """Stores an event whose seq ``advance`` gave, and takes out of earlier ones what it supersedes."""
    encoded = encode(event)
    if encoded.supersedes:
        _supersede(connection, encoded)
    return insert_encoded(connection, discussion_id, key, encoded, mapping.milliseconds(at), queued=queued)


def insert_encoded(
    connection: Connection,
    discussion_id: int,
    key: DiscussionKey,
    event: EncodedEvent,
    at: int,
    *,
    queued: bool = False,
) -> CommittedEvent:
    """Stores an event that supersedes none, or has done so; ``at`` is in milliseconds since 1970."""
    values = {
        "discussion_id": discussion_id,
        "seq": event.seq,
        "kind": event.kind,
        "comment_id": event.comment_id,
        "at": at,
        "payload": event.payload,
    }
    (_NEW_EVENT.queue if queued else _NEW_EVENT.run)(connection, values)
    return CommittedEvent(key, event, discussion_id)


def advance(connection: Connection, discussion_id: int, *, shown: int) -> Advanced:
    """Takes the next seq of a discussion."""
    # the row stays locked until the commit, so seqs are committed in their order and without holes
    row = _ADVANCE.row(connection, {"discussion": discussion_id, "shown": shown})
    assert row is not None  # noqa: S101 - a comment has a discussion
    return Advanced(row["seq"], row["comment_count"], DiscussionKey(row["site"], row["key"]))


def _count_reply(connection: Connection, parent_id: str, shown: int) -> ParentCount:
    row = _COUNT_REPLY.row(connection, {"parent": parent_id, "shown": shown})
    assert row is not None  # noqa: S101 - a reply has a parent
    return ParentCount(id=parent_id, reply_count=row["reply_count"])


def _thread_counts(connection: Connection, root_id: str) -> dict[str, int]:
    """How many replies can be read in a thread, as the database has counted them with that of the parent."""
    row = _THREAD_COUNT.row(connection, {"root": root_id})
    return {root_id: 0 if row is None else row["reply_count"]}


_e = schema.event.c
_EARLIER = select(_e.discussion_id, _e.seq, _e.kind, _e.comment_id, _e.payload).where(
    _e.comment_id == bindparam("comment")
)
_EARLIER_VOTES = _EARLIER.where(_e.kind == "comment.voted").limit(VOTES_SUPERSEDED)


def _supersede(connection: Connection, later: EncodedEvent) -> None:
    """Takes out of earlier events of a comment what nobody may, or need, read any more.

    What is left without a comment is found no more: so there are few to go through, however many there have been. Which
    of many votes come first does not matter, and to say so would sort all of them.
    """
    query = _EARLIER_VOTES if later.kind == "comment.voted" else _EARLIER
    for row in connection.execute(query, {"comment": later.comment_id}).all():
        earlier = EncodedEvent(row.seq, row.kind, row.comment_id, row.payload)
        kept = superseded(earlier, later)
        if kept is not earlier:
            connection.execute(
                update(schema.event)
                .where(_e.discussion_id == row.discussion_id, _e.seq == row.seq)
                .values(kind=kept.kind, comment_id=kept.comment_id, payload=kept.payload)
            )


# ---- which event ----------------------------------------------------------------------------------------


def created_seq(connection: Connection, comment_id: str) -> int | None:
    """The seq of the event that a comment came with; None while it is held."""
    query = select(_e.seq).where(_e.comment_id == comment_id, _e.kind == "comment.created")
    seq: int | None = connection.scalar(query.order_by(_e.seq).limit(1))
    return seq


def shown_seq(connection: Connection, comment: Comment) -> int | None:
    """The seq of the event that shows the comment as it is; None while it is held."""
    query = select(_e.seq).where(_e.comment_id == comment.id, _e.kind != "comment.voted")
    seq: int | None = connection.scalar(query.order_by(_e.seq.desc()).limit(1))
    return seq


def head(connection: Connection, discussion_id: int) -> int:
    """The newest seq of a discussion."""
    query = select(schema.discussion.c.seq).where(schema.discussion.c.id == discussion_id)
    seq: int = connection.execute(query).scalar_one()
    return seq
