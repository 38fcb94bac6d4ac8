"""Signatures: one who has no key can say nothing, and nothing that was said is said again elsewhere."""

from __future__ import annotations

from typing import NoReturn

import pytest

from tertulia.bus.redis.signing import OVERHEAD, Signer, Unverified
from tertulia.bus.redis.wire import MAX_MESSAGE_BYTES
from tertulia.identity import derived_key

KEY = b"a key of these tests"
HERE, THERE = "tertulia:here", "tertulia:there"
SAID = b'[2,"alive","i",1]\n[]'
GOOD = Signer(KEY).sign(HERE, SAID)

FORGED = {
    "nothing": b"",
    "no signature": SAID,
    "an empty signature": b"\n" + SAID,
    "of another key": Signer(b"another key of these tests").sign(HERE, SAID),
    "of no key": Signer(b"").sign(HERE, SAID),
    "of another channel": Signer(KEY).sign(THERE, SAID),
    "of a part": GOOD[:-1],
    "of less": GOOD + b" ",
    "changed": GOOD.replace(b"alive", b"Alive"),
    "shorter": GOOD[1:],
    "in capitals": GOOD.replace(GOOD[:OVERHEAD], GOOD[:OVERHEAD].upper()),
    "in two lines": GOOD[:16] + b"\n" + GOOD[16:],
    "moved to the channel": Signer(KEY).sign(HERE + "\n" + SAID.decode(), b""),
}


def test_what_is_signed_is_verified() -> None:
    assert GOOD != SAID
    assert len(GOOD) == len(SAID) + OVERHEAD
    assert Signer(KEY).verify(HERE, GOOD) == SAID
    assert Signer(KEY).verify(HERE, Signer(KEY).sign(HERE, b"")) == b""


@pytest.mark.parametrize("name", FORGED)
def test_what_is_forged_is_not(name: str) -> None:
    with pytest.raises(Unverified):
        Signer(KEY).verify(HERE, FORGED[name])


def test_every_byte_counts() -> None:
    for place in range(len(GOOD)):
        changed = bytearray(GOOD)
        changed[place] ^= 1
        with pytest.raises(Unverified):
            Signer(KEY).verify(HERE, bytes(changed))


class Unread(bytes):
    def partition(self, _separator: object) -> NoReturn:
        raise AssertionError("it is read")


def test_what_is_too_long_is_not_even_read() -> None:
    longest = Signer(KEY).sign(HERE, b"x" * MAX_MESSAGE_BYTES)
    assert len(Signer(KEY).verify(HERE, longest)) == MAX_MESSAGE_BYTES
    longer, signer = Signer(KEY).sign(HERE, b"x" * (MAX_MESSAGE_BYTES + 1)), Signer(KEY)
    with pytest.raises(Unverified):
        signer.verify(HERE, Unread(longer))


def test_a_key_is_for_one_purpose() -> None:
    secret = b"the secret of these tests, of 32 bytes or more"
    keys = {derived_key(secret, purpose) for purpose in ("bus\0one", "bus\0two", "request")}
    assert len(keys | {secret, derived_key(b"y" * 40, "request")}) == 5
    assert {len(key) for key in keys} == {32}
