"""Which hosts, ports and addresses may be asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

from tertulia.core.addresses import Address, Networks

PORTS = frozenset({443, 8443})
"""Of public hosts: elsewhere a server may be that takes what we send for its own protocol."""
LONGEST = 2_048
_DEFAULT_PORTS = {"https": 443, "http": 80}

# the special-purpose registries of IANA, all that is not "globally reachable" there, and multicast
_PRIVATE = Networks(
    (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
# what may be asked of IPv6: the only part that is given to anybody, less what is special in it
_GLOBAL = Networks(("2000::/3",))
_SPECIAL = Networks(("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_NAT64 = Networks(("64:ff9b::/96",))


class DestinationError(ValueError):
    """An address that is not asked, with the reason."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes, from one reading of its address: a second reader might find another host in it.

    ``may_be_private`` where the operator listed it.
    """

    scheme: str
    host: str
    port: int
    target: str
    may_be_private: bool


class Destinations:
    """``private_hosts``: what the operator lists as ``host`` or ``host:port``: these may be private, plain and odd.

    Raises ValueError for an entry that is neither.
    """

    def __init__(self, private_hosts: Iterable[str] = ()) -> None:
        self._private = {_listed(entry) for entry in private_hosts}

    def checked(self, url: str) -> Destination:
        """Where this address leads. Raises DestinationError."""
        parts, port = _parsed(url)
        host = (parts.hostname or "").rstrip(".").lower()
        if not host or parts.scheme not in _DEFAULT_PORTS:
            raise DestinationError("It is not an https address.")
        if parts.username is not None or parts.password is not None:
            raise DestinationError("It holds a name or a password.")
        is_listed = bool({(host, None), (host, port)} & self._private)
        if not is_listed and parts.scheme != "https":
            raise DestinationError("It is not an https address.")
        if not is_listed and port not in PORTS:
            raise DestinationError(f"Port {port} is not one of {sorted(PORTS)}.")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Destination(parts.scheme, host, port, target, is_listed)


def is_public(address: Address) -> bool:
    """Whether it is an address of the internet that anybody may reach. Of addresses that hold an IPv4 address, that."""
    if isinstance(address, IPv4Address):
        return address not in _PRIVATE
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return address in _GLOBAL and address not in _SPECIAL


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that this one leads to: mapped (RFC 4291) or through NAT64 (RFC 6052).

    6to4 and Teredo are refused as a whole: nobody needs them any more.
    """
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def _parsed(url: str) -> tuple[SplitResult, int]:
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise DestinationError("It is too long, or has characters that no address has.")
    try:
        parts = urlsplit(url)
        return parts, parts.port if parts.port is not None else _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise DestinationError("It cannot be read.") from error


def _listed(entry: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{entry}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{entry!r} is neither a host nor host:port") from error
    if not host or parts.path or parts.query or parts.username is not None:
        raise ValueError(f"{entry!r} is neither a host nor host:port")
    return host, port
