"""Lists: their orders, and a page of one within a bound of rows and of bytes.

A list is first read as entries, the ids and sort keys that its index holds, and then row by row in the order of the
entries until the page is full. So a page costs its own rows, whatever its comments weigh and however many there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    String,
    Text,
    cast,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    union_all,
)

from tertulia.core.comments import Comment, Discussion, Sort
from tertulia.core.ordering import PageCursor
from tertulia.protocol import PAGE_BYTES
from tertulia.store import mapping, schema

COMMENT_BYTES = 768
"""What a comment's JSON has at most besides its document: ids, name (64 characters of 4 bytes), times and counts."""
SLICE = 64
"""Rows read at once while a page is filled: one read of an ordinary page, and at most 4 MiB of trees of 64 KiB."""
REPLIES_OF_ONE = 50
"""How many replies (of all depths) come with a top-level comment in a page; the rest has a cursor of its own."""
BELOW = 5_000
"""How far the replies below a reply are followed; those below a top-level comment have an index, and no such end."""
MOVES = 500
"""Events looked at for what moved up since the page before; the next page goes on there."""
OWN_WAITING = 100
"""How many of somebody's own comments that wait for approval are shown to their author, the newest ones."""

c = schema.comment.c

# in literal words, as the partial indexes have them: no database knows of a bound value what it will be
IS_VISIBLE = c.state == literal_column("'visible'")
IS_HELD = c.state == literal_column("'held'")
IS_KEPT = c.state != literal_column("'deleted'")
_IS_ROOT = (c.parent_id.is_(None), c.published.is_(True))
_MOVING = ("comment.created", "comment.voted")
_IS_REPLY = (c.parent_id.is_not(None), c.published.is_(True))


class IndexEntry(NamedTuple):
    """Where a comment stands in a list: all that an order compares. ``rank`` is 0 where the order has none."""

    id: str
    created_at: int
    rank: int = 0
    parent_id: str | None = None
    root_id: str = ""

    @property
    def age(self) -> tuple[int, str]:
        return self.created_at, self.id


@dataclass(frozen=True, slots=True)
class Thread:
    """The entry of a top-level comment and those of its first replies, one more than are shown where there are more."""

    root: IndexEntry
    replies: list[IndexEntry]


class Stretch(NamedTuple):
    where: tuple[ColumnElement[bool], ...]
    order: tuple[ColumnElement[Any], ...]


class Order:
    """How top-level comments are sorted, in SQL and here, and how a list goes on after one of them.

    ``top`` is read upwards by down - up, so that all three columns of its index go one way.
    """

    def __init__(self, sort: Sort) -> None:
        self.sort = sort
        # a cursor of top knows the seq up to which its order is known, unless a version before made it
        self.widths = (3, 2) if sort is Sort.top else (1,)
        self.rank: ColumnElement[int] = (c.down - c.up) if sort is Sort.top else literal_column("0", BigInteger)
        self.columns: tuple[ColumnElement[Any], ...] = {
            Sort.oldest: (c.created_at, c.id),
            Sort.newest: (c.created_at.desc(), c.id.desc()),
            Sort.top: (self.rank, c.created_at, c.id),
        }[sort]

    def stretches(self, after: PageCursor | None) -> list[Stretch]:
        """What, one after the other, is the list after this position: each is one range of the order's index.

        By one condition on all three columns of ``top`` SQLite would read what is of equal rank from its beginning: an
        expression alone is the end of a range for it. It sorts, too, unless a rank that is given is in no order.
        """
        if after is None:
            return [Stretch((), self.columns)]
        if self.sort is not Sort.top:
            return [Stretch((earlier(after) if self.sort is Sort.newest else later(after),), self.columns)]
        rank = literal(-after.values[0], BigInteger)
        return [
            Stretch((self.rank == rank, later(after)), self.columns[1:]),
            Stretch((self.rank > rank,), self.columns),
        ]

    def sorted_after(self, found: Sequence[IndexEntry], after: PageCursor | None) -> list[IndexEntry]:
        """Those of ``found`` that stand after a position, in order."""
        key = self._key
        mine = sorted(found, key=key, reverse=self.sort is Sort.newest)
        if after is None:
            return mine
        last = key(IndexEntry(after.id, after.values[-1], -after.values[0] if self.sort is Sort.top else 0))
        return [one for one in mine if (key(one) < last if self.sort is Sort.newest else key(one) > last)]

    def _key(self, entry: IndexEntry) -> tuple[int, int, str]:
        return (entry.rank if self.sort is Sort.top else 0), entry.created_at, entry.id

    def merged(self, one: list[IndexEntry], other: list[IndexEntry]) -> list[IndexEntry]:
        return sorted([*one, *other], key=self._key, reverse=self.sort is Sort.newest)

    def seen(self, position: PageCursor, seq: int) -> PageCursor:
        """The position as a cursor from which the list goes on, by somebody who knows its order up to ``seq``."""
        if self.sort is not Sort.top:
            return position
        return PageCursor(position.scope, (position.values[0], seq, position.values[-1]), position.id)

    def stands_above(self, entry: IndexEntry, position: PageCursor) -> bool:
        """Whether an entry comes before a position in the order."""
        return entry.id != position.id and not self.sorted_after([entry], position)

    def cursor(self, scope: str, last: IndexEntry) -> PageCursor:
        values = (-last.rank, last.created_at) if self.sort is Sort.top else (last.created_at,)
        return PageCursor(scope, values, last.id)


def later(after: PageCursor) -> ColumnElement[bool]:
    """What is younger than a position; as one comparison of pairs, which is one range of an index."""
    is_later: ColumnElement[bool] = tuple_(c.created_at, c.id) > position_of(after)
    return is_later


def earlier(before: PageCursor) -> ColumnElement[bool]:
    is_earlier: ColumnElement[bool] = tuple_(c.created_at, c.id) < position_of(before)
    return is_earlier


def position_of(cursor: PageCursor) -> Any:
    """A time and an id, to be compared with those of rows."""
    return tuple_(literal(cursor.values[-1], BigInteger), literal(cursor.id, String))


# ---- entries --------------------------------------------------------------------------------------------


def threads(
    connection: Connection, discussion_id: int | None, order: Order, limit: int, after: PageCursor | None
) -> list[Thread]:
    """At most ``limit`` top-level comments after a position, each with the entries of its first replies."""
    found: list[Thread] = []
    for stretch in order.stretches(after):
        query = (
            select(c.id, c.created_at, order.rank.label("rank"), _replies(connection).label("replies"))
            .where(c.discussion_id == discussion_id, *_IS_ROOT, *stretch.where)
            .order_by(*stretch.order)
            .limit(limit - len(found))
        )
        found += [_thread(row) for row in connection.execute(query)]
        if len(found) == limit:
            break
    return found


@dataclass(frozen=True, slots=True)
class MovedUp:
    """Top-level comments that came to stand above a cursor since it was made, in the order in which they did.

    ``seqs`` are those of the events, ``seq`` the one up to which they were looked for; ``more`` where there are others.
    """

    threads: list[Thread]
    seqs: list[int]
    seq: int
    more: bool
    changed: bool
    """Whether there were votes at all: what moved down comes again where it stands now."""

    def first(self, count: int, since: int) -> MovedUp:
        """The first ``count``, for a page that has no room for all; ``since`` is the seq of its cursor."""
        if count >= len(self.threads):
            return self
        seqs = self.seqs[:count]
        return replace(self, threads=self.threads[:count], seqs=seqs, seq=seqs[-1] if seqs else since, more=True)

    def seq_after(self, count: int) -> int:
        """Up to which seq the order is known to whoever was shown the first ``count`` of a page."""
        return self.seqs[count - 1] if 0 < count < len(self.seqs) else self.seq


def moved_up(
    connection: Connection, discussion: Discussion, order: Order, limit: int, after: PageCursor | None
) -> MovedUp:
    """What a walk through ``top`` would leave out: what got votes, or was said, since the page before and stands above.

    Whether it stood there already, nobody knows: the log keeps the last totals alone.
    """
    if after is None or len(after.values) < 3 or after.values[1] >= discussion.seq:
        return MovedUp([], [], discussion.seq, more=False, changed=False)
    e = schema.event.c
    query = select(e.seq, e.kind, e.comment_id).where(e.discussion_id == discussion.id, e.seq > after.values[1])
    events = connection.execute(query.order_by(e.seq).limit(MOVES)).all()
    seqs: dict[str, int] = {event.comment_id: event.seq for event in events if event.kind in _MOVING}
    ids = sorted(_above(connection, order, list(seqs), after), key=lambda id_: seqs[id_])
    shown = ids[:limit]
    seq = seqs[shown[-1]] if len(ids) > limit else events[-1].seq if events else discussion.seq
    return MovedUp(
        threads=_threads_of(connection, order, shown),
        seqs=[seqs[id_] for id_ in shown],
        seq=seq,
        more=seq < discussion.seq,
        changed=bool(ids) or any(event.kind == "comment.voted" for event in events),
    )


def _above(connection: Connection, order: Order, ids: Sequence[str], position: PageCursor) -> list[str]:
    """Those of the comments that are in the list, above the position."""
    if not ids:
        return []
    query = select(c.id, c.created_at, order.rank.label("rank")).where(c.id.in_(ids), *_IS_ROOT)
    entries = (IndexEntry(row.id, row.created_at, row.rank) for row in connection.execute(query))
    return [entry.id for entry in entries if order.stands_above(entry, position)]


def _threads_of(connection: Connection, order: Order, ids: Sequence[str]) -> list[Thread]:
    if not ids:
        return []
    query = select(c.id, c.created_at, order.rank.label("rank"), _replies(connection).label("replies"))
    found = {row.id: _thread(row) for row in connection.execute(query.where(c.id.in_(ids)))}
    return [found[id_] for id_ in ids]


def _thread(row: Any) -> Thread:
    replies = row.replies if isinstance(row.replies, list) else json.loads(row.replies or "[]")
    entries = [IndexEntry(id_, created_at, root_id=row.id) for created_at, id_ in replies]
    return Thread(IndexEntry(row.id, row.created_at, row.rank, root_id=row.id), entries)


def _replies(connection: Connection) -> Any:
    """The first replies below the comment that a query is about, as JSON: [[created_at, id], …]."""
    reply = schema.comment.alias("reply")
    r = reply.c
    first = (
        select(r.created_at, r.id)
        .where(r.root_id == c.id, r.parent_id.is_not(None), r.published.is_(True))
        .order_by(r.created_at, r.id)
        .limit(REPLIES_OF_ONE + 1)
        .correlate(schema.comment)
        .subquery()
    )
    if connection.dialect.name == "sqlite":
        gathered = func.json_group_array(func.json_array(first.c.created_at, first.c.id))
    else:
        gathered = func.json_agg(func.json_build_array(first.c.created_at, first.c.id))
    return select(gathered).select_from(first).correlate(schema.comment).scalar_subquery()


def thread_counts(connection: Connection, roots: Sequence[str]) -> dict[str, int]:
    """How many replies of all depths are visible below each of these top-level comments."""
    if not roots:
        return {}
    t = schema.thread.c
    rows = connection.execute(select(t.root_id, t.reply_count).where(t.root_id.in_(roots)))
    known = {row.root_id: row.reply_count for row in rows}
    return {root: known.get(root, 0) for root in roots}


def root_before(connection: Connection, discussion_id: int, root: IndexEntry) -> IndexEntry | None:
    """The top-level comment that stands before this one in the order ``oldest``."""
    query = (
        select(c.id, c.created_at)
        .where(c.discussion_id == discussion_id, *_IS_ROOT, earlier(PageCursor("", (root.created_at,), root.id)))
        .order_by(c.created_at.desc(), c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else IndexEntry(row.id, row.created_at)


def below_root(connection: Connection, root_id: str, limit: int, after: PageCursor | None) -> list[IndexEntry]:
    """The replies of all depths to a top-level comment, oldest first."""
    query = select(c.id, c.created_at).where(
        c.root_id == root_id, *_IS_REPLY, *(() if after is None else (later(after),))
    )
    found = connection.execute(query.order_by(c.created_at, c.id).limit(limit))
    return [IndexEntry(row.id, row.created_at) for row in found]


def below_reply(connection: Connection, parent_id: str) -> list[IndexEntry]:
    """The replies of all depths to a reply, oldest first: all, or the nearest BELOW."""
    first = _answers(literal(parent_id, String)).subquery()
    below = select(first).cte("below", recursive=True)
    answers = _answers(below.c.id)
    if connection.dialect.name == "sqlite":  # it joins along the index without being made to
        step = answers.limit(None).order_by(None).where(below.c.id == c.parent_id)
    else:
        near = answers.correlate(below).lateral()
        step = select(near).select_from(below).join(near, literal_column("true"))
    below = below.union_all(step)
    found = connection.execute(select(below).limit(BELOW))
    entries = (IndexEntry(row.id, row.created_at) for row in found if row.published)
    return sorted(entries, key=lambda entry: entry.age)


def _answers(parent: ColumnElement[str]) -> Select[Any]:
    query = select(c.id, c.created_at, c.published).where(c.parent_id == parent)
    return query.order_by(c.created_at, c.id).limit(BELOW)


def own_waiting(connection: Connection, discussion_id: int | None, authors: Sequence[str]) -> list[IndexEntry]:
    """What waits for approval in a discussion and is shown to its author alone, who is all of ``authors``."""
    if not authors or discussion_id is None:
        return []
    parts = [_waiting_of(discussion_id, author) for author in authors]
    query: Any = parts[0]
    if len(parts) > 1:  # each in the order of the index: one query of all would sort whatever they have waiting
        found = union_all(*(select(part.subquery()) for part in parts)).subquery()
        query = select(found).order_by(found.c.created_at.desc(), found.c.id.desc()).limit(OWN_WAITING)
    return [IndexEntry(row.id, row.created_at, 0, row.parent_id, row.root_id) for row in connection.execute(query)]


def _waiting_of(discussion_id: int, author: str) -> Select[Any]:
    query = select(c.id, c.created_at, c.parent_id, c.root_id)
    its = query.where(c.discussion_id == discussion_id, c.author_id == author, IS_HELD)
    return its.order_by(c.created_at.desc(), c.id.desc()).limit(OWN_WAITING)


def newest(connection: Connection, discussion_id: int | None, limit: int) -> list[str]:
    """The newest visible comments of all depths."""
    query = select(c.id).where(c.discussion_id == discussion_id, IS_VISIBLE)
    return list(connection.scalars(query.order_by(c.created_at.desc(), c.id.desc()).limit(limit)))


# ---- rows -----------------------------------------------------------------------------------------------


def fitting(connection: Connection, ids: Sequence[str], *, extra: int = 0) -> list[Comment]:
    """The comments of these ids in their order, as many as make a page of PAGE_BYTES; at least one.

    ``extra`` is what each has besides in the page. Stored documents have at least the bytes of what is sent.
    """
    found: list[Comment] = []
    total = 0
    for row in _sliced(connection, ids):
        total += row["bytes"] + COMMENT_BYTES + extra
        if found and total > PAGE_BYTES:
            break
        found.append(mapping.to_comment(row))
    return found


def _sliced(connection: Connection, ids: Sequence[str]) -> Iterator[RowMapping]:
    remaining = iter(ids)
    while wanted := list(islice(remaining, SLICE)):
        query = select(schema.comment, func.length(cast(c.body, Text)).label("bytes")).where(c.id.in_(wanted))
        by_id = {row["id"]: row for row in connection.execute(query).mappings()}
        yield from (by_id[id_] for id_ in wanted)
