"""What a client receives about who is signed in, and how."""

from __future__ import annotations

from typing import Literal

from tertulia.protocol.models import Outbound


class Person(Outbound):
    """Whom a token names: ``also`` are other ids that are the same person's, ``roles`` those held at the site."""

    id: str
    also: list[str]
    name: str
    kind: Literal["guest", "member", "staff"]
    roles: list[str]
    badge: str | None


class CodeSent(Outbound):
    """A code is on its way; ``challenge`` goes with it to ``POST /sessions``, in ``expires_in`` seconds at most."""

    challenge: str
    expires_in: int


class SessionOpened(Outbound):
    """The answer to a sign-in; the token is told once."""

    token: str
    viewer: Person


class ProviderView(Outbound):
    """A provider at which readers of a site sign in: at `/signin/NAME` of this server."""

    name: str
    label: str
    icon: str


class SignInOptions(Outbound):
    """Which ways to sign in a site has: by ``grant`` of ``POST /sessions``; ``providers`` are those of ``code``."""

    grants: list[str]
    providers: list[ProviderView]


class SessionView(Outbound):
    """``via`` is the way in; ``used_at`` is noted once a day; ``current`` is the one that asks."""

    id: str
    via: str
    label: str
    at: str
    used_at: str
    expires_at: str
    current: bool


class Sessions(Outbound):
    sessions: list[SessionView]


class SessionsEnded(Outbound):
    """How many sessions are over now."""

    ended: int
