"""The keys that an issuer publishes at an address: fetched when they are wanted, and kept while it fails.

known key, young set    at once
known key, old set      at once; the address is asked beside it
unknown key             waits for the address, which is asked for such once a minute
the address fails       the set goes on for a day
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tertulia.identity.compact import TokenError
from tertulia.identity.keys import Algorithm, Key, KeySet, KeySetError, of_json

Fetch = Callable[[str], Awaitable[bytes]]
"""What is at an https address, within seconds and some KiB. Raises FetchError."""

KEPT_SECONDS = 600.0
AGAIN_SECONDS = 60.0
"""Between two questions that tokens with unknown keys, or a failure, give rise to."""
STALE_SECONDS = 86_400.0
"""How long keys go on while their address fails."""

log = logging.getLogger(__name__)


class FetchError(Exception):
    """There is no answer, with a reason for the log."""


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: KeySet
    at: float


class KeyAddress:
    """The keys at one address, for one algorithm; ``clock`` gives seconds that only go up.

    One request at a time is under way, and ends with nobody who waits for it.
    """

    def __init__(
        self, url: str, algorithm: Algorithm, fetch: Fetch, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._algorithm = algorithm
        self._fetch = fetch
        self._clock = clock
        self._fetched: _Fetched | None = None
        self._is_failing = False
        self._not_before = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    @property
    def is_stale(self) -> bool:
        """Whether the address failed when it was last asked: what is verified is so with old keys, or not at all."""
        return self._is_failing

    async def key(self, key_id: str | None) -> Key:
        """The key of this name. Raises TokenError where the issuer has none, or its address does not say."""
        found = self._known(key_id)
        if found is not None:
            if self._is_old():
                self._ask()
            return found
        if self._may_ask_for_unknown():
            # who waits may go away while others wait on; and an end of the request is no end of those who wait for it
            await asyncio.wait([self._ask()])
            found = self._known(key_id)
        if found is None:
            raise TokenError("its issuer has no key of that kid, or the address of its keys does not answer")
        return found

    async def close(self) -> None:
        """Ends the request that is under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _known(self, key_id: str | None) -> Key | None:
        if self._fetched is None or self._clock() - self._fetched.at > STALE_SECONDS:
            return None
        return self._fetched.keys.key(key_id)

    def _is_old(self) -> bool:
        is_old = self._fetched is None or self._clock() - self._fetched.at > KEPT_SECONDS
        return is_old and self._clock() >= self._not_before

    def _may_ask_for_unknown(self) -> bool:
        """Whether the address may be asked, or is being asked. A first set is nobody's unknown key."""
        if self._asking is not None:
            return True
        if self._clock() < self._not_before:
            return False
        if self._fetched is not None:
            self._not_before = self._clock() + AGAIN_SECONDS
        return True

    def _ask(self) -> asyncio.Task[None]:
        if self._asking is None:
            self._asking = asyncio.create_task(self._update(), name=f"keys of {self._url}")
            self._asking.add_done_callback(self._asked)
        return self._asking

    def _asked(self, _task: asyncio.Task[None]) -> None:
        self._asking = None

    async def _update(self) -> None:
        try:
            keys = of_json(await self._fetch(self._url), self._algorithm)
        except (FetchError, KeySetError) as error:
            self._is_failing = True
            self._not_before = self._clock() + AGAIN_SECONDS
            log.warning("The keys of an issuer were not read", extra={"url": self._url, "reason": str(error)})
            return
        self._is_failing = False
        self._fetched = _Fetched(keys, self._clock())
