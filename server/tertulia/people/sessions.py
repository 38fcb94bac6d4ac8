"""Signing in by any way there is, and what somebody who is signed in sees and changes of themselves.

POST /sessions ── way ──▶ Claim: whom an issuer vouches for ── one transaction ──▶ author, session ──▶ ts_…
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from tertulia import protocol
from tertulia.core.badges import MODERATOR, badge_of
from tertulia.core.names import unadorned
from tertulia.core.ordering import decode_page_cursor
from tertulia.core.text import clean_name, is_site
from tertulia.discussions.actors import guest_token, require_program
from tertulia.discussions.badges import Badges
from tertulia.discussions.names import Names
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import AHEAD_SECONDS, Identity, Tokens, new_session_token, unauthenticated, utc_now
from tertulia.identity.assertions import check_subject
from tertulia.limits import PostingLimits, Write
from tertulia.protocol import timestamp
from tertulia.store import Store, queries, sessions
from tertulia.store.commands import (
    AsGuest,
    EndAccountsSessions,
    EndSessions,
    InSession,
    Known,
    Mailbox,
    Merging,
    RenameAuthor,
    SignIn,
    Spent,
    VoidTokens,
    Who,
    known_as,
    touched,
)
from tertulia.store.guests import admit
from tertulia.store.issuers import called

SESSION_DAYS = 90
"""A session ends so long after it was last used."""
TOKENS_AHEAD = 2 * timedelta(seconds=AHEAD_SECONDS)
"""How far ahead of the database's clock a guest's token may have been made, by one instance for another's clock."""
SITE_SESSION_HOURS = 24
"""One that a site's token opened ends so long after it was opened: the page gets another without a word."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whom a way in vouches for: ``subject`` is the issuer's own name for the person, ``name`` is what others see.

    ``via`` says in a word how, for the person's own list of sessions; ``once`` is what is good one time only. Without
    a ``trust``, a ``name`` or a ``badge`` the person keeps the one they have; a ``badge`` of '' takes it away. By a
    ``mailbox`` that is theirs they are the same person as in other ways in that vouch for it. ``has_chosen``
    where the name is the person's own word alone. ``on_opened`` is called once a session is open.
    """

    issuer: str
    subject: str
    name: str | None
    via: str
    life: timedelta = timedelta(days=SESSION_DAYS)
    once: Spent | None = None
    trust: int | None = None
    mailbox: Mailbox | None = None
    badge: str | None = None
    has_chosen: bool = False
    on_opened: Callable[[], None] | None = None


SignInMethod = Callable[[protocol.NewSession, str | None], Awaitable[Claim]]
"""One way in, with the origin of the page that asks. Raises unauthenticated, or what else it refuses with."""
SignInMethods = Mapping[str, SignInMethod]
"""By the word that a request names it with: its ``grant``."""


class People:
    """``key`` is at least 32 bytes: subjects are stored under a keyed hash."""

    def __init__(
        self,
        store: Store,
        key: bytes,
        limits: PostingLimits,
        methods: SignInMethods,
        tokens: Tokens,
        site_name: str = "",
    ) -> None:
        self._store = store
        self._key = key
        self._tokens = tokens
        self._limits = limits
        self._methods = methods
        self._names = Names(store.bound(queries.staff_names), Badges(store.bound(queries.site_badges)), site_name)

    async def sign_in(
        self, new: protocol.NewSession, address: str | None, origin: str | None = None
    ) -> protocol.SessionOpened:
        """Opens a session for whoever the way vouches for; ``origin`` is that of the page that asks.

        The guest that they were so far is theirs. A guest's token that is not good, or of one who is somebody else's
        already, is nothing: who has lost it all may still sign in, and ``also`` in the answer tells.

        Raises invalid where there is no such way, unauthenticated, spent, bad_code, name_needed, name_taken,
        rate_limited, unknown_site.
        """
        method = self._methods.get(new.grant)
        if method is None:
            offered = ", ".join(sorted(self._methods)) or "none"
            raise Problem(
                ErrorCode.invalid, f"This server has no such way to sign in; it has: {offered}.", field="grant"
            )
        await self._limits.count(None, address, Write.newcomer)
        claim, now = await method(new, origin), utc_now()
        subject = keyed_subject(self._key, new.site, claim.issuer, claim.subject)
        who = Who(new.site, claim.issuer, subject, "", claim.trust, claim.mailbox, claim.badge)
        asked = claim.name is None or new.guest is not None
        known = await self._store.read(known_as, who) if asked else None
        who = replace(who, name=await self._name(claim, who, known), has_chosen=claim.has_chosen)
        token, hashed = new_session_token()
        merging = await self._merging(new, known)
        found = await self._store.write(SignIn(who, hashed, claim.via, claim.life, now, claim.once, merging))
        if claim.on_opened is not None:
            claim.on_opened()
        return protocol.SessionOpened(token=token, viewer=_person(found))

    async def sign_out(self, identity: Identity | None) -> None:
        """Ends the session that asks. Raises unauthenticated, wrong_session."""
        session_id = _session_of(identity)
        assert identity is not None  # noqa: S101 - it has a session
        await self._store.write(EndSessions(identity.author_id, utc_now(), session_id))

    async def _name(self, claim: Claim, who: Who, known: Known | None) -> str:
        """The name that the person will have: who has a role keeps theirs, which nobody else may use.

        Raises name_needed, name_taken, empty, too_long.
        """
        given = claim.name if claim.name is not None or known is None else known.name
        if given is None:
            raise Problem(ErrorCode.name_needed, "Please say which name others should see: name.", field="name")
        name = unadorned(clean_name(given))
        try:
            await self._names.check(name, who.site)
        except Problem:
            known = known or await self._store.read(known_as, who)
            if known is None or not known.has_role:
                raise
            return known.name
        return name

    async def _merging(self, new: protocol.NewSession, known: Known | None) -> Merging | None:
        if new.guest is None:
            return None
        try:
            named = self._tokens.read(new.guest, new.site)
        except Problem:
            return None
        guest = guest_token(named)
        if guest is None or named.member:
            return None
        author_id = None if known is None else known.author_id
        return Merging(guest, await self._store.read(touched, guest.author_id, author_id))

    async def me(self, identity: Identity | None) -> protocol.Person:
        """Raises unauthenticated."""
        if identity is None:
            raise unauthenticated()
        await self._store.read(admit, guest_token(identity))
        return _known(identity)

    async def rename(self, change: protocol.PersonChange, identity: Identity | None) -> protocol.Person:
        """Raises unauthenticated, wrong_session, empty, too_long, malformed, name_taken."""
        session_id = _session_of(identity)
        assert identity is not None  # noqa: S101 - it has a session
        name = unadorned(clean_name(change.name, "name"))
        await self._names.check(name, identity.site or "")
        await self._limits.count(identity.author_id, None, Write.change, also=identity.also)
        await self._store.write(InSession(session_id, RenameAuthor(identity.author_id, identity.site, name), utc_now()))
        return _known(identity).model_copy(update={"name": name})

    async def sessions(self, identity: Identity | None) -> protocol.Sessions:
        """One's own that are open, the newest first. Raises unauthenticated, wrong_session."""
        session_id = _session_of(identity)
        assert identity is not None  # noqa: S101 - it has a session
        found = await self._store.read(sessions.sessions_of, identity.author_id, utc_now())
        return protocol.Sessions(sessions=[_view(one, session_id) for one in found])

    async def written(self, identity: Identity, cursor: str | None, limit: int) -> queries.WrittenPage:
        """What somebody wrote, that of the guests that they were too, the newest first. Raises bad_cursor."""
        before = decode_page_cursor(cursor, queries.WRITTEN, 1)
        return await self._store.read(queries.written, (identity.author_id, *identity.also), before, limit)

    async def issuers(self, identity: Identity) -> list[str]:
        """Who vouched for somebody so far, by the issuers' own names."""
        return await self._store.read(sessions.issuers_of, identity.author_id)

    async def end_one(self, identity: Identity | None, session_id: str) -> None:
        """Ends one of one's own; one that is over or somebody else's stays as it is.

        Raises unauthenticated, wrong_session.
        """
        asking = _session_of(identity)
        assert identity is not None  # noqa: S101 - it has a session
        now = utc_now()
        await self._store.write(InSession(asking, EndSessions(identity.author_id, now, session_id), now))

    async def end_all(self, identity: Identity | None) -> protocol.SessionsEnded:
        """Ends all of one's own, this one too; a guest, who has none, has no token from then on.

        Raises unauthenticated; wrong_session for whoever decides.
        """
        guest = guest_token(identity)
        if identity is not None and identity.is_guest and guest is not None:
            await self._limits.count(guest.author_id, None, Write.change)
            await self._store.write(AsGuest(guest, VoidTokens(guest.author_id, utc_now(), TOKENS_AHEAD)))
            return protocol.SessionsEnded(ended=0)
        session_id = _session_of(identity)
        assert identity is not None  # noqa: S101 - it has a session
        now = utc_now()
        ended = await self._store.write(InSession(session_id, EndSessions(identity.author_id, now), now))
        return protocol.SessionsEnded(ended=len(ended))

    async def end_account(self, issuer: str, subject: str, program: Identity | None) -> None:
        """Signs out everywhere whom an issuer of the program's site calls ``subject``, if it ever named somebody so.

        Raises unauthenticated, forbidden, rate_limited, empty, too_long, malformed; not_found where there is no such
        issuer.
        """
        site, token_id = require_program(program)
        check_subject(subject)
        await self._limits.count(token_id, None, Write.moderation)
        own_name = await self._store.read(called, site, issuer) if is_site(issuer) else None
        if own_name is None:
            raise Problem(ErrorCode.not_found, "The site has no issuer of this name.", field="issuer")
        keyed = keyed_subject(self._key, site, own_name, subject)
        await self._store.write(EndAccountsSessions(token_id, site, own_name, keyed, utc_now()))


def keyed_subject(key: bytes, site: str, issuer: str, subject: str) -> str:
    """What is stored of an issuer's own name for a person at a site; ``key`` is at least 32 bytes."""
    return hmac.digest(key, f"{site}\0{issuer}\0{subject}".encode(), "sha256").hex()


def _session_of(identity: Identity | None) -> str:
    """Raises unauthenticated, wrong_session."""
    if identity is None:
        raise unauthenticated()
    if identity.session_id is None:
        raise Problem(ErrorCode.wrong_session, "You must be signed in; send a session token.")
    return identity.session_id


def _known(identity: Identity) -> protocol.Person:
    return protocol.Person(
        id=identity.author_id,
        also=list(identity.also),
        name=identity.name,
        kind=identity.kind,
        roles=list(identity.roles),
        badge=MODERATOR if identity.moderator else identity.badge,
    )


def _person(found: sessions.SignedIn) -> protocol.Person:
    author_id, roles = found.session.author_id, list(found.roles)
    also = list(found.also)
    return protocol.Person(
        id=author_id, also=also, name=found.name, kind="member", roles=roles, badge=badge_of(found.badge, found.roles)
    )


def _view(one: sessions.Session, current: str) -> protocol.SessionView:
    times = {name: timestamp(getattr(one, name)) for name in ("at", "used_at", "expires_at")}
    return protocol.SessionView(id=one.id, via=one.via, label=one.label, current=one.id == current, **times)
