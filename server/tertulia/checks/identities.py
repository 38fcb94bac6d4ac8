"""Who is who, and what lets people and programs in: what each row has to be by itself, and beside its author.

A row that is wrong in one of these ways is refused, or taken for somebody else's, by the code that reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, FromClause, Select, and_, func, or_, select

from tertulia.checks.findings import Finding
from tertulia.core.badges import is_badge
from tertulia.core.rules import own_rules
from tertulia.core.text import is_site
from tertulia.reporting import Progress
from tertulia.store import schema
from tertulia.store.challenges import TRIES
from tertulia.store.streaming import streamed

KINDS = ("guest", "member", "staff")
MOST_TRUST = 2
CONTACT_STATES = ("ok", "bouncing", "stopped")
DIGEST = 64
"""Letters of what is kept in place of a secret or of a name that somebody else gave."""

a, i, k = schema.author.c, schema.identity.c, schema.contact.c
m, n, s, t = schema.moderator.c, schema.session.c, schema.site.c, schema.site_token.c
f, q = schema.issuer.c, schema.challenge.c
w, o, u = schema.signin.c, schema.signin_code.c, schema.spent_token.c


class _Wrong(NamedTuple):
    """What is wrong with the rows that ``rows`` finds; ``where`` and ``detail`` name their columns in braces."""

    code: str
    rows: Select[Any]
    where: str
    detail: str


def check(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Codes: author_kind, author_trust, author_tokens, member_site, merged_kind, identity_site, identity_author,
    digest, contact_author, contact_state, moderator_kind, moderator_role, token_name, issuer_row,
    code_tries, code_times, site_settings, action_actor.
    """
    for done, wrong in enumerate(_WRONG):
        progress("Checking identities", done, len(_WRONG))
        for row in streamed(connection, wrong.rows):
            named = row._mapping
            yield Finding(wrong.code, wrong.where.format(**named), wrong.detail.format(**named))
    yield from _issuers(connection)
    yield from _settings(connection)


def _with_author(table: FromClause, *columns: Column[Any]) -> Select[Any]:
    return select(*columns, a.kind).join_from(table, schema.author, a.id == table.c.author_id)


def _no_digest(*columns: Column[Any]) -> ColumnElement[bool]:
    return or_(*(func.length(column) != DIGEST for column in columns))


_GRANTED = select(schema.grant.c.role).where(schema.grant.c.author_id == m.author_id).exists()
_AUTHORS = select(a.id, a.kind, a.trust)
_DIGESTS = "what is kept in place of a secret is no digest"

_WRONG = (
    _Wrong("author_kind", _AUTHORS.where(a.kind.not_in(KINDS)), "author {id}", "there is no kind {kind}"),
    _Wrong("author_trust", _AUTHORS.where(~a.trust.between(0, MOST_TRUST)), "author {id}", "its trust is {trust}"),
    _Wrong(
        "author_tokens",
        _AUTHORS.where(a.tokens_after.is_not(None), a.kind != "guest"),
        "author {id}",
        "its tokens are void, and a {kind} has none",
    ),
    _Wrong("member_site", _AUTHORS.where(a.kind == "member", a.site_id.is_(None)), "author {id}", "it has no site"),
    _Wrong(
        "merged_kind",
        _AUTHORS.where(a.merged_into.is_not(None), a.kind != "guest"),
        "author {id}",
        "it became another author, and only a guest can; it is a {kind}",
    ),
    _Wrong(
        "identity_site",
        select(i.author_id, i.site_id, a.site_id.label("own"))
        .join_from(schema.identity, schema.author, a.id == i.author_id)
        .where(a.site_id != i.site_id),
        "author {author_id}",
        "an issuer of site {site_id} vouches for it, and it is of site {own}",
    ),
    _Wrong(
        "identity_author",
        _with_author(schema.identity, i.author_id).where(a.kind == "guest"),
        "author {author_id}",
        "an issuer vouches for it, and it is a {kind}",
    ),
    _Wrong("digest", select(i.author_id).where(_no_digest(i.subject)), "identity of {author_id}", _DIGESTS),
    _Wrong("digest", select(k.author_id).where(_no_digest(k.address)), "contact of {author_id}", _DIGESTS),
    _Wrong(
        "digest", select(w.provider).where(_no_digest(w.state, w.browser, w.nonce)), "a way to {provider}", _DIGESTS
    ),
    _Wrong("digest", select(o.origin).where(_no_digest(o.code)), "a code for {origin}", _DIGESTS),
    _Wrong("digest", select(u.expires_at).where(_no_digest(u.digest)), "what was spent until {expires_at}", _DIGESTS),
    # what is over is emptied, and counted for a day
    _Wrong(
        "digest",
        select(q.id).where(or_(_no_digest(q.address), and_(q.code != "", _no_digest(q.code)))),
        "challenge {id}",
        _DIGESTS,
    ),
    _Wrong(
        "contact_author",
        _with_author(schema.contact, k.author_id).where(a.kind == "guest"),
        "author {author_id}",
        "an address is kept of it, and it is a {kind}",
    ),
    _Wrong(
        "contact_state",
        select(k.author_id, k.state).where(k.state.not_in(CONTACT_STATES)),
        "contact of {author_id}",
        "there is no state {state}",
    ),
    _Wrong(
        "moderator_kind",
        _with_author(schema.moderator, m.author_id).where(a.kind == "guest"),
        "author {author_id}",
        "it has a moderator's token, and it is a {kind}",
    ),
    _Wrong(
        "moderator_role",
        select(m.author_id).where(~_GRANTED),
        "author {author_id}",
        "it has a moderator's token and no role",
    ),
    _Wrong("token_name", select(t.id).where(t.name == ""), "site token {id}", "it has no name for the log of actions"),
    _Wrong(
        "code_tries",
        select(q.id, q.tries).where(~q.tries.between(0, TRIES)),
        "challenge {id}",
        "it was tried {tries} times",
    ),
    _Wrong("code_times", select(q.id).where(q.expires_at < q.at), "challenge {id}", "it ended before it was made"),
    _Wrong(
        "action_actor",
        select(schema.action.c.id).where(and_(schema.action.c.actor == "", schema.action.c.actor_id.is_(None))),
        "action {id}",
        "nobody did it",
    ),
)


def _issuers(connection: Connection) -> Iterator[Finding]:
    for row in streamed(connection, select(f.id, f.name, f.kind, f.config)):
        if not is_site(row.name):
            yield Finding("issuer_row", f"issuer {row.id}", f"{row.name!r} is no name of an issuer")
        if row.kind not in ("jwt", "provider") or not isinstance(row.config, dict):
            yield Finding("issuer_row", f"issuer {row.id}", f"it is a {row.kind}, or its settings are none")


def _settings(connection: Connection) -> Iterator[Finding]:
    for row in streamed(connection, select(s.key, s.settings, s.origins, s.version)):
        mistake = _mistake(row.settings, row.origins, row.version)
        if mistake is not None:
            yield Finding("site_settings", f"site {row.key}", mistake)


def _mistake(settings: Any, origins: Any, version: int) -> str | None:
    if version < 1:
        return f"its version is {version}"
    if not isinstance(origins, list) or not all(isinstance(one, str) for one in origins):
        return f"its origins are {json.dumps(origins)}"
    if not isinstance(settings, dict | None):
        return "its settings are no object"
    known = settings or {}
    try:
        own_rules(known.get("rules"))
    except (AttributeError, ValueError):
        return f"its rules are {json.dumps(known['rules'])}"
    badges = known.get("badges", {})
    if not isinstance(badges, dict) or not all(is_badge(key) and isinstance(badges[key], dict) for key in badges):
        return f"its badges are {json.dumps(badges)}"
    return None
