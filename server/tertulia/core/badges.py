"""Badges: a word beside a name, which nobody can type. A site says which it has, and what each is called."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

MODERATOR = "moderator"
"""The badge of whoever decides: given by a role alone, its word is everywhere the same."""
PATTERN = r"^[a-z][a-z0-9-]{0,15}$"
_KEY = re.compile(PATTERN)
_BY_ROLE = ("host", "staff")
"""Roles that are badges, too; the first that somebody has."""
Words = Mapping[str, str]
"""By language."""


def is_badge(key: str) -> bool:
    """Whether a site may have a badge of this key."""
    return _KEY.fullmatch(key) is not None and key != MODERATOR


def badge_of(given: str | None, roles: Collection[str]) -> str | None:
    """What somebody who decides nothing carries: by the word of whoever signed them in, or by a role."""
    if given == MODERATOR:
        given = None
    return given or next((role for role in _BY_ROLE if role in roles), None)


def in_language(badges: Mapping[str, Words], language: str) -> dict[str, str]:
    """Each badge's word in a language, or in English, or in the first that there is."""
    return {
        key: words.get(language) or words.get("en") or next(iter(words.values()))
        for key, words in badges.items()
        if words
    }
