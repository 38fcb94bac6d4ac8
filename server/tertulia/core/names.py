"""Names that look alike, and what a name may not be adorned with."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

from tertulia.core.text import clean_name

# check marks, stars and shields, with the selectors that choose how they are drawn
_SIGNS = "√✓✔✅☑🗸🗹🮱★☆⍟⭐⭑⭒✩-✰⚝⛤-⛧🌟🞯-🟘⛨🛡"
_SIGNED = re.compile(f"[{_SIGNS}][\ufe0e\ufe0f\u20e3]*")
# A to Z in white on a circle, on a square and as the halves of flags, which neither NFKD nor UTS 39 reads as letters
_DRAWN = "🅐🅰🇦"
_DOUBLED = re.compile(r"(.)\1+", re.DOTALL)
_KNOWN = 4096  # names that are asked about again and again: of who writes at the moment


def unadorned(name: str) -> str:
    """The name without signs that look like a badge; raises empty where nothing else is in it."""
    bare = _SIGNED.sub("", name)
    return name if bare == name else clean_name(bare)


@lru_cache(_KNOWN)
def skeletons(name: str) -> frozenset[str]:
    """What a name looks like as it is written, in lower case and in upper case: two with one in common look alike.

    A skeleton is NFKD without marks, UTS 39's prototypes, case folded, letters and digits alone, doubled ones single.
    In one case only, ``I`` and ``l``, or ``N`` and ``ν``, would never meet.
    """
    return frozenset(_skeleton(written) for written in (name, name.lower(), name.upper()))


def _skeleton(text: str) -> str:
    drawn = _unmarked(text).translate(prototypes())
    folded = _unmarked(drawn.casefold())
    bare = "".join(character for character in folded if character.isalnum())
    return _DOUBLED.sub(r"\1", bare or folded)


def _unmarked(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if unicodedata.category(character)[0] != "M")


@cache
def prototypes() -> dict[int, str]:
    """What characters are drawn like, by their numbers."""
    table = (files(__package__) / "confusables.txt").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("# "))
    drawn = {ord(first) + letter: chr(ord("A") + letter) for first in _DRAWN for letter in range(26)}
    return drawn | {ord(character): prototype for prototype, alike in rows for character in alike}
