"""Which address a request comes from, behind proxies that are trusted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from starlette.requests import HTTPConnection

from tertulia.core.addresses import Address, Networks, parse
from tertulia.logs import Sparing
from tertulia.web import forwarding

UNREADABLE_SECONDS = 600
"""How long after the last address that could not be read readiness tells of it."""
_FORWARDING = {"forwarded", "via", "x-real-ip"}

log = logging.getLogger(__name__)


class Knowledge(Enum):
    """How the address of a request is known; the value is a sentence for the operator."""

    peer = "It came here by itself: no trusted proxy is between."
    told = "A trusted proxy said whom it is from."
    silent = "It came through a trusted proxy that did not say whom it is from."
    unreadable = "A trusted proxy wrote whom it is from in a way that cannot be read."
    contradictory = "X-Forwarded-For and Forwarded name two different readers."


@dataclass(frozen=True, slots=True)
class Client:
    """Whom a request comes from. Where no trusted proxy said so, the address is that of the last of them."""

    address: Address | None
    known: Knowledge
    unread: str = ""
    """The form of what could not be read."""


class ClientAddress:
    """Reads addresses off requests; each is worked out once and kept in the request's state."""

    def __init__(self, trusted_proxies: Iterable[str] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._trusted = Networks(trusted_proxies)
        self._clock = clock
        self._sparing = Sparing(log, clock)
        self._unreadable_at: float | None = None

    def of(self, request: HTTPConnection) -> str | None:
        """The client's address: the peer's, or behind trusted proxies the last one that none of them added.

        None where the peer has none, as on a Unix socket. Readers of whom a trusted proxy does not say who they are
        have the proxy's address, all of them together.
        """
        return _text(self.client(request).address)

    def single(self, request: HTTPConnection) -> str | None:
        """Like ``of``; None where it would be that of many, behind a proxy that does not say who they are."""
        client = self.client(request)
        return None if client.known in (Knowledge.silent, Knowledge.unreadable) else _text(client.address)

    def verified(self, request: HTTPConnection) -> str | None:
        """Like ``of``; None if an untrusted peer forwarded the request, or a trusted one did not say for whom."""
        if not any(name in _FORWARDING or name.startswith("x-forwarded-") for name in request.headers):
            return self.of(request)
        return self.of(request) if self.client(request).known is Knowledge.told else None

    def is_forwarded(self, request: HTTPConnection) -> bool:
        """Whether the peer is a trusted proxy, whose Forwarded and X-Forwarded headers are believed."""
        peer = _peer(request)
        return peer is not None and peer in self._trusted

    def client(self, request: HTTPConnection) -> Client:
        """Whom the request comes from, and how that is known."""
        state = request.scope.setdefault("state", {})
        if "client" not in state:
            state["client"] = self._find(request)
            self._note(state["client"])
        client: Client = state["client"]
        return client

    @property
    def warning(self) -> str | None:
        """What an operator should look at: a sentence, None while all addresses can be read."""
        seen = self._unreadable_at
        if seen is None or self._clock() - seen > UNREADABLE_SECONDS:
            return None
        return "a trusted proxy writes addresses that cannot be read, so its readers share one limit; see its log"

    def _find(self, request: HTTPConnection) -> Client:
        peer = _peer(request)
        if peer is None or peer not in self._trusted:
            return Client(peer, Knowledge.peer)
        hops = list(forwarding.addresses_of(request.headers))
        elements = [element.get("for") for element in forwarding.forwarded(request.headers)]
        return _agreed(peer, self._walk(peer, hops), self._walk(peer, elements))

    def _walk(self, nearest: Address, hops: Iterable[str | None]) -> Client:
        """What one header says, followed from the nearest proxy to the first that is not trusted."""
        for hop in hops:
            if hop is None:
                break  # a proxy that tells of other things
            found = forwarding.node(hop)
            if found is None:
                return Client(nearest, Knowledge.unreadable, forwarding.shape(hop))
            if found not in self._trusted:
                return Client(found, Knowledge.told)
            nearest = found
        return Client(nearest, Knowledge.silent)

    def _note(self, client: Client) -> None:
        if client.known is Knowledge.unreadable:
            self._unreadable_at = self._clock()
            message = "A trusted proxy writes addresses that cannot be read: its readers share one limit"
            self._sparing.warning(
                message,
                client.known,
                form=client.unread,
                advice="have it write the reader's address, as docs/operating.md says",
            )
        elif client.known is Knowledge.contradictory:
            message = "Requests name two readers, in X-Forwarded-For and in Forwarded: they share the proxy's limit"
            self._sparing.warning(message, client.known, advice="let the proxy remove the header that it does not set")


def _agreed(peer: Address, one: Client, other: Client) -> Client:
    """What X-Forwarded-For and Forwarded say together.

    A proxy sets one of them and may let a stranger's other pass, and nobody can tell which: where they contradict each
    other neither is believed, so that nobody gets a limit of their own by a header that they wrote themselves.
    """
    if other.known is Knowledge.silent:
        return one
    if one.known is Knowledge.silent:
        return other
    if one.known is other.known is Knowledge.told and one.address == other.address:
        return one
    if one.known is other.known is Knowledge.unreadable:
        return one
    return Client(peer, Knowledge.contradictory)


def _text(address: Address | None) -> str | None:
    return None if address is None else str(address)


def _peer(request: HTTPConnection) -> Address | None:
    return parse(request.client.host) if request.client else None
