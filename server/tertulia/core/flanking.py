"""Where marks of emphasis open and close: the delimiter runs of CommonMark, as people write.

CommonMark asks whether a letter, a blank or punctuation stands on either side of a run. That loses the stars of
``2*3*4``, and finds no emphasis in scripts that put no blanks between words, where ``**「重要」**です`` has
punctuation inside and a letter outside (commonmark/commonmark-spec#650). So there are four kinds of neighbours here:
wide characters (UAX 11) and the scripts of line-breaking class SA (UAX 14) are neither words nor punctuation.
client/src/actions/extras/flanking.js says the same of what the client writes.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\u2e80-\u303f"
    "\u3041-\ua4cf\ua960-\ua9ff\uaa60-\uaadf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
    "\U00016fe0-\U00018fff\U0001b000-\U0001b2ff\U00020000-\U0003ffff"
)
"""Thai to Tibetan, Burmese, Khmer and Javanese; Han, kana, Bopomofo and Yi with their punctuation; Hangul, whose
particles follow a word at once. For a character class of a regular expression."""

_UNSPACED = re.compile(f"[{UNSPACED}\u231a-\u23ff\u2600-\u27bf\ufe10-\ufe19\ufe50-\ufe6f\U0001f000-\U0001fbff]")
_LOOKED_THROUGH = "\u061c\u200c\u200d\u200e\u200f\ufe0e\ufe0f"  # they ride on what stands before them
_MOST_LOOKED_THROUGH = 8
_NOT_AT_THE_START = ",;:!?。、，；：！？।॥،؛؟۔"
_NOT_AT_THE_END = "¿¡"
_NAME_GOES_ON = re.compile(r"[.:/\\@=-]+[^\W_]|[(\[]")
_NAME_BEFORE = ".=\\@"


class Flanking(NamedTuple):
    opens: bool
    closes: bool


class _Kind(Enum):
    blank = auto()
    punctuation = auto()
    unspaced = auto()
    word = auto()


def flanking(text: str, start: int, end: int, limit: int) -> Flanking:
    """Whether the run of marks ``text[start:end]`` can open and close emphasis in ``text[:limit]``.

    Within a word it can neither, nor can a run of ``_`` within a name such as ``__init__.py``.
    """
    before, after = _before(text, start), _after(text, end, limit)
    left, right = _kind(before), _kind(after)
    is_name = text[start] == "_"
    if left is right is _Kind.word or (is_name and before.isalnum() and after.isalnum()):
        return Flanking(opens=False, closes=False)
    opens = right is not _Kind.blank and not (right is _Kind.punctuation and left is _Kind.word)
    opens = opens and not (_ends(after) and (left is _Kind.unspaced or _begins(before)))
    closes = left is not _Kind.blank and not (left is _Kind.punctuation and right is _Kind.word)
    closes = closes and not (_begins(before) and (right is _Kind.unspaced or _ends(after)))
    if is_name:
        opens = opens and not (before in _NAME_BEFORE and start > 1 and _kind(text[start - 2]) is _Kind.word)
        closes = closes and not _NAME_GOES_ON.match(text, end, limit)
    return Flanking(opens, closes)


def _before(text: str, start: int) -> str:
    for at in range(start - 1, max(-1, start - 1 - _MOST_LOOKED_THROUGH), -1):
        if text[at] not in _LOOKED_THROUGH:
            return text[at]
    return " "


def _after(text: str, end: int, limit: int) -> str:
    for at in range(end, min(limit, end + _MOST_LOOKED_THROUGH)):
        if text[at] not in _LOOKED_THROUGH:
            return text[at]
    return " "


@lru_cache(1024)
def _kind(character: str) -> _Kind:
    if character.isspace():
        return _Kind.blank
    if _UNSPACED.match(character):
        return _Kind.unspaced
    return _Kind.punctuation if unicodedata.category(character)[0] in "PS" else _Kind.word


def _ends(character: str) -> bool:
    return character in _NOT_AT_THE_START or unicodedata.category(character) == "Pe"


def _begins(character: str) -> bool:
    return character in _NOT_AT_THE_END or unicodedata.category(character) == "Ps"
