"""The tables of people: what one row says of others."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, or_, select

from tertulia.checks.findings import Finding
from tertulia.reporting import Progress
from tertulia.store import schema
from tertulia.store.streaming import streamed

a, s = schema.author.c, schema.site.c


def check(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Codes: author_site, merged, session_site, grant_site."""
    parts = (_author_sites, _merged, _session_sites, _grant_sites)
    for done, part in enumerate(parts):
        progress("Checking people", done, len(parts))
        yield from part(connection)


def _author_sites(connection: Connection) -> Iterator[Finding]:
    query = select(a.id, a.site_id).outerjoin(schema.site, s.id == a.site_id)
    for row in streamed(connection, query.where(a.site_id.is_not(None), s.id.is_(None))):
        yield Finding("author_site", f"author {row.id}", f"the site {row.site_id} is not there")


def _merged(connection: Connection) -> Iterator[Finding]:
    into = schema.author.alias("into")
    query = (
        select(a.id, a.merged_into, into.c.merged_into.label("again"), into.c.id.label("found"))
        .select_from(schema.author)
        .outerjoin(into, into.c.id == a.merged_into)
        .where(a.merged_into.is_not(None))
        .where(or_(into.c.id.is_(None), into.c.merged_into.is_not(None), a.id == a.merged_into))
    )
    for row in streamed(connection, query):
        detail = f"the author {row.merged_into} that it became is not there"
        if row.found is not None:
            detail = f"the author {row.merged_into} that it became became another one"
        yield Finding("merged", f"author {row.id}", detail)


def _session_sites(connection: Connection) -> Iterator[Finding]:
    t = schema.session.c
    query = (
        select(t.id, t.site_id, a.site_id.label("own"))
        .select_from(schema.session)
        .join(schema.author, a.id == t.author_id)
        .where(a.site_id.is_not(None), or_(t.site_id.is_(None), t.site_id != a.site_id))
    )
    for row in streamed(connection, query):
        detail = f"it is of site {row.site_id or 'any'}, its author of site {row.own}"
        yield Finding("session_site", f"session {row.id}", detail)


def _grant_sites(connection: Connection) -> Iterator[Finding]:
    g = schema.grant.c
    query = select(g.author_id, g.site_id, g.role).outerjoin(schema.site, s.id == g.site_id)
    for row in streamed(connection, query.where(g.site_id != 0, s.id.is_(None))):
        detail = f"the site {row.site_id} where it is {row.role} is not there"
        yield Finding("grant_site", f"author {row.author_id}", detail)
