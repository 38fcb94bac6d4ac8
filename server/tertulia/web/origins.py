"""Which pages may use a site: the server's own, and those of the site's origins."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from tertulia.discussions import Sites
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import ErrorCode, Problem, StartupError, no_such_site
from tertulia.logs import Sparing
from tertulia.web import forwarding
from tertulia.web.client_address import ClientAddress

REFUSALS_A_MINUTE = 10
"""Lines of the log about as many origins; strangers can make up any number."""
ORIGIN_CHARACTERS = 200
"""Of an origin that was refused; the name of a host has 253 at most, and few have 60."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Page:
    """The page that sends a request: ``origin`` is None if it has no normal form, such as ``null``.

    ``namesake`` is the server's own address where the page's differs from it by scheme or port alone.
    """

    given: str
    origin: str | None
    is_own: bool
    namesake: str | None = None


class OriginPolicy:
    """Knows the server's own address and the sites' origins. What it reads off a request is kept in its state."""

    def __init__(self, sites: Sites, addresses: ClientAddress, public_url: str | None = None) -> None:
        self._sites = sites
        self._addresses = addresses
        self._public_url = public_url.rstrip("/") if public_url else None
        self._sparing = Sparing(log, most=REFUSALS_A_MINUTE)

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
        scheme, host = forwarding.SCHEMES.get(request.url.scheme, request.url.scheme), self._host(request)
        if self._addresses.is_forwarded(request):
            scheme = forwarding.scheme(request.headers) or scheme
            host = forwarding.host(request.headers) or forwarding.with_port(request.headers, host)
        return f"{scheme}://{host}"

    async def pages_of(self, request: HTTPConnection, site: str) -> frozenset[str]:
        """The origins whose pages belong to a site, the server's own among them."""
        own = normal_origin(self.base_url(request))
        return (await self._known(request)).get(site, frozenset()).union(() if own is None else (own,))

    async def admit(self, request: HTTPConnection, site: str) -> None:
        """Raises unknown_site, and origin_not_allowed when the request comes from a page that may not use the site."""
        known = await self._known(request)
        if site not in known:
            raise no_such_site()
        page = self._page(request)
        if page is not None and not _may_use(page, known[site]):
            raise self._refusal(page, "Pages of this origin may not use this site.", site)

    async def admit_any(self, request: HTTPConnection) -> None:
        """Like ``admit`` for a request that does not name its site: the origin must be one of any site."""
        if not self.is_foreign(request):
            return
        page, known = self._page(request), await self._known(request)
        if page is not None and not any(_may_use(page, allowed) for allowed in known.values()):
            raise self._refusal(page, "Pages of this origin may not use this server.")

    async def admits(self, request: HTTPConnection, site: str) -> bool:
        """Whether the page that asks may use the site. A site that does not exist has no pages but the server's own."""
        return _may_use(self._page(request), (await self._known(request)).get(site, frozenset()))

    def is_foreign(self, request: HTTPConnection) -> bool:
        """Whether a page of another origin asks, which may use some sites and others not."""
        page = self._page(request)
        return page is not None and not page.is_own

    def is_own(self, request: HTTPConnection) -> bool:
        """Whether a page of this server asks, as the origin that it names says."""
        page = self._page(request)
        return page is not None and page.is_own

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
        if origin is None:
            return _Page(", ".join(given), None, is_own=False)
        own = self._own(request)
        namesake = next((one for one in own if _name(one) == _name(origin)), None)
        return _Page(given[0], origin, origin in own, namesake)

    def _own(self, request: HTTPConnection) -> list[str]:
        """The origins at which pages of this server may have been asked for.

        Proxies are of two minds about the port, and some of them keep Host as well: one of these is the page's.
        """
        base_url = self.base_url(request)
        found = [normal_origin(base_url)]
        if self._public_url is None and self._addresses.is_forwarded(request):
            scheme, _, host = base_url.partition("://")
            told = forwarding.host(request.headers)
            hosts = [self._host(request), *([] if told is None else [host, _without_port(host)])]
            found += [normal_origin(f"{scheme}://{one}") for one in hosts]
        return [one for one in found if one is not None]

    def _host(self, request: HTTPConnection) -> str:
        return request.headers.get("host", "localhost")

    def _refusal(self, page: _Page, detail: str, site: str | None = None) -> Problem:
        """What the page is told, and the operator in the log: everybody's first mistake."""
        if page.namesake is not None:
            detail = (
                f"This page is at {page.origin}, and the server takes its own address for {page.namesake}: "
                "its operator sets TERTULIA_PUBLIC_URL (--public-url)."
            )
            advice = f"TERTULIA_PUBLIC_URL={page.origin} (--public-url), or X-Forwarded-Proto and Host by the proxy"
        else:
            advice = _advice(page, site)
        given = page.given[:ORIGIN_CHARACTERS]
        self._sparing.warning(
            "A page's origin is not allowed", given, origin=given, **({"site": site} if site else {}), advice=advice
        )
        return Problem(ErrorCode.origin_not_allowed, detail, field="Origin")


def _advice(page: _Page, site: str | None) -> str:
    """What to add to which setting, if the page is to be let in."""
    if page.given == "null":
        return "pages of files and of sandboxed frames have no origin that could be allowed: serve them over HTTP"
    if page.origin is None:
        return "this is no origin of a page that could be allowed"
    setting = f"add {page.origin} to TERTULIA_ALLOWED_ORIGINS (--allowed-origins)"
    command = f"tertulia site add {site or 'KEY'} with --origin for each of its origins"
    if site is None:
        return f"{setting}, or for another site: {command}"
    return setting if site == DEFAULT_SITE else f"add {page.origin}: {command}"


def _may_use(page: _Page | None, allowed: frozenset[str]) -> bool:
    return page is None or page.is_own or page.origin in allowed


def _name(origin: str) -> str:
    """The host of an origin in its normal form."""
    return _without_port(origin.partition("://")[2])


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and not (name.startswith("[") and not name.endswith("]")) else host


def normal_origin(text: str) -> str | None:
    """``scheme://host[:port]`` in lower case without a default port; None for anything else, ``null`` included."""
    found = _ORIGIN.fullmatch(text.lower() if text.isascii() else "")
    if found is None:
        return None
    scheme, host, port = found[1], found[2], int(found[3] or _DEFAULT_PORTS[found[1]])
    if port > 65535:
        return None
    return f"{scheme}://{host}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}"


def checked_origins(given: tuple[str, ...]) -> tuple[str, ...]:
    """Origins in their normal form. Raises StartupError for anything else, ``*`` among it."""
    found = []
    for origin in given:
        normal = normal_origin(origin)
        if normal is None:
            raise StartupError(f"{origin!r} is not an origin; write it as https://news.example")
        found.append(normal)
    return tuple(found)
