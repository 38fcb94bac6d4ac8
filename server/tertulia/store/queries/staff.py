"""What the staff's pages show: who holds which role, who is signed in, and what lets people and programs in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from tertulia.core.names import skeletons
from tertulia.core.ordering import PageCursor, decode_page_cursor, encode_page_cursor
from tertulia.core.roles import DECIDING
from tertulia.store import schema
from tertulia.store.clock import instant
from tertulia.store.mapping import to_datetime
from tertulia.store.queries.discussions import known_site
from tertulia.store.roles import ALL_SITES, holds
from tertulia.store.sessions import READER, STAFF, is_open, open_now

STAFF_SHOWN = 1_000
"""Roles of a site that are listed, and of one person."""
SESSIONS_LOOKED = 1_000
"""How many sessions of all sites are looked at for a page of one site; the next goes on there."""
_n, _a, _g, _s = schema.session.c, schema.author.c, schema.grant.c, schema.site.c
_i, _t = schema.issuer.c, schema.site_token.c
_y, _k, _w = schema.identity.c, schema.contact.c, schema.taken_name.c


@dataclass(frozen=True, slots=True)
class StaffSession:
    """A session of the staff's pages that is good, and what its author may: roles by site, None for all sites.

    ``idle`` is how long ago it was noted that it is used.
    """

    id: str
    author_id: str
    name: str
    at: datetime
    used_at: datetime
    idle: timedelta
    roles: Sequence[tuple[str | None, str]]


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """``site`` is None for all sites."""

    author_id: str
    name: str
    site: str | None
    role: str


@dataclass(frozen=True, slots=True)
class MemberSession:
    author_id: str
    name: str
    via: str
    at: datetime
    used_at: datetime


class MemberSessions(NamedTuple):
    """``next`` is the cursor that goes on, None at the end; a page may be short."""

    sessions: list[MemberSession]
    next: str | None


@dataclass(frozen=True, slots=True)
class WayIn:
    """An issuer or a provider of the site; ``address`` is what it calls itself."""

    name: str
    kind: str
    address: str


@dataclass(frozen=True, slots=True)
class OwnWay:
    """By which issuer's word a person signs in at a site; ``subject`` is keyed."""

    site: str
    issuer: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SiteToken:
    id: str
    name: str
    scopes: Sequence[str]
    at: datetime
    used_at: datetime | None


def staff_session(connection: Connection, token_hash: str, now: datetime) -> StaffSession | None:
    """The session of the staff's pages whose token has this hash; None for one that is over, and for readers'."""
    query = (
        select(schema.session, _a.name, (instant(connection, now) - _n.used_at).label("idle"))
        .join_from(schema.session, schema.author, _a.id == _n.author_id)
        .where(_n.token_hash == token_hash, _n.scope == STAFF)
        .where(*open_now(connection, now))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    held = select(_s.key, _g.role).join_from(schema.grant, schema.site, _s.id == _g.site_id, isouter=True)
    held = held.where(_g.author_id == row.author_id, or_(_g.site_id == ALL_SITES, _s.id.is_not(None)))
    roles = [(found.key, found.role) for found in connection.execute(held.limit(STAFF_SHOWN))]
    at, used_at, idle = to_datetime(row.at), to_datetime(row.used_at), timedelta(milliseconds=row.idle)
    return StaffSession(row.id, row.author_id, row.name, at, used_at, idle, sorted(roles, key=_by_site))


def standing(connection: Connection, asked: Iterable[tuple[str | None, str, str]], now: datetime) -> list[bool]:
    """Whether these still decide: by session, None of a moderator's token, author and site."""
    return [
        (session_id is None or is_open(connection, session_id, now, STAFF))
        and holds(connection, author_id, site, DECIDING)
        for session_id, author_id, site in asked
    ]


def staff_of(connection: Connection, site: str | None) -> list[RoleHeld]:
    """Who has which role at a site and at all sites, or with None everywhere; by name. Raises unknown_site."""
    looked = select(schema.grant)
    if site is not None:
        looked = looked.where(_g.site_id.in_([ALL_SITES, known_site(connection, site)]))
    first = looked.limit(STAFF_SHOWN).subquery()
    query = select(first.c.author_id, _name_of(first.c.author_id), _s.key, first.c.role)
    query = query.outerjoin_from(first, schema.site, _s.id == first.c.site_id)
    held = [RoleHeld(*row) for row in connection.execute(query)]
    return sorted(held, key=lambda one: (one.name, one.author_id, *_by_site((one.site, one.role))))


def member_sessions(
    connection: Connection, site: str, now: datetime, limit: int, cursor: str | None = None
) -> MemberSessions:
    """The sessions of a site's readers that are good, the newest first. Raises unknown_site, bad_cursor."""
    site_id, scope = known_site(connection, site), f"sessions:{site}"
    after = decode_page_cursor(cursor, scope, 0)
    looked = select(schema.session, and_(*open_now(connection, now)).label("is_open"))
    if after is not None:
        looked = looked.where(_n.id < after.id)
    first = looked.order_by(_n.id.desc()).limit(SESSIONS_LOOKED).subquery()
    query = select(first, _name_of(first.c.author_id)).order_by(first.c.id.desc())
    found = connection.execute(query).all()
    own = [row for row in found if row.site_id == site_id and row.scope == READER and row.is_open]
    shown = own[:limit]
    last = shown[-1] if len(own) > limit else found[-1] if len(found) == SESSIONS_LOOKED else None
    following = None if last is None else encode_page_cursor(PageCursor(scope, (), last.id))
    return MemberSessions([_member_session(row) for row in shown], following)


def ways_in(connection: Connection, site: str) -> list[WayIn]:
    """The issuers and providers of a site, by name. Raises unknown_site."""
    query = select(_i.name, _i.kind, _i.config).where(_i.site_id == known_site(connection, site)).order_by(_i.name)
    return [
        WayIn(row.name, row.kind, str(row.config.get("iss") or row.config.get("issuer") or ""))
        for row in connection.execute(query)
    ]


def own_ways(connection: Connection, author_id: str) -> list[OwnWay]:
    """How a person signs in, by site, the oldest first."""
    query = select(_s.key, _y.issuer, _y.subject, _y.at).join_from(schema.identity, schema.site, _s.id == _y.site_id)
    found = connection.execute(query.where(_y.author_id == author_id).limit(STAFF_SHOWN))
    ways = [OwnWay(row.key, row.issuer, row.subject, to_datetime(row.at)) for row in found]
    return sorted(ways, key=lambda one: (one.site, one.at, one.issuer, one.subject))


def members_called(connection: Connection, site: str, name: str) -> list[str]:
    """The ids of members of a site of exactly this name, at most two. Raises unknown_site."""
    site_id = known_site(connection, site)
    named = select(_a.id).join_from(schema.taken_name, schema.author, _a.id == _w.author_id).distinct()
    alike = (_w.site_id == site_id, _w.skeleton.in_(sorted(skeletons(name))))
    return list(connection.scalars(named.where(*alike, _a.name == name, _a.kind == "member").limit(2)))


def members_at(connection: Connection, site: str, subject: tuple[str, str], address: str) -> list[str]:
    """The ids of members of a site who sign in by this subject of an issuer, or who are reached at this address.

    ``address`` and the subject are keyed; at most two. Raises unknown_site.
    """
    site_id = known_site(connection, site)
    vouched = select(_y.author_id).where(_y.site_id == site_id, _y.issuer == subject[0], _y.subject == subject[1])
    reached = select(_k.author_id).where(_k.address == address, _k.verified_at.is_not(None))
    its = (_a.id.in_(vouched.union(reached)), _a.site_id == site_id, _a.kind == "member")
    return list(connection.scalars(select(_a.id).where(*its).limit(2)))


def site_tokens(connection: Connection, site: str) -> list[SiteToken]:
    """The tokens of a site's programs, by name. Raises unknown_site."""
    query = select(schema.site_token).where(_t.site_id == known_site(connection, site)).order_by(_t.name)
    return [
        SiteToken(row.id, row.name, row.scopes, to_datetime(row.at), row.used_at and to_datetime(row.used_at))
        for row in connection.execute(query)
    ]


def _name_of(author_id: ColumnElement[str]) -> ColumnElement[str]:
    """An author's name, looked up by row: for a join PostgreSQL may read all authors."""
    return select(_a.name).where(_a.id == author_id).scalar_subquery().label("name")


def _by_site(held: tuple[str | None, str]) -> tuple[str, str]:
    return held[0] or "", held[1]


def _member_session(row: Any) -> MemberSession:
    return MemberSession(row.author_id, row.name, row.via, to_datetime(row.at), to_datetime(row.used_at))
