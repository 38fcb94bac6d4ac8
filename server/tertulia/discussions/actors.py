"""Who asks and who writes: from the token of a request to an actor, and how often each may."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from tertulia.core.comments import Author
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import MODERATOR_PREFIX, REPEAT_HOURS, Identity, Tokens, token_hash, unauthenticated
from tertulia.limits import PostingLimits, Write
from tertulia.store.commands import Actor

log = logging.getLogger(__name__)


class Actors:
    """``moderator`` reads the moderator whose token has a hash."""

    def __init__(
        self,
        moderator: Callable[[str], Awaitable[Author | None]],
        tokens: Tokens,
        limits: PostingLimits,
    ) -> None:
        self._moderator = moderator
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
        if not token.startswith(MODERATOR_PREFIX):
            return self._tokens.read(token, site)
        moderator = await self._moderator(token_hash(token))
        if moderator is None:
            raise unauthenticated()
        return Identity(moderator.id, moderator.name, moderator=True, site=None)

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
    return Actor(identity.author_id, identity.moderator, identity.site)


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
