"""How many rooms one address may open: a discussion without readers has to be read from the database and kept."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from tertulia.core.addresses import anonymised, client_network
from tertulia.errors import ErrorCode, Problem
from tertulia.logs import Sparing

AT_ONCE = 200
"""As many as one address has connections by default: after a restart all of them come back at once."""
PER_SECOND = 10
"""After that. Nobody opens ten articles a second for long; a room that is opened costs half a millisecond."""
MAX_ADDRESSES = 10_000
"""Remembered, at about 200 bytes each. The least recent is forgotten, and may open AT_ONCE again."""

log = logging.getLogger(__name__)


class Openings:
    """Counts the rooms that addresses open, at this instance alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MAX_ADDRESSES) -> None:
        self._clock = clock
        self._most = most
        self._sparing = Sparing(log)
        self._full_at: OrderedDict[str, float] = OrderedDict()
        """When each address may open AT_ONCE again; the least recent first."""

    def __len__(self) -> int:
        return len(self._full_at)

    def count(self, address: str | None) -> None:
        """Counts one. Raises rate_limited; then it was not counted. An unknown address is not counted."""
        key = client_network(address)
        if key is None:
            return
        now = self._clock()
        full_at = max(now, self._full_at.get(key, now)) + 1 / PER_SECOND
        if full_at - now > AT_ONCE / PER_SECOND + 1e-6:
            network = anonymised(address)
            self._sparing.warning("A limit is reached", "openings", of="discussions opened", network=network)
            detail = "Too many discussions opened from this address; try again in a second."
            raise Problem(ErrorCode.rate_limited, detail, retry_after=1)
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        self._forget(now)

    def _forget(self, now: float) -> None:
        """Removes at most two per call: expired ones, and the oldest beyond the bound."""
        for _ in range(2):
            oldest = next(iter(self._full_at))
            if self._full_at[oldest] > now and len(self._full_at) <= self._most:
                return
            del self._full_at[oldest]
