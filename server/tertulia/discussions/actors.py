"""Who asks and who writes: from the token of a request to an actor, and how often each may."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from tertulia.errors import ErrorCode, Problem
from tertulia.identity import (
    MODERATOR_PREFIX,
    REPEAT_HOURS,
    SESSION_PREFIX,
    Identity,
    Tokens,
    token_hash,
    unauthenticated,
    utc_now,
)
from tertulia.limits import PostingLimits, Write
from tertulia.store import Store, queries, sessions
from tertulia.store.commands import Actor, Command, InSession, ProlongSession

USED_AGAIN = timedelta(days=1)
"""How often at most it is noted that a session is used."""
T = TypeVar("T")

log = logging.getLogger(__name__)


class Actors:
    """Reads who a token names, of moderators and sessions in the store."""

    def __init__(self, store: Store, tokens: Tokens, limits: PostingLimits) -> None:
        self._store = store
        self._tokens = tokens
        self._limits = limits

    async def identify(self, authorization: str | None, site: str | None) -> Identity | None:
        """Whom an Authorization header names, None without one. Raises unauthenticated.

        A guest's token is good for the site it was made for; with ``site`` None the caller checks that later.
        """
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        token = token.lstrip(" ")  # RFC 9110: a scheme in any case, one or more blanks, and nothing after the token
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated()
        if token.startswith(SESSION_PREFIX):
            return await self._signed_in(token, site)
        if not token.startswith(MODERATOR_PREFIX):
            return self._tokens.read(token, site)
        moderator = await self._store.read(queries.moderator, token_hash(token))
        if moderator is None:
            raise unauthenticated()
        return Identity(moderator.id, moderator.name, moderator=True, site=None)

    async def _signed_in(self, token: str, site: str | None) -> Identity:
        """Raises unauthenticated."""
        now = utc_now()
        found = await self._store.read(sessions.signed_in, token_hash(token), now)
        if found is None or (site is not None and found.session.site not in (None, site)):
            raise unauthenticated()
        session = found.session
        if now - session.used_at >= USED_AGAIN:
            with suppress(Problem):  # it is noted the next time
                await self._store.write(ProlongSession(session.id, now, session.expires_at - session.used_at))
        return Identity(
            session.author_id,
            found.name,
            moderator=False,
            site=session.site,
            issued_at=session.at,
            member=True,
            session_id=session.id,
            roles=found.roles,
        )

    async def counted(self, write: Write, identity: Identity | None, address: str | None) -> Actor:
        """Who writes, once it is counted. Raises unauthenticated, rate_limited."""
        actor = actor_of(identity)
        if actor.moderator and write is Write.change:
            write, address = Write.moderation, None
        await self._limits.count(actor.id, address, write)
        return actor

    async def moderating(self, identity: Identity | None) -> Actor:
        """Raises unauthenticated, forbidden, rate_limited."""
        actor = require_moderator(identity)
        await self._limits.count(actor.id, None, Write.moderation)
        return actor


def actor_of(identity: Identity | None) -> Actor:
    if identity is None:
        raise unauthenticated()
    return Actor(identity.author_id, identity.moderator, identity.site, identity.session_id)


def by(identity: Identity | None, command: Command[T]) -> Command[T]:
    """The command, of whoever asks: of somebody signed in as long as the session goes on when it is applied."""
    if identity is None or identity.session_id is None:
        return command
    return InSession(identity.session_id, command, utc_now())


def require_moderator(identity: Identity | None) -> Actor:
    """Raises unauthenticated, forbidden."""
    actor = actor_of(identity)
    if not actor.moderator:
        raise Problem(ErrorCode.forbidden, "Only a moderator may do this.")
    return actor


def require_staff(identity: Identity | None, site: str) -> Actor:
    """A moderator, or a program of the site. Raises unauthenticated, forbidden."""
    actor = actor_of(identity)
    if not is_staff(identity) or actor.site not in (None, site):
        raise Problem(ErrorCode.forbidden, "Only a moderator or a program of the site may do this.")
    return actor


def is_staff(identity: Identity | None) -> bool:
    return identity is not None and (identity.moderator or identity.program)


def is_long_ago(said_at: datetime, now: datetime) -> bool:
    """Whether what comes ``now`` is hardly a retry of what was said then."""
    return abs(now - said_at) > timedelta(hours=REPEAT_HOURS)


def log_moderation(identity: Identity | None, act: str, **what: object) -> None:
    log.info("moderation", extra={"by": identity.name if identity else "", "act": act, **what})
