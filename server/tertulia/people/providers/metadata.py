"""What a provider says of itself at its well-known address (OpenID Connect Discovery, 4)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from tertulia.core.strict_json import Json
from tertulia.outgoing import Outgoing
from tertulia.people.providers.asking import read_json
from tertulia.people.providers.failures import Failure, ProviderError

FRESH_SECONDS = 3_600.0
STALE_SECONDS = 86_400.0
"""How long it goes on while the address fails."""
AGAIN_SECONDS = 60.0
"""After a failure, where there is something to go on with."""
_PATH = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Metadata:
    """Addresses; ``names_itself`` where each response says whose it is (RFC 9207)."""

    authorization: str
    token: str
    keys: str
    person: str | None
    names_itself: bool
    secret_in_body: bool


class MetadataAddress:
    """Asks for it when it is wanted, and keeps it; ``clock`` gives seconds that only go up."""

    def __init__(self, issuer: str, outgoing: Outgoing, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._outgoing = outgoing
        self._clock = clock
        self._asking = asyncio.Lock()
        self._found: Metadata | None = None
        self._found_at = float("-inf")
        self._not_before = float("-inf")

    async def read(self) -> Metadata:
        """Raises ProviderError."""
        async with self._asking:
            age = self._clock() - self._found_at
            if self._found is not None and (age <= FRESH_SECONDS or self._clock() < self._not_before):
                return self._found
            try:
                self._found = _read(
                    await read_json(self._outgoing, self._issuer.removesuffix("/") + _PATH), self._issuer
                )
                self._found_at = self._clock()
            except ProviderError:
                if self._found is None or age > STALE_SECONDS:
                    raise
                self._not_before = self._clock() + AGAIN_SECONDS
            return self._found


def _read(said: dict[str, Json], issuer: str) -> Metadata:
    if said.get("issuer") != issuer:
        raise ProviderError(Failure.refused, f"the metadata of {issuer} has another issuer")
    ways = said.get("token_endpoint_auth_methods_supported")
    # where nothing is said it is the header: Discovery, 3
    in_body = isinstance(ways, list) and "client_secret_basic" not in ways and "client_secret_post" in ways
    return Metadata(
        authorization=_address(said, "authorization_endpoint", issuer),
        token=_address(said, "token_endpoint", issuer),
        keys=_address(said, "jwks_uri", issuer),
        person=_address(said, "userinfo_endpoint", issuer) if "userinfo_endpoint" in said else None,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        secret_in_body=in_body,
    )


def _address(said: dict[str, Json], name: str, issuer: str) -> str:
    """An address that is no less safe than the issuer's. Raises ProviderError."""
    found = said.get(name)
    schemes = ("https://",) if issuer.startswith("https://") else ("https://", "http://")
    if not isinstance(found, str) or not found.startswith(schemes) or "#" in found or not _is_plain(found):
        raise ProviderError(Failure.refused, f"the metadata of {issuer} has no usable {name}")
    return found


def _is_plain(url: str) -> bool:
    return len(url) <= 2_048 and all("!" <= character <= "~" for character in url)
