"""Admission: how many connections there may be, in all and from one address."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from tertulia.limits import network

_Networks = Sequence[IPv4Network | IPv6Network]


class Admission:
    """Counts connections. Addresses of trusted proxies are not counted singly: all readers come from there.

    While ``ending`` every answer ends its connection.
    """

    def __init__(self, total: int, per_address: int, trusted: _Networks) -> None:
        self.ending = False
        self.count = 0
        self.refused_in_all = 0
        self.refused_of_address = 0
        self._total = total
        self._per_address = per_address
        self._trusted = trusted
        self._by_address: dict[str, int] = {}

    def enter(self, host: str | None) -> str | None:
        """Counts a connection; gives what ``leave`` takes, None when there is no room for it."""
        place = self._place(host)
        here = self._by_address.get(place, 0)
        if self.count >= self._total:
            self.refused_in_all += 1
            return None
        if place and here >= self._per_address:
            self.refused_of_address += 1
            return None
        self.count += 1
        self._by_address[place] = here + 1
        return place

    def leave(self, place: str) -> None:
        """The connection is gone."""
        self.count -= 1
        here = self._by_address[place] - 1
        if here:
            self._by_address[place] = here
        else:
            del self._by_address[place]

    def _place(self, host: str | None) -> str:
        place = network(host)
        if host is None or place is None:
            return ""
        parsed = ip_address(host)
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return "" if any(parsed in known for known in self._trusted) else place
