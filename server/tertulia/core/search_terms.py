"""What is looked for and found: words of a text, one reading of them for every database.

Words are runs of letters, marks and digits. Scripts that write without blanks have overlapping pairs of their
characters instead, as bigram indexes do; one character alone is looked for as the beginning of a pair.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from tertulia.core.folding import fold

LONGEST_WORD = 64
"""Characters of a word that count: longer ones are addresses and noise."""
MOST_WORDS = 4_000
"""Of a text: one of 10,000 characters has 2,000 to 3,000."""
MOST_TERMS = 16
"""Of a query: words and phrases."""
KEPT = 4_096
"""Words whose folded form is remembered, at most 1 MB: those of people repeat, and folding takes five times as long."""
SNIPPET = 200
"""Characters around the first match, about two lines."""
_BEFORE = 60

# Thai, Lao, Myanmar, Hangul Jamo, Khmer, kana, Han, Hangul
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_LAST_MARK = 0x1F000
"""No script has marks above it."""
_ASCII_RUN = re.compile("[A-Za-z0-9]+")
"""What the pattern of all scripts finds where there is no other letter, in a tenth of the time."""
_PART = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')


class Word(NamedTuple):
    """A word of a text: where it stands, and as it is indexed."""

    start: int
    end: int
    folded: str


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase that is looked for: words in this order; one alone may be the beginning of a word.

    ``written`` is what was typed, in lower case.
    """

    words: tuple[str, ...]
    written: str
    is_beginning: bool = False


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """All of ``wanted``, none of ``unwanted``."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...] = ()


class SnippetPart(NamedTuple):
    text: str
    is_match: bool


def words(text: str) -> list[Word]:
    """The words of a text in NFC, the first MOST_WORDS of them."""
    found: list[Word] = []
    for word in _words(text):
        if len(found) >= MOST_WORDS:
            break
        found.append(word)
    return found


def search_query(text: str) -> SearchQuery:
    """What somebody typed: words, ``"phrases"``, ``-words`` and ``-"phrases"``. Without words nothing is wanted."""
    wanted: list[Term] = []
    unwanted: list[Term] = []
    for minus, phrase, word in _PART.findall(unicodedata.normalize("NFC", text)):
        part = _term(phrase or word)
        if part is not None and len(wanted) + len(unwanted) < MOST_TERMS:
            (unwanted if minus else wanted).append(part)
    return SearchQuery(tuple(wanted), tuple(unwanted))


def own_matches(asked: SearchQuery, text: str) -> int:
    """How many of the wanted parts stand in the text with the marks that the query has."""
    said = normal(text)
    return sum(1 for part in asked.wanted if part.written in said)


def normal(text: str) -> str:
    """A text without its case and its ways to write one letter, but with its marks."""
    return unicodedata.normalize("NFC", text).casefold()


def snippet(asked: SearchQuery, text: str) -> list[SnippetPart]:
    """The text around its first match, as parts that match and parts that do not; with "…" where it is cut."""
    found = words(text)
    marks = sorted(_marks(asked, found))
    start, end = _window(text, marks[0][0] if marks else 0)
    parts = list(_cut(text, marks, start, end))
    parts = [SnippetPart("…", False), *parts] if start else parts
    return [*parts, SnippetPart("…", False)] if end < len(text) else parts


# ---- words ----------------------------------------------------------------------------------------------


def _words(text: str) -> Iterator[Word]:
    for start, end, is_unspaced in _runs(text):
        if not is_unspaced:
            yield from _word(text, start, min(end, start + LONGEST_WORD))
        elif end - start == 1:
            yield from _word(text, start, end)
        else:
            for place in range(start, end - 1):
                yield from _word(text, place, place + 2)


def _word(text: str, start: int, end: int) -> Iterator[Word]:
    folded = _folded(text[start:end])
    if folded:
        yield Word(start, end, folded)


@lru_cache(KEPT)
def _folded(word: str) -> str:
    if word.isascii():  # letters and digits alone, or it would be no run
        return word.lower()
    return _patterns().noise.sub("", fold(word))


def _runs(text: str) -> Iterator[tuple[int, int, bool]]:
    """Where runs of word characters of one kind begin and end, and whether they are of a script without blanks."""
    for match in (_ASCII_RUN if text.isascii() else _patterns().run).finditer(text):
        yield match.start(), match.end(), match.lastgroup == "unspaced"


class _Patterns(NamedTuple):
    run: re.Pattern[str]
    noise: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    """What is a word: made at the first search, since ``re`` knows no marks and to collect them takes 15 ms."""
    found = (chr(code) for code in range(0x300, _LAST_MARK) if unicodedata.category(chr(code))[0] == "M")
    marks = "".join(map(re.escape, found))
    unspaced = rf"(?P<unspaced>[{_UNSPACED}](?:[{_UNSPACED}]|[{marks}])*)"
    spaced = rf"(?P<spaced>(?:[A-Za-z0-9]+|(?![{_UNSPACED}])[^\W_]|[{marks}])+)"
    return _Patterns(re.compile(f"{unspaced}|{spaced}"), re.compile(rf"(?:(?![{marks}])[\W_])+"))


# ---- queries --------------------------------------------------------------------------------------------


def _term(text: str) -> Term | None:
    found = words(text)
    if not found:
        return None
    is_beginning = len(found) == 1 and len(found[0].folded) == 1 and re.match(f"[{_UNSPACED}]", text) is not None
    return Term(tuple(word.folded for word in found), normal(text), is_beginning)


def _places(part: Sequence[str], text: Sequence[str], is_beginning: bool) -> Iterator[int]:
    """Where the words of a part begin in the words of a text."""
    for place in range(len(text) - len(part) + 1):
        if (is_beginning and text[place].startswith(part[0])) or tuple(text[place : place + len(part)]) == tuple(part):
            yield place


def _marks(asked: SearchQuery, text: Sequence[Word]) -> Iterator[tuple[int, int]]:
    folded = [word.folded for word in text]
    for part in asked.wanted:
        for place in _places(part.words, folded, part.is_beginning):
            yield text[place].start, text[place + len(part.words) - 1].end


def _window(text: str, match: int) -> tuple[int, int]:
    start = max(0, min(match - _BEFORE, len(text) - SNIPPET))
    if start:
        blank = text.find(" ", start, start + _BEFORE // 2)
        start = start if blank < 0 or blank >= match else blank + 1
    end = min(len(text), start + SNIPPET)
    if end < len(text):
        blank = text.rfind(" ", end - _BEFORE // 2, end)
        end = end if blank < 0 else blank
    return start, end


def _cut(text: str, marks: Iterable[tuple[int, int]], start: int, end: int) -> Iterator[SnippetPart]:
    place = start
    for first, last in marks:
        first, last = max(first, place), min(last, end)
        if last <= first:
            continue
        if first > place:
            yield SnippetPart(text[place:first], False)
        yield SnippetPart(text[first:last], True)
        place = last
    if place < end:
        yield SnippetPart(text[place:end], False)
