"""A provider as readers meet it: where a browser is sent, and who comes back."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from tertulia.core.names import unadorned
from tertulia.core.strict_json import Json
from tertulia.core.text import clean_name
from tertulia.errors import Problem


@dataclass(frozen=True, slots=True)
class Errand:
    """One way to a provider and back: all of it is random, but for the address to come back to."""

    redirect: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Response:
    """What a browser brings back; ``issuer`` is whose it says it is (RFC 9207)."""

    code: str | None
    error: str | None
    issuer: str | None


@dataclass(frozen=True, slots=True)
class Return:
    """A response, and what is known of its way; ``nonce`` is a hash."""

    response: Response
    redirect: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """Whom a provider names; ``name`` is empty where it says none that can be shown, ``email`` is one it verified."""

    subject: str
    name: str
    email: str | None = None


class Provider(Protocol):
    """Either kind of them."""

    async def authorization(self, errand: Errand) -> str:
        """Where the browser is sent. Raises ProviderError."""

    async def person(self, returned: Return) -> NamedPerson:
        """Who came back. Raises ProviderError."""

    async def close(self) -> None:
        """Ends what is asked of it."""


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636, 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).decode("ascii").rstrip("=")


def authorization_address(endpoint: str, fields: Mapping[str, str]) -> str:
    """An endpoint may have a query of its own (RFC 6749, 3.1)."""
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(fields)}"


def first_name(said: Mapping[str, Json], members: Iterable[str]) -> str:
    """The first of these that can be shown as a name, empty if none can."""
    for member in members:
        found = said.get(member)
        if isinstance(found, str):
            try:
                return unadorned(clean_name(found))
            except Problem:
                continue
    return ""
