"""Clean text: what people and pages send, in the one form that is stored.

Cleaning is idempotent and its result is NFC, so a Vietnamese letter is one code point however it was typed. What is
drawn stays as it was written; what only hides, turns a line around or piles up goes.

Its cost is linear and mostly C's: Python looks at each kind of character in a text once, not at each character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import urlsplit

from tertulia.core.keys import ADDRESS_LENGTH, canonical_key, parse_address
from tertulia.core.keys import KEY_LENGTH as KEY_LENGTH
from tertulia.errors import ErrorCode, Problem, no_such_site

NAME_LENGTH = 64
TEXT_LENGTH = 10_000
TITLE_LENGTH = 300
URL_LENGTH = 2048
"""Lengths are in code points after cleaning: a client can count the same, which graphemes do not allow."""

_NAME_MARKS = 4
_TEXT_MARKS = 8  # the longest real cluster is Tibetan: one letter with eight marks
_STREAM_MARKS = 30  # the Stream-Safe Text Format of UAX 15; NFC is quadratic in a longer run (80,000 marks: 5 s)
_RAW_FACTOR = 8  # a text this many times too long is refused before any work
_NFC_FACTOR = 4  # one composed character is at most four decomposed ones

_JOINERS = "\u200c\u200d"  # Persian needs the first, families of emoji the second
_DIRECTION_MARKS = "\u061c\u200e\u200f"  # they place punctuation and cannot turn a line around
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # blank to the eye, letters and a symbol by their category
EDGES = " \t\n\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
EDGES += _FILLERS + _JOINERS
"""What no text begins or ends with."""
BLANKS = EDGES.replace("\n", "") + _DIRECTION_MARKS
"""A line of these alone is empty to the eye."""
_LINE_ENDS = "\v\f\x85\u2028\u2029"

_DRAWN_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
_PICTOGRAPHS = range(0x1F000, 0x1FB00)  # reserved for emoji: new ones are unassigned in an older Python

_SITE = re.compile(r"[a-z0-9-]{1,64}")
_NEWLINE = re.compile(f"\r\n?|[{_LINE_ENDS}]")
_SPACES = re.compile(r"\s+")
_BLANK_LINES = re.compile(f"\n(?:[{BLANKS}]*\n){{2,}}")
_FLAG = re.compile("(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)")  # Scotland and others
_WEB = re.compile(r"https?://[^/?#]", re.IGNORECASE | re.ASCII)
_NOT_IN_ADDRESS = re.compile(r"""[\s\x00-\x20\x7f-\x9f\\<>"]""")
_BREAKS = "\t\n\v\f\r"
_NOT_IN_KEY = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # Cc, Zl and Zp
_SURROGATE = re.compile("[\ud800-\udfff]")
_RIDER = "\0"  # stands for what rides; texts hold none themselves
_RUNS = {limit: re.compile(f"(?<=\0{{{limit}}})\0+") for limit in (_NAME_MARKS, _TEXT_MARKS, _STREAM_MARKS)}
_START = 64  # characters among which nearly every text has one that is drawn


def clean_text(raw: str, field: str = "body") -> str:
    """The text of a comment: at most two line ends in a row, and no characters that hide text or turn it around."""
    _check_raw(raw, TEXT_LENGTH * _RAW_FACTOR, TEXT_LENGTH, field)
    parts = _FLAG.split(_NEWLINE.sub("\n", raw))
    text = "".join(part if at % 2 else _filtered(part, _stays_in_text) for at, part in enumerate(parts))
    text = _composed(text, _TEXT_MARKS).strip(EDGES)
    return _measured(_BLANK_LINES.sub("\n\n", text), TEXT_LENGTH, field)


def clean_name(raw: str, field: str = "author.name") -> str:
    """A person's name: one line without invisible characters, but for joiners inside it."""
    _check_raw(raw, NAME_LENGTH * _RAW_FACTOR, NAME_LENGTH, field)
    return _measured(_line(raw, _NAME_MARKS), NAME_LENGTH, field)


def clean_title(raw: str, field: str = "title") -> str:
    """A page's title, which its reader did not type: one line, cut where it is too long; it may be empty."""
    check_characters(raw, field)
    return _line(raw[: TITLE_LENGTH * _RAW_FACTOR], _TEXT_MARKS)[:TITLE_LENGTH].rstrip(EDGES)


def clean_key(raw: str, field: str = "key") -> str:
    """The name a page gives to its discussion: taken as it is, or refused.

    Line ends around it, which templates write, go; of an address that is too long its canonical form is taken.
    """
    key = raw.strip() if raw.strip(_BREAKS) != raw else raw
    if len(key) > KEY_LENGTH and parse_address(key.strip()[:ADDRESS_LENGTH]):
        _check_raw(key, ADDRESS_LENGTH, ADDRESS_LENGTH, field)
        _check_key(key, field)
        return canonical_key(key)
    _check_raw(key, KEY_LENGTH * _NFC_FACTOR, KEY_LENGTH, field)
    key = unicodedata.normalize("NFC", key)
    _check_key(key, field)
    return _measured(key, KEY_LENGTH, field)


def _check_key(key: str, field: str) -> None:
    if _NOT_IN_KEY.search(key):
        raise Problem(ErrorCode.invalid, "A key cannot hold control characters or line ends.", field=field)


def is_site(raw: str) -> bool:
    """Whether ``raw`` can be the key of a site."""
    return _SITE.fullmatch(raw) is not None


def clean_site(raw: str, field: str = "site") -> str:
    """The key of a site: taken as it is. What cannot be one names no site, and no database is asked for it."""
    if not is_site(raw):
        raise no_such_site(field)
    return raw


def clean_url(raw: str, field: str = "url") -> str:
    """The address of the page that holds a discussion: absolute http or https, or empty when there is none."""
    _check_raw(raw, URL_LENGTH * _NFC_FACTOR, URL_LENGTH, field)
    url = unicodedata.normalize("NFC", raw.strip())
    if len(url) > URL_LENGTH:
        raise _too_long(len(url), URL_LENGTH, field)
    if url and not is_web_address(url):
        raise Problem(ErrorCode.invalid, "Send the page's absolute http or https address, or none.", field=field)
    return url


def is_web_address(url: str) -> bool:
    """Whether ``url`` is an absolute http(s) address with a host, and without a user, spaces or backslashes."""
    if len(url) > URL_LENGTH or not _WEB.match(url) or _NOT_IN_ADDRESS.search(url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # an impossible port, broken brackets, or a host that NFKC turns into something else
        return False
    return "@" not in parts.netloc and port != 0 and any(c.isalnum() for c in parts.hostname or "")


def is_visible(text: str) -> bool:
    """Whether anything in ``text`` is drawn by itself: a letter, a digit, a sign; not only spaces and marks."""
    return any(_is_drawn(c) for c in text[:_START]) or any(_is_drawn(c) for c in set(text[_START:]))


# ---- refusals -------------------------------------------------------------------------------------------


def check_characters(raw: str, field: str) -> None:
    """PostgreSQL cannot hold NUL and UTF-8 has no lone surrogates: both are the sender's mistake."""
    if "\0" in raw or _SURROGATE.search(raw):
        raise Problem(ErrorCode.malformed, "The text holds NUL or half of a surrogate pair.", field=field)


def check_size(raw: str, field: str = "body") -> None:
    """What a text can be refused for at no cost: far too long, or nothing but white space. Raises too_long, empty."""
    if len(raw) > TEXT_LENGTH * _RAW_FACTOR:
        raise _too_long(len(raw), TEXT_LENGTH, field)
    if not raw or raw.isspace():
        raise _empty(field)


def _check_raw(raw: str, most: int, limit: int, field: str) -> None:
    if len(raw) > most:
        raise _too_long(len(raw), limit, field)
    check_characters(raw, field)


def _measured(text: str, limit: int, field: str) -> str:
    if not is_visible(text):
        raise _empty(field)
    if len(text) > limit:
        raise _too_long(len(text), limit, field)
    return text


def _empty(field: str) -> Problem:
    return Problem(ErrorCode.empty, "Write something that can be seen.", field=field)


def _too_long(length: int, limit: int, field: str) -> Problem:
    return Problem(ErrorCode.too_long, f"This has {length:,} characters; {limit:,} is the most.", field=field)


# ---- characters -----------------------------------------------------------------------------------------


def _line(raw: str, marks: int) -> str:
    """One line that begins with something a mark can stand on."""
    text = _composed(_filtered(_SPACES.sub(" ", raw), _stays_in_line), marks)
    text = _SPACES.sub(" ", text).strip(EDGES)
    start = 0
    while start < len(text) and (_rides(text[start]) or text[start] in EDGES):
        start += 1
    return text[start:]


def _filtered(text: str, stays: Callable[[str], bool]) -> str:
    """Without what does not stay; all that is printable does, but for the fillers in a line."""
    doubtful = (character for character in set(text) if not character.isprintable() or character in _FILLERS)
    gone = [ord(character) for character in doubtful if not stays(character)]
    return text.translate(dict.fromkeys(gone)) if gone else text


def _stays_in_text(character: str) -> bool:
    match unicodedata.category(character):
        case "Cc":
            return character in "\n\t"
        case "Cf":
            return character in _JOINERS + _DIRECTION_MARKS + _DRAWN_FORMATS
        case "Cn":
            return ord(character) in _PICTOGRAPHS
        case category:
            return category != "Co"


def _stays_in_line(character: str) -> bool:
    if unicodedata.category(character) in ("Cc", "Cf"):
        return character in _JOINERS
    return character not in _FILLERS and _stays_in_text(character)


def _composed(text: str, marks: int) -> str:
    """NFC with at most ``marks`` marks in a row."""
    return _cut_runs(unicodedata.normalize("NFC", _cut_runs(text, _STREAM_MARKS)), marks)


def _cut_runs(text: str, limit: int) -> str:
    """Joiners and direction marks count as marks: between marks they would hide where a pile goes on."""
    riding = [character for character in set(text) if not character.isalnum() and _rides(character)]
    if not riding:
        return text
    shape = text.translate(dict.fromkeys(map(ord, riding), _RIDER))
    kept: list[str] = []
    start = 0
    for run in _RUNS[limit].finditer(shape):
        kept.append(text[start : run.start()])
        start = run.end()
    return "".join((*kept, text[start:]))


def _rides(character: str) -> bool:
    return character in _JOINERS + _DIRECTION_MARKS or unicodedata.category(character)[0] == "M"


def _is_drawn(character: str) -> bool:
    is_sign = unicodedata.category(character)[0] in "LNPS" or ord(character) in _PICTOGRAPHS
    return is_sign and character not in _FILLERS
