"""Signing in by any way there is, and what somebody who is signed in sees and changes of themselves.

POST /sessions ── way ──▶ Claim: whom an issuer vouches for ── one transaction ──▶ author, session ──▶ ts_…
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from tertulia import protocol
from tertulia.core.names import unadorned
from tertulia.core.text import clean_name
from tertulia.discussions.names import Names
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import Identity, new_session_token, token_hash, unauthenticated, utc_now
from tertulia.limits import PostingLimits, Write
from tertulia.protocol import timestamp
from tertulia.store import Store, queries, sessions
from tertulia.store.commands import EndSessions, InSession, RenameAuthor, SignIn, Spent, Who

SESSION_DAYS = 90
"""A session ends so long after it was last used."""
SITE_SESSION_HOURS = 24
"""One that a site's token opened ends so long after it was opened: the page gets another without a word."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whom a way in vouches for: ``subject`` is the issuer's own name for the person, ``name`` is what others see.

    ``via`` says in a word how, for the person's own list of sessions; ``once`` is what is good one time only. Without
    a ``trust`` the person keeps the one they have.
    """

    issuer: str
    subject: str
    name: str
    via: str
    life: timedelta = timedelta(days=SESSION_DAYS)
    once: Spent | None = None
    trust: int | None = None


SignInMethod = Callable[[protocol.NewSession], Awaitable[Claim]]
"""One way in. Raises unauthenticated, or what else it refuses with."""
SignInMethods = Mapping[str, SignInMethod]
"""By the word that a request names it with: its ``grant``."""


class People:
    """``key`` is at least 32 bytes: subjects are stored under a keyed hash."""

    def __init__(self, store: Store, key: bytes, limits: PostingLimits, methods: SignInMethods) -> None:
        self._store = store
        self._key = key
        self._limits = limits
        self._methods = methods
        self._names = Names(store.reader(queries.moderators))

    async def sign_in(self, new: protocol.NewSession, address: str | None) -> protocol.SessionOpened:
        """Opens a session for whoever the way vouches for.

        Raises invalid where there is no such way, unauthenticated, spent, name_taken, rate_limited, unknown_site.
        """
        method = self._methods.get(new.grant)
        if method is None:
            offered = ", ".join(sorted(self._methods)) or "none"
            raise Problem(
                ErrorCode.invalid, f"This server has no such way to sign in; it has: {offered}.", field="grant"
            )
        await self._limits.count(None, address, Write.newcomer)
        claim, now = await method(new), utc_now()
        name = unadorned(clean_name(claim.name))
        await self._names.check(name)
        token, hashed = new_session_token()
        who = Who(new.site, claim.issuer, self._subject(new.site, claim), name, claim.trust)
        await self._store.write(SignIn(who, hashed, claim.via, claim.life, now, claim.once))
        found = await self._store.read(sessions.signed_in, token_hash(token), now)
        if found is None:
            raise unauthenticated()  # ended before it was told of
        return protocol.SessionOpened(token=token, viewer=_person(found))

    async def sign_out(self, identity: Identity | None) -> None:
        """Ends the session that asks. Raises unauthenticated, wrong_session."""
        session_id = _session_of(identity)
        assert identity is not None  # noqa: S101 - it has a session
        await self._store.write(EndSessions(identity.author_id, utc_now(), session_id))

    def me(self, identity: Identity | None) -> protocol.Person:
        """Raises unauthenticated."""
        if identity is None:
            raise unauthenticated()
        return _known(identity)

    async def rename(self, change: protocol.PersonChange, identity: Identity | None) -> protocol.Person:
        """Raises unauthenticated, wrong_session, empty, too_long, malformed, name_taken."""
        session_id = _session_of(identity)
        assert identity is not None  # noqa: S101 - it has a session
        name = unadorned(clean_name(change.name, "name"))
        await self._names.check(name)
        await self._limits.count(identity.author_id, None, Write.change)
        await self._store.write(InSession(session_id, RenameAuthor(identity.author_id, name), utc_now()))
        return _known(identity).model_copy(update={"name": name})

    async def sessions(self, identity: Identity | None) -> protocol.Sessions:
        """One's own that are open, the newest first. Raises unauthenticated, wrong_session."""
        session_id = _session_of(identity)
        assert identity is not None  # noqa: S101 - it has a session
        found = await self._store.read(sessions.sessions_of, identity.author_id, utc_now())
        return protocol.Sessions(sessions=[_view(one, session_id) for one in found])

    async def end_all(self, identity: Identity | None) -> protocol.SessionsEnded:
        """Ends all of one's own, this one too. Raises unauthenticated, wrong_session."""
        session_id = _session_of(identity)
        assert identity is not None  # noqa: S101 - it has a session
        now = utc_now()
        ended = await self._store.write(InSession(session_id, EndSessions(identity.author_id, now), now))
        return protocol.SessionsEnded(ended=len(ended))

    def _subject(self, site: str, claim: Claim) -> str:
        return hmac.digest(self._key, f"{site}\0{claim.issuer}\0{claim.subject}".encode(), "sha256").hex()


def _session_of(identity: Identity | None) -> str:
    """Raises unauthenticated, wrong_session."""
    if identity is None:
        raise unauthenticated()
    if identity.session_id is None:
        raise Problem(ErrorCode.wrong_session, "This is for who is signed in; send the token of a session.")
    return identity.session_id


def _known(identity: Identity) -> protocol.Person:
    return protocol.Person(
        id=identity.author_id,
        also=[],
        name=identity.name,
        kind=identity.kind,
        roles=list(identity.roles),
        badge="moderator" if identity.moderator else None,
    )


def _person(found: sessions.SignedIn) -> protocol.Person:
    author_id, roles = found.session.author_id, list(found.roles)
    return protocol.Person(id=author_id, also=[], name=found.name, kind="member", roles=roles, badge=None)


def _view(one: sessions.Session, current: str) -> protocol.SessionView:
    times = {name: timestamp(getattr(one, name)) for name in ("at", "used_at", "expires_at")}
    return protocol.SessionView(id=one.id, via=one.via, label=one.label, current=one.id == current, **times)
