"""Names for what comes without one: the same file always gives the same ids, so a second import finds the first."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from tertulia.articles import SLUG
from tertulia.core.ids import uuid8


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
    return uuid8(hashlib.sha256("\0".join(parts).encode()).digest())
