"""Where an address ends that stands in a text without marks around it.

RFC 3987 lets nearly every letter of every script into an address, and a browser copies it as it shows it. What people
write behind it is punctuation in their own script, so that ends it, unless it is of those that stand within words.
"""

from __future__ import annotations

import re
import unicodedata

from tertulia.core.flanking import UNSPACED

NOT_IN_BARE = r"\s<>`\\“”„‟«»‹›…。、，；：！？（）「」『』【】《》।॥،؛؟۔\u061c\u200e\u200f"
"""For a character class: what ends an address at once. Other punctuation beyond ASCII does so, too; it is looked up."""

_INSIDE_WORDS = "·・･‧་’՚׳״‐‑‒–‿⁀־֊"
_NOT_AT_THE_END = ".,;:!?'*_~([{|" + _INSIDE_WORDS
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_PAIRED = re.compile(r"[()\[\]{}\"|]|\*\*")
_OPENS = {")": "(", "]": "[", "}": "{"}
_SCHEME = re.compile(r"[A-Za-z]+://")
_NOT_IN_HOST = re.compile(r"[/?#|*{}()\"']")
_TOP_LEVEL = re.compile(rf"[^@]*\.[A-Za-z]{{2,63}}(?=[{UNSPACED}][^.@]*\Z)")
_ENTITY = re.compile(r"&(?:#?[A-Za-z0-9]{1,31});\Z")
_PICTURES = re.compile(r"[\U0001f000-\U0001fbff\u2190-\u2bff\u200c\u200d\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f]+\Z")
_BEFORE_PICTURES = "/=?#&-_%+"
_ANOTHER = re.compile(r"(?:https?://|www\.)", re.IGNORECASE | re.ASCII)


def end_of_address(found: str, before: str = "") -> int:
    """How much of ``found``, which goes on to the next blank, is the address.

    ``before`` is the character in front of it: quotes and marks of emphasis there end it, too.
    """
    end = _before_foreign_punctuation(found)
    if before and before in "*_'~":
        end = _before_same_mark(found, before, end)
    end = min(end, _end_of_host(found))
    return _without_tail(found, _before_unpaired(found, end))


def _before_foreign_punctuation(found: str) -> int:
    for one in _NOT_ASCII.finditer(found):
        if one[0] == "’" and _is_unspaced(found[one.end() : one.end() + 1]):
            return one.start()
        if unicodedata.category(one[0])[0] == "P" and one[0] not in _INSIDE_WORDS:
            return one.start()
    return len(found)


def _is_unspaced(character: str) -> bool:
    return not character or re.match(f"[{UNSPACED}]", character) is not None


def _before_same_mark(found: str, mark: str, end: int) -> int:
    at = found.find(mark)
    while 0 <= at < end:
        following = found[at + 1 : at + 2]
        if not (following.isascii() and following.isalnum()):
            return at
        at = found.find(mark, at + 1)
    return end


def _end_of_host(found: str) -> int:
    """A path, a query or a fragment follows a host; no top-level domain mixes Latin letters and those of others."""
    scheme = _SCHEME.match(found)
    start = scheme.end() if scheme else 0
    after = _NOT_IN_HOST.search(found, start)
    end = after.start() if after else len(found)
    mixed = _TOP_LEVEL.match(found[start:end])
    if mixed:
        return start + mixed.end()
    return end if after and after[0] not in "/?#" else len(found)


def _before_unpaired(found: str, end: int) -> int:
    """A bracket that the address did not open ends it, and so does a bar or a quote that is not in its query."""
    open_brackets: list[str] = []
    query = min((at for at in (found.find("?"), found.find("#")) if at >= 0), default=end)
    quoted_from = -1
    for one in _PAIRED.finditer(found, 0, end):
        mark, at = one[0], one.start()
        if mark == "**" or (mark in '"|' and at < query) or (mark == "|" and _ANOTHER.match(found, at + 1)):
            end = at
            break
        if mark == '"':
            quoted_from = at if quoted_from < 0 else -1
        elif mark in "([{":
            open_brackets.append(mark)
        elif mark in _OPENS and (not open_brackets or open_brackets.pop() != _OPENS[mark]):
            end = at
            break
    return end if quoted_from < 0 else quoted_from


def _without_tail(found: str, end: int) -> int:
    """The sentence's full stop is not part of it, nor are emoji and entities that are stuck to its end."""
    while end:
        if found[end - 1] == ";" and (entity := _ENTITY.search(found, max(0, end - 34), end)):
            end = entity.start()
        elif found[end - 1] in _NOT_AT_THE_END:
            end -= 1
        elif (pictures := _PICTURES.search(found, max(0, end - 64), end)) and _is_decoration(found, pictures.start()):
            end = pictures.start()
        else:
            break
    return end


def _is_decoration(found: str, at: int) -> bool:
    return at == 0 or found[at - 1] not in _BEFORE_PICTURES
