"""The keys of an issuer: a shared secret, or a set of public keys (JWK Set, RFC 7517), each for one algorithm.

cryptography and PyJWT, 12 MiB of memory, are loaded with the first public key, not with the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from tertulia.core.strict_json import Json
from tertulia.identity.compact import Compact, TokenError, decoded, json_object

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt import PyJWS

    PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

SECRET_BYTES = 32
"""The least of HS256: a key as long as the hash (RFC 7518, 3.2)."""
MOST_KEYS = 32
"""In one set; providers that turn keys over have two to ten."""
RSA_BITS = (2_048, 8_192)
_EXPONENTS = (65_537, 2**32)
_NAME_LENGTH = 255
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})


class Algorithm(StrEnum):
    """How tokens are signed; an issuer has one."""

    HS256 = "HS256"
    RS256 = "RS256"
    PS256 = "PS256"
    ES256 = "ES256"
    EdDSA = "EdDSA"


class KeySetError(ValueError):
    """A set of keys, or a secret, that is not used, with the reason."""


@dataclass(frozen=True, slots=True)
class Key:
    """``key_id`` is what a token's ``kid`` has to be; a key without one is meant by tokens without."""

    algorithm: Algorithm
    key_id: str | None
    material: bytes | PublicKey

    def verify(self, token: Compact) -> None:
        """Raises TokenError unless this key signed the token, with the algorithm of the key."""
        if token.algorithm != self.algorithm:
            raise TokenError(f"it is signed with {token.algorithm[:40]}, and its issuer signs with {self.algorithm}")
        if not (token.has_hmac(self.material) if isinstance(self.material, bytes) else self._signed(token)):
            raise TokenError("its signature is not by the issuer's key")

    def _signed(self, token: Compact) -> bool:
        signer = _verifier(self.algorithm).get_algorithm_by_name(self.algorithm)
        return bool(signer.verify(token.signed, self.material, token.signature))


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of one issuer, all for its one algorithm, no two of one name."""

    algorithm: Algorithm
    keys: tuple[Key, ...]

    def key(self, key_id: str | None) -> Key | None:
        """The key of this name; without a name the only one there is."""
        if key_id is None:
            return self.keys[0] if len(self.keys) == 1 else None
        return next((key for key in self.keys if key.key_id == key_id), None)


def of_secret(secret: bytes) -> KeySet:
    """HS256 with a secret of 32 bytes or more. Raises KeySetError for a shorter one, and for a public key."""
    if len(secret) < SECRET_BYTES:
        raise KeySetError(f"The secret has {len(secret)} bytes and needs at least {SECRET_BYTES}.")
    if secret.lstrip().startswith((b"-----BEGIN", b"ssh-", b"{")):
        raise KeySetError("This is a key of a pair, and no secret: what is published of it would sign tokens.")
    return KeySet(Algorithm.HS256, (Key(Algorithm.HS256, None, secret),))


def of_json(raw: bytes, algorithm: Algorithm) -> KeySet:
    """The public keys for ``algorithm`` of a JWK Set, or of one JWK.

    What is for something else is passed over, as RFC 7517 section 5 has it: other types of keys, other algorithms,
    encryption, RSA below 2048 bits. Raises KeySetError where nothing is left or the set is not to be trusted: it has
    private parts or shared secrets, two keys of one name, or cannot be read.
    """
    if algorithm is Algorithm.HS256:
        raise KeySetError("HS256 has a secret, not public keys.")
    try:
        found = json_object(raw, "text")
    except TokenError as error:
        raise KeySetError(f"The keys cannot be read: {error}.") from error
    entries = found.get("keys", [found])
    if not isinstance(entries, list) or len(entries) > MOST_KEYS:
        raise KeySetError(f"keys is no list of at most {MOST_KEYS} keys.")
    keys = tuple(_usable(entries, algorithm))
    names = [key.key_id for key in keys]
    if not keys:
        raise KeySetError(f"There is no public key for {algorithm}.")
    if len(set(names)) < len(names):
        raise KeySetError("Two keys have the same kid, or none.")
    return KeySet(algorithm, keys)


def _usable(entries: list[Json], algorithm: Algorithm) -> Iterator[Key]:
    for entry in entries:
        if not isinstance(entry, dict):
            raise KeySetError("A key is no JSON object.")
        if entry.get("kty") == "oct" or not _PRIVATE.isdisjoint(entry):
            raise KeySetError("A key has private parts; publish its public part alone, and make new keys.")
        if _is_meant(entry, algorithm):
            try:
                yield Key(algorithm, _name(entry), _READERS[algorithm](entry))
            except _UnusableError:
                continue


class _UnusableError(ValueError):
    """A key that is passed over."""


def _is_meant(entry: dict[str, Json], algorithm: Algorithm) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return (
        entry.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and entry.get("alg", algorithm) == algorithm
    )


def _name(entry: dict[str, Json]) -> str | None:
    name = entry.get("kid")
    if name is None:
        return None
    if not isinstance(name, str) or not 0 < len(name) <= _NAME_LENGTH:
        raise _UnusableError("kid")
    return name


def _rsa(entry: dict[str, Json]) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    _check_kind(entry, "RSA", None)
    modulus, exponent = (int.from_bytes(_member(entry, name)) for name in ("n", "e"))
    least, most = RSA_BITS
    if not least <= modulus.bit_length() <= most or not modulus & 1:
        raise _UnusableError("n")
    if not _EXPONENTS[0] <= exponent < _EXPONENTS[1] or not exponent & 1:
        raise _UnusableError("e")
    return _made(RSAPublicNumbers(exponent, modulus).public_key)


def _p256(entry: dict[str, Json]) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers

    _check_kind(entry, "EC", "P-256")
    x, y = (int.from_bytes(_member(entry, name, 32)) for name in ("x", "y"))
    return _made(EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key)


def _ed25519(entry: dict[str, Json]) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    _check_kind(entry, "OKP", "Ed25519")
    return _made(lambda: Ed25519PublicKey.from_public_bytes(_member(entry, "x", 32)))


_READERS: dict[Algorithm, Callable[[dict[str, Json]], PublicKey]] = {
    Algorithm.RS256: _rsa,
    Algorithm.PS256: _rsa,
    Algorithm.ES256: _p256,
    Algorithm.EdDSA: _ed25519,
}


def _check_kind(entry: dict[str, Json], kind: str, curve: str | None) -> None:
    if (entry.get("kty"), entry.get("crv")) != (kind, curve):
        raise _UnusableError("kty")


def _member(entry: dict[str, Json], name: str, size: int | None = None) -> bytes:
    """The bytes of a member, of ``size`` where it is given, else without a zero before them (RFC 7518, section 2)."""
    text = entry.get(name)
    try:
        raw = decoded(text) if isinstance(text, str) else b""
    except ValueError as error:
        raise _UnusableError(name) from error
    if (len(raw) != size) if size else not raw.lstrip(b"\0") == raw != b"":
        raise _UnusableError(name)
    return raw


def _made(make: Callable[[], PublicKey]) -> PublicKey:
    try:
        return make()
    except ValueError as error:  # a point that is not on the curve, numbers that no key has
        raise _UnusableError(str(error)) from error


@cache
def _verifier(algorithm: Algorithm) -> PyJWS:
    from jwt import PyJWS

    return PyJWS(algorithms=[algorithm])
