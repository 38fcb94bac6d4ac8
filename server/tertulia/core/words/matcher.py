"""A list made ready to be looked for: words and phrases in a tree by the keys of their tokens, parts by three letters.

The tree has its cost in the length of a text alone: 5,000 phrases that begin alike are no dearer than one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from tertulia.core.folding import fold
from tertulia.core.words.entries import Does, Entry
from tertulia.core.words.syllables import is_everyday, is_syllable
from tertulia.core.words.tokens import Reading, Token, entry_keys, is_unmarked_vietnamese, read, with_signs_read

_GRAM = 3
_BETWEEN = "\n"


class Finding(NamedTuple):
    """``found`` is what stands from ``start`` to ``end`` in the text as it was typed."""

    entry: str
    does: Does
    start: int
    end: int
    found: str


@dataclass(slots=True)
class _Node:
    """Where a phrase has come to; ``entries`` end here."""

    following: dict[str, _Node] = field(default_factory=dict)
    entries: list[tuple[str, Does]] = field(default_factory=list)

    def add(self, words: Iterable[str], entry: str, does: Does) -> None:
        node = self
        for word in words:
            node = node.following.setdefault(word, _Node())
        node.entries.append((entry, does))


@dataclass(slots=True)
class Matcher:
    """A compiled list. ``unmarked`` is looked at in texts that were typed without marks alone."""

    words: _Node = field(default_factory=_Node)
    exact: _Node = field(default_factory=_Node)
    unmarked: _Node = field(default_factory=_Node)
    parts: dict[str, list[tuple[str, Entry]]] = field(default_factory=dict)

    def find(self, text: str) -> list[Finding]:
        """What of the list is in a text, in the order of its places; a part is told of once."""
        reading = read(text)
        found: dict[tuple[str, int, int], Does] = {}
        _walk(self.words, [token.keys for token in reading.tokens], reading.tokens, found)
        others = [*reading.joined, *reading.spelled]
        for token in others:
            _walk(self.words, [token.keys], [token], found)
        if self.exact.following:
            _walk(self.exact, [(token.typed,) for token in reading.tokens], reading.tokens, found)
        if self.unmarked.following and is_unmarked_vietnamese(reading.tokens):
            _walk(self.unmarked, [token.keys for token in reading.tokens], reading.tokens, found)
            for token in others:
                _walk(self.unmarked, [token.keys], [token], found)
        if self.parts:
            self._find_parts(reading, found)
        findings = [Finding(entry, does, start, end, text[start:end]) for (entry, start, end), does in found.items()]
        return sorted(findings, key=lambda one: (one.start, one.end, one.entry))

    def _find_parts(self, reading: Reading, found: dict[tuple[str, int, int], Does]) -> None:
        spelled = [(key, token) for token in (*reading.tokens, *reading.spelled) for key in token.keys]
        joined = _BETWEEN.join(key for key, _ in spelled)
        starts = list(accumulate((len(key) + 1 for key, _ in spelled), initial=0))
        grams = {joined[at : at + _GRAM] for at in range(len(joined))} | {*joined}
        for gram in self.parts.keys() & grams:
            for part, entry in self.parts[gram]:
                at = joined.find(part)
                if at >= 0:
                    token = spelled[bisect_right(starts, at) - 1][1]
                    found.setdefault((entry.text, token.start, token.end), entry.does)


def compiled(entries: Iterable[Entry]) -> Matcher:
    """A matcher of these entries."""
    matcher = Matcher()
    for entry in entries:
        if entry.is_part:
            for part in entry_keys(read(entry.said).tokens[0].typed):
                gram = part[:_GRAM] if len(part) >= _GRAM else part[0]
                matcher.parts.setdefault(gram, []).append((part, entry))
        elif entry.is_exact:
            matcher.exact.add([token.typed for token in read(entry.said).tokens], entry.text, entry.does)
        else:
            _add_words(matcher, entry)
    return matcher


def _add_words(matcher: Matcher, entry: Entry) -> None:
    tokens = read(" ".join(map(with_signs_read, entry.said.split()))).tokens
    spellings = [entry_keys(token.typed) for token in tokens]
    paths = [[keys[min(number, len(keys) - 1)] for keys in spellings] for number in range(max(map(len, spellings)))]
    paths.append([token.keys[0] for token in read(entry.said).tokens])  # as it stands, whatever its signs are
    for path in dict.fromkeys(map(tuple, paths)):
        matcher.words.add(path, entry.text, entry.does)
    bare = [fold(token.typed) for token in tokens]
    has_syllables = any(token.has_marks and is_syllable(word) for token, word in zip(tokens, bare, strict=True))
    if has_syllables and not (len(bare) == 1 and is_everyday(bare[0])):
        matcher.unmarked.add(bare, entry.text, Does.suspect)
    together = "".join(bare)
    if len(bare) > 1 and not is_syllable(together):
        matcher.words.add([together], entry.text, Does.suspect if has_syllables else entry.does)


def _walk(
    root: _Node, keys: Sequence[tuple[str, ...]], tokens: Sequence[Token], found: dict[tuple[str, int, int], Does]
) -> None:
    """Follows the tree from each token on; no phrase goes over the end of a sentence."""
    begin = root.following
    for first, readings in enumerate(keys):
        nodes = [begin[key] for key in readings if key in begin]
        at = first
        while nodes:
            for node in nodes:
                for entry, does in node.entries:
                    found.setdefault((entry, tokens[first].start, tokens[at].end), does)
            if tokens[at].ends or at + 1 == len(keys):
                break
            at += 1
            nodes = [node.following[key] for node in nodes for key in keys[at] if key in node.following]
