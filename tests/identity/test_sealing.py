"""What is sealed can be opened with the same secret key alone."""

from __future__ import annotations

import pytest

from tertulia.identity.sealing import SealError, Sealing

SEALING = Sealing(b"the secret key of these tests, 32 bytes")


def test_what_is_sealed_is_opened_and_looks_different_each_time() -> None:
    sealed = [SEALING.seal(b"a secret of 32 bytes or more, yes") for _ in range(3)]
    assert len(set(sealed)) == 3
    assert {SEALING.opened(one) for one in sealed} == {b"a secret of 32 bytes or more, yes"}
    assert not any("secret" in one for one in sealed)


def test_with_another_key_or_damaged_it_stays_shut() -> None:
    sealed = SEALING.seal(b"a secret")
    for other, text in (
        (Sealing(b"another secret key of these tests, 32"), sealed),
        (SEALING, sealed[:-4]),
        (SEALING, sealed[:20] + "A" + sealed[21:]),
        (SEALING, ""),
        (SEALING, "no base64!"),
    ):
        with pytest.raises(SealError):
            other.opened(text)
