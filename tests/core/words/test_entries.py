"""What an editor may write, and what is said of a line that is none."""

from __future__ import annotations

import pytest

from tertulia.core.words import ENTRIES, Does, Entry, parse_entry, parse_list
from tertulia.core.words.entries import ENTRY_LENGTH, ENTRY_WORDS
from tertulia.errors import ErrorCode, Problem

GOOD = {
    "word": Entry("word"),
    "  Two   Words ": Entry("two words"),
    "word refuse": Entry("word", Does.refuse),
    "two words suspect": Entry("two words"),
    "refuse": Entry("refuse"),
    "suspect refuse": Entry("suspect", Does.refuse),
    "*part* refuse # said often": Entry("*part*", Does.refuse, "said often"),
    "=Exact Word": Entry("=Exact Word"),
    "ĐỊT": Entry("địt"),
    "#hash refuse": Entry("#hash", Does.refuse),
    "*死*": Entry("*死*"),
    "*lồn*": Entry("*lồn*"),
    "a$$": Entry("a$$"),
}
WRONG = {
    "...": "at least one letter",
    "**": "at least one letter",
    "=": "at least one letter",
    "part*": "both ends",
    "*part": "both ends",
    "pa*rt": "both ends",
    "*a*b*": "both ends",
    "*": "both ends",
    "one. Two": "one sentence",
    "*ab*": "at least 3 letters",
    "*two words*": "part of one word",
    " ".join("a" * (ENTRY_WORDS + 1)): "at most 8 words",
    "a" * (ENTRY_LENGTH + 1): "at most 100 characters",
    f"a # {'n' * 201}": "its note 200",
    "a\0b": "NUL",
    "a\ud800b": "surrogate",
}


@pytest.mark.parametrize(("line", "entry"), GOOD.items())
def test_a_line_is_an_entry(line: str, entry: Entry) -> None:
    assert parse_entry(line) == entry


@pytest.mark.parametrize(("line", "sentence"), WRONG.items(), ids=ascii)
def test_a_line_that_is_none_is_refused_with_what_is_wrong(line: str, sentence: str) -> None:
    with pytest.raises(Problem, match=sentence) as raised:
        parse_entry(line)
    assert raised.value.field == "entry"


def test_a_list_has_remarks_and_empty_lines_and_the_last_line_about_an_entry_counts() -> None:
    found = parse_list(["# ours", "", "  ", "one", "two refuse", "One refuse"])
    assert found == [Entry("one", Does.refuse), Entry("two", Does.refuse)]


def test_a_list_says_which_lines_are_wrong() -> None:
    with pytest.raises(Problem) as raised:
        parse_list(["good", "?", "# remark", "half*"])
    assert raised.value.code is ErrorCode.invalid
    lines = raised.value.detail.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["line 2", "line 4"]


def test_a_list_has_an_end() -> None:
    lines = [f"word{number}" for number in range(ENTRIES)]
    assert len(parse_list(lines)) == ENTRIES
    with pytest.raises(Problem, match="at most 5,000 words"):
        parse_list([*lines, "another"])
