"""Tokens of the site that are forged or odd, exchanged over HTTP: each rule broken once.

E1: 401, one sentence, no row; what is good is in test_issuers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tertulia.core.text import NAME_LENGTH
from tertulia.identity import utc_now
from tertulia.identity.assertions import LIFE_SECONDS
from tertulia.identity.compact import TOKEN_BYTES, encoded
from tertulia.identity.keys import Algorithm
from tertulia.protocol import API
from tertulia.store import administration, schema
from tests.people.commands import ISS, Instance, claims, instance
from tests.support.issuers import SigningServer, hmac_signer, signed

SECRET = SigningServer(Algorithm.HS256)
RSA = SigningServer(Algorithm.RS256, "1")
RSA_ISS = "https://accounts.news.example"
PUBLIC = RSA.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
JWK = RSA.jwk()
NOW = int(str(claims()["iat"]))
"""When this file was read: a run of all tests may come to it many minutes later."""
DAY = 86_400
"""When the tests began: tokens are good for minutes from it."""


def claiming(**more: object) -> str:
    return SECRET.token(claims(**more))


def headed(**more: object) -> str:
    return signed(SECRET.header | more, claims(), SECRET.sign)


def raw(more: str) -> str:
    return signed(SECRET.header, (json.dumps(claims())[:-1] + more + "}").encode(), SECRET.sign)


def as_rsa(header: dict[str, object], sign: Callable[[bytes], bytes] = RSA.sign, **more: object) -> str:
    return signed(header, claims(iss=RSA_ISS, **more), sign)


def spoilt(token: str) -> str:
    head, payload, signature = token.split(".")
    return ".".join([head, payload, ("A" if signature[0] != "A" else "B") + signature[1:]])


def lone(token: str) -> str:
    """With a payload of other claims under the signature."""
    head, _, signature = token.split(".")
    return ".".join([head, encoded(json.dumps(claims(sub="root")).encode()), signature])


HEAD, BODY, SIGNATURE = claiming().split(".")
NONE = b'{"alg":"none"}'
FORGED: dict[str, str] = {
    # the signature
    "no signature": f"{HEAD}.{BODY}.",
    "another signature": spoilt(claiming()),
    "other claims": lone(claiming()),
    "another secret": SigningServer(Algorithm.HS256).token(claims()),
    "an empty secret": signed(SECRET.header, claims(), hmac_signer(b"")),
    "padding": f"{HEAD}.{BODY}.{SIGNATURE}=",
    "four parts": f"{HEAD}.{BODY}.{SIGNATURE}.{SIGNATURE}",
    "two parts": f"{HEAD}.{BODY}",
    "JWE": ".".join([encoded(b'{"alg":"dir","enc":"A256GCM"}'), "", "AAAA", "AAAA", "AAAA"]),
    "no token": "x",
    # alg: exactly the issuer's
    "alg none": ".".join([encoded(NONE), BODY, ""]),
    "alg none, signed": headed(alg="none"),
    "alg None": headed(alg="None"),
    "alg HS384": signed({"alg": "HS384"}, claims(), hmac_signer(SECRET.key, "sha384")),
    "alg missing": signed({"typ": "JWT"}, claims(), SECRET.sign),
    "alg a list": headed(alg=["HS256"]),
    "HS256 by the public key": as_rsa({"alg": "HS256", "kid": "1"}, hmac_signer(PUBLIC)),
    "HS256 by the public JWK": as_rsa({"alg": "HS256", "kid": "1"}, hmac_signer(json.dumps(JWK).encode())),
    "HS256 by the modulus": as_rsa({"alg": "HS256", "kid": "1"}, hmac_signer(str(JWK["n"]).encode())),
    "PS256 for RS256": as_rsa({"alg": "PS256", "kid": "1"}, SigningServer(Algorithm.PS256, "1", RSA.key).sign),
    "HS256 under the name of the other issuer": signed(SECRET.header, claims(iss=RSA_ISS), SECRET.sign),
    # kid, and what else a header may say
    "kid of a file": headed(kid="../../../dev/null"),
    "kid of a query": headed(kid="1' union select 'x"),
    "kid of no key": as_rsa({"alg": "RS256", "kid": "2"}),
    "kid a number": as_rsa({"alg": "RS256", "kid": 1}),
    "crit": headed(crit=["exp"]),
    "jku": headed(jku="https://evil.example/keys"),
    "x5u": headed(x5u="https://evil.example/cert"),
    "jwk": as_rsa({"alg": "RS256", "kid": "1", "jwk": JWK}),
    "zip": headed(zip="DEF"),
    "alg twice": signed(b'{"alg":"none","alg":"HS256"}', claims(), SECRET.sign),
    # iss, aud, sub
    "iss missing": claiming(iss=None),
    "iss with a slash": claiming(iss=f"{ISS}/"),
    "iss of nobody": claiming(iss="https://evil.example"),
    "aud missing": claiming(aud=None),
    "aud of another site": claiming(aud="second"),
    "aud a list that holds us": claiming(aud=["default", "second"]),
    "sub missing": claiming(sub=None),
    "sub empty": claiming(sub=""),
    "sub a number": claiming(sub=4711),
    "sub too long": claiming(sub="x" * 256),
    # iat, exp, nbf
    "iat missing": claiming(iat=None),
    "iat as a text": claiming(iat=str(NOW)),
    "iat ahead": claiming(iat=NOW + DAY, exp=NOW + DAY + 300),
    "exp missing": claiming(exp=None),
    "exp as a text": claiming(exp=str(NOW + 300)),
    "exp as a fraction": claiming(exp=NOW + 300.5),
    "exp over": claiming(iat=NOW - 600, exp=NOW - 300),
    "exp too far": claiming(exp=NOW + LIFE_SECONDS + 300),
    "nbf ahead": claiming(nbf=NOW + DAY),
    # jti, name, email
    "jti a number": claiming(jti=1),
    "name missing": claiming(name=None),
    "name of nothing": claiming(name=" \u200b "),
    "name too long": claiming(name="x" * (NAME_LENGTH + 1)),
    "email of none": claiming(email="Lan", email_verified=True),
    # what the issuer's row does not allow
    "badge": claiming(badge="author"),
    "role host": claiming(role="host"),
    "role moderator": claiming(role="moderator"),
    "role owner": claiming(role="owner"),
    "trust": claiming(trust=1),
    "picture": claiming(picture="https://img.news.example/lan.png"),
    # the whole
    "sub twice": raw(', "sub": "root"'),
    "sub twice, once escaped": raw(', "s\\u0075b": "root"'),
    "NaN": raw(', "x": NaN'),
    "too deep": raw(f', "x": {"[" * 9}{"]" * 9}'),
    "claims that are a list": signed(SECRET.header, [claims()], SECRET.sign),
    "claims that are MessagePack": signed(SECRET.header, struct.pack("B", 0x80), SECRET.sign),
}


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one") as found:
        await found.running.store.write(administration.AddSite("second", [], utc_now()))
        for signer, name, more in ((SECRET, "website", ()), (RSA, "accounts", ("--iss", RSA_ISS))):
            assert (await found.add_issuer(signer, tmp_path, *more, name=name)).exit_code == 0
        yield found


async def test_what_is_forged_or_odd_is_refused_in_one_sentence_and_leaves_no_row(one: Instance) -> None:
    """E1."""
    assert len(FORGED) >= 40
    answers = {name: await one.exchange(token) for name, token in FORGED.items()}
    answers["at another site"] = await one.exchange(claiming(), "second")
    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code != 401} == {}
    assert len({answer.text for answer in answers.values()}) == 1
    long = await one.exchange(claiming(more="x" * TOKEN_BYTES))
    assert (long.status_code, long.json()["code"]) == (422, "invalid"), "refused with the request, before it is read"
    for table in (schema.author, schema.identity, schema.session, schema.spent_token):
        assert await one.rows(table) == []
    for token in (claiming(), as_rsa({"alg": "RS256", "kid": "1"})):
        assert (await one.exchange(token)).status_code == 201, "the same unbroken"


async def test_no_token_of_a_site_is_taken_in_place_of_a_session(one: Instance) -> None:
    """Who could sign a reader in writes nothing without signing in: what ends sessions ends all of them."""
    for token in (claiming(), as_rsa({"alg": "RS256", "kid": "1"})):
        assert (await one.say(token)).status_code == 401
        answer = await one.client.get(f"{API}/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401


async def test_the_log_says_why_once_for_each_reason(one: Instance, caplog: pytest.LogCaptureFixture) -> None:
    """For whoever writes the site's server; never the token."""
    token = claiming(aud="second")
    for _ in range(3):
        await one.exchange(token)
    await one.exchange(claiming(exp=NOW - 1, iat=NOW - 60))
    lines = [record for record in caplog.records if record.message == "A token was refused"]
    assert [getattr(line, "reason", "") for line in lines] == [
        "aud is not 'default', the key of the site, as a text",
        "it is over: exp has passed",
    ]
    assert all(token not in str(vars(line)) for line in lines)
