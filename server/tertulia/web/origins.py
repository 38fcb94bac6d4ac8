"""Which pages may use a site: the server's own, and those of the site's origins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from tertulia.discussions import Sites
from tertulia.errors import ErrorCode, Problem, no_such_site
from tertulia.web.client_address import ClientAddress

_DEFAULT_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?")


@dataclass(frozen=True, slots=True)
class _Page:
    """The page that sends a request: ``origin`` is None if it has no normal form, such as ``null``."""

    origin: str | None
    is_own: bool


class OriginPolicy:
    """Knows the server's own address and the sites' origins. What it reads off a request is kept in its state."""

    def __init__(self, sites: Sites, addresses: ClientAddress, public_url: str | None = None) -> None:
        self._sites = sites
        self._addresses = addresses
        self._public_url = public_url.rstrip("/") if public_url else None

    @property
    def has_public_url(self) -> bool:
        """Whether the operator set ``base_url``. Otherwise the request says it, and may lie: an answer that contains it
        must not be cached for other clients.
        """
        return self._public_url is not None

    def base_url(self, request: HTTPConnection) -> str:
        """Where readers reach this server, without a slash at the end."""
        if self._public_url is not None:
            return self._public_url
        scheme = {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)
        if self._addresses.is_forwarded(request):
            forwarded = request.headers.get("x-forwarded-proto", "").strip().lower()
            scheme = forwarded if forwarded in _DEFAULT_PORTS else scheme
        return f"{scheme}://{request.headers.get('host', 'localhost')}"

    async def pages_of(self, request: HTTPConnection, site: str) -> frozenset[str]:
        """The origins whose pages belong to a site, the server's own among them."""
        own = normal_origin(self.base_url(request))
        return (await self._known(request)).get(site, frozenset()).union(() if own is None else (own,))

    async def admit(self, request: HTTPConnection, site: str) -> None:
        """Raises unknown_site, and origin_not_allowed when the request comes from a page that may not use the site."""
        known = await self._known(request)
        if site not in known:
            raise no_such_site()
        if not _may_use(self._page(request), known[site]):
            raise Problem(ErrorCode.origin_not_allowed, "Pages of this origin may not use this site.", field="Origin")

    async def admit_any(self, request: HTTPConnection) -> None:
        """Like ``admit`` for a request that does not name its site: the origin must be one of any site."""
        if not self.is_foreign(request):
            return
        page, known = self._page(request), await self._known(request)
        if not any(_may_use(page, allowed) for allowed in known.values()):
            raise Problem(ErrorCode.origin_not_allowed, "Pages of this origin may not use this server.", field="Origin")

    async def admits(self, request: HTTPConnection, site: str) -> bool:
        """Whether the page that asks may use the site. A site that does not exist has no pages but the server's own."""
        return _may_use(self._page(request), (await self._known(request)).get(site, frozenset()))

    def is_foreign(self, request: HTTPConnection) -> bool:
        """Whether a page of another origin asks, which may use some sites and others not."""
        page = self._page(request)
        return page is not None and not page.is_own

    async def _known(self, request: HTTPConnection) -> Mapping[str, frozenset[str]]:
        """The sites as they were when this request came."""
        state = request.scope.setdefault("state", {})
        if "sites" not in state:
            state["sites"] = await self._sites.known()
        known: Mapping[str, frozenset[str]] = state["sites"]
        return known

    def _page(self, request: HTTPConnection) -> _Page | None:
        """None where no page asks, but a program or an address bar."""
        state = request.scope.setdefault("state", {})
        if "page" not in state:
            state["page"] = self._read_page(request)
        page: _Page | None = state["page"]
        return page

    def _read_page(self, request: HTTPConnection) -> _Page | None:
        given = request.headers.getlist("origin")
        if not given:
            return None
        origin = normal_origin(given[0]) if len(given) == 1 else None
        return _Page(origin, origin is not None and origin == normal_origin(self.base_url(request)))


def _may_use(page: _Page | None, allowed: frozenset[str]) -> bool:
    return page is None or page.is_own or page.origin in allowed


def normal_origin(text: str) -> str | None:
    """``scheme://host[:port]`` in lower case without a default port; None for anything else, ``null`` included."""
    found = _ORIGIN.fullmatch(text.lower() if text.isascii() else "")
    if found is None:
        return None
    scheme, host, port = found[1], found[2], int(found[3] or _DEFAULT_PORTS[found[1]])
    if port > 65535:
        return None
    return f"{scheme}://{host}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}"
