"""Providers of OAuth 2 without OpenID Connect: who has signed in is asked with the token that they give."""

from __future__ import annotations

from tertulia.core.strict_json import Json
from tertulia.identity import id_tokens
from tertulia.identity.compact import TokenError
from tertulia.identity.providers import OAuthEndpoints, ProviderConfig
from tertulia.outgoing import Outgoing
from tertulia.people.providers.asking import error_word, read_json, redeem
from tertulia.people.providers.failures import Failure, ProviderError
from tertulia.people.providers.openid import code_of
from tertulia.people.providers.provider import (
    Errand,
    NamedPerson,
    Return,
    authorization_address,
    challenge_of,
    first_name,
)


class OAuthProvider:
    """``secret`` is ours there. Nothing in a response says whose it is: its address, one for each provider, does."""

    def __init__(self, config: ProviderConfig, endpoints: OAuthEndpoints, secret: str, outgoing: Outgoing) -> None:
        self._config = config
        self._endpoints = endpoints
        self._secret = secret
        self._outgoing = outgoing

    async def authorization(self, errand: Errand) -> str:
        fields = {
            "response_type": "code",
            "client_id": self._config.client_id,
            "redirect_uri": errand.redirect,
            "state": errand.state,
            "code_challenge": challenge_of(errand.verifier),
            "code_challenge_method": "S256",
        }
        scopes = {"scope": " ".join(self._config.scopes)} if self._config.scopes else {}
        return authorization_address(self._endpoints.authorization, fields | scopes)

    async def person(self, returned: Return) -> NamedPerson:
        if returned.response.issuer not in (None, self._config.issuer):
            raise ProviderError(Failure.refused, "the response is not that of this provider: iss")
        fields = {"grant_type": "authorization_code", "code": code_of(returned.response)}
        fields |= {"redirect_uri": returned.redirect, "code_verifier": returned.verifier}
        client = (self._config.client_id, self._secret)
        given = await redeem(self._outgoing, self._endpoints.token, client, fields, in_body=True)
        said = await read_json(self._outgoing, self._endpoints.person, _token(given))
        try:
            subject = id_tokens.checked_subject(_as_text(said.get(self._endpoints.subject)))
        except TokenError as error:
            raise ProviderError(Failure.refused, f"the provider does not say who it is: {error}") from error
        return NamedPerson(subject, first_name(said, self._endpoints.names))

    async def close(self) -> None:
        return None


def _token(given: dict[str, Json]) -> str:
    """Raises ProviderError; some say with the status 200 that they give none."""
    token, error = given.get("access_token"), given.get("error")
    if isinstance(token, str) and token and all("!" <= character <= "~" for character in token):
        return token
    said = f", but {error_word(error)}" if isinstance(error, str) else ""
    raise ProviderError(Failure.refused, f"the provider gave no token{said}")


def _as_text(found: Json) -> Json:
    """Some count their people."""
    return str(found) if type(found) is int else found
