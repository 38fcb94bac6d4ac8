"""A cookie of a session: for this origin alone, read by no script, sent by no other page's form."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from tertulia.errors import ErrorCode, Problem
from tertulia.web.origins import OriginPolicy

PREFIX = "__Host-"
"""Browsers take a cookie of this prefix over https alone, for the whole of one host and no other (RFC 6265bis)."""
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",  # with none at all a form's Origin would be null
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
"""Of pages that are somebody's own: without scripts, in no frame, no cache and no index."""


class SessionCookie:
    """``name`` has the prefix, but over plain http, which is for a trial on one's own machine."""

    def __init__(self, origins: OriginPolicy, name: str, life: timedelta) -> None:
        self._origins = origins
        self._name = name
        self._life = life

    def token(self, request: HTTPConnection) -> str | None:
        """What the browser sent, under the name that it has here."""
        return request.cookies.get(self._name_at(request))

    def is_safe(self, request: HTTPConnection) -> bool:
        """Whether it goes over no network as plain text."""
        host = urlsplit(self._origins.base_url(request)).hostname or ""
        return self._is_secure(request) or _is_this_machine(host)

    def check(self, request: HTTPConnection) -> None:
        """Raises origin_not_allowed where the cookie would go over a network as plain text."""
        if not self.is_safe(request):
            raise Problem(
                ErrorCode.origin_not_allowed,
                "Signing in needs https: set TERTULIA_PUBLIC_URL (--public-url), or X-Forwarded-Proto by the proxy.",
            )

    def put(self, request: HTTPConnection, answer: Response, token: str) -> None:
        answer.set_cookie(
            self._name_at(request),
            token,
            max_age=int(self._life.total_seconds()),
            path="/",
            secure=self._is_secure(request),
            httponly=True,
            samesite="lax",  # strict would show nobody signed in to whoever comes by a link in a mail
        )

    def remove(self, request: HTTPConnection, answer: Response) -> None:
        secure = self._is_secure(request)
        answer.delete_cookie(self._name_at(request), path="/", secure=secure, httponly=True, samesite="lax")

    def _name_at(self, request: HTTPConnection) -> str:
        return PREFIX + self._name if self._is_secure(request) else self._name

    def _is_secure(self, request: HTTPConnection) -> bool:
        return self._origins.base_url(request).startswith("https://")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
