"""Text as it is compared in a search: without case, without accents, and without the ways in which one sign is written.

The client folds with the same table, ``folding.json``, from which its build makes ``page/foldingTable.js``.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class _Table(NamedTuple):
    dropped: re.Pattern[str]
    letters: dict[int, str]


def fold(text: str) -> str:
    """NFKC without the marks of Latin, Greek, Cyrillic, Arabic and Hebrew letters, in lower case.

    The vowels of Devanagari and Thai and the voicing of kana are no accents and stay. Letters that Unicode does not
    decompose (ł, ø, ß, đ, ı, þ; ى, ة; final ς) have their plain ones in the table, quotes and dashes one sign each.
    Joiners, direction marks and the Arabic tatweel are nothing. Folding what is folded changes nothing.
    """
    if text.isascii() and text.isalnum():  # most words of many languages: none of their letters is in the table
        return text.lower()
    dropped, letters = _table()
    decomposed = unicodedata.normalize("NFKD", text.translate(letters))
    folded = dropped.sub("", decomposed).lower().translate(letters)
    return unicodedata.normalize("NFC", folded)


@cache
def _table() -> _Table:
    table = json.loads((files(__package__) / "folding.json").read_text("utf-8"))
    letters = {ord(one): plain for plain, alike in table["letters"].items() for one in alike}
    return _Table(re.compile(f"[{table['dropped']}]+"), letters)
