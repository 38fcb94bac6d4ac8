"""Identifiers (RFC 9562): UUID version 7, whose order is the order of making, and version 8, made of a digest."""

from __future__ import annotations

import hashlib
import os
import time
from uuid import UUID


def uuid7(milliseconds: int | None = None) -> str:
    """A new UUIDv7; ``milliseconds`` since 1970 when the time is not now."""
    stamp = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    value = (stamp & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10), "big")
    return str(_shaped(value, version=7))


def lowest_uuid7(milliseconds: int) -> str:
    """What no UUIDv7 made at this time or later is below."""
    return str(_shaped((milliseconds & 0xFFFF_FFFF_FFFF) << 80, version=7))


def milliseconds_of(text: str) -> int:
    """When a UUID of version 7 was made, since 1970."""
    return UUID(text).int >> 80


def uuid7_of(milliseconds: int, *parts: str) -> str:
    """The UUIDv7 that always belongs to this time and these parts: imports made twice name the same comments."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(digest[:10], "big")
    return str(_shaped(value, version=7))


def uuid8(digest: bytes) -> str:
    """The UUIDv8 of a digest of at least 16 bytes: the same one whenever it is made."""
    return str(_shaped(int.from_bytes(digest[:16], "big"), version=8))


def is_uuid(text: str) -> bool:
    """Whether ``text`` is a UUID as this project writes them: lower case, with hyphens."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _shaped(value: int, *, version: int) -> UUID:
    value = value & ~(0xF << 76) | version << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
