"""The keys of issuers: what RFC 7517 describes and is strong enough, one algorithm each, and never a secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tertulia.identity.compact import encoded
from tertulia.identity.keys import MOST_KEYS, SECRET_BYTES, Algorithm, KeySet, KeySetError, of_json, of_secret
from tests.support.issuers import private_key, public_jwk, rsa_key

PUBLIC = [algorithm for algorithm in Algorithm if algorithm is not Algorithm.HS256]
RSA = public_jwk("RS256", rsa_key())
EC = public_jwk("ES256", private_key(Algorithm.ES256))
ED = public_jwk("EdDSA", private_key(Algorithm.EdDSA))
GOOD = {Algorithm.RS256: RSA, Algorithm.PS256: RSA, Algorithm.ES256: EC, Algorithm.EdDSA: ED}


def key_set(*keys: object) -> bytes:
    return json.dumps({"keys": keys}).encode()


def names(found: KeySet) -> list[str | None]:
    return [key.key_id for key in found.keys]


def for_verifying(jwk: dict[str, Any], **more: object) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name not in ("key_ops", "use", "alg")} | more


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_a_set_and_a_single_key_are_read(algorithm: Algorithm) -> None:
    for more in ({}, {"use": "sig"}, {"alg": algorithm.value}, {"key_ops": ["verify"]}, {"kid": "1", "x5t": "AAAA"}):
        jwk = for_verifying(GOOD[algorithm], **more)
        for raw in (key_set(jwk), json.dumps(jwk).encode()):
            assert names(of_json(raw, algorithm)) == [more.get("kid")]


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_what_is_for_something_else_is_passed_over(algorithm: Algorithm) -> None:
    good = for_verifying(GOOD[algorithm], kid="good")
    others = [for_verifying(jwk, kid=f"of {name}") for name, jwk in GOOD.items() if jwk is not GOOD[algorithm]]
    others += [
        good | {"kid": "for encryption", "use": "enc"},
        good | {"kid": "for signing", "key_ops": ["sign"]},
        good | {"kid": "of another algorithm", "alg": "RS512"},
        good | {"kid": "operations as a text", "key_ops": "verify"},
        good | {"kid": 1},
        good | {"kid": ""},
        good | {"kid": "of an unknown kind", "kty": "AKP"},
        {"kid": "without anything"},
    ]
    assert names(of_json(key_set(*others, good, *others), algorithm)) == ["good"]
    for other in others:
        with pytest.raises(KeySetError):
            of_json(key_set(other), algorithm)


@pytest.mark.parametrize(
    ("algorithm", "jwk"),
    [
        (Algorithm.RS256, public_jwk("RS256", rsa_key(1_024))),
        (Algorithm.RS256, public_jwk("RS256", rsa_key(2_048, 3))),
        (Algorithm.RS256, RSA | {"e": "AQAA"}),
        (Algorithm.RS256, RSA | {"n": encoded(b"\0" + b"\xff" * 256)}),
        (Algorithm.RS256, RSA | {"n": encoded(b"\xff" * 2_000)}),
        (Algorithm.RS256, RSA | {"n": RSA["n"] + "="}),
        (Algorithm.RS256, RSA | {"n": None}),
        (Algorithm.ES256, EC | {"crv": "P-384"}),
        (Algorithm.ES256, EC | {"crv": "secp256k1"}),
        (Algorithm.ES256, EC | {"x": encoded(b"\x01" * 32)}),
        (Algorithm.ES256, EC | {"x": encoded(b"\x01" * 31)}),
        (Algorithm.ES256, {name: value for name, value in EC.items() if name != "y"}),
        (Algorithm.EdDSA, ED | {"crv": "Ed448"}),
        (Algorithm.EdDSA, ED | {"crv": "X25519"}),
        (Algorithm.EdDSA, ED | {"x": encoded(b"\x01" * 33)}),
        (Algorithm.EdDSA, ED | {"x": 1}),
    ],
)
def test_nor_is_a_weak_or_broken_key_used(algorithm: Algorithm, jwk: dict[str, Any]) -> None:
    good = for_verifying(GOOD[algorithm], kid="good")
    jwk = for_verifying(jwk)
    assert names(of_json(key_set(jwk, good), algorithm)) == ["good"]
    with pytest.raises(KeySetError, match="no public key"):
        of_json(key_set(jwk), algorithm)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (key_set({"kty": "oct", "k": "eHh4", "kid": "1"}), "private parts"),
        (key_set(RSA, {"kty": "oct", "kid": "1"}), "private parts"),
        *[(key_set(RSA | {name: "AQAB"}), "private parts") for name in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")],
        (key_set(RSA, EC | {"d": "AQAB"}), "private parts"),
        (key_set(RSA | {"kid": "1"}, RSA | {"kid": "1"}), "same kid"),
        (key_set(RSA, RSA), "same kid"),
        (key_set(*[RSA | {"kid": str(at)} for at in range(MOST_KEYS + 1)]), "at most"),
        (b'{"keys": {}}', "at most"),
        (b'{"keys": null}', "at most"),
        (key_set(), "no public key"),
        (key_set("RSA"), "no JSON object"),
        (b"[]", "no JSON object"),
        (b"", "cannot be read"),
        (b"<html>", "cannot be read"),
        (json.dumps({"keys": [RSA]}).encode("utf-16"), "cannot be read"),
        (b'{"keys": [], "keys": []}', "twice"),
    ],
)
def test_a_set_that_is_not_to_be_trusted_is_refused_as_a_whole(raw: bytes, reason: str) -> None:
    with pytest.raises(KeySetError, match=reason):
        of_json(raw, Algorithm.RS256)


def test_a_name_chooses_among_the_keys_and_no_name_means_the_only_one() -> None:
    two = of_json(key_set(RSA | {"kid": "1"}, public_jwk("RS256", rsa_key(3_072)) | {"kid": "2"}), Algorithm.RS256)
    assert [key.key_id for name in ("1", "2") if (key := two.key(name))] == ["1", "2"]
    assert (two.key(None), two.key("3"), two.key("")) == (None, None, None)
    one = of_json(key_set(RSA | {"kid": "1"}), Algorithm.RS256)
    assert one.key(None) is one.key("1") is not None
    unnamed = of_secret(b"s" * SECRET_BYTES)
    assert unnamed.key(None) is not None
    assert unnamed.key("1") is None


def test_a_secret_is_long_enough_and_no_key_of_a_pair() -> None:
    assert of_secret(b"s" * SECRET_BYTES).algorithm is Algorithm.HS256
    for secret in (b"", b"s" * (SECRET_BYTES - 1), b"-----BEGIN PUBLIC KEY-----\nMIIBIjANBg", json.dumps(RSA).encode()):
        with pytest.raises(KeySetError):
            of_secret(secret)
    with pytest.raises(KeySetError):
        of_json(key_set({"kty": "oct", "k": "eHh4"}), Algorithm.HS256)
