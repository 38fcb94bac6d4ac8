"""IP addresses: one form each, the networks that they are in, and what is counted or written down of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address


class Networks:
    """Networks in CIDR notation; one address alone is one, too. Raises ValueError for anything else."""

    def __init__(self, written: Iterable[str] = ()) -> None:
        self._networks = tuple(ip_network(network, strict=False) for network in written)

    def __contains__(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


@lru_cache(maxsize=1_024)
def parse(text: str | None) -> Address | None:
    """The address, None for any other text. An IPv4 address that IPv6 maps is that IPv4 address."""
    try:
        parsed = ip_address(text or "")
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def client_network(text: str | None) -> str | None:
    """What counts as one client: an IPv4 address, or the /64 that one IPv6 customer has; None for no address."""
    address = parse(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False))
    return None if address is None else str(address)


def anonymised(text: str | None) -> str | None:
    """Enough of an address to see a flood in the log, too little to name a person: the /24 or the /48."""
    address = parse(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 48), strict=False))
    return None if address is None else str(IPv4Network((int(address), 24), strict=False))


def both_networks(text: str | None) -> tuple[str, str] | None:
    """What counts as one client, and the network around it, each under a name of its own; None for no address.

    The names are for nobody to read: each post makes them, and to write networks costs ten times as much.
    """
    address = parse(text)
    if address is None:
        return None
    if isinstance(address, IPv6Address):
        return f"6:{int(address) >> 64:x}", f"6:{int(address) >> 80:x}/48"
    return f"4:{int(address):x}", f"4:{int(address) >> 8:x}/24"
