"""A text as tokens: each with its place in the text as it was typed, and the keys that it is found by.

A key is the token folded, or of a syllable with marks what ``syllables.marked`` says. A token has several where it can
be read in several ways: digits as letters, repeated letters, letters of another script that look like Latin ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from tertulia.core.folding import fold
from tertulia.core.names import prototypes
from tertulia.core.words.syllables import has_marks, is_syllable, marked

KNOWN_CHUNKS = 8_192
"""Read once as long as they are written again and again; 4 MB where all are long."""
LONG_CHUNK = 40
"""Characters: hardly a word, and not kept."""
MOST_SPELLED = 40
"""Single letters in a row that are tried as one word."""
_SIGNS = "@$!"
_AS_I = dict(zip(map(ord, "013457@$!"), "oieastasi", strict=True))
_AS_L = _AS_I | {ord("1"): "l", ord("!"): "l"}
_LEET = frozenset("013457@$!")
_CHUNK = re.compile(r"\S+")
_REPEATED = re.compile(r"(.)\1")
_LONG_RUN = re.compile(r"(.)\1\1+")
_RUN = re.compile(r"(.)\1+")
_ALL_DOUBLED = re.compile(r"(?:(.)\1+){2,}")
# doubled they hardly stand in an English word, and in none of Vietnamese
_UNUSUAL = re.compile(r"([aiuyhjkqvwx])\1|c(c)(?=k)")
_NUMBERED = re.compile(r"\d*(\D{3,})\d*")
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_IGNORED = _FILLERS | frozenset("\u034f\u180b\u180c\u180d\u180f\u20dd\u20de\u20e0\u20e3")
_APOSTROPHES = frozenset("'’ʼ`´")
_AFTER_WORDS = frozenset(",.;:?!…)")
_ENDS = (".", "!", "?", "…", "。", "！", "？")
_MARK, _LETTER, _NOTHING, _SIGN, _OTHER = range(5)


class Token(NamedTuple):
    """``typed`` is in NFC without what is not seen; ``has_marks`` of Vietnamese; a sentence ``ends`` with it."""

    start: int
    end: int
    typed: str
    keys: tuple[str, ...]
    has_marks: bool = False
    ends: bool = False


class Reading(NamedTuple):
    """The tokens of a text in their order, and others that overlap them: what stands around signs, put together again,
    and what is spelled out letter by letter.
    """

    tokens: list[Token]
    joined: list[Token]
    spelled: list[Token]


def read(text: str) -> Reading:
    """What is in a text. Positions are those of ``text``."""
    tokens: list[Token] = []
    joined: list[Token] = []
    for found in _CHUNK.finditer(text):
        chunk, start = found[0], found.start()
        own, others = _known_chunk(chunk) if len(chunk) <= LONG_CHUNK else _read_chunk(chunk)
        for begin, end, typed, found_by, marks, ends in own:
            tokens.append(Token(start + begin, start + end, typed, found_by, marks, ends))
        for begin, end, typed, found_by, *_ in others:
            joined.append(Token(start + begin, start + end, typed, found_by))
    return Reading(tokens, joined, _spelled(text, tokens))


def is_unmarked_vietnamese(tokens: list[Token]) -> bool:
    """Whether a text was typed without any mark, and most of it has the shape of syllables."""
    if any(token.has_marks for token in tokens):
        return False
    words = [token.keys[0] for token in tokens if token.keys[0].isalpha()]
    return 3 * sum(map(is_syllable, words)) >= 2 * len(words) > 0


# ---- from characters to tokens --------------------------------------------------------------------------


def _read_chunk(chunk: str) -> tuple[list[Token], list[Token]]:
    """The tokens of what stands between two blanks, and what comes of putting them together."""
    ends = chunk.endswith(_ENDS)
    if chunk.isalnum() and (chunk.isascii() or _FILLERS.isdisjoint(chunk)):
        return [_token(0, len(chunk), chunk, ends)], []
    if chunk[:-1].isalnum() and chunk[-1] in _AFTER_WORDS and _FILLERS.isdisjoint(chunk):
        return [_token(0, len(chunk) - 1, chunk[:-1], ends)], []
    pieces = _pieces(chunk)
    if "%" in chunk and (decoded := unquote(chunk)) != chunk:
        pieces = [(0, len(chunk), typed) for _, _, typed in _pieces(decoded)]
    tokens = [_token(start, end, typed) for start, end, typed in pieces]
    if tokens and ends:
        tokens[-1] = tokens[-1]._replace(ends=True)
    if not pieces or len(chunk) > LONG_CHUNK or "://" in chunk:
        return tokens, []
    return _with_joined(chunk, tokens)


_known_chunk = lru_cache(KNOWN_CHUNKS)(_read_chunk)


def forget() -> None:
    """Of what was read nothing is known any more, as in a process that has just begun."""
    _known_chunk.cache_clear()


def _token(start: int, end: int, typed: str, ends: bool = False) -> Token:
    if typed.isascii():
        return Token(start, end, typed, keys(typed), False, ends)
    composed = unicodedata.normalize("NFC", typed)
    decomposed = unicodedata.normalize("NFKD", composed.casefold())
    syllable = _syllable(composed, decomposed)
    if syllable is not None:
        return Token(start, end, composed, (syllable,), True, ends)
    return Token(start, end, composed, _other_keys(composed), has_marks(decomposed), ends)


def _pieces(chunk: str) -> list[tuple[int, int, str]]:
    """Runs of letters and digits, with their marks, without what is not seen."""
    found: list[tuple[int, int, str]] = []
    letters: list[str] = []
    start = end = 0
    for at, character in enumerate(chunk):
        kind = _kind(character)
        if kind == _LETTER or (kind == _MARK and letters):
            if not letters:
                start = at
            letters.append(character)
            end = at + 1
        elif kind >= _SIGN and letters:
            found.append((start, end, "".join(letters)))
            letters = []
    if letters:
        found.append((start, end, "".join(letters)))
    return found


@lru_cache(4_096)
def _kind(character: str) -> int:
    if character in _SIGNS:
        return _SIGN
    category = unicodedata.category(character)
    if character in _IGNORED or category == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return _NOTHING
    if character.isalnum():
        return _LETTER
    if category[0] == "M":
        return _MARK
    drawn = unicodedata.normalize("NFKC", character).strip("()")
    is_drawn = category == "So" and len(drawn) == 1 and (drawn.isalpha() or ord(character) in prototypes())
    return _LETTER if is_drawn else _OTHER


def _with_joined(chunk: str, tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    """The same, and ``sp-am``, ``s**p**am`` and ``$pam`` as one word each, where it may be one.

    Signs that stand for letters, with nothing else between, make a token in the order of the text.
    """
    parts, joined = list(tokens), []
    if len(parts) > 1 and _APOSTROPHES.isdisjoint(chunk):
        joined.append(_token(parts[0].start, parts[-1].end, "".join(part.typed for part in parts)))
    signed = _with_signs(chunk)
    if signed is None:
        return parts, joined
    start, end, typed = signed
    if not _is_one_word(chunk[start:end]):
        return parts, [*joined, Token(start, end, typed, keys(typed))]
    own = parts.pop() if len(parts) == 1 else None
    found_by = (*keys(typed), *(own.keys if own else ()))
    has_any = any(token.has_marks for token in tokens)
    return [Token(start, end, own.typed if own else typed, found_by, has_any, tokens[-1].ends)], [*joined, *parts]


def _with_signs(chunk: str) -> tuple[int, int, str] | None:
    """Letters and the signs that stand for some, where both are there; signs at the end of a sentence are none."""
    if not any(sign in chunk for sign in _SIGNS):
        return None
    chosen = [(at, character) for at, character in enumerate(chunk) if _kind(character) in (_LETTER, _MARK, _SIGN)]
    while chosen and chosen[-1][1] == "!":
        chosen.pop()
    typed = unicodedata.normalize("NFC", "".join(character for _, character in chosen))
    if any(sign in typed for sign in _SIGNS) and any(map(str.isalpha, typed)):
        return chosen[0][0], chosen[-1][0] + 1, typed
    return None


def _is_one_word(signed: str) -> bool:
    """Whether nothing is between letters but signs that stand for some."""
    return all(_kind(character) != _OTHER for character in signed)


def _spelled(text: str, tokens: list[Token]) -> list[Token]:
    """``s p a m`` and ``s. p. a. m``: from three single letters on one word, without a leading ``a`` or ``I`` too."""
    found: list[Token] = []
    run: list[Token] = []
    for token in tokens:
        if len(token.typed) == 1 and (not run or _goes_on(text, run, token)):
            run.append(token)
            continue
        found += _word_of(run)
        run = [token] if len(token.typed) == 1 else []
    return found + _word_of(run)


def _goes_on(text: str, run: list[Token], token: Token) -> bool:
    """Whether a letter stands as close to the one before as the first two do."""
    gap = text[run[-1].end : token.start]
    return "\n" not in gap and len(gap) <= (2 if len(run) == 1 else max(2, run[1].start - run[0].end))


def _word_of(run: list[Token]) -> list[Token]:
    if not 3 <= len(run) <= MOST_SPELLED:
        return []
    starts = (0, 1) if run[0].keys[0] in ("a", "i", "u") and len(run) > 3 else (0,)
    return [_token(run[at].start, run[-1].end, "".join(token.typed for token in run[at:])) for at in starts]


# ---- from a token to keys -------------------------------------------------------------------------------


def keys(typed: str) -> tuple[str, ...]:
    """What a token is found by, the plainest first."""
    if typed.isascii() and typed.isalpha() and ("I" not in typed or typed.isupper()):
        lowered = typed.lower()
        return (lowered,) if _REPEATED.search(lowered) is None else tuple(dict.fromkeys(_shortened(lowered)))
    syllable = _syllable(typed, unicodedata.normalize("NFKD", typed.casefold()))
    return _other_keys(typed) if syllable is None else (syllable,)


def _syllable(typed: str, decomposed: str) -> str | None:
    """The only key of a syllable with its marks; None of what may stand for something else."""
    return marked(decomposed) if _LEET.isdisjoint(typed) else None


def _other_keys(typed: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for reading in _readings(typed):
        own = marked(unicodedata.normalize("NFKD", reading.casefold()))
        for key in [own] if own is not None else _shortened(fold(reading)):
            found[key] = None
    return tuple(found)


def entry_keys(typed: str) -> list[str]:
    """How a word of an entry stands in the list: as it is written, and as it looks in another script."""
    readings = [typed] if fold(typed).isascii() else [typed, *_drawn(typed, _tables())]
    return list(dict.fromkeys(marked(unicodedata.normalize("NFKD", one.casefold())) or fold(one) for one in readings))


def with_signs_read(chunk: str) -> str:
    """An entry's signs as the letters for which they stand: ``a$$`` is ``ass``."""
    signed = _with_signs(chunk)
    return signed[2].translate(_AS_I) if signed and _is_one_word(chunk[signed[0] : signed[1]]) else chunk


def _readings(typed: str) -> Iterable[str]:
    """What it may stand for: itself, and Latin letters in place of digits, signs and those that look like them."""
    folded = fold(typed)
    yield typed
    if "I" in typed and not typed.isupper():
        yield typed.replace("I", "l")
    numbered = _NUMBERED.fullmatch(typed)
    if numbered is not None and numbered[1] != typed:
        yield numbered[1]
    if not folded.isascii():
        yield from _drawn(typed, _tables())
    if not _LEET.isdisjoint(folded) and any(map(str.isalpha, folded)):
        tables = _tables_with_digits()
        yield from _drawn(typed, tables if "1" in folded or "!" in folded else tables[:1])


def _drawn(typed: str, tables: tuple[dict[int, str], ...]) -> list[str]:
    """A token in the letters that look like its own: of another script as it is written and in either case."""
    cases = (typed,) if typed.isascii() else dict.fromkeys((typed, typed.lower(), typed.upper()))
    decomposed = [unicodedata.normalize("NFKD", case) for case in cases]
    return list(dict.fromkeys(case.translate(table) for case in decomposed for table in tables))


@cache
def _tables() -> tuple[dict[int, str], ...]:
    """Of letters outside of ASCII: once with a capital I of other scripts as an i, once as the l that it looks like."""
    alike = {code: drawn for code, drawn in prototypes().items() if code > 127 and drawn.isascii() and drawn.isalpha()}
    capitals = {code: "i" for code, drawn in alike.items() if drawn == "l" and chr(code).isupper()}
    return alike | capitals, alike


@cache
def _tables_with_digits() -> tuple[dict[int, str], ...]:
    first, second = _tables()
    return first | _AS_I, second | _AS_L


def _shortened(key: str) -> Iterator[str]:
    """The key, and what it is without repeated letters: three or more are one or two, some never stand twice."""
    yield key
    if _REPEATED.search(key) is None:
        return
    for shorter in (key, _LONG_RUN.sub(r"\1", key), _LONG_RUN.sub(r"\1\1", key)):
        yield shorter
        yield _UNUSUAL.sub(r"\1\2", shorter)
    if _ALL_DOUBLED.fullmatch(key):
        yield _RUN.sub(r"\1", key)
