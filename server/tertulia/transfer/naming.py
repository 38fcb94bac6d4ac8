"""Names for what comes without one: the same file always gives the same ids, so a second import finds the first."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from uuid import UUID

from tertulia.articles import SLUG


def author_id(site: str, name: str) -> str:
    """The author whom a file names without an id: one for each name on a site."""
    return _uuid8("author", site, name)


def voter_id(comment_id: str, side: str, number: int) -> str:
    """One of the voters of whom a file tells only how many there were."""
    return _uuid8("voter", comment_id, side, str(number))


def slug(key: str) -> str:
    """The address of an article whose file gives none: its key, or what of the key can stand in an address."""
    if SLUG.fullmatch(key):
        return key
    # the stroke of đ is part of the letter, so it has no decomposition
    letters = unicodedata.normalize("NFKD", key.replace("đ", "d").replace("Đ", "D")).encode("ascii", "ignore").decode()
    words = re.sub("[^a-z0-9]+", "-", letters.lower()).strip("-")[:100].strip("-")
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{words}-{digest}".lstrip("-")


def _uuid8(*parts: str) -> str:
    value = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:16], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))
