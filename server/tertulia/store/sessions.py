"""Who is signed in: what is asked of sessions, also within a transaction that writes.

Whether a session is good is read in the transaction of the write itself: who was signed out by another instance a
moment ago is refused by this one, and nothing has to be told to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, String, bindparam, literal_column, or_, select, text

from tertulia.store import schema
from tertulia.store.clock import SHARED_NOW, instant
from tertulia.store.mapping import milliseconds, to_datetime
from tertulia.store.prepared import Prepared
from tertulia.store.roles import ALL_SITES

READER, STAFF, INVITATION = "reader", "staff", "invite"
"""What a session is good for: what a page may do, the staff's pages, or opening one of these, once."""
_n, _a, _s, _g = schema.session.c, schema.author.c, schema.site.c, schema.grant.c
_EVERYWHERE = literal_column(str(ALL_SITES), BigInteger)
_SESSION = (_n.id, _n.author_id, _s.key.label("site"), _n.scope, _n.via, _n.label, _n.at, _n.used_at, _n.expires_at)
_IS_OPEN = (_n.revoked_at.is_(None), _n.expires_at > SHARED_NOW)
_BY_TOKEN = Prepared(
    select(*_SESSION, _n.site_id, _a.name, _a.kind, _a.badge, (SHARED_NOW - _n.used_at).label("idle"))
    .join_from(schema.session, schema.author, _a.id == _n.author_id)
    .outerjoin(schema.site, _s.id == _n.site_id)
    .where(_n.token_hash == bindparam("token_hash"), _n.scope == literal_column("'reader'", String), *_IS_OPEN)
)
_BY_ID = Prepared(select(_n.id).where(_n.id == bindparam("id"), _n.scope == bindparam("scope"), *_IS_OPEN))
_HELD = Prepared(
    select(literal_column("'role'", String), _g.role)
    .where(_g.author_id == bindparam("author"), or_(_g.site_id == _EVERYWHERE, _g.site_id == bindparam("site_id")))
    .union_all(
        # in words, since it is what the partial index is of
        select(literal_column("'guest'", String), _a.id).where(
            _a.merged_into == bindparam("author"), text("author.merged_into IS NOT NULL")
        )
    )
)


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
    """A session, and the author as they are now: ``roles`` are those granted at its site, or at all.

    ``also`` are the guests that became this author; ``idle`` is how long ago it was noted that the session is used.
    """

    session: Session
    name: str
    kind: str
    badge: str | None
    roles: tuple[str, ...]
    also: tuple[str, ...]
    idle: timedelta = timedelta()


def signed_in(connection: Connection, token_hash: str, now: datetime) -> SignedIn | None:
    """Which reader's token has this hash; None for one that is over, was revoked, or never was, and for staff's."""
    row = _BY_TOKEN.row(connection, {"token_hash": token_hash, "now": milliseconds(now)})
    if row is None:
        return None
    roles, also = held(connection, row["author_id"], row["site_id"])
    idle = timedelta(milliseconds=row["idle"])
    return SignedIn(_session(row), row["name"], row["kind"], row["badge"], roles, also, idle)


def held(connection: Connection, author_id: str, site_id: int | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """An author's roles at a site, and the guests that the author was: in one query, since each request asks."""
    found = set(_HELD.rows(connection, {"author": author_id, "site_id": site_id}))
    roles, also = (tuple(sorted(it for what, it in found if what == wanted)) for wanted in ("role", "guest"))
    return roles, also


def is_open(connection: Connection, session_id: str, now: datetime, scope: str = READER) -> bool:
    """Whether this session is still good, for this."""
    return bool(_BY_ID.rows(connection, {"id": session_id, "scope": scope, "now": milliseconds(now)}))


def open_among(connection: Connection, session_ids: Collection[str], now: datetime, scope: str = READER) -> set[str]:
    """Those of these sessions that are still good, for this."""
    if not session_ids:
        return set()
    which = (_n.id.in_(sorted(session_ids)), _n.scope == scope, *open_now(connection, now))
    return set(connection.scalars(select(_n.id).where(*which)))


def sessions_of(connection: Connection, author_id: str, now: datetime) -> Sequence[Session]:
    """An author's sessions of readers that are good, the newest first."""
    query = (
        select(*_SESSION)
        .outerjoin_from(schema.session, schema.site, _s.id == _n.site_id)
        .where(_n.author_id == author_id, _n.scope == READER, *open_now(connection, now))
        .order_by(_n.at.desc(), _n.id.desc())
    )
    return [_session(row) for row in connection.execute(query).mappings()]


def open_now(connection: Connection, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Of sessions: by the clock that all instances share."""
    return _n.revoked_at.is_(None), _n.expires_at > instant(connection, now)


def issuers_of(connection: Connection, author_id: str) -> list[str]:
    """The issuers that know an author, by name."""
    i = schema.identity.c
    return sorted(set(connection.scalars(select(i.issuer).where(i.author_id == author_id))))


def _session(row: Mapping[Any, Any]) -> Session:
    return Session(
        row["id"],
        row["author_id"],
        row["site"],
        row["scope"],
        row["via"],
        row["label"],
        to_datetime(row["at"]),
        to_datetime(row["used_at"]),
        to_datetime(row["expires_at"]),
    )
