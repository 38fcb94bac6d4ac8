"""A guest becomes a member: what was said stays as it was signed, the votes go over, and its tokens are void.

votes of both on one comment        the guest's goes
a vote on what is one's own now     goes, whichever of the two cast it
any other vote of the guest         is the member's
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Select, and_, delete, or_, select, update

from tertulia.core.comments import Comment
from tertulia.store import bans, event_log, mapping, records, schema
from tertulia.store.event_log import CommittedEvent
from tertulia.store.guests import GuestToken

GUESTS = 50
"""Guests whom one member may have been: each request of the member asks for them."""
VOTES = 10_000
"""Votes of a guest who becomes a member: their discussions are locked for a moment."""
CHANGED = 1_000
"""Comments whose totals change with that, each with an event: some 150 ms of the writer."""
_AT_ONCE = 500
_a, _c, _v = schema.author.c, schema.comment.c, schema.vote.c


@dataclass(frozen=True, slots=True)
class Merging:
    """A guest on the way to a member, and ``touched``: the comments whose votes this is about, as it was read before.

    Their discussions are locked; a vote that comes meanwhile on another comment stays the guest's.
    """

    guest: GuestToken
    touched: frozenset[str]


class _Dropped(NamedTuple):
    """A vote that goes."""

    comment_id: str
    voter_id: str
    value: int


def touched(connection: Connection, guest_id: str, known_as: str | None) -> frozenset[str]:
    """The comments whose votes change hands or go; at most VOTES and one more.

    ``known_as`` is the author whom the guest becomes, None of somebody new.
    """
    cast = select(_v.comment_id).where(_v.voter_id == guest_id).limit(VOTES + 1)
    found = set(connection.scalars(cast))
    if known_as is not None:
        found.update(connection.scalars(_of_voter_on(known_as, [guest_id]).limit(VOTES + 1)))
    return frozenset(found)


def become(connection: Connection, merging: Merging, author_id: str, at: datetime) -> tuple[CommittedEvent, ...]:
    """Makes the guest the author's, unless it is somebody's already; the events tell of new totals alone."""
    own = set(connection.scalars(select(_a.id).where(_a.merged_into == author_id)))
    if len(own) >= GUESTS or len(merging.touched) > VOTES:
        return ()
    guest = merging.guest
    dropped = list(_dropped(connection, merging, author_id, own | {author_id, guest.author_id}))
    if len({one.comment_id for one in dropped}) > CHANGED or not _claim(connection, guest, author_id, at):
        return ()
    for one in dropped:
        connection.execute(delete(schema.vote).where(_v.comment_id == one.comment_id, _v.voter_id == one.voter_id))
    for some in _parts(merging.touched):
        its = and_(_v.voter_id == guest.author_id, _v.comment_id.in_(some))
        connection.execute(update(schema.vote).where(its).values(voter_id=author_id))
    bans.carry_over(connection, guest.author_id, author_id)
    return tuple(_recounted(connection, dropped, at))


def ensure_guest(connection: Connection, guest_id: str, at: datetime) -> None:
    """Makes the row of a guest who has only voted, with no name."""
    row = {"id": guest_id, "name": "", "created_at": mapping.milliseconds(at)}
    connection.execute(records.insert_into(connection, schema.author).values(row).on_conflict_do_nothing())


def _claim(connection: Connection, guest: GuestToken, author_id: str, at: datetime) -> bool:
    """Whether the guest is the author's from now on; one who has only voted gets a row for it."""
    ensure_guest(connection, guest.author_id, at)
    is_good = or_(_a.tokens_after.is_(None), _a.tokens_after <= mapping.milliseconds(guest.made_at))
    free = (_a.id == guest.author_id, _a.kind == "guest", _a.merged_into.is_(None), is_good)
    # where another instance makes it somebody's at this moment, this waits for that
    return bool(connection.execute(update(schema.author).where(*free).values(merged_into=author_id)).rowcount)


def _dropped(connection: Connection, merging: Merging, author_id: str, own: Collection[str]) -> Iterator[_Dropped]:
    guest_id = merging.guest.author_id
    for some in _parts(merging.touched):
        query = (
            select(_v.comment_id, _v.voter_id, _v.value, _c.author_id)
            .join(schema.comment, _c.id == _v.comment_id)
            .where(_v.comment_id.in_(some), _v.voter_id.in_([guest_id, author_id]))
        )
        cast = connection.execute(query).all()
        by_member = {row.comment_id for row in cast if row.voter_id == author_id}
        for row in cast:
            is_double = row.voter_id == guest_id and row.comment_id in by_member
            if is_double or row.author_id in own:
                yield _Dropped(row.comment_id, row.voter_id, row.value)


def _parts(comment_ids: Collection[str]) -> Iterator[Sequence[str]]:
    ordered = sorted(comment_ids)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def _of_voter_on(voter_id: str, authors: Sequence[str]) -> Select[tuple[str]]:
    query = select(_v.comment_id).join(schema.comment, _c.id == _v.comment_id)
    return query.where(_v.voter_id == voter_id, _c.author_id.in_(authors))


def _recounted(connection: Connection, dropped: Sequence[_Dropped], at: datetime) -> Iterator[CommittedEvent]:
    """New totals of these comments, by discussion: so two batches advance them in the same order."""
    comments: dict[str, Comment] = {}
    for one in dropped:
        comment = comments.get(one.comment_id) or records.find_comment(connection, one.comment_id, flushed=True)
        assert comment is not None  # noqa: S101 - a vote has a comment
        up, down = comment.up - (one.value > 0), comment.down - (one.value < 0)
        comments[one.comment_id] = replace(comment, up=up, down=down)
    for comment in sorted(comments.values(), key=lambda each: (each.discussion_id, each.id)):
        records.update_comment(connection, comment.id, up=comment.up, down=comment.down)
        yield event_log.append(connection, "comment.voted", comment, at)
