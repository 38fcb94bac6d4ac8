"""Who holds which role where, as the grants say at this moment, within a transaction that writes or one that reads."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, or_, select

from tertulia.core.roles import Role
from tertulia.errors import no_such_site
from tertulia.store import schema

ALL_SITES = 0
"""Where a grant holds everywhere."""
_g, _s = schema.grant.c, schema.site.c


def site_id_of(connection: Connection, site: str | None) -> int:
    """The id of the site with this key, ALL_SITES for None. Raises unknown_site."""
    if site is None:
        return ALL_SITES
    found = connection.scalar(select(_s.id).where(_s.key == site))
    if found is None:
        raise no_such_site()
    return int(found)


def lock_site(connection: Connection, site: str) -> int:
    """The id of a site of which nobody else changes what it has until the end. Raises unknown_site."""
    found = connection.scalar(select(_s.id).where(_s.key == site).with_for_update())
    if found is None:
        raise no_such_site()
    return int(found)


def roles_at(connection: Connection, author_id: str, site_id: int = ALL_SITES) -> frozenset[str]:
    """The roles of an author at a site, those for all sites among them."""
    query = select(_g.role).where(_g.author_id == author_id, or_(_g.site_id == ALL_SITES, _g.site_id == site_id))
    return frozenset(connection.scalars(query))


def holds(connection: Connection, author_id: str, site: str | None, roles: Iterable[Role]) -> bool:
    """Whether an author has one of these roles at the site, or with ``site`` None at all of them.

    A site that is not there is nobody's.
    """
    where = _g.site_id == ALL_SITES
    if site is not None:
        where = or_(where, _g.site_id == select(_s.id).where(_s.key == site).scalar_subquery())
    query = select(_g.role).where(_g.author_id == author_id, _g.role.in_(sorted(roles)), where)
    return connection.scalar(query.limit(1)) is not None
