"""Who is signed in: what is asked of sessions, also within a transaction that writes.

Whether a session is good is read in the transaction of the write itself: who was signed out by another instance a
moment ago is refused by this one, and nothing has to be told to it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from tertulia.store import schema
from tertulia.store.mapping import milliseconds, to_datetime

_n, _a, _s, _g = schema.session.c, schema.author.c, schema.site.c, schema.grant.c


@dataclass(frozen=True, slots=True)
class Session:
    """``site`` is the key of the only site where it is good, None for one of all sites."""

    id: str
    author_id: str
    site: str | None
    scope: str
    via: str
    label: str
    at: datetime
    used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session, and the author as they are now: ``roles`` are those granted at its site, or at all."""

    session: Session
    name: str
    kind: str
    badge: str | None
    roles: tuple[str, ...]


def signed_in(connection: Connection, token_hash: str, now: datetime) -> SignedIn | None:
    """Whose token has this hash; None for one that is over, was revoked, or never was."""
    query = (
        select(schema.session, _s.key.label("site"), _a.name, _a.kind, _a.badge)
        .join_from(schema.session, schema.author, _a.id == _n.author_id)
        .outerjoin(schema.site, _s.id == _n.site_id)
        .where(_n.token_hash == token_hash, *_is_open(now))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    granted = select(_g.role).where(_g.author_id == row.author_id, or_(_g.site_id == 0, _g.site_id == row.site_id))
    roles = sorted(set(connection.scalars(granted)))
    return SignedIn(_session(row), row.name, row.kind, row.badge, tuple(roles))


def open_among(connection: Connection, session_ids: Collection[str], now: datetime) -> set[str]:
    """Those of these sessions that are still good."""
    if not session_ids:
        return set()
    return set(connection.scalars(select(_n.id).where(_n.id.in_(sorted(session_ids)), *_is_open(now))))


def sessions_of(connection: Connection, author_id: str, now: datetime) -> Sequence[Session]:
    """An author's sessions that are good, the newest first."""
    query = (
        select(schema.session, _s.key.label("site"))
        .outerjoin(schema.site, _s.id == _n.site_id)
        .where(_n.author_id == author_id, *_is_open(now))
        .order_by(_n.at.desc(), _n.id.desc())
    )
    return [_session(row) for row in connection.execute(query)]


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return _n.revoked_at.is_(None), _n.expires_at > milliseconds(now)


def _session(row: Any) -> Session:
    return Session(
        row.id,
        row.author_id,
        row.site,
        row.scope,
        row.via,
        row.label,
        to_datetime(row.at),
        to_datetime(row.used_at),
        to_datetime(row.expires_at),
    )
