"""The tables of people: what one row says of others."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, or_, select

from tertulia.checks.findings import Finding
from tertulia.core.names import skeletons
from tertulia.core.roles import Role
from tertulia.reporting import Progress
from tertulia.store import schema
from tertulia.store.commands import SCOPES
from tertulia.store.sessions import INVITATION, READER, STAFF
from tertulia.store.streaming import streamed

a, s = schema.author.c, schema.site.c


def check(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Codes: author_site, merged, session_site, session_scope, grant_site, grant_role, token_scopes, action_undoes,
    taken_name."""
    parts = (
        _author_sites,
        _merged,
        _session_sites,
        _session_scopes,
        _grant_sites,
        _grant_roles,
        _token_scopes,
        _undone_actions,
        _taken_names,
    )
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


def _session_scopes(connection: Connection) -> Iterator[Finding]:
    t = schema.session.c
    query = select(t.id, t.scope, a.kind).join_from(schema.session, schema.author, a.id == t.author_id)
    for row in streamed(connection, query.where(t.scope.not_in([READER, STAFF, INVITATION]))):
        yield Finding("session_scope", f"session {row.id}", f"there is no scope {row.scope}")
    held = select(schema.grant.c.role).where(schema.grant.c.author_id == t.author_id).exists()
    for row in streamed(connection, query.where(t.scope.in_([STAFF, INVITATION]), t.revoked_at.is_(None), ~held)):
        yield Finding("session_scope", f"session {row.id}", f"it is of staff, its author, a {row.kind}, has no role")


def _grant_sites(connection: Connection) -> Iterator[Finding]:
    g = schema.grant.c
    query = select(g.author_id, g.site_id, g.role).outerjoin(schema.site, s.id == g.site_id)
    for row in streamed(connection, query.where(g.site_id != 0, s.id.is_(None))):
        detail = f"the site {row.site_id} where it is {row.role} is not there"
        yield Finding("grant_site", f"author {row.author_id}", detail)


def _grant_roles(connection: Connection) -> Iterator[Finding]:
    g = schema.grant.c
    query = select(g.author_id, g.role).where(g.role.not_in([role.value for role in Role]))
    for row in streamed(connection, query):
        yield Finding("grant_role", f"author {row.author_id}", f"there is no role {row.role}")


def _token_scopes(connection: Connection) -> Iterator[Finding]:
    t = schema.site_token.c
    for row in streamed(connection, select(t.id, t.scopes)):
        if not row.scopes or not set(row.scopes) <= set(SCOPES):
            yield Finding("token_scopes", f"site token {row.id}", f"its scopes are {', '.join(row.scopes) or 'none'}")


def _undone_actions(connection: Connection) -> Iterator[Finding]:
    t, undone = schema.action.c, schema.action.alias("undone")
    query = select(t.id, t.undoes).outerjoin(undone, undone.c.id == t.undoes)
    for row in streamed(connection, query.where(t.undoes.is_not(None), undone.c.id.is_(None))):
        yield Finding("action_undoes", f"action {row.id}", f"the action {row.undoes} that it undoes is not there")


def _taken_names(connection: Connection) -> Iterator[Finding]:
    t = schema.taken_name.c
    query = select(schema.taken_name, a.name, a.site_id.label("own")).join(schema.author, a.id == t.author_id)
    for row in streamed(connection, query):
        if row.skeleton not in skeletons(row.name) or (row.site_id and row.site_id != row.own):
            yield Finding(
                "taken_name", f"author {row.author_id}", f"a name is taken that is not {row.name!r}, or elsewhere"
            )
