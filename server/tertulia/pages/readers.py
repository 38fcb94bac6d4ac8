"""Who reads the server's own pages: a session in a cookie, which pages of other origins have no part in.

What is written under it comes from pages of this server (web/same_origin.py). The API knows no cookie.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import quote, urlencode

from starlette.requests import HTTPConnection, Request

from tertulia.errors import ErrorCode, Problem
from tertulia.identity import SESSION_PREFIX, Identity
from tertulia.people import ProviderSignIns
from tertulia.web.provider_address import provider_address
from tertulia.web.same_origin import is_under
from tertulia.web.session_cookie import SessionCookie

COOKIE = "tertulia-reader"
COOKIE_LIFE = timedelta(days=400)
"""As long as browsers keep one (RFC 6265bis): the session itself ends long before, where it is not used."""
ME, SIGN_IN, SIGN_OUT = "/me", "/sign-in", "/sign-out"
LONGEST_RETURN = 4096
"""Of the address of a page to go back to; that of a discussion whose key is a long address has 2,000 characters."""
AS_READER = "reader"
"""For what somebody signs in at a provider on these pages."""

Identify = Callable[[str | None, str | None], Awaitable[Identity | None]]


class OfferedProvider(NamedTuple):
    """A provider as a page offers it."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Offer:
    """How readers of a site sign in on the way to a page of this server: there is at least one way."""

    site: str
    return_to: str
    providers: Sequence[OfferedProvider]
    by_email: bool

    @property
    def href(self) -> str:
        """The page that has all ways."""
        return sign_in_address(self.site, self.return_to)


class Readers:
    """``has_email`` says whether this server can send codes."""

    def __init__(
        self, identify: Identify, sign_ins: ProviderSignIns, cookie: SessionCookie, *, has_email: bool
    ) -> None:
        self._identify = identify
        self._sign_ins = sign_ins
        self._has_email = has_email
        self.cookie = cookie

    async def of(self, request: Request, site: str | None = None) -> Identity | None:
        """Who reads a page, None where nobody is signed in, or at another site; without a cookie nothing is asked."""
        token = self.cookie.token(request)
        if token is None or not token.startswith(SESSION_PREFIX):
            return None
        try:
            return await self._identify(f"Bearer {token}", site)
        except Problem as problem:
            if problem.code is ErrorCode.unauthenticated:
                return None
            raise

    async def offer(self, request: HTTPConnection, site: str, return_to: str, purpose: str = AS_READER) -> Offer | None:
        """None where nobody can sign in."""
        if not self.cookie.is_safe(request):
            return None
        found = await self._sign_ins.options(site)
        if not found and not self._has_email:
            return None
        providers = [OfferedProvider(one.label, provider_address(one.name, site, return_to, purpose)) for one in found]
        return Offer(site, return_to, providers, self._has_email)


def sign_in_address(site: str, return_to: str) -> str:
    return f"{SIGN_IN}?{urlencode({'site': site, 'return': return_to})}"


def comment_form_address(comment_id: str, what: str) -> str:
    """The page on which its author edits or deletes a comment, or somebody reports it."""
    return f"/c/{quote(comment_id, safe='')}/{what}"


def is_readers(request: HTTPConnection) -> bool:
    """Whether only pages of this server may send the request: it signs in or out, or has the cookie where it counts."""
    path = request.scope["path"]
    if any(is_under(path, root) for root in (ME, SIGN_IN, SIGN_OUT)):
        return True
    return not is_under(path, "/api") and COOKIE in request.headers.get("cookie", "")


def local_address(given: str) -> str:
    """The address of a page of this server, without a fragment; that of one's own page for anything else.

    Browsers take a second slash, and a backslash as well, for the beginning of a host, and leave out tabs and lines.
    """
    path = given.partition("#")[0]
    is_local = path.startswith("/") and not path.startswith("//") and "\\" not in path
    if not is_local or len(path) > LONGEST_RETURN or not path.isascii() or not path.isprintable() or " " in path:
        return ME
    return path
