"""Which discussion a key leads to, and what is known of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Text, cast, select

from tertulia.core.comments import Discussion, DiscussionKey
from tertulia.core.keys import canonical_key
from tertulia.core.rules import OwnRules, site_rules_of
from tertulia.errors import no_such_site
from tertulia.store import mapping, records, schema

KEYS = 400
"""Discussions asked for in one query: as many as make a query of 20 KB with keys of ordinary length."""


def discussion(connection: Connection, key: DiscussionKey) -> Discussion:
    """The discussion that a key leads to; an empty one, of its canonical form, if nobody has written in it yet.

    Raises unknown_site.
    """
    found = records.find_discussion(connection, key)
    if found is None:
        return Discussion(key.canonical, site_rules=_rules_of(connection, key.site))
    return found


def _rules_of(connection: Connection, site: str) -> OwnRules:
    """Those of a site, which hold where nobody has written yet. Raises unknown_site."""
    settings = cast(schema.site.c.settings, Text).label("settings")
    found = connection.execute(select(settings).where(schema.site.c.key == site)).one_or_none()
    if found is None:
        raise no_such_site()
    return site_rules_of(found.settings)


def stored_key(connection: Connection, key: DiscussionKey) -> DiscussionKey | None:
    """The name of the discussion that a key leads to, None where nobody has written in it yet."""
    found = records.find_discussion(connection, key)
    return None if found is None else found.key


def key_of(connection: Connection, discussion_id: int) -> DiscussionKey | None:
    """The name of a discussion by its row, None where it is not there."""
    row = connection.execute(mapping.discussions().where(schema.discussion.c.id == discussion_id)).mappings().first()
    return None if row is None else mapping.to_discussion(row).key


def any_discussion(connection: Connection) -> bool:
    """Whether anything was ever said or set here."""
    return connection.scalar(select(schema.discussion.c.id).limit(1)) is not None


def latest_seqs(connection: Connection, keys: Iterable[DiscussionKey]) -> dict[DiscussionKey, int]:
    """The newest seq of each of these discussions that has a row."""
    wanted: dict[str, list[str]] = {}
    for key in keys:
        wanted.setdefault(key.site, []).append(key.key)
    found: dict[DiscussionKey, int] = {}
    for site, names in wanted.items():
        for start in range(0, len(names), KEYS):
            # by one site each: of pairs of two tables SQLite makes no range of an index
            for row in connection.execute(_of_site(site, names[start : start + KEYS])).mappings():
                found[DiscussionKey(site, row["key"])] = row["seq"]
    return found


def comment_counts(connection: Connection, site: str, keys: Sequence[str]) -> dict[str, int]:
    """How many comments are visible in the discussions that these keys lead to, as find_discussion has it.

    Keys that lead to none are left out. Where all are stored as they are given, this is one query.
    """
    known_site(connection, site)
    stored = _counts(connection, _of_site(site, keys))
    canonical = {key: canonical_key(key) for key in keys if key not in stored}
    if not canonical:
        return stored
    aliases = _counts(connection, _aliases(site, {*canonical, *canonical.values()}))
    others = set(canonical.values()).difference(keys)
    if others:
        stored |= _counts(connection, _of_site(site, others))
    for key, name in canonical.items():
        ways = (aliases.get(key), stored.get(name), aliases.get(name))
        found = next((count for count in ways if count is not None), None)
        if found is not None:
            stored[key] = found
    return stored


def _counts(connection: Connection, query: Select[Any]) -> dict[str, int]:
    return {row["key"]: row["comment_count"] for row in connection.execute(query).mappings()}


def known_site(connection: Connection, site: str) -> int:
    """Its id. Raises unknown_site."""
    found: int | None = connection.scalar(select(schema.site.c.id).where(schema.site.c.key == site))
    if found is None:
        raise no_such_site()
    return found


def _of_site(site: str, keys: Iterable[str]) -> Select[Any]:
    return mapping.discussions().where(schema.site.c.key == site, schema.discussion.c.key.in_(keys))


def _aliases(site: str, keys: Iterable[str]) -> Select[Any]:
    a, d, s = schema.key_alias.c, schema.discussion.c, schema.site.c
    query = select(a.key, d.comment_count).join(schema.discussion, d.id == a.discussion_id)
    return query.join(schema.site, s.id == a.site_id).where(s.key == site, a.key.in_(keys))
