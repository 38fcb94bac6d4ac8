"""Providers of OpenID Connect: addresses by discovery, and an ID token that says who somebody is."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable

from tertulia.core.strict_json import Json
from tertulia.identity import id_tokens
from tertulia.identity.compact import Compact, TokenError
from tertulia.identity.key_address import KeyAddress
from tertulia.identity.keys import Algorithm
from tertulia.identity.providers import ProviderConfig
from tertulia.outgoing import Outgoing
from tertulia.people.clock import Now, own_now
from tertulia.people.providers.asking import KeyFetching, error_word, read_json, redeem
from tertulia.people.providers.failures import Failure, ProviderError
from tertulia.people.providers.metadata import Metadata, MetadataAddress
from tertulia.people.providers.provider import (
    Errand,
    NamedPerson,
    Response,
    Return,
    authorization_address,
    challenge_of,
    first_name,
)

NAMES = ("name", "preferred_username", "nickname", "given_name")
"""Claims that others may see, the best first; never the part of an address before its @."""


class OpenIdProvider:
    """``secret`` is ours there; ``clock`` gives seconds that only go up, ``now`` the time that tokens are judged by."""

    def __init__(
        self,
        config: ProviderConfig,
        secret: str,
        outgoing: Outgoing,
        clock: Callable[[], float] = time.monotonic,
        now: Now = own_now,
    ) -> None:
        self._config = config
        self._secret = secret
        self._outgoing = outgoing
        self._clock = clock
        self._now = now
        self._metadata = MetadataAddress(config.issuer, outgoing, clock)
        self._fetching = KeyFetching(outgoing)
        self._keys: dict[tuple[str, Algorithm], KeyAddress] = {}

    async def authorization(self, errand: Errand) -> str:
        fields = {
            "response_type": "code",
            "client_id": self._config.client_id,
            "redirect_uri": errand.redirect,
            "scope": " ".join(self._config.scopes),
            "state": errand.state,
            "nonce": errand.nonce,
            "code_challenge": challenge_of(errand.verifier),
            "code_challenge_method": "S256",
        }
        return authorization_address((await self._metadata.read()).authorization, fields)

    async def person(self, returned: Return) -> NamedPerson:
        metadata = await self._metadata.read()
        self._check_issuer(returned.response.issuer, metadata)
        code = code_of(returned.response)
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": returned.redirect}
        fields |= {"code_verifier": returned.verifier}
        client = (self._config.client_id, self._secret)
        given = await redeem(self._outgoing, metadata.token, client, fields, in_body=metadata.secret_in_body)
        try:
            claims = await self._claims(given.get("id_token"), metadata, returned.nonce)
        except TokenError as error:
            raise ProviderError(Failure.refused, f"the ID token is not accepted: {error}") from error
        name = first_name(claims, NAMES)
        if not name and metadata.person is not None:
            name = await self._name(metadata.person, given.get("access_token"), claims["sub"])
        return NamedPerson(str(claims["sub"]), name, id_tokens.verified_email(claims))

    async def close(self) -> None:
        for address in self._keys.values():
            await address.close()

    def _check_issuer(self, said: str | None, metadata: Metadata) -> None:
        """RFC 9207, 2.4: what says whose it is has to be this provider's, and so has what does not but always would."""
        if said is None and not metadata.names_itself:
            return
        if said is None or not hmac.compare_digest(said.encode(), self._config.issuer.encode()):
            raise ProviderError(Failure.refused, "the response is not that of this provider: iss")

    async def _claims(self, given: Json, metadata: Metadata, nonce: str) -> dict[str, Json]:
        """Raises TokenError, ProviderError."""
        if not isinstance(given, str):
            raise TokenError("there is none")
        token = Compact.parsed(given, id_tokens.ID_TOKEN_BYTES)
        address = self._address(metadata.keys, id_tokens.algorithm_of(token))
        try:
            key = await address.key(token.key_id)
        except TokenError as error:
            if self._fetching.is_failing:
                raise ProviderError(Failure.unreachable, f"{metadata.keys} gives no keys") from error
            raise
        key.verify(token)
        expected = id_tokens.Expected(self._config.issuer, self._config.client_id, nonce)
        return id_tokens.read(token, expected, await self._now())

    def _address(self, url: str, algorithm: Algorithm) -> KeyAddress:
        """A key is for one algorithm: none is ever used for another."""
        found = self._keys.get((url, algorithm))
        if found is None:
            found = KeyAddress(url, algorithm, self._fetching, self._clock)
            self._keys[url, algorithm] = found
        return found

    async def _name(self, url: str, token: Json, subject: Json) -> str:
        """Raises ProviderError where the answer is of somebody else (OpenID Connect Core, 5.3.2)."""
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            return ""
        said = await read_json(self._outgoing, url, token)
        if said.get("sub") != subject:
            raise ProviderError(Failure.refused, "what the provider knows of the reader is of somebody else: sub")
        return first_name(said, NAMES)


def code_of(response: Response) -> str:
    """Raises ProviderError where there is none."""
    if response.error is not None:
        failure = Failure.denied if response.error == "access_denied" else Failure.refused
        if response.error in ("temporarily_unavailable", "server_error"):
            failure = Failure.unreachable
        raise ProviderError(failure, f"the provider answered with {error_word(response.error)}")
    if not response.code:
        raise ProviderError(Failure.refused, "the response has no code")
    return response.code
