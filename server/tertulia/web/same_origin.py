"""Nothing is changed under a cookie but by pages of this server: asked before any route, so that none can forget it."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from tertulia.errors import CloseCode
from tertulia.web.origins import OriginPolicy

_READS = frozenset({"GET", "HEAD"})

IsGuarded = Callable[[HTTPConnection], bool]
"""Whether a request is one that only pages of this server may send."""
Refuse = Callable[[Request], Response]


class SameOrigin:
    """ASGI middleware: a guarded request that may change something comes from a page of this origin, or is refused.

    Browsers say so in Sec-Fetch-Site; those that do not say it name the page's origin. Without either it is refused:
    a page of another site, or of a sibling domain, might have sent it under the cookie. WebSockets, which are read
    by whoever opens them, need the origin.
    """

    def __init__(self, app: ASGIApp, origins: OriginPolicy, guarded: IsGuarded, refuse: Refuse) -> None:
        self._app = app
        self._origins = origins
        self._guarded = guarded
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._may_pass(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(CloseCode.origin_not_allowed)(scope, receive, send)
        else:
            await self._refuse(Request(scope))(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        if scope["type"] not in ("http", "websocket") or scope.get("method") in _READS:
            return True
        request = HTTPConnection(scope)
        return not self._guarded(request) or is_from_own_page(request, self._origins)


def is_from_own_page(request: HTTPConnection, origins: OriginPolicy) -> bool:
    """Whether a page of this server sends it, as far as its browser says so."""
    told = request.headers.getlist("sec-fetch-site") if request.scope["type"] == "http" else []
    return told == ["same-origin"] if told else origins.is_own(request)


def is_under(path: str, root: str) -> bool:
    """Whether a path is ``root``, or one of those below it."""
    return path == root or path.startswith(f"{root}/")
