"""Tokens: what was forged or is odd names nobody, with one answer for all of it."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest

from tertulia.core.ids import is_uuid
from tertulia.core.text import NAME_LENGTH
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import (
    GUEST_DAYS,
    MODERATOR_PREFIX,
    TOKEN_LENGTH,
    Tokens,
    new_moderator_token,
    token_hash,
    unauthenticated,
    utc_now,
)

KEY = b"the key of these tests, of 32 bytes or more"
TOKENS = Tokens(KEY)
SITE = "news"
GUEST = TOKENS.guest_id(SITE, "a key of the tests")
NOW = utc_now()
SECONDS = int(NOW.timestamp())
CLAIMS = {"iss": "tertulia", "aud": SITE, "sub": GUEST, "name": "Lan", "iat": SECONDS, "exp": SECONDS + 3600}
HEADER = {"alg": "HS256", "typ": "JWT"}
GOOD = TOKENS.issue(GUEST, "Lan", SITE, NOW)


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(header: object, claims: object, key: bytes = KEY, algorithm: str = "sha256") -> str:
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.digest(key, text.encode(), algorithm))}"


def signed_text(head: str, body: str) -> str:
    """With a signature that is right for these very parts."""
    text = f"{head}.{body}"
    return f"{text}.{encoded(hmac.digest(KEY, text.encode(), 'sha256'))}"


def loose(last: str) -> str:
    """Another last character for the same bytes: its lowest bits are of none of them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(last) ^ 1]


def with_loose_bits(text: str) -> str:
    """Blanks after JSON change nothing; with as many as leave bits over, these are set."""
    raw = text.encode() + b" " * (-len(text) % 3 + 1)
    return encoded(raw)[:-1] + loose(encoded(raw)[-1])


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in CLAIMS.items() if key != name}


def raw(claims: Mapping[str, object], more: str) -> bytes:
    """Claims with something before the closing brace that no dict can hold."""
    return (json.dumps(claims)[:-1] + more + "}").encode()


HEAD, BODY, SIGNATURE = GOOD.split(".")
ODD: dict[str, str] = {
    "nothing": "",
    "a word": "token",
    "dots": "..",
    "many dots": "." * 100,
    "not ASCII": "điểm.điểm.điểm",
    "half a surrogate": GOOD + "\ud800",
    "NUL": GOOD + "\0",
    "10 MB": "a" * 10_000_000,
    "10 MB of dots": "." * 10_000_000,
    "10 MB after a good one": GOOD + "A" * 10_000_000,
    "one byte too long": GOOD + "A" * (TOKEN_LENGTH + 1 - len(GOOD)),
    "two parts": f"{HEAD}.{BODY}",
    "no signature": f"{HEAD}.{BODY}.",
    "half a signature": GOOD[:-20],
    "another signature": f"{HEAD}.{BODY}.{encoded(b'x' * 32)}",
    "four parts": GOOD + ".AAAA",
    "a space after": GOOD + " ",
    "a line after": GOOD + "\n",
    "something after": GOOD + "!!!!",
    "other claims": f"{HEAD}.{encoded(CLAIMS | {'name': 'Mallory'})}.{SIGNATURE}",
    "another header": f"{encoded(HEADER | {'kid': '1'})}.{BODY}.{SIGNATURE}",
    "alg none": f"{encoded({'alg': 'none'})}.{BODY}.",
    "alg None": f"{encoded({'alg': 'None', 'typ': 'JWT'})}.{BODY}.{SIGNATURE}",
    "no alg": signed({"typ": "JWT"}, CLAIMS),
    "HS512": signed({"alg": "HS512"}, CLAIMS, algorithm="sha512"),
    "HS384": signed({"alg": "HS384"}, CLAIMS, algorithm="sha384"),
    "RS256 signed by HMAC": signed({"alg": "RS256"}, CLAIMS),
    "alg as a list": signed({"alg": ["HS256"]}, CLAIMS),
    "another key": signed(HEADER, CLAIMS, key=b"x" * 40),
    "an empty key": signed(HEADER, CLAIMS, key=b""),
    "its own key in the header": signed(HEADER | {"jwk": {"kty": "oct", "k": "eHh4"}}, CLAIMS, key=b"xxx"),
    "a header that is a list": signed([], CLAIMS),
    "an unknown critical header": signed(HEADER | {"crit": ["x"], "x": 1}, CLAIMS),
    "a detached body": signed(HEADER | {"b64": False}, CLAIMS),
    "claims that are a list": signed(HEADER, []),
    "claims that are a text": signed(HEADER, "claims"),
    "claims that are null": signed(HEADER, None),
    "claims that are deep": signed(HEADER, b"[" * 1200),
    "no claims": signed(HEADER, {}),
    **{f"without {name}": signed(HEADER, without(name)) for name in CLAIMS},
    **{f"{name} null": signed(HEADER, CLAIMS | {name: None}) for name in CLAIMS},
    **{f"{name} a list": signed(HEADER, CLAIMS | {name: [CLAIMS[name]]}) for name in CLAIMS},
    **{f"{name} an object": signed(HEADER, CLAIMS | {name: {}}) for name in CLAIMS},
    "exp as text": signed(HEADER, CLAIMS | {"exp": str(SECONDS + 3600)}),
    "exp as a float": signed(HEADER, CLAIMS | {"exp": SECONDS + 3600.5}),
    "exp true": signed(HEADER, CLAIMS | {"exp": True}),
    "exp infinite": signed(HEADER, raw(without("exp"), ', "exp": Infinity')),
    "exp not a number": signed(HEADER, raw(without("exp"), ', "exp": NaN')),
    "exp beyond any float": signed(HEADER, raw(without("exp"), ', "exp": 1' + "0" * 400)),
    "iat as text": signed(HEADER, CLAIMS | {"iat": str(SECONDS)}),
    "iat as a float": signed(HEADER, CLAIMS | {"iat": SECONDS + 0.5}),
    "iat beyond any time": signed(HEADER, CLAIMS | {"iat": -(10**30)}),
    "expired": signed(HEADER, CLAIMS | {"iat": SECONDS - 7200, "exp": SECONDS - 120}),
    "from the future": signed(HEADER, CLAIMS | {"iat": SECONDS + 2 * 86_400, "exp": SECONDS + 3 * 86_400}),
    "not yet good": signed(HEADER, CLAIMS | {"nbf": SECONDS + 86_400, "exp": SECONDS + 2 * 86_400}),
    "too long a life": signed(HEADER, CLAIMS | {"exp": SECONDS + GUEST_DAYS * 86_400 + 1}),
    "an old one made to last": signed(HEADER, CLAIMS | {"iat": SECONDS - GUEST_DAYS * 86_400}),
    "another issuer": signed(HEADER, CLAIMS | {"iss": "Tertulia"}),
    "another site": TOKENS.issue(GUEST, "Lan", "other", NOW),
    "a site more": signed(HEADER, CLAIMS | {"aud": [SITE, "other"]}),
    "a site in capitals": signed(HEADER, CLAIMS | {"aud": SITE.upper()}),
    "sub no UUID": signed(HEADER, CLAIMS | {"sub": "root"}),
    "sub in capitals": signed(HEADER, CLAIMS | {"sub": GUEST.upper()}),
    "sub a number": signed(HEADER, CLAIMS | {"sub": 7}),
    "a name twice, its signature once": ".".join((HEAD, encoded(raw(CLAIMS, ', "name": "M"')), SIGNATURE)),
    "sub twice": signed(HEADER, raw(CLAIMS, ', "sub": "root"')),
    "something after the claims": signed(HEADER, json.dumps(CLAIMS).encode() + b" {}"),
    "claims in UTF-16": signed(HEADER, json.dumps(CLAIMS).encode("utf-16")[:-1]),
    "padding after": GOOD + "=",
    "more padding after": GOOD + "==",
    "padding in the header": signed_text(HEAD + "==", BODY),
    "padding in the claims": signed_text(HEAD, encoded(json.dumps(CLAIMS | {"name": "Lana"}).encode()) + "="),
    "loose bits in the signature": GOOD[:-1] + loose(GOOD[-1]),
    "loose bits in the header": signed_text(with_loose_bits(json.dumps(HEADER)), BODY),
    "a blank in the signature": f"{GOOD[:-5]} {GOOD[-5:]}",
    "a line in the signature": f"{GOOD[:-5]}\n{GOOD[-5:]}",
    "a blank before": " " + GOOD,
    "a tab before": "\t" + GOOD,
    "the other alphabet": f"{HEAD}.{BODY}.{SIGNATURE.replace('-', '+').replace('_', '/')}+",
    "a moderator's": MODERATOR_PREFIX + "x" * 43,
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_token_names_nobody_and_is_told_nothing(name: str) -> None:
    with pytest.raises(Problem) as refused:
        TOKENS.read(ODD[name], SITE)
    assert refused.value.code is ErrorCode.unauthenticated
    assert (refused.value.detail, refused.value.field) == (unauthenticated().detail, None)


@pytest.mark.parametrize("name", [name for name in ODD if name not in ("another site", "a site in capitals")])
def test_nor_where_the_site_is_asked_later(name: str) -> None:
    with pytest.raises(Problem) as refused:
        TOKENS.read(ODD[name], None)
    assert refused.value.code is ErrorCode.unauthenticated


def test_a_good_token_names_its_guest() -> None:
    for site in (SITE, None):
        found = TOKENS.read(GOOD, site)
        assert (found.author_id, found.name, found.moderator, found.site) == (GUEST, "Lan", False, SITE)
        assert found.issued_at == datetime.fromtimestamp(SECONDS, UTC)
    assert Tokens(KEY).read(signed(HEADER, CLAIMS), SITE).author_id == GUEST


def test_a_token_lives_180_days_and_not_longer() -> None:
    old = NOW - timedelta(days=GUEST_DAYS)
    assert TOKENS.read(TOKENS.issue(GUEST, "Lan", SITE, old + timedelta(hours=1)), SITE).author_id == GUEST
    with pytest.raises(Problem):
        TOKENS.read(TOKENS.issue(GUEST, "Lan", SITE, old - timedelta(minutes=2)), SITE)


def test_a_token_of_an_instance_whose_clock_is_ahead_is_good() -> None:
    assert TOKENS.read(TOKENS.issue(GUEST, "Lan", SITE, NOW + timedelta(hours=1)), SITE).author_id == GUEST


@pytest.mark.parametrize("name", ["Ng", "\N{PILE OF POO}" * NAME_LENGTH, "ế" * NAME_LENGTH, "\\" * NAME_LENGTH])
def test_every_name_and_site_that_can_be_has_a_token_that_can_be_read(name: str) -> None:
    site = "s" * 64
    assert TOKENS.read(TOKENS.issue(GUEST, name, site, NOW), site).name == name


def test_a_token_holds_nothing_more_than_it_has_to() -> None:
    assert set(jwt.decode(GOOD, options={"verify_signature": False})) == set(CLAIMS)


# ---- guests ---------------------------------------------------------------------------------------------


def test_a_guest_is_the_same_for_every_retry() -> None:
    assert Tokens(KEY).guest_id(SITE, "a key of the tests") == GUEST
    assert is_uuid(GUEST)
    assert (UUID(GUEST).version, UUID(GUEST).variant) == (8, "specified in RFC 4122")


def test_guests_of_other_keys_sites_and_servers_are_others() -> None:
    others = {
        TOKENS.guest_id(SITE, "another key"),
        TOKENS.guest_id("other", "a key of the tests"),
        Tokens(b"y" * 40).guest_id(SITE, "a key of the tests"),
        TOKENS.guest_id("new", "s\0a key of the tests"),
    }
    assert len(others) == 4
    assert GUEST not in others


@pytest.mark.parametrize(("days", "old"), [(0, False), (29, False), (30, False), (31, True), (179, True)])
def test_a_guest_that_is_still_here_gets_a_new_token_in_time(days: int, old: bool) -> None:
    found = TOKENS.read(TOKENS.issue(GUEST, "Lan", SITE, NOW - timedelta(days=days)), SITE)
    assert found.issued_at is not None
    assert found.is_old(found.issued_at + timedelta(days=days)) is old


# ---- moderators -----------------------------------------------------------------------------------------


def test_moderators_tokens_are_random_and_stored_as_a_hash() -> None:
    made = [new_moderator_token() for _ in range(50)]
    assert len({token for token, _ in made}) == 50
    for token, stored in made:
        assert token.startswith(MODERATOR_PREFIX)
        assert len(token) >= len(MODERATOR_PREFIX) + 43
        assert stored == token_hash(token)
        assert token not in stored
        assert len(stored) == 64


def test_now_is_to_the_millisecond_that_is_stored() -> None:
    now = utc_now()
    assert now.microsecond % 1000 == 0
    assert timedelta() <= datetime.now(UTC) - now < timedelta(seconds=5)


def test_a_member_is_known_by_the_name_of_the_token() -> None:
    found = TOKENS.read(signed(HEADER, CLAIMS | {"member": True}), SITE)
    assert (found.name, found.member) == ("Lan", True)
    assert not found.is_old(NOW + timedelta(days=100))
    assert not TOKENS.read(GOOD, SITE).member


@pytest.mark.parametrize("claims", [{"member": 1}, {"member": "true"}, {"member": True, "name": " "}, {"member": None}])
def test_a_member_without_a_name_or_half_a_member_is_nobody(claims: dict[str, object]) -> None:
    with pytest.raises(Problem):
        TOKENS.read(signed(HEADER, CLAIMS | claims), SITE)
