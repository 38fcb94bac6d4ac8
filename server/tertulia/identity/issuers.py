"""Whose tokens are taken: the issuers of all sites, as the database has them, and a token held against them.

Two issuers of a site may have one ``iss``: a new secret beside the old one, until the old one is removed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tertulia.identity import keys
from tertulia.identity.assertions import LIFE_SECONDS, LONGEST_LIFE_SECONDS, MOST_TRUST, Assertion, Issuer, verified
from tertulia.identity.compact import Compact, TokenError, json_object
from tertulia.identity.key_address import Fetch, KeyAddress
from tertulia.identity.keys import Algorithm, Key, KeySet, KeySetError
from tertulia.identity.sealing import SealError, Sealing

FRESH_SECONDS = 5.0

log = logging.getLogger(__name__)


MAILBOXES = "mailto:"
"""The issuer of those who sign in by a code in their mail, whom no other may vouch for."""


class IssuerConfig(BaseModel):
    """What the row of an issuer says; where it has neither ``jwks`` nor ``jwks_url``, its sealed secret is the key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    iss: str = Field(min_length=1, max_length=255)
    alg: Algorithm
    jwks: str | None = None
    jwks_url: str | None = Field(None, pattern=r"^https://[!-~]+$", max_length=2_048)
    life: int = Field(LIFE_SECONDS, ge=1, le=LONGEST_LIFE_SECONDS)
    badges: tuple[str, ...] = ()
    roles: tuple[Literal["host", "staff"], ...] = ()
    trust: int = Field(0, ge=0, le=MOST_TRUST)
    picture_hosts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        wanted = 0 if self.alg is Algorithm.HS256 else 1
        if (self.jwks is not None) + (self.jwks_url is not None) != wanted:
            raise ValueError("HS256 has a secret; every other algorithm has keys in a file or at an address")
        if self.iss == MAILBOXES:
            raise ValueError(f"no issuer may be called {MAILBOXES}: that is whoever reads mail to an address")
        return self

    def issuer(self, site: str) -> Issuer:
        return Issuer(
            self.iss,
            site,
            self.life,
            frozenset(self.badges),
            frozenset(self.roles),
            self.trust,
            frozenset(self.picture_hosts),
        )


@dataclass(frozen=True, slots=True)
class StoredIssuer:
    """A row: the issuer ``name`` of the site with this key; ``sealed`` is the secret of HS256."""

    site: str
    name: str
    config: IssuerConfig
    sealed: str | None = None


@dataclass(frozen=True, slots=True)
class _Trusted:
    issuer: Issuer
    keys: KeySet | KeyAddress

    async def key(self, key_id: str | None) -> Key:
        """Raises TokenError."""
        if isinstance(self.keys, KeyAddress):
            return await self.keys.key(key_id)
        found = self.keys.key(key_id)
        if found is None:
            raise TokenError(
                "its issuer has no key of that kid" if key_id else "it has no kid, its issuer several keys"
            )
        return found


class Issuers:
    """Holds tokens against the issuers of their site; ``read`` gives all rows, and is asked every few seconds at most.

    An async context manager, which ends what is asked of addresses. An issuer that is added, or removed, is known to
    every instance within FRESH_SECONDS. ``clock`` gives seconds that only go up.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[Sequence[StoredIssuer]]],
        sealing: Sealing,
        fetch: Fetch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._sealing = sealing
        self._fetch = fetch
        self._clock = clock
        self._reading = asyncio.Lock()
        self._read_at = float("-inf")
        self._trusted: dict[StoredIssuer, _Trusted] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def stale(self) -> int:
        """Issuers the address of whose keys failed when it was last asked."""
        return sum(address.is_stale for address in self._addresses())

    async def verified(self, site: str, token: str, now: datetime) -> Assertion:
        """What a token says of a reader of this site. Raises TokenError, with a reason that is for operators alone."""
        found = Compact.parsed(token)
        claims = json_object(found.payload, "payload")
        named = (site, claims.get("iss"))
        candidates = [one for one in await self._issuers() if (one.issuer.site, one.issuer.iss) == named]
        refused = TokenError("its iss is that of no issuer of this site")
        for candidate in candidates:
            try:
                return verified(found, claims, candidate.issuer, await candidate.key(found.key_id), now)
            except TokenError as error:
                refused = error
        raise refused

    async def close(self) -> None:
        """Ends what is asked of addresses."""
        await asyncio.gather(*(address.close() for address in self._addresses()))

    def _addresses(self) -> list[KeyAddress]:
        return [one.keys for one in self._trusted.values() if isinstance(one.keys, KeyAddress)]

    async def _issuers(self) -> Sequence[_Trusted]:
        async with self._reading:
            if self._clock() - self._read_at > FRESH_SECONDS:
                await self._renew(await self._read())
                self._read_at = self._clock()
            return tuple(self._trusted.values())

    async def _renew(self, rows: Sequence[StoredIssuer]) -> None:
        """Takes what is new; what is as it was keeps the keys it has."""
        gone = [one for row, one in self._trusted.items() if row not in rows]
        known = self._trusted
        self._trusted = {row: made for row in rows if (made := known.get(row) or self._made(row)) is not None}
        await asyncio.gather(*(one.keys.close() for one in gone if isinstance(one.keys, KeyAddress)))

    def _made(self, row: StoredIssuer) -> _Trusted | None:
        """None where its keys cannot be used: its tokens are refused, and other issuers go on."""
        config = row.config
        try:
            if config.jwks_url is not None:
                return _Trusted(
                    config.issuer(row.site), KeyAddress(config.jwks_url, config.alg, self._fetch, self._clock)
                )
            return _Trusted(config.issuer(row.site), self._kept(config, row.sealed))
        except (KeySetError, SealError) as error:
            about = {"site": row.site, "issuer": row.name, "reason": str(error)}
            log.error("An issuer cannot be used; add it again: tertulia issuer add", extra=about)
            return None

    def _kept(self, config: IssuerConfig, sealed: str | None) -> KeySet:
        if config.jwks is not None:
            return keys.of_json(config.jwks.encode(), config.alg)
        return keys.of_secret(self._sealing.opened(sealed or ""))
