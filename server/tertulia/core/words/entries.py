"""What an editor writes: entries, one a line, each with what is done about a comment that has it.

    word          the word, in any case and spelling
    two words     one after the other
    *part*        inside any word
    =Exact        as it is written, marks and capitals included
    … refuse      such a comment is not taken; without it, or with ``suspect``, it waits for a moderator
    … # note      for those who read the list

There are no regular expressions: nobody has to know them, and none can be slow.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tertulia.core.words.tokens import read
from tertulia.errors import ErrorCode, Problem

ENTRIES = 5_000
"""Of one site."""
ENTRY_LENGTH = 100
ENTRY_WORDS = 8
NOTE_LENGTH = 200
PART_LENGTH = 3
"""Letters of a part: shorter ones are in half of all words. A sign of a script without blanks is a word by itself."""


class Does(StrEnum):
    """What happens to a comment: it waits for a moderator, or is not taken."""

    suspect = "suspect"
    refuse = "refuse"


@dataclass(frozen=True, slots=True)
class Entry:
    """``text`` as an editor wrote it, with one blank between words."""

    text: str
    does: Does = Does.suspect
    note: str = ""

    @property
    def is_exact(self) -> bool:
        return self.text.startswith("=")

    @property
    def is_part(self) -> bool:
        return self.text.startswith("*")

    @property
    def said(self) -> str:
        """What is looked for, without the signs that say how."""
        return self.text.strip("*") if self.is_part else self.text.removeprefix("=")


def parse_entry(line: str) -> Entry:
    """One line. Raises invalid, malformed."""
    if "\0" in line or any("\ud800" <= character <= "\udfff" for character in line):
        raise Problem(ErrorCode.malformed, "The entry holds NUL or half of a surrogate pair.", field="entry")
    written, _, note = line.partition(" #")
    words = unicodedata.normalize("NFC", written).split()
    does = Does(words.pop()) if len(words) > 1 and words[-1] in (*Does,) else Does.suspect
    entry = Entry(_in_one_case(" ".join(words)), does, " ".join(note.split()))
    _check(entry)
    return entry


def parse_list(lines: Iterable[str]) -> list[Entry]:
    """The lines of a list; empty ones and those that begin with ``#`` say nothing, the last one about an entry counts.

    Raises invalid where there are too many, or with the numbers of the lines that are none and what is wrong with each.
    """
    found: dict[str, Entry] = {}
    wrong: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            entry = parse_entry(line)
        except Problem as problem:
            wrong.append(f"line {number}: {problem.detail}")
        else:
            found[entry.text] = entry
    if wrong:
        raise _wrong("\n".join(wrong[:20]))
    if len(found) > ENTRIES:
        raise too_many()
    return list(found.values())


def too_many() -> Problem:
    return _wrong(f"A site has at most {ENTRIES:,} words.")


def _check(entry: Entry) -> None:
    """Raises invalid."""
    if len(entry.text) > ENTRY_LENGTH or len(entry.note) > NOTE_LENGTH:
        raise _wrong(f"An entry has at most {ENTRY_LENGTH} characters, its note {NOTE_LENGTH}.")
    if "*" in entry.text and not (entry.text == f"*{entry.said}*" and "*" not in entry.said):
        raise _wrong("A star stands at both ends of a part, as in *part*, and nowhere else.")
    tokens = read(entry.said).tokens
    if not tokens:
        raise _wrong("An entry has at least one letter or digit.")
    if len(tokens) > ENTRY_WORDS:
        raise _wrong(f"An entry has at most {ENTRY_WORDS} words.")
    if any(token.ends for token in tokens[:-1]):
        raise _wrong("An entry is one sentence at most.")
    if entry.is_part and len(tokens) > 1:
        raise _wrong("A part is a part of one word.")
    if entry.is_part and tokens[0].typed.isascii() and len(tokens[0].typed) < PART_LENGTH:
        raise _wrong(f"A part has at least {PART_LENGTH} letters.")


def _in_one_case(text: str) -> str:
    """The same entry is stored once, however it is written; only an exact one is as it is written."""
    return text if text.startswith("=") else unicodedata.normalize("NFC", text.lower())


def _wrong(detail: str) -> Problem:
    return Problem(ErrorCode.invalid, detail, field="entry")
