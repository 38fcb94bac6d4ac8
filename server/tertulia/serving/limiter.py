"""How many connections there may be, in all and from one address."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from tertulia.core.addresses import Networks, anonymised, client_network, parse
from tertulia.logs import Sparing

log = logging.getLogger(__name__)


class ConnectionLimiter:
    """Counts connections. Addresses of trusted proxies are not counted singly: all readers come from there.

    While ``ending`` every answer ends its connection.
    """

    def __init__(self, total: int, per_address: int, trusted_proxies: Iterable[str] = ()) -> None:
        self.ending = False
        self.count = 0
        self.refused_in_all = 0
        self.refused_of_address = 0
        self._total = total
        self._per_address = per_address
        self._trusted = Networks(trusted_proxies)
        self._by_address: dict[str, int] = {}
        self._sparing = Sparing(log)

    def acquire(self, host: str | None) -> str | None:
        """Counts a connection; gives what ``release`` takes, None when there is no room for it."""
        key = self._key(host)
        count = self._by_address.get(key, 0)
        if self.count >= self._total:
            self.refused_in_all += 1
            self._tell("TERTULIA_CONNECTIONS", self._total)
            return None
        if key and count >= self._per_address:
            self.refused_of_address += 1
            self._tell("TERTULIA_CONNECTIONS_PER_ADDRESS", self._per_address, network=anonymised(host))
            return None
        self.count += 1
        self._by_address[key] = count + 1
        return key

    def release(self, key: str) -> None:
        """The connection is gone."""
        self.count -= 1
        count = self._by_address[key] - 1
        if count:
            self._by_address[key] = count
        else:
            del self._by_address[key]

    def _tell(self, setting: str, limit: int, **fields: object) -> None:
        self._sparing.warning("A limit is reached", setting, of="connections", setting=setting, limit=limit, **fields)

    def _key(self, host: str | None) -> str:
        """What the connection is counted under; empty if it only counts towards the total."""
        address = parse(host)
        return "" if address is None or address in self._trusted else client_network(host) or ""
