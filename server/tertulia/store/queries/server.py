"""What belongs to no discussion: the epoch, sites, moderators."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from tertulia.core.badges import Words
from tertulia.core.comments import Author, DiscussionKey
from tertulia.core.roles import Role
from tertulia.core.rules import OwnRules, own_rules
from tertulia.errors import no_such_site
from tertulia.store import schema
from tertulia.store.roles import ALL_SITES, roles_at


class NumberedKey(NamedTuple):
    """A stored discussion."""

    id: int
    key: DiscussionKey


def epoch(connection: Connection) -> str:
    """What the database was given when it was made, or restored."""
    return str(connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == "epoch")))


def sites(connection: Connection) -> dict[str, list[str]]:
    """Every site with its allowed origins."""
    found = connection.execute(select(schema.site.c.key, schema.site.c.origins))
    return {row.key: list(row.origins) for row in found}


def site_rules(connection: Connection, key: str) -> OwnRules:
    """What a site says itself. Raises unknown_site."""
    found = connection.execute(select(schema.site.c.settings).where(schema.site.c.key == key)).one_or_none()
    if found is None:
        raise no_such_site()
    return own_rules((found.settings or {}).get("rules"))


def discussions_below(connection: Connection, site_id: int, below: int | None, limit: int) -> list[NumberedKey]:
    """Discussions of a site, those made last first, from the one before the row ``below`` on."""
    d, s = schema.discussion.c, schema.site.c
    query = select(d.id, s.key.label("site"), d.key).join(schema.site, s.id == d.site_id).where(d.site_id == site_id)
    if below is not None:
        query = query.where(d.id < below)
    found = connection.execute(query.order_by(d.id.desc()).limit(limit))
    return [NumberedKey(row.id, DiscussionKey(row.site, row.key)) for row in found]


def site_badges(connection: Connection) -> dict[str, dict[str, Words]]:
    """By site and key, the words by language."""
    found = connection.execute(select(schema.site.c.key, schema.site.c.settings))
    return {row.key: badges for row in found if (badges := (row.settings or {}).get("badges"))}


def staff_names(connection: Connection) -> list[str]:
    """The names of all who have a role and were named for it, which nobody else may use."""
    return list(connection.scalars(select(schema.moderator.c.name).order_by(schema.moderator.c.name)))


def moderators(connection: Connection) -> list[str]:
    """The names of the moderators of all sites."""
    m, g = schema.moderator.c, schema.grant.c
    everywhere = (g.site_id == ALL_SITES, g.role == Role.moderator.value)
    query = select(m.name).join_from(schema.moderator, schema.grant, g.author_id == m.author_id)
    return list(connection.scalars(query.where(*everywhere).order_by(m.name)))


def moderator(connection: Connection, token_hash: str) -> Author | None:
    """Whose token it is."""
    m = schema.moderator.c
    row = connection.execute(select(m.author_id, m.name).where(m.token_hash == token_hash)).one_or_none()
    return None if row is None else Author(row.author_id, row.name, "moderator")


class ModeratorAt(NamedTuple):
    """Whose token it is, and the roles at the site that is asked about, those for all sites among them."""

    author: Author
    roles: frozenset[str]


def moderator_at(connection: Connection, token_hash: str, site: str | None) -> ModeratorAt | None:
    """Whose token it is, and their roles at a site, or with None those for all sites."""
    found = moderator(connection, token_hash)
    if found is None:
        return None
    site_id = None if site is None else connection.scalar(select(schema.site.c.id).where(schema.site.c.key == site))
    return ModeratorAt(found, roles_at(connection, found.id, site_id or ALL_SITES))
