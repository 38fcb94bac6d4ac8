"""Bans: who may not write at a site, or only after a moderator has seen it, until when and why.

An author's row says whether there is one at all, which a post reads with the author; which one holds is asked then.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, or_, select, update

from tertulia.errors import ErrorCode, Problem
from tertulia.store import clock, schema
from tertulia.store.mapping import to_datetime

_b, _a = schema.ban.c, schema.author.c
AUTHOR = "author"
_NAME = select(_a.name).where(_a.id == _b.target).scalar_subquery().label("name")
_OF = select(schema.ban).where(_b.kind == AUTHOR, _b.target == bindparam("author"), _b.lifted_at.is_(None))


class BanEffect(StrEnum):
    """``refuse``: nothing is taken; ``hold``: all waits for a moderator."""

    refuse = "refuse"
    hold = "hold"


class Ban(NamedTuple):
    """``until`` is None where it has no end; ``author_id`` is who is banned, ``name`` only where bans are listed."""

    id: str
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
    now = clock.shared(connection, at)
    found = [_to_ban(row) for row in connection.execute(_OF, {"author": author_id}).mappings()]
    going_on = [ban for ban in found if ban.until is None or ban.until > now]
    return min(going_on, key=_strictest_first, default=None)


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
    query = select(_a.id).where(_a.id == author_id, _a.ban_effect == BanEffect.refuse)
    if connection.scalar(query) is not None:
        ban = active(connection, author_id, at)
        if ban is not None and ban.effect is BanEffect.refuse:
            raise banned(connection, ban, at)


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
    return Ban(
        found["id"],
        found["target"],
        BanEffect(found["effect"]),
        found["reason"],
        found["note"],
        to_datetime(found["at"]),
        None if until is None else to_datetime(until),
        found["by"],
        found.get("name", ""),
    )


def listed(
    connection: Connection, site_id: int, before: tuple[int, str] | None, limit: int, author_id: str | None = None
) -> list[Ban]:
    """The bans of a site that nobody has lifted, the newest first; ``before`` are time and id of the last one seen.

    With ``author_id`` those of one person.
    """
    query = select(schema.ban, _NAME).where(*_standing(site_id))
    query = query if author_id is None else query.where(_b.target == author_id)
    if before is not None:
        at, ban_id = before
        query = query.where(or_(_b.at < at, (_b.at == at) & (_b.id < ban_id)))
    query = query.order_by(_b.at.desc(), _b.id.desc()).limit(limit)
    return [_to_ban(row) for row in connection.execute(query).mappings()]


def count(connection: Connection, site_id: int, most: int) -> int:
    """How many those are, counted to ``most``."""
    found = select(_b.id).where(*_standing(site_id)).limit(most).subquery()
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())


def _standing(site_id: int) -> tuple[ColumnElement[bool], ...]:
    return (_b.site_id == site_id, _b.kind == AUTHOR, _b.lifted_at.is_(None))
