"""Tokens that a site's server signs: every algorithm is read, and what is forged or odd proves nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tertulia.core.text import NAME_LENGTH
from tertulia.identity.assertions import AHEAD_SECONDS, LIFE_SECONDS, Assertion, Issuer, verified
from tertulia.identity.compact import TOKEN_BYTES, Compact, TokenError, encoded, json_object
from tertulia.identity.keys import Algorithm, KeySet
from tests.support.issuers import SIGNERS, SigningServer, hmac_signer, private_key, rsa_key, signed

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER = Issuer("https://news.example", "news")
CLAIMS: dict[str, object] = {
    "iss": "https://news.example",
    "aud": "news",
    "sub": "reader 4711",
    "iat": SECONDS,
    "exp": SECONDS + 300,
    "name": "Lan",
}
SECRET = SigningServer(Algorithm.HS256)
HEADER = SECRET.header
RSA = SigningServer(Algorithm.RS256, "1")
EC = SigningServer(Algorithm.ES256, "1")
SERVERS = {algorithm: SigningServer(algorithm) for algorithm in Algorithm}


def read(token: str, keys: KeySet, issuer: Issuer = ISSUER) -> Assertion:
    """As whoever exchanges a token does: the key by its name, then signature and claims."""
    found = Compact.parsed(token)
    key = keys.key(found.key_id)
    if key is None:
        raise TokenError("no such key")
    return verified(found, json_object(found.payload, "payload"), issuer, key, NOW)


def token(claims: Mapping[str, object] = CLAIMS, header: Mapping[str, object] = HEADER) -> str:
    return signed(header, claims, SECRET.sign)


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in CLAIMS.items() if key != name}


def raw(more: str) -> bytes:
    return (json.dumps(CLAIMS)[:-1] + more + "}").encode()


GOOD = token()
HEAD, BODY, SIGNATURE = GOOD.split(".")


def spoilt(part: str) -> str:
    """The same bytes, written with loose bits, or others where there are none."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) ^ 1]


def headed(**more: object) -> str:
    """Signed rightly, with this in its header."""
    return token(header=HEADER | more)


def claiming(**more: object) -> str:
    return token(CLAIMS | more)


FORGED: dict[str, str] = {
    # the form
    "nothing": "",
    "a word": "token",
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.AAAA",
    "an encrypted one": f"{encoded(json.dumps({'alg': 'dir', 'enc': 'A128GCM'}).encode())}..AAAA.AAAA.AAAA",
    "the JSON form": json.dumps({"payload": BODY, "protected": HEAD, "signature": SIGNATURE}),
    "too long by one": signed(HEADER, CLAIMS | {"pad": "x" * TOKEN_BYTES}, SECRET.sign),
    "padding": f"{GOOD}=",
    "a line end": f"{GOOD}\n",
    "a blank within": f"{GOOD[:-5]} {GOOD[-5:]}",
    "loose bits": f"{HEAD}.{BODY}.{spoilt(SIGNATURE)}",
    "the other alphabet": f"{HEAD}.{BODY}.{SIGNATURE[:-2]}+/",
    "letters of another width": GOOD.replace(GOOD[0], chr(ord(GOOD[0]) + 0xFEE0), 1),
    # the signature
    "no signature": f"{HEAD}.{BODY}.",
    "half a signature": f"{HEAD}.{BODY}.{SIGNATURE[:20]}",
    "another body": f"{HEAD}.{encoded(json.dumps(CLAIMS | {'sub': 'root'}).encode())}.{SIGNATURE}",
    "another secret": signed(HEADER, CLAIMS, hmac_signer(b"x" * 32)),
    "an empty secret": signed(HEADER, CLAIMS, hmac_signer(b"")),
    "alg none": f"{encoded(json.dumps({'alg': 'none'}).encode())}.{BODY}.",
    "alg none, signed": headed(alg="none"),
    "alg in small letters": headed(alg="hs256"),
    "alg HS512": signed(HEADER | {"alg": "HS512"}, CLAIMS, hmac_signer(SECRET.key, "sha512")),
    "alg a list": headed(alg=["HS256"]),
    "alg missing": signed({"typ": "JWT"}, CLAIMS, SECRET.sign),
    "alg of another kind of key": signed(RSA.header, CLAIMS, RSA.sign),
    # the header
    "kid of a file": headed(kid="../../../dev/null"),
    "kid of a query": headed(kid="1' union select 'x"),
    "kid a number": headed(kid=1),
    "kid empty": headed(kid=""),
    "crit": headed(crit=["exp"], exp=1),
    "jku": headed(jku="https://evil.example/keys"),
    "x5u": headed(x5u="https://evil.example/cert"),
    "jwk": headed(jwk={"kty": "oct", "k": "eHh4"}),
    "x5c": headed(x5c=["AAAA"]),
    "zip": headed(zip="DEF"),
    "b64": headed(b64=False),
    "b64 true": headed(b64=True),
    "cty": headed(cty="JWT"),
    "typ of something else": headed(typ="at+jwt"),
    "typ of an event": headed(typ="secevent+jwt"),
    "typ a number": headed(typ=1),
    "a header twice": signed(b'{"alg":"HS256","alg":"HS256"}', CLAIMS, SECRET.sign),
    "a header that is a list": signed([HEADER], CLAIMS, SECRET.sign),
    # the JSON
    "sub twice": signed(HEADER, raw(', "sub": "root"'), SECRET.sign),
    "sub twice, once escaped": signed(HEADER, raw(', "s\\u0075b": "root"'), SECRET.sign),
    "a name twice far within": signed(HEADER, raw(', "x": [{"a": 1, "a": 2}]'), SECRET.sign),
    "NaN": signed(HEADER, raw(', "x": NaN'), SECRET.sign),
    "Infinity": signed(HEADER, raw(', "x": -Infinity'), SECRET.sign),
    "too deep": signed(HEADER, raw(f', "x": {"[" * 8}{"]" * 8}'), SECRET.sign),
    "claims that are a list": signed(HEADER, [CLAIMS], SECRET.sign),
    "claims in UTF-16": signed(HEADER, json.dumps(CLAIMS).encode("utf-16"), SECRET.sign),
    "claims and more": signed(HEADER, json.dumps(CLAIMS).encode() + b"{}", SECRET.sign),
    "half a surrogate": signed(HEADER, raw(', "x": "\\ud800"'), SECRET.sign),
    # the claims
    **{f"{name} missing": token(without(name)) for name in CLAIMS},
    **{f"{name} null": claiming(**{name: None}) for name in CLAIMS},
    **{f"{name} a list": claiming(**{name: [CLAIMS[name]]}) for name in CLAIMS},
    "iss with a slash": claiming(iss="https://news.example/"),
    "iss in capitals": claiming(iss="HTTPS://news.example"),
    "aud of another site": claiming(aud="other"),
    "aud in capitals": claiming(aud="NEWS"),
    "sub empty": claiming(sub=""),
    "sub a number": claiming(sub=4711),
    "sub too long": claiming(sub="x" * 256),
    "sub with a line end": claiming(sub="a\nb"),
    "exp as a text": claiming(exp=str(SECONDS + 300)),
    "exp as a fraction": claiming(exp=SECONDS + 300.5),
    "exp with a point": claiming(exp=float(SECONDS + 300)),
    "exp true": claiming(exp=True),
    "exp over": claiming(iat=SECONDS - 300, exp=SECONDS),
    "exp before iat": claiming(iat=SECONDS + 30, exp=SECONDS + 20),
    "exp too far": claiming(exp=SECONDS + LIFE_SECONDS + 1),
    "iat too far ahead": claiming(iat=SECONDS + AHEAD_SECONDS + 1, exp=SECONDS + 300),
    "iat below zero": claiming(iat=-1),
    "nbf ahead": claiming(nbf=SECONDS + AHEAD_SECONDS + 1),
    "nbf as a text": claiming(nbf=str(SECONDS)),
    "jti a number": claiming(jti=1),
    "jti empty": claiming(jti=""),
    "name empty": claiming(name=""),
    "name blank": claiming(name=" \u200b\u2060 "),
    "name too long": claiming(name="x" * (NAME_LENGTH + 1)),
    "name with NUL": claiming(name="Lan\0"),
    "email a list": claiming(email=["a@news.example"], email_verified=True),
    "email none": claiming(email="Lan", email_verified=True),
    "badge not given": claiming(badge="author"),
    "role not given": claiming(role="host"),
    "trust not given": claiming(trust=1),
    "picture not given": claiming(picture="https://pictures.example/lan.png"),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_forged_or_odd_proves_nothing(name: str) -> None:
    with pytest.raises(TokenError):
        read(FORGED[name], SECRET.keys())


def test_there_are_enough_of_them_and_each_has_words_for_the_operator() -> None:
    assert len(FORGED) >= 40
    for one in FORGED.values():
        with pytest.raises(TokenError, match=r"[a-z]") as refused:
            read(one, SECRET.keys())
        assert len(str(refused.value)) < 200


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("key_id", [None, "2026-11"])
def test_a_good_token_of_each_algorithm_is_read(algorithm: Algorithm, key_id: str | None) -> None:
    server = SigningServer(algorithm, None if algorithm is Algorithm.HS256 else key_id)
    assert read(server.token(CLAIMS), server.keys()) == Assertion(
        "https://news.example", "reader 4711", "Lan", SECONDS, SECONDS + 300
    )
    other = rsa_key(3_072) if algorithm in (Algorithm.RS256, Algorithm.PS256) else private_key(algorithm)
    with pytest.raises(TokenError):
        read(SigningServer(algorithm, server.key_id, other).token(CLAIMS), server.keys())


def test_a_public_key_is_no_secret() -> None:
    """The oldest trick: HS256 with what everybody may read of a key of a pair."""
    for server in (RSA, EC):
        public = server.key.public_key()
        forms = [public.public_bytes(one, PublicFormat.SubjectPublicKeyInfo) for one in (Encoding.PEM, Encoding.DER)]
        for secret in (*forms, json.dumps(server.jwk()).encode()):
            forged = signed({"alg": "HS256", "kid": "1"}, CLAIMS, hmac_signer(secret))
            with pytest.raises(TokenError):
                read(forged, server.keys())


@pytest.mark.parametrize(("claimed", "signing"), [("PS256", "RS256"), ("RS256", "PS256"), ("RS512", "RS512")])
def test_one_key_has_one_algorithm(claimed: str, signing: str) -> None:
    forged = signed({"alg": claimed, "kid": "1"}, CLAIMS, lambda text: SIGNERS[signing].sign(text, RSA.key))
    with pytest.raises(TokenError):
        read(forged, RSA.keys())


@pytest.mark.parametrize(
    "signature", [b"", b"\0" * 64, b"\xff" * 64, b"\0" * 32 + b"\x01" * 32, b"\x30\x06\x02\x01\x01\x02\x01\x01"]
)
def test_no_made_up_signature_is_that_of_a_curve(signature: bytes) -> None:
    with pytest.raises(TokenError):
        read(signed(EC.header, CLAIMS, lambda _text: signature), EC.keys())


def test_a_signature_of_a_curve_has_one_form() -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

    with pytest.raises(TokenError):
        read(signed(EC.header, CLAIMS, lambda text: EC.key.sign(text, ECDSA(hashes.SHA256()))), EC.keys())


@pytest.mark.parametrize(
    "header",
    [{"typ": "jwt"}, {"typ": "application/JWT"}, {"x5t": "AAAA"}, {"nonce": "1"}],
)
def test_other_headers_change_nothing(header: dict[str, object]) -> None:
    assert read(headed(**header), SECRET.keys()).subject == "reader 4711"
    assert read(signed({"alg": "HS256"}, CLAIMS, SECRET.sign), SECRET.keys()).subject == "reader 4711"


FULL = Issuer(
    "https://news.example",
    "news",
    life=7_200,
    badges=frozenset({"author"}),
    roles=frozenset({"host", "staff", "moderator", "owner"}),
    trust=2,
    picture_hosts=frozenset({"pictures.example"}),
)


@pytest.mark.parametrize(
    ("claims", "field", "value"),
    [
        ({"jti": "1"}, "token_id", "1"),
        ({"email": "lan@news.example", "email_verified": True}, "email", "lan@news.example"),
        ({"email": "lan@news.example", "email_verified": "true"}, "email", None),
        ({"email": "lan@news.example", "email_verified": 1}, "email", None),
        ({"email": "lan@news.example"}, "email", None),
        ({"email_verified": True}, "email", None),
        ({"badge": "author"}, "badge", "author"),
        ({"badge": None}, "badge", None),
        ({"role": "host"}, "role", "host"),
        ({"role": "staff"}, "role", "staff"),
        ({"trust": 0}, "trust", 0),
        ({"trust": 2}, "trust", 2),
        ({"picture": "https://pictures.example/lan.png"}, "picture", "https://pictures.example/lan.png"),
        ({"name": "  Nguye\u0302\u0303n   Lan "}, "name", "Nguyễn Lan"),
        ({"sub": "x" * 255}, "subject", "x" * 255),
        ({"sub": "đọc giả 🙂"}, "subject", "đọc giả 🙂"),
        ({"nbf": SECONDS + AHEAD_SECONDS}, "name", "Lan"),
        ({"iat": SECONDS + AHEAD_SECONDS}, "issued", SECONDS + AHEAD_SECONDS),
        ({"exp": SECONDS + 1}, "expires", SECONDS + 1),
        ({"exp": SECONDS + 7_200}, "expires", SECONDS + 7_200),
        ({"anything": {"else": [1, None, "x"]}}, "name", "Lan"),
    ],
)
def test_an_issuer_may_say_what_its_row_allows(claims: dict[str, Any], field: str, value: object) -> None:
    assert getattr(read(token(CLAIMS | claims), SECRET.keys(), FULL), field) == value


@pytest.mark.parametrize(
    "claims",
    [
        {"badge": "editor"},
        {"badge": ["author"]},
        {"role": "moderator"},
        {"role": "owner"},
        {"trust": 3},
        {"trust": -1},
        {"trust": True},
        {"trust": "1"},
        {"trust": 1.0},
        {"picture": "http://pictures.example/lan.png"},
        {"picture": "https://pictures.example.evil.example/lan.png"},
        {"picture": "https://pictures.example@evil.example/lan.png"},
        {"picture": "javascript:alert(1)"},
        {"exp": SECONDS + 7_201},
    ],
)
def test_and_nothing_more(claims: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        read(token(CLAIMS | claims), SECRET.keys(), FULL)


def test_no_issuer_makes_tokens_for_longer_than_a_day() -> None:
    longest = Issuer("https://news.example", "news", life=10 * 86_400)
    assert read(claiming(exp=SECONDS + 86_400), SECRET.keys(), longest).name == "Lan"
    with pytest.raises(TokenError):
        read(claiming(exp=SECONDS + 86_401), SECRET.keys(), longest)


def test_a_token_of_the_largest_size_is_read() -> None:
    pad = TOKEN_BYTES
    while len(made := claiming(pad="x" * pad)) > TOKEN_BYTES:
        pad -= 1
    assert len(made) in (TOKEN_BYTES, TOKEN_BYTES - 1)
    assert read(made, SECRET.keys()).name == "Lan"
    assert base64.urlsafe_b64decode(made.split(".")[1] + "==")


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ é"


@given(st.data(), st.sampled_from(list(Algorithm)))
def test_no_character_of_a_token_may_be_another_or_be_missing(data: st.DataObject, algorithm: Algorithm) -> None:
    server = SERVERS[algorithm]
    good = server.token(CLAIMS)
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda character: character != good[at]))
    for forged in (good[:at] + other + good[at + 1 :], good[:at] + good[at + 1 :], good[:at] + other + good[at:]):
        with pytest.raises(TokenError):
            read(forged, server.keys())
    assert read(good, server.keys()).name == "Lan"


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists),
    st.sampled_from([*CLAIMS, "nbf", "jti", "email", "badge", "role", "trust", "picture"]),
)
def test_a_claim_of_any_kind_is_read_or_refused_in_words(value: object, name: str) -> None:
    try:
        found = read(claiming(**{name: value, "email_verified": True}), SECRET.keys(), FULL)
    except TokenError:
        return
    assert found.issuer == ISSUER.iss
    assert found.expires - found.issued <= FULL.life
    assert 0 < len(found.name) <= NAME_LENGTH
    assert found.role in (None, "host", "staff")
