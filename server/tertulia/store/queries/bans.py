"""What moderators are told of bans: who may not write, how many a network stands for, what a ban takes away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, and_, func, literal, select, tuple_

from tertulia.core.comments import State
from tertulia.core.ordering import PageCursor, decode_page_cursor, encode_page_cursor
from tertulia.store import bans, mapping, schema
from tertulia.store.actions import By
from tertulia.store.bans import Ban, Reach
from tertulia.store.queries.discussions import known_site

COUNTED = 1_000
"""How many comments of a network are looked at: "1,000 or more" says as much as a larger number."""
_a, _c, _d, _o = schema.author.c, schema.comment.c, schema.discussion.c, schema.origin.c


class BanPage(NamedTuple):
    """``next`` is the cursor that goes on, None at the end."""

    bans: list[Ban]
    next: str | None


def bans_of(connection: Connection, site: str, limit: int, cursor: str | None, author_id: str | None = None) -> BanPage:
    """The bans of a site, or of a person there, that nobody has lifted, the newest first.

    Raises unknown_site, bad_cursor.
    """
    site_id, scope = known_site(connection, site), f"bans:{site}"
    before = decode_page_cursor(cursor, scope, 1)
    place = None if before is None else (int(before.values[0]), before.id)
    found = bans.listed(connection, site_id, place, limit + 1, author_id)
    shown = found[:limit]
    if len(found) <= limit:
        return BanPage(shown, None)
    last = shown[-1]
    return BanPage(shown, encode_page_cursor(PageCursor(scope, (mapping.milliseconds(last.at),), last.id)))


def ban_count(connection: Connection, site: str) -> int:
    """How many bans nobody has lifted, counted to COUNTED. Raises unknown_site."""
    return bans.count(connection, known_site(connection, site), COUNTED)


class Networks(NamedTuple):
    """How many have written lately, as guests, from the network of a comment, and from the one around it."""

    near: int
    wide: int


def networks_of(connection: Connection, site: str, comment_id: str) -> Networks | None:
    """None where it is not known where the comment came from, or no longer. Raises unknown_site."""
    site_id = known_site(connection, site)
    query = select(_o.network).join(schema.comment, _c.id == _o.comment_id)
    query = query.join(schema.discussion, _d.id == _c.discussion_id)
    network = connection.scalar(query.where(_o.comment_id == comment_id, _d.site_id == site_id))
    if network is None:
        return None
    counts = []
    for reach in (Reach.near, Reach.wide):
        looked = select(_o.comment_id).where(_within(reach, bans.target_of(network, reach))).limit(COUNTED).subquery()
        # looked up by row: for a join PostgreSQL may read all comments
        author = select(_c.author_id).where(_c.id == looked.c.comment_id).scalar_subquery()
        counts.append(connection.execute(select(func.count(author.distinct())).select_from(looked)).scalar_one())
    return Networks(*counts)


def _within(reach: Reach, target: str) -> ColumnElement[bool]:
    """Comments from a network; those of a wide one stand together in the index."""
    if reach is Reach.near:
        return _o.network == target
    return and_(_o.network >= target, _o.network < f"{target}{_AFTER_DIGITS}")


_AFTER_DIGITS = "g"
"""Comes after every digit of a hexadecimal number."""


def authors_of(connection: Connection, site: str, ids: Sequence[str]) -> list[str]:
    """Who wrote these comments of the site; of what is not there nobody. Raises unknown_site."""
    site_id = known_site(connection, site)
    of = select(_d.site_id).where(_d.id == _c.discussion_id).scalar_subquery().label("site_id")
    rows = connection.execute(select(_c.author_id, of).where(_c.id.in_(ids)))
    return [row.author_id for row in rows if row.site_id == site_id]


class Removal(NamedTuple):
    """What a ban takes away, by whom and why: of each target what was written there."""

    by: By
    reason: str
    targets: list[tuple[Reach, str]]


def removal(connection: Connection, site_id: int, ban_id: str, action_id: str) -> Removal | None:
    """None where there is no such ban. Of a member also what they wrote as the guests that they were."""
    ban = bans.find(connection, site_id, ban_id)
    query = select(schema.action).where(schema.action.c.id == action_id)
    action = connection.execute(query).one_or_none()
    if ban is None or action is None:
        return None
    targets = [(ban.reach, ban.target)]
    if ban.reach is Reach.author:
        guests = connection.scalars(select(_a.id).where(_a.merged_into == ban.target))
        targets += [(ban.reach, guest) for guest in guests]
    return Removal(By(action.actor_id, action.actor), ban.reason, targets)


Position = tuple[int | str, ...]


class Removable(NamedTuple):
    """Ids of comments; ``place`` is where the next of them go on, None at the end."""

    ids: list[str]
    place: Position | None


def removable(
    connection: Connection, site_id: int, target: tuple[Reach, str], since: int, after: Position | None, limit: int
) -> Removable:
    """What was written at the site since then, in milliseconds since 1970, and is not removed yet."""
    reach, its = target
    place: tuple[Column[Any], ...]
    if reach is Reach.author:
        place = (_c.created_at, _c.id)
        query = select(*place).where(_c.author_id == its, _c.created_at >= since)
    else:
        place = (_o.network, _o.at, _o.comment_id)
        query = select(*place).where(_within(reach, its), _o.at >= since)
    if after is not None:
        last = (literal(one, column.type) for one, column in zip(after, place, strict=True))
        query = query.where(tuple_(*place) > tuple_(*last))
    rows = [tuple(row) for row in connection.execute(query.order_by(*place).limit(limit))]
    shown = (State.visible.value, State.held.value)
    of = select(_d.site_id).where(_d.id == _c.discussion_id).scalar_subquery().label("site_id")
    kind = select(_a.kind).where(_a.id == _c.author_id).scalar_subquery().label("kind")
    found = connection.execute(select(_c.id, of, kind).where(_c.id.in_([row[-1] for row in rows]), _c.state.in_(shown)))
    meant = [row.id for row in found if row.site_id == site_id and (reach is Reach.author or row.kind == "guest")]
    return Removable(meant, rows[-1] if len(rows) == limit else None)
