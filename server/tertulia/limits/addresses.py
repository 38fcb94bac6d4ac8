"""What counts as one address where clients are counted."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address


def network(address: str | None) -> str | None:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 customer has."""
    if address is None:
        return None
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64)) + "/64"
    return str(parsed)
