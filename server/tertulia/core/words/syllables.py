"""The syllables of Vietnamese: many everyday words and many obscene ones differ in their marks alone.

A syllable is told by its shape, an initial, one to three vowels, a final, so there is no dictionary. What is written
with marks is compared with them; the tone, which some set on one vowel and some on the next, is put at the end.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_QUALITIES = frozenset("\u0302\u0306\u031b")
_SHAPE = re.compile("(?:ngh|ng|nh|gh|gi|ch|kh|ph|th|tr|qu|[bcdghklmnpqrstvx])?[aeiouy]{1,3}(?:ng|nh|ch|[cmnpt])?")


def is_syllable(bare: str) -> bool:
    """Whether letters without marks have the shape of a syllable."""
    return _SHAPE.fullmatch(bare) is not None


def has_marks(decomposed: str) -> bool:
    """Whether anything in NFD has a mark of Vietnamese."""
    return "đ" in decomposed or not (_TONES.isdisjoint(decomposed) and _QUALITIES.isdisjoint(decomposed))


def marked(decomposed: str) -> str | None:
    """A syllable with its marks, the tone last, from lower case in NFD; None of what is none, or has no marks.

    Marks of other languages are left out, of several tones the first counts, and a letter that is repeated is one.
    """
    if not has_marks(decomposed):
        return None
    letters: list[str] = []
    tone = ""
    for character in decomposed:
        if character.isalnum():
            letters.append(character)
        elif character in _TONES:
            tone = tone or character
        elif character in _QUALITIES and letters:
            letters[-1] += character
    single = [letter for at, letter in enumerate(letters) if at == 0 or letter != letters[at - 1]]
    bare = "".join("d" if letter == "đ" else letter[0] for letter in single)
    return "".join(single) + tone if is_syllable(bare) else None


def is_everyday(bare: str) -> bool:
    """Whether letters without marks are so common, in Vietnamese or in English, that alone they say nothing."""
    return bare in _everyday()


@cache
def _everyday() -> frozenset[str]:
    table = (files(__package__) / "everyday.txt").read_text("utf-8")
    return frozenset(word for line in table.splitlines() if not line.startswith("#") for word in line.split())
