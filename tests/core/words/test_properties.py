"""What holds for any text and any list."""

from __future__ import annotations

from unicodedata import normalize

from hypothesis import example, given
from hypothesis import strategies as st

from tertulia.core.words import Entry, Finding, compiled, parse_entry
from tertulia.core.words.syllables import marked
from tertulia.core.words.tokens import KNOWN_CHUNKS, forget, keys, read
from tertulia.errors import Problem

from .test_caught import CAUGHT, LIST, MATCHER

letters = st.sampled_from(
    [
        *"aáàảạâấăơớuưyđdoeiOIESshitcuntlồnặ01345@$!*_.-' \n\t%",
        *"\u0300\u0301\u0323\u0302\u0336\u200b\u034f\u3164",
        *"ѕаероνΙсН𝓼🅢ⓣ死ẞﬁ",
        "địt mẹ",
        "fuck",
        "https://",
    ]
)
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.lists(letters, max_size=40).map("".join),
    st.lists(st.sampled_from([text for cases in CAUGHT.values() for text in cases]), max_size=5).map(" ".join),
)


def _entries(found: list[Finding]) -> set[tuple[str, str]]:
    return {(one.entry, one.does.value) for one in found}


@given(texts)
@example("https://x.example/%C4%91%E1%BB%8Bt")
@example("%ff%zz%")
def test_places_are_those_of_the_text_as_it_was_typed(text: str) -> None:
    known = {entry.text for entry in LIST}
    for found in MATCHER.find(text):
        assert 0 <= found.start < found.end <= len(text)
        assert text[found.start : found.end] == found.found
        assert found.entry in known


@given(texts)
def test_how_letters_are_composed_makes_no_difference(text: str) -> None:
    composed, decomposed = normalize("NFC", text), normalize("NFD", text)
    assert _entries(MATCHER.find(composed)) == _entries(MATCHER.find(decomposed))


@given(texts)
def test_case_makes_no_difference_to_letters_of_vietnamese(text: str) -> None:
    mine = "".join(one for one in text if one.isalpha() and (one.isascii() or one in "địtmẹồặ"))
    assert keys(mine.lower())[:1] == keys(mine.lower().capitalize())[:1]


@given(texts)
def test_reading_what_was_read_changes_nothing(text: str) -> None:
    for token in read(text).tokens:
        assert {*keys(token.typed)} <= {*token.keys}
        plain = token.keys[0]
        if marked(normalize("NFKD", plain)) is None:
            assert keys(plain)[0] == plain


@given(texts)
def test_any_line_is_an_entry_or_refused_and_an_entry_finds_itself(line: str) -> None:
    try:
        entry = parse_entry(line)
    except Problem:
        return
    assert parse_entry(f"{entry.text} {entry.does}") == Entry(entry.text, entry.does)
    assert entry.text in {one.entry for one in compiled([entry]).find(entry.said)}


def test_an_empty_list_finds_nothing() -> None:
    assert compiled([]).find("anything địt mẹ at all") == []


def test_what_is_kept_of_chunks_has_an_end_and_changes_nothing() -> None:
    before = read("sh1t")
    for number in range(KNOWN_CHUNKS + 10):
        read(f"w{number}x")
    assert read("sh1t") == before
    forget()
    assert read("sh1t") == before
