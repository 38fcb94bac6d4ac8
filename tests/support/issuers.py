"""Issuers of tokens, as a site's own server is one: keys of every algorithm, and tokens signed with them."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from tertulia.identity.compact import encoded
from tertulia.identity.keys import Algorithm, KeySet, of_json, of_secret

SIGNERS = get_default_algorithms()


@cache
def rsa_key(bits: int = 2_048, exponent: int = 65_537) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, bits)


def private_key(algorithm: Algorithm) -> Any:
    """A new key; of RSA, which takes long to make, one for all tests."""
    match algorithm:
        case Algorithm.HS256:
            return secrets.token_hex(32).encode("ascii")
        case Algorithm.RS256 | Algorithm.PS256:
            return rsa_key()
        case Algorithm.ES256:
            return ec.generate_private_key(ec.SECP256R1())
        case Algorithm.EdDSA:
            return ed25519.Ed25519PrivateKey.generate()


def public_jwk(algorithm: str, key: Any, **more: object) -> dict[str, Any]:
    made: dict[str, Any] = SIGNERS[algorithm].to_jwk(key.public_key(), as_dict=True)
    return made | more


def signed(header: object, payload: object, sign: Any) -> str:
    """A token of these parts, whatever they are; ``sign`` gives the signature of bytes."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    text = ".".join(map(encoded, parts))
    return f"{text}.{encoded(sign(text.encode()))}"


def hmac_signer(key: bytes, digest: str = "sha256") -> Any:
    return lambda text: hmac.digest(key, text, digest)


@dataclass(slots=True)
class SigningServer:
    """A site's server: one algorithm and one key, which a token names where there is a ``key_id``."""

    algorithm: Algorithm
    key_id: str | None = None
    key: Any = field(default=None)

    def __post_init__(self) -> None:
        if self.key is None:
            self.key = private_key(self.algorithm)

    def sign(self, text: bytes) -> bytes:
        return SIGNERS[self.algorithm].sign(text, self.key)

    @property
    def header(self) -> dict[str, object]:
        header: dict[str, object] = {"alg": self.algorithm.value, "typ": "JWT"}
        return header if self.key_id is None else header | {"kid": self.key_id}

    def token(self, claims: Mapping[str, object]) -> str:
        return signed(self.header, claims, self.sign)

    def jwk(self, **more: object) -> dict[str, Any]:
        named = {} if self.key_id is None else {"kid": self.key_id}
        return public_jwk(self.algorithm, self.key, **named, **more)

    def keys(self) -> KeySet:
        if self.algorithm is Algorithm.HS256:
            return of_secret(self.key)
        return of_json(json.dumps({"keys": [self.jwk()]}).encode(), self.algorithm)
