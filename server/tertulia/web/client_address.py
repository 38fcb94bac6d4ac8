"""Which address a request comes from, behind proxies that are trusted."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import HTTPConnection

from tertulia.core.addresses import Address, Networks, parse

MAX_HOPS = 16
"""Read from the newest on: a chain of proxies has two or three, and older entries may be forged."""
_FORWARDING = {"forwarded", "via", "x-real-ip"}


class ClientAddress:
    """Reads addresses off requests; each is worked out once and kept in the request's state."""

    def __init__(self, trusted_proxies: Iterable[str] = ()) -> None:
        self._trusted = Networks(trusted_proxies)

    def of(self, request: HTTPConnection) -> str | None:
        """The client's address: the peer's, or behind trusted proxies the last one that none of them added.

        None where the peer has none, as on a Unix socket.
        """
        state = request.scope.setdefault("state", {})
        if "client_address" not in state:
            found = self._find(request)
            state["client_address"] = None if found is None else str(found)
        address: str | None = state["client_address"]
        return address

    def verified(self, request: HTTPConnection) -> str | None:
        """Like ``of``; None if an untrusted peer forwarded the request, or a trusted one did not say for whom."""
        if not any(name in _FORWARDING or name.startswith("x-forwarded-") for name in request.headers):
            return self.of(request)
        found = parse(self.of(request))
        is_told = self.is_forwarded(request) and found is not None and found not in self._trusted
        return self.of(request) if is_told else None

    def is_forwarded(self, request: HTTPConnection) -> bool:
        """Whether the peer is a trusted proxy, whose X-Forwarded headers are believed."""
        peer = _peer(request)
        return peer is not None and peer in self._trusted

    def _find(self, request: HTTPConnection) -> Address | None:
        peer = _peer(request)
        if peer is None or peer not in self._trusted:
            return peer
        hops = ",".join(request.headers.getlist("x-forwarded-for")).rsplit(",", MAX_HOPS)[-MAX_HOPS:]
        for hop in reversed(hops):
            found = parse(hop.strip())
            if found is None:
                return peer
            if found not in self._trusted:
                return found
            peer = found
        return peer


def _peer(request: HTTPConnection) -> Address | None:
    return parse(request.client.host) if request.client else None
