"""The providers of all sites, as the database has them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from pydantic import ValidationError

from tertulia.identity.providers import ProviderConfig, StoredProvider
from tertulia.identity.sealing import SealError, Sealing
from tertulia.logs import Sparing
from tertulia.outgoing import Outgoing
from tertulia.people.clock import SharedClock
from tertulia.people.providers.oauth import OAuthProvider
from tertulia.people.providers.openid import OpenIdProvider
from tertulia.people.providers.provider import Provider
from tertulia.store import Store
from tertulia.store.issuers import IssuerRow, issuers

PROVIDER = "provider"
"""The kind of a row."""
FRESH_SECONDS = 5.0

log = logging.getLogger(__name__)
_sparing = Sparing(log)


class Providers:
    """One that is added, or removed, is known to every instance within FRESH_SECONDS."""

    def __init__(
        self, store: Store, sealing: Sealing, outgoing: Outgoing, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._sealing = sealing
        self._outgoing = outgoing
        self._clock = clock
        self._now = SharedClock(store).now
        self._reading = asyncio.Lock()
        self._read_at = float("-inf")
        self._known: dict[StoredProvider, Provider] = {}

    async def of(self, site: str) -> Sequence[StoredProvider]:
        """Those of a site, by name."""
        return [row for row in await self._all() if row.site == site]

    async def find(self, site: str, name: str) -> tuple[StoredProvider, Provider] | None:
        found = next((row for row in await self.of(site) if row.name == name), None)
        return None if found is None else (found, self._known[found])

    async def close(self) -> None:
        """Ends what is asked of them."""
        for provider in self._known.values():
            await provider.close()

    async def _all(self) -> Sequence[StoredProvider]:
        async with self._reading:
            if self._clock() - self._read_at > FRESH_SECONDS:
                await self._renew(await self._store.read(issuers, PROVIDER))
                self._read_at = self._clock()
            return tuple(self._known)

    async def _renew(self, rows: Sequence[IssuerRow]) -> None:
        """Takes what is new; what is as it was keeps what it knows of its addresses."""
        stored = [one for row in rows if (one := understood(row)) is not None]
        gone = [provider for one, provider in self._known.items() if one not in stored]
        known = self._known
        self._known = {one: made for one in stored if (made := known.get(one) or self._made(one)) is not None}
        for provider in gone:
            await provider.close()

    def _made(self, one: StoredProvider) -> Provider | None:
        """None where its secret cannot be read: the site's other ways go on."""
        try:
            secret = self._sealing.opened(one.sealed).decode("utf-8")
        except (SealError, UnicodeDecodeError) as error:
            _sparing.error(
                "A provider cannot be used; add it again: tertulia provider add",
                (one.site, one.name),
                site=one.site,
                provider=one.name,
                reason=str(error),
            )
            return None
        if one.config.endpoints is not None:
            return OAuthProvider(one.config, one.config.endpoints, secret, self._outgoing)
        return OpenIdProvider(one.config, secret, self._outgoing, self._clock, self._now)


def understood(row: IssuerRow) -> StoredProvider | None:
    """None for one that a later version wrote, and this one does not understand."""
    try:
        return StoredProvider(row.site, row.name, ProviderConfig.model_validate(row.config), row.sealed or "")
    except ValidationError as error:
        about = {"site": row.site, "provider": row.name, "reason": str(error.errors()[0]["msg"])}
        _sparing.error("A provider cannot be read; add it again: tertulia provider add", (row.site, row.name), **about)
        return None
