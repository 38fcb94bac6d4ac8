"""What somebody has written so far, as a rule asks for it: read by an index when it does, and counted nowhere.

``authors`` are the ids of one person: a member's, and those of the guests that they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from tertulia.core.comments import State
from tertulia.core.rules import KNOWN_HOURS, KNOWN_LAST, Trust
from tertulia.store import prepared, schema
from tertulia.store.mapping import milliseconds

_a, _c, _o = schema.author.c, schema.comment.c, schema.origin.c
_OWN = _c.author_id == bindparam("author")
# in the order of the index: else PostgreSQL looks for those of a busy author from the beginning of the table
_SHOWN = select(_c.id).where(_OWN, _c.state == State.visible.value).order_by(_c.created_at)
_OLD = _SHOWN.where(_c.created_at <= bindparam("before")).limit(1)
_LAST = select(_c.created_at, _c.state).where(_OWN).order_by(_c.created_at.desc(), _c.id.desc()).limit(KNOWN_LAST)
_TRUST = select(_a.trust).where(_a.id == bindparam("author"))
_HERE = _c.discussion_id == bindparam("discussion")
_NEWEST = select(func.max(_c.created_at)).where(_OWN, _c.created_at > bindparam("since"), _HERE)
_NEWEST_NEAR = (
    select(func.max(_o.at))
    .join_from(schema.origin, schema.comment, _c.id == _o.comment_id)
    .join(schema.author, _a.id == _c.author_id)
    .where(_o.network == bindparam("network"), _o.at > bindparam("since"), _HERE, _a.kind == "guest")
)


def shown(connection: Connection, authors: Iterable[str], enough: int) -> int:
    """How many comments of theirs are shown, counted no further than to ``enough``."""
    prepared.flush(connection)
    found = 0
    for author in authors:
        if found < enough:
            found += len(connection.execute(_SHOWN.limit(enough - found), {"author": author}).all())
    return found


def trust(connection: Connection, authors: Sequence[str], at: datetime) -> Trust:
    """How far they are trusted."""
    prepared.flush(connection)
    if any(connection.scalar(_TRUST, {"author": author}) == Trust.given for author in authors):
        return Trust.given
    before = milliseconds(at - timedelta(hours=KNOWN_HOURS))
    if all(connection.scalar(_OLD, {"author": author, "before": before}) is None for author in authors):
        return Trust.new
    rows = [tuple(row) for author in authors for row in connection.execute(_LAST, {"author": author})]
    last = sorted(rows, reverse=True)[:KNOWN_LAST]
    return Trust.new if any(state == State.removed.value for _, state in last) else Trust.known


def newest(connection: Connection, authors: Iterable[str], discussion_id: int, since: int) -> int | None:
    """When they last wrote in a discussion, if it was after ``since``; both in milliseconds since 1970."""
    prepared.flush(connection)
    return _latest(
        connection,
        _NEWEST,
        [{"author": author, "discussion": discussion_id, "since": since} for author in authors],
    )


def newest_near(connection: Connection, network: str, discussion_id: int, since: int) -> int | None:
    """When a guest of this network last wrote in a discussion, likewise, as far as it is noted."""
    prepared.flush(connection)
    return _latest(connection, _NEWEST_NEAR, [{"network": network, "discussion": discussion_id, "since": since}])


def _latest(connection: Connection, query: Select[Any], values: Iterable[dict[str, object]]) -> int | None:
    found = (connection.scalar(query, one) for one in values)
    return max((at for at in found if at is not None), default=None)
