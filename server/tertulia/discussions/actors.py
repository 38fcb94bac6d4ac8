"""Who asks and who writes: from the token of a request to an actor, and how often each may."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from tertulia.core.badges import badge_of
from tertulia.core.roles import DECIDING
from tertulia.core.scopes import TokenScope
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import (
    MODERATOR_PREFIX,
    REPEAT_HOURS,
    SESSION_PREFIX,
    SITE_TOKEN_PREFIX,
    Identity,
    Tokens,
    token_hash,
    unauthenticated,
    utc_now,
)
from tertulia.limits import PostingLimits, Write
from tertulia.store import Store, queries, sessions
from tertulia.store.actions import By
from tertulia.store.commands import Actor, AsGuest, AsProgram, Command, Deed, InRole, InSession, ProlongSession
from tertulia.store.guests import UNMADE, GuestToken
from tertulia.store.programs import elsewhere, program_of

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
        self._is_told = False

    async def identify(
        self, authorization: str | None, site: str | None, scope: TokenScope | None = None
    ) -> Identity | None:
        """Whom an Authorization header names, None without one. Raises unauthenticated.

        A guest's token is good for the site it was made for; with ``site`` None the caller checks that later. So it is
        with the token of a program, which is taken where it may have the ``scope``, else refused with forbidden.
        """
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        token = token.lstrip(" ")  # RFC 9110: a scheme in any case, one or more blanks, and nothing after the token
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated()
        if token.startswith(SESSION_PREFIX):
            return await self._signed_in(token, site)
        if scope is not None and token.startswith(SITE_TOKEN_PREFIX):
            return await self._program(token, site, scope)
        if not token.startswith(MODERATOR_PREFIX):
            signed = self._tokens.read(token, site)
            if signed.member:
                self._tell_of_member_token()
            return signed
        found = await self._store.read(queries.moderator_at, token_hash(token), site)
        if found is None:
            raise unauthenticated()
        (author, roles), decides = found, not DECIDING.isdisjoint(found.roles)
        return Identity(
            author.id,
            author.name,
            moderator=decides,
            site=None,
            member=not decides,
            roles=tuple(sorted(roles)),
            acting_at=site,
            badge=badge_of(None, roles),
        )

    async def _program(self, token: str, site: str | None, scope: TokenScope) -> Identity:
        """Raises unauthenticated, forbidden."""
        found = await self._store.read(program_of, token_hash(token))
        found.require(scope)
        if site not in (None, found.site):
            raise elsewhere()
        name = f"token {found.name}"
        return Identity(found.id, name, moderator=True, site=found.site, program=True, token_id=found.id)

    def _tell_of_member_token(self) -> None:
        """Once: all of them have one issuer, this server, and come with each request."""
        if not self._is_told:
            self._is_told = True
            log.warning("A site signs with the key of the server, which ends with the next version: docs/signing-in.md")

    async def _signed_in(self, token: str, site: str | None) -> Identity:
        """Raises unauthenticated."""
        now = utc_now()
        found = await self._store.read(sessions.signed_in, token_hash(token), now)
        if found is None or (site is not None and found.session.site not in (None, site)):
            raise unauthenticated()
        session = found.session
        if found.idle >= USED_AGAIN:
            life = session.expires_at - session.used_at
            with suppress(Problem):  # it is noted the next time
                await self._store.write(ProlongSession(session.id, session.author_id, now, life))
        return Identity(
            session.author_id,
            found.name,
            moderator=False,
            site=session.site,
            issued_at=session.at,
            member=True,
            session_id=session.id,
            roles=found.roles,
            also=found.also,
            badge=badge_of(found.badge, found.roles),
        )

    async def counted(self, write: Write, identity: Identity | None, address: str | None) -> Actor:
        """Who writes, once it is counted. Raises unauthenticated, rate_limited."""
        actor = actor_of(identity)
        if actor.moderator and write is Write.change:
            write, address = Write.moderation, None
        await self._limits.count(actor.id, address, write, also=actor.also)
        return actor

    async def moderating(self, identity: Identity | None) -> Actor:
        """Raises unauthenticated, forbidden, rate_limited."""
        actor = require_moderator(identity)
        await self._limits.count(actor.id, None, Write.moderation)
        return actor


def actor_of(identity: Identity | None) -> Actor:
    if identity is None:
        raise unauthenticated()
    return Actor(
        identity.author_id,
        identity.moderator,
        identity.site,
        identity.session_id,
        token_at(identity),
        identity.also,
    )


def token_at(identity: Identity | None) -> datetime | None:
    """When the token was made of a guest, who has no row that says whether it is good; None of anybody else.

    Who has none yet may have had one, which the same idempotency key made.
    """
    if identity is None:
        return UNMADE
    if identity.site is None or identity.program or identity.session_id is not None:
        return None
    return identity.issued_at or UNMADE


def guest_token(identity: Identity | None) -> GuestToken | None:
    """The token of a guest, as the store is asked for it; None of anybody else."""
    made_at = token_at(identity)
    return None if identity is None or made_at is None else GuestToken(identity.author_id, made_at)


def by(identity: Identity | None, command: Command[T], deed: Deed | None = None) -> Command[T]:
    """The command, of whoever asks: where the guest's token is good, the session goes on, or the role is held, when it
    is applied; and where the program's token still is, if it may do such a ``deed``.
    """
    if identity is not None and identity.token_id is not None:
        if deed is None:
            raise unauthenticated()
        return AsProgram(identity.token_id, deed, command, utc_now())
    token = guest_token(identity)
    return by_person(identity, command) if token is None else AsGuest(token, command)


def by_person(identity: Identity | None, command: Command[T]) -> Command[T]:
    """The same for a command that itself asks whether a guest's token is good."""
    if identity is None:
        return command
    if identity.session_id is not None:
        return InSession(identity.session_id, command, utc_now())
    if identity.moderator:
        return InRole(identity.author_id, identity.acting_at, DECIDING, command, utc_now())
    return command


def acting(identity: Identity | None) -> By | None:
    """Who decides, for the log of actions; None of a program, whose token's command puts it there, and of others."""
    if identity is None or identity.program or not identity.moderator:
        return None
    return By(identity.author_id, identity.name)


def require_moderator(identity: Identity | None) -> Actor:
    """Raises unauthenticated, forbidden."""
    actor = actor_of(identity)
    if not actor.moderator:
        raise Problem(ErrorCode.forbidden, "Only a moderator may do this.")
    return actor


def require_at(identity: Identity | None, site: str) -> Actor:
    """A moderator, or a program that may what one may at this site. Raises unauthenticated, forbidden."""
    actor = require_moderator(identity)
    if actor.site not in (None, site):
        raise elsewhere()
    return actor


def require_program(identity: Identity | None) -> tuple[str, str]:
    """The site of a program, and the id of its token. Raises unauthenticated, forbidden."""
    if identity is None:
        raise unauthenticated()
    if identity.token_id is None or identity.site is None:
        raise Problem(ErrorCode.forbidden, "Only a program of the site may do this, with a token that is for it.")
    return identity.site, identity.token_id


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
