"""Signed tokens as they travel: the compact form of RFC 7515, read strictly, before anybody's signature is looked at.

Libraries are lax here, and each in its own way: padding, loose bits, names that come twice. What can be read in two
ways is refused.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass

from tertulia.core.strict_json import Json, parse

TOKEN_BYTES = 4_096
HMAC = "HS256"

_REFUSED = ("crit", "b64", "zip", "enc", "cty", "jku", "jwk", "x5u", "x5c")
_TYPES = ("jwt", "application/jwt")  # media types, so in any case: RFC 7515, 4.1.9


class TokenError(ValueError):
    """A token proves nothing. The reason is for operators: whoever sent it is told one sentence for all of them."""


@dataclass(frozen=True, slots=True)
class Compact:
    """A token taken apart, not yet verified; ``signed`` is what ``signature`` is of."""

    algorithm: str
    key_id: str | None
    payload: bytes
    signed: bytes
    signature: bytes

    @classmethod
    def parsed(cls, token: str, largest: int = TOKEN_BYTES) -> Compact:
        """Raises TokenError where it is no JWS in compact form, or has a header that changes how it is read.

        Such headers name keys, compress, nest, or have to be understood (crit): none of them is for this server.
        """
        if len(token) > largest:
            raise TokenError(f"it has more than {largest:,} characters")
        parts = token.split(".")
        if len(parts) != 3:
            raise TokenError(f"it has {len(parts)} parts, and a signed token has 3")
        head, payload, signature = map(_decoded, parts)
        header = json_object(head, "header")
        _check_header(header)
        key_id = header.get("kid")
        if key_id is not None and not (isinstance(key_id, str) and key_id):
            raise TokenError("kid in its header is no text")
        return cls(str(header["alg"]), key_id, payload, f"{parts[0]}.{parts[1]}".encode("ascii"), signature)

    def has_hmac(self, key: bytes) -> bool:
        """Whether the signature is that of HS256 with this key."""
        made = hmac.digest(key, self.signed, "sha256")
        return self.algorithm == HMAC and hmac.compare_digest(made, self.signature)


def json_object(raw: bytes, what: str) -> dict[str, Json]:
    """Raises TokenError where the JSON of ``what`` is not strict, or no object."""
    try:
        found = parse(raw)
    except ValueError as error:
        raise TokenError(f"its {what} is not JSON as it has to be: {error}") from error
    if not isinstance(found, dict):
        raise TokenError(f"its {what} is no JSON object")
    return found


def encoded(raw: bytes) -> str:
    """base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding, in the only way they are written. Raises ValueError."""
    raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if encoded(raw) != text:
        raise ValueError("it is not base64url")
    return raw


def _decoded(part: str) -> bytes:
    try:
        return decoded(part)
    except ValueError as error:
        raise TokenError("a part is not base64url without padding") from error


def _check_header(header: dict[str, Json]) -> None:
    for name in _REFUSED:
        if name in header:
            raise TokenError(f"{name} in its header is refused")
    if not isinstance(header.get("alg"), str):
        raise TokenError("alg in its header is missing or no text")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenError("typ in its header is not JWT")
