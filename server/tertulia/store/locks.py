"""Locks: no other instance changes a discussion, or what is known of a person, while a transaction writes to it.

SQLite lets one transaction write at a time. On PostgreSQL a batch first locks the rows of all discussions that its
commands name, in the order of their ids, then the names of what else they change, in one order, too, so that no two
batches wait for each other; each command then reads what is committed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, select, text, union_all

from tertulia.core.comments import DiscussionKey
from tertulia.store import schema

LockTarget = DiscussionKey | str | frozenset[str] | None
"""A discussion, or the id of a comment whose discussion is meant, or ids of several; None for neither."""


def lock_discussions(connection: Connection, targets: Iterable[LockTarget]) -> None:
    """Waits for the rows of these discussions. A row that does not exist yet is locked by the insert that makes it."""
    if connection.dialect.name == "sqlite":
        return
    targets = list(targets)
    given = [one for one in targets if isinstance(one, DiscussionKey)]
    named = {(one.site, one.key) for key in given for one in (key, key.canonical)}
    comments = {one for one in targets if isinstance(one, str)}
    comments = comments.union(*(one for one in targets if isinstance(one, frozenset)))
    if not named and not comments:
        return
    d, s, c, a = schema.discussion.c, schema.site.c, schema.comment.c, schema.key_alias.c
    keys: dict[str, list[str]] = {}
    for site, key in sorted(named):
        keys.setdefault(site, []).append(key)
    # one list of ids, by one site each: for an alternative, or pairs of two tables, every discussion would be tried
    ids = [
        select(d.id).join(schema.site, s.id == d.site_id).where(s.key == site, d.key.in_(keys[site])) for site in keys
    ]
    # whichever of its names a discussion is meant by: one row too many waits a moment longer, and harms nobody
    ids += [
        select(a.discussion_id).join(schema.site, s.id == a.site_id).where(s.key == site, a.key.in_(keys[site]))
        for site in keys
    ]
    if comments:
        ids.append(select(c.discussion_id).where(c.id.in_(sorted(comments))))
    query = select(d.id).where(d.id.in_(union_all(*ids))).order_by(d.id).with_for_update()
    connection.execute(query).all()


_HOLD = text("SELECT pg_advisory_xact_lock(one) FROM unnest(CAST(string_to_array(:numbers, ',') AS bigint[])) AS one")
"""In the order of the array."""


def hold(connection: Connection, names: Iterable[str]) -> None:
    """Waits until no other transaction holds one of these names, of which two may mean the same lock."""
    if connection.dialect.name == "sqlite":
        return
    numbers = {int.from_bytes(hashlib.blake2b(one.encode(), digest_size=8).digest(), signed=True) for one in names}
    if numbers:
        connection.execute(_HOLD, {"numbers": ",".join(map(str, sorted(numbers)))})
