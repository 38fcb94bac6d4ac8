"""Identifiers have the version and the variant of RFC 9562."""

from __future__ import annotations

import hashlib
from uuid import RFC_4122, UUID

from tertulia.core.ids import is_uuid, lowest_uuid7, uuid7, uuid7_of, uuid8


def test_identifiers_are_what_they_say() -> None:
    digest = hashlib.sha256(b"Lan").digest()
    for made, version in ((uuid7(), 7), (lowest_uuid7(1), 7), (uuid7_of(1, "a"), 7), (uuid8(digest), 8)):
        found = UUID(made)
        assert (found.version, found.variant) == (version, RFC_4122)
        assert is_uuid(made)


def test_a_digest_has_one_identifier() -> None:
    assert uuid8(b"\xff" * 16) == uuid8(b"\xff" * 32) == "ffffffff-ffff-8fff-bfff-ffffffffffff"
    assert uuid8(bytes(16)) == "00000000-0000-8000-8000-000000000000"
