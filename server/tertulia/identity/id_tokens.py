"""ID tokens (OpenID Connect Core, 3.1.3.7): whom a provider names, held against what was asked of it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tertulia.core.strict_json import Json
from tertulia.identity.compact import Compact, TokenError, json_object
from tertulia.identity.keys import Algorithm
from tertulia.identity.tokens import token_hash

ALGORITHMS = frozenset({Algorithm.RS256, Algorithm.PS256, Algorithm.ES256, Algorithm.EdDSA})
"""Ours, whatever a provider says of itself: a secret that we share with it signs nothing."""
ID_TOKEN_BYTES = 16_384
"""Providers put groups and roles into it."""
AHEAD_SECONDS = 60
"""How far the clock of a provider may be ahead of ours, or behind."""
OLD_SECONDS = 600
"""It was made while the browser was on its way, which takes no longer."""
SUBJECT_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Expected:
    """What was asked for: ``nonce`` is the hash of what was sent."""

    issuer: str
    client_id: str
    nonce: str


def algorithm_of(token: Compact) -> Algorithm:
    """How it says it is signed. Raises TokenError where that is no way of ours."""
    found = next((one for one in ALGORITHMS if one == token.algorithm), None)
    if found is None:
        raise TokenError(f"it is signed with {token.algorithm[:40]}, which is not accepted")
    return found


def read(token: Compact, expected: Expected, now: datetime) -> dict[str, Json]:
    """The claims of a token whose signature is good. Raises TokenError where it is not what was asked for."""
    claims = json_object(token.payload, "payload")
    if claims.get("iss") != expected.issuer:
        raise TokenError("iss is not the provider's")
    _check_audience(claims, expected.client_id)
    _check_times(claims, now.timestamp())
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(token_hash(nonce), expected.nonce):
        raise TokenError("nonce is not the one that was sent")
    checked_subject(claims.get("sub"))
    return claims


def checked_subject(found: Json) -> str:
    """The provider's own name for somebody. Raises TokenError."""
    if not isinstance(found, str) or not 0 < len(found) <= SUBJECT_LENGTH or not found.isprintable():
        raise TokenError(f"sub is missing, or no text of 1 to {SUBJECT_LENGTH} characters")
    return found


def verified_email(claims: Mapping[str, Json]) -> str | None:
    """The address, in lower case, where the provider says ``true`` of having verified it."""
    found = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(found, str) or "@" not in found:
        return None
    return found.strip().lower()


def _check_audience(claims: Mapping[str, Json], client_id: str) -> None:
    """For us, and where it is for others, too, given to us."""
    audience, party = claims.get("aud"), claims.get("azp")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences or not all(isinstance(one, str) for one in audiences):
        raise TokenError("aud does not name this client")
    if len(audiences) > 1 and party is None:
        raise TokenError("aud names several, and azp is missing")
    if party is not None and party != client_id:
        raise TokenError("azp is not this client")


def _check_times(claims: Mapping[str, Json], now: float) -> None:
    issued, expires, begins = claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)
    if type(issued) is not int or type(expires) is not int or type(begins) is not int:
        raise TokenError("iat, exp or nbf is missing or no whole number of seconds")
    if expires <= now - AHEAD_SECONDS:
        raise TokenError("it is over: exp has passed")
    if max(issued, begins) > now + AHEAD_SECONDS:
        raise TokenError(f"iat or nbf is more than {AHEAD_SECONDS} s ahead of the clock here")
    if issued < now - OLD_SECONDS - AHEAD_SECONDS or expires <= issued:
        raise TokenError("iat is from before the browser was sent, or not before exp")
