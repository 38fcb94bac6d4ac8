"""What is asked of a provider: JSON, by the guarded client, read strictly."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import quote_plus, urlencode

from tertulia.core.strict_json import Json
from tertulia.identity.compact import TokenError, json_object
from tertulia.identity.key_address import FetchError
from tertulia.outgoing import Outgoing, OutgoingError, Reply
from tertulia.people.providers.failures import Failure, ProviderError

SECONDS = 5.0
"""For each answer: somebody waits."""
_JSON = {"Accept": "application/json"}


async def read_json(outgoing: Outgoing, url: str, token: str | None = None) -> dict[str, Json]:
    """The object at an address, with ``token`` as whoever that stands for. Raises ProviderError."""
    headers = _JSON if token is None else _JSON | {"Authorization": f"Bearer {token}"}
    return _object(await _asked(outgoing, "GET", url, headers), url)


async def redeem(
    outgoing: Outgoing, url: str, client: tuple[str, str], fields: Mapping[str, str], *, in_body: bool
) -> dict[str, Json]:
    """What the provider gives for a code (RFC 6749, 4.1.3). Raises ProviderError.

    ``client`` is our name and secret there, in the header as every provider has to take it, or ``in_body``.
    """
    headers = _JSON | {"Content-Type": "application/x-www-form-urlencoded"}
    if in_body:
        fields = {**fields, "client_id": client[0], "client_secret": client[1]}
    else:
        given = ":".join(map(quote_plus, client)).encode("ascii")
        headers |= {"Authorization": f"Basic {base64.b64encode(given).decode('ascii')}"}
    return _object(await _asked(outgoing, "POST", url, headers, urlencode(fields).encode("ascii")), url)


class KeyFetching:
    """Fetches the keys of a provider; ``is_failing`` while there was no answer when it was asked last."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self.is_failing = False

    async def __call__(self, url: str) -> bytes:
        """Raises FetchError."""
        self.is_failing = True
        try:
            reply = await _asked(self._outgoing, "GET", url, {"Accept": "application/jwk-set+json, application/json"})
        except ProviderError as error:
            raise FetchError(error.reason) from error
        if reply.status != 200:
            raise FetchError(f"The answer has the status {reply.status}.")
        self.is_failing = False
        return reply.body


async def _asked(
    outgoing: Outgoing, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> Reply:
    try:
        return await outgoing.request(method, url, headers=headers, body=body, seconds=SECONDS)
    except OutgoingError as error:
        raise ProviderError(Failure.unreachable, f"{_bare(url)}: {error}") from error


def _object(reply: Reply, url: str) -> dict[str, Json]:
    where = _bare(url)
    if reply.status >= 500 or reply.status == 429:
        raise ProviderError(Failure.unreachable, f"{where} answered with the status {reply.status}")
    if reply.status != 200:
        raise ProviderError(Failure.refused, f"{where} answered with the status {reply.status}{_error(reply)}")
    try:
        return json_object(reply.body, "answer")
    except TokenError as error:
        raise ProviderError(Failure.refused, f"{where}: {error}") from error


def _error(reply: Reply) -> str:
    """The word that RFC 6749, 5.2 has for it, such as invalid_client: most often a mistake of the operator's."""
    try:
        found = json_object(reply.body, "answer").get("error")
    except TokenError:
        return ""
    return f", {error_word(found)}" if isinstance(found, str) else ""


def error_word(given: str) -> str:
    """A word that a provider sent, as a log may have it."""
    return "".join(character if character.isalnum() or character in "_-." else "?" for character in given[:60])


def _bare(url: str) -> str:
    return url.partition("?")[0]
