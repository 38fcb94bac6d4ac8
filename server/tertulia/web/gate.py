"""The gate: which address a request comes from, and whether its origin may use a site."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection

from tertulia.discussions import Sites
from tertulia.errors import ErrorCode, Problem

MAX_HOPS = 16
"""Looked at, from the newest on: a chain of proxies has two or three, and what is before them a stranger wrote."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORWARDING = {"forwarded", "via", "x-real-ip"}
_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?")


class Gate:
    """Knows the server's own address, the proxies it trusts and the sites' origins."""

    def __init__(self, sites: Sites, public_url: str | None, trusted_proxies: Sequence[str]) -> None:
        self._sites = sites
        self._public_url = public_url.rstrip("/") if public_url else None
        self._trusted: list[IPv4Network | IPv6Network] = [ip_network(net, strict=False) for net in trusted_proxies]

    def address(self, request: HTTPConnection) -> str | None:
        """The client's address: the peer's, or behind trusted proxies the last one that none of them added."""
        peer = _canonical(request.client.host if request.client else "")
        if peer is None or not self._is_trusted(peer):
            return peer
        hops = ",".join(request.headers.getlist("x-forwarded-for")).rsplit(",", MAX_HOPS)[-MAX_HOPS:]
        for hop in reversed(hops):
            found = _canonical(hop.strip())
            if found is None:
                return peer
            if not self._is_trusted(found):
                return found
            peer = found
        return peer

    def verified_address(self, request: HTTPConnection) -> str | None:
        """Like ``address``, but None where the request was carried on by somebody untrusted or for nobody known."""
        found = self.address(request)
        if not any(name in _FORWARDING or name.startswith("x-forwarded-") for name in request.headers):
            return found
        peer = _canonical(request.client.host if request.client else "")
        is_told = peer is not None and self._is_trusted(peer) and found is not None and not self._is_trusted(found)
        return found if is_told else None

    @property
    def has_own_address(self) -> bool:
        """Whether ``base_url`` is of the operator's making. Else it is what the request says, whoever sent that: an
        answer that holds it is for that client alone, and in no cache that others are served from.
        """
        return self._public_url is not None

    def base_url(self, request: HTTPConnection) -> str:
        """Where readers reach this server, without a slash at the end."""
        if self._public_url is not None:
            return self._public_url
        scheme = {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)
        peer = _canonical(request.client.host if request.client else "")
        if peer is not None and self._is_trusted(peer):
            forwarded = request.headers.get("x-forwarded-proto", "").strip().lower()
            scheme = forwarded if forwarded in _DEFAULT_PORTS else scheme
        return f"{scheme}://{request.headers.get('host', 'localhost')}"

    async def admit(self, request: HTTPConnection, site: str) -> None:
        """Raises unknown_site, and origin_not_allowed when the request comes from a page that may not use the site."""
        allowed = await self._sites.origins(site)
        origin = request.headers.getlist("origin")
        if origin and not self._is_among(request, origin, allowed):
            raise Problem(ErrorCode.origin_not_allowed, "Pages of this origin may not use this site.", field="Origin")

    async def admit_any(self, request: HTTPConnection) -> None:
        """Like ``admit`` where the request does not name its site: the origin has to be one of any site."""
        origin = request.headers.getlist("origin")
        if origin and not self._is_among(request, origin, await self._sites.all_origins()):
            raise Problem(ErrorCode.origin_not_allowed, "Pages of this origin may not use this server.", field="Origin")

    def is_bound(self, request: HTTPConnection) -> bool:
        """Whether a page of another origin asks, which may use some sites and others not."""
        origin = request.headers.getlist("origin")
        return bool(origin) and not self._is_among(request, origin, frozenset())

    async def admits(self, request: HTTPConnection, site: str) -> bool:
        """Whether the page that asks may use the site."""
        return self._is_among(request, request.headers.getlist("origin"), await self._sites.known_origins(site))

    def _is_among(self, request: HTTPConnection, origins: list[str], allowed: frozenset[str]) -> bool:
        if len(origins) != 1:
            return False
        origin = normal_origin(origins[0])
        if origin is None:
            return False
        return origin in allowed or origin == normal_origin(self.base_url(request))

    def _is_trusted(self, address: str) -> bool:
        parsed = ip_address(address)
        return any(parsed in network for network in self._trusted)


def normal_origin(text: str) -> str | None:
    """``scheme://host[:port]`` in lower case without a default port; None for anything else, ``null`` included."""
    found = _ORIGIN.fullmatch(text.lower() if text.isascii() else "")
    if found is None:
        return None
    scheme, host, port = found[1], found[2], int(found[3] or _DEFAULT_PORTS[found[1]])
    if port > 65535:
        return None
    return f"{scheme}://{host}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}"


def _canonical(text: str) -> str | None:
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed)
