"""Bans: who may not write at a site, or only after a moderator has seen it, until when and why.

An author's row says whether there is one at all, which a post reads with the author; which one holds is asked then.
A ban of a network is one of the guests who write from it; see docs/decisions/0101-bans-of-networks.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult, and_, bindparam, case, func, or_, select, update

from tertulia.errors import ErrorCode, Problem
from tertulia.store import clock, schema
from tertulia.store.mapping import to_datetime

_b, _a = schema.ban.c, schema.author.c
_GOES_ON = _b.lifted_at.is_(None)


class Reach(StrEnum):
    """Whom a ban is of: the author; all guests of a /32 or /64; all guests of a /24 or /48."""

    author = "author"
    near = "near"
    wide = "wide"


AUTHOR = Reach.author.value
_WHOSE = case((_b.kind == AUTHOR, _b.target), else_=_b.author_id)
_NAME = select(_a.name).where(_a.id == _WHOSE).scalar_subquery().label("name")
_OF = select(schema.ban).where(_b.kind == AUTHOR, _b.target == bindparam("author"), _GOES_ON)
_OF_NETWORKS = select(schema.ban).where(
    _b.site_id == bindparam("site_id"),
    _GOES_ON,
    or_(
        and_(_b.kind == Reach.near.value, _b.target == bindparam("near")),
        and_(_b.kind == Reach.wide.value, _b.target == bindparam("wide")),
    ),
)
WIDE = 32
"""Characters of a network's digest that stand for the wide one."""


class BanEffect(StrEnum):
    """``refuse``: nothing is taken; ``hold``: all waits for a moderator."""

    refuse = "refuse"
    hold = "hold"


class Ban(NamedTuple):
    """``until`` is None where it has no end; ``author_id`` is who is banned, or whose comment led to it,
    and ``name`` theirs, only where bans are listed. ``target`` is the author's id, or the keyed hash of a network.
    """

    id: str
    reach: Reach
    target: str
    author_id: str
    effect: BanEffect
    reason: str
    note: str
    at: datetime
    until: datetime | None
    by: str
    name: str = ""


def active(connection: Connection, author_id: str, at: datetime) -> Ban | None:
    """The strictest ban of an author that goes on: of two, the one that ends later."""
    return _strictest(connection, connection.execute(_OF, {"author": author_id}), at)


def active_near(connection: Connection, site_id: int, network: str, at: datetime) -> Ban | None:
    """Likewise of the networks around a guest, by their digest."""
    found = connection.execute(_OF_NETWORKS, {"site_id": site_id, "near": network, "wide": network[:WIDE]})
    return _strictest(connection, found, at)


def note_networks(connection: Connection, site_id: int) -> None:
    """Makes the site's row say until when some network is banned."""
    last = select(func.max(_b.until)).where(_b.site_id == site_id, _b.kind != AUTHOR, _GOES_ON)
    until = connection.scalar(last) or 0
    connection.execute(update(schema.site).where(schema.site.c.id == site_id).values(networks_banned_until=until))


def _strictest(connection: Connection, rows: CursorResult[Any], at: datetime) -> Ban | None:
    now = clock.shared(connection, at)
    found = [_to_ban(row) for row in rows.mappings()]
    going_on = [ban for ban in found if ban.until is None or ban.until > now]
    return strictest(going_on)


def target_of(network: str, reach: Reach) -> str:
    """What of a network's digest a ban is of."""
    return network if reach is Reach.near else network[:WIDE]


def strictest(found: Iterable[Ban | None]) -> Ban | None:
    """What refuses goes before what holds, and what ends later before what ends sooner."""
    return min((ban for ban in found if ban is not None), key=_strictest_first, default=None)


def _strictest_first(ban: Ban) -> tuple[bool, bool, float]:
    ends = 0.0 if ban.until is None else -ban.until.timestamp()
    return (ban.effect is not BanEffect.refuse, ban.until is not None, ends)


def note(connection: Connection, author_id: str) -> None:
    """Makes the author's row say what their bans are."""
    rows = connection.execute(_OF, {"author": author_id}).mappings().all()
    effects, ends = {row["effect"] for row in rows}, [row["until"] for row in rows]
    effect = None if not rows else BanEffect.refuse if BanEffect.refuse in effects else BanEffect.hold
    until = None if not rows or None in ends else max(ends)
    connection.execute(update(schema.author).where(_a.id == author_id).values(ban_effect=effect, ban_until=until))


def carry_over(connection: Connection, guest_id: str, author_id: str) -> None:
    """Whoever was banned as a guest is so as the member that the guest became."""
    its = (_b.kind == AUTHOR, _b.target == guest_id)
    if connection.execute(update(schema.ban).where(*its).values(target=author_id)).rowcount:
        note(connection, author_id)


def require_none(connection: Connection, author_id: str, at: datetime) -> None:
    """Raises banned where nothing is taken of an author."""
    for problem in refused_among(connection, [author_id], at).values():
        raise problem


def refused_among(connection: Connection, authors: Iterable[str], at: datetime) -> dict[str, Problem]:
    """What those of these authors are answered of whom nothing is taken."""
    query = select(_a.id).where(_a.id.in_(sorted(authors)), _a.ban_effect == BanEffect.refuse)
    found = {author: active(connection, author, at) for author in connection.scalars(query).all()}
    return {
        author: banned(connection, ban, at)
        for author, ban in found.items()
        if ban is not None and ban.effect is BanEffect.refuse
    }


def banned(connection: Connection, ban: Ban, at: datetime) -> Problem:
    """With the time that is left, where it ends."""
    why = f" The reason: {ban.reason}." if ban.reason else ""
    if ban.until is None:
        return Problem(ErrorCode.banned, f"You may not write here.{why}")
    left = ban.until - clock.shared(connection, at)
    end = ban.until.strftime("%Y-%m-%d %H:%M UTC")
    return Problem(
        ErrorCode.banned, f"You may not write here until {end}.{why}", retry_after=max(1, round(left.total_seconds()))
    )


def _to_ban(row: object) -> Ban:
    found = dict(row)  # type: ignore[call-overload]
    until = found["until"]
    reach = Reach(found["kind"])
    return Ban(
        found["id"],
        reach,
        found["target"],
        found["target"] if reach is Reach.author else found["author_id"] or "",
        BanEffect(found["effect"]),
        found["reason"],
        found["note"],
        to_datetime(found["at"]),
        None if until is None else to_datetime(until),
        found["by"],
        found.get("name") or "",
    )


def find(connection: Connection, site_id: int, ban_id: str) -> Ban | None:
    """A ban of a site, also one that is over."""
    query = select(schema.ban).where(_b.id == ban_id, _b.site_id == site_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _to_ban(row)


def listed(
    connection: Connection, site_id: int, before: tuple[int, str] | None, limit: int, author_id: str | None = None
) -> list[Ban]:
    """The bans of a site that nobody has lifted, the newest first; ``before`` are time and id of the last one seen.

    With ``author_id`` those of one person.
    """
    query = select(schema.ban, _NAME).where(_b.site_id == site_id, _GOES_ON)
    query = query if author_id is None else query.where(_b.target == author_id)
    if before is not None:
        at, ban_id = before
        query = query.where(or_(_b.at < at, (_b.at == at) & (_b.id < ban_id)))
    query = query.order_by(_b.at.desc(), _b.id.desc()).limit(limit)
    return [_to_ban(row) for row in connection.execute(query).mappings()]


def count(connection: Connection, site_id: int, most: int) -> int:
    """How many those are, counted to ``most``."""
    found = select(_b.id).where(_b.site_id == site_id, _GOES_ON).limit(most).subquery()
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())
