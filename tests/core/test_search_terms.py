"""What is looked for and found: the same words in a text and in a query, in every script."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.core.search_terms import (
    LONGEST_WORD,
    MOST_TERMS,
    MOST_WORDS,
    Term,
    own_matches,
    search_query,
    snippet,
    words,
)


def folded(text: str) -> list[str]:
    return [word.folded for word in words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Đường phố Hà Nội", ["duong", "pho", "ha", "noi"]),
        ("e-mail, don't 3.14", ["e", "mail", "don", "t", "3", "14"]),
        ("under_score", ["under", "score"]),
        ("日本語です", ["日本", "本語", "語で", "です"]),
        ("日", ["日"]),
        ("東京とParis2024", ["東京", "京と", "paris2024"]),
        ("대한민국 만세", ["대한", "한민", "민국", "만세"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("\u0301 lone mark", ["lone", "mark"]),
        ("**bold** `code` >quote", ["bold", "code", "quote"]),
        ("… — !?", []),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert folded(text) == expected


def test_letters_in_pieces_are_the_same_words() -> None:
    text = "Đường phố Hà Nội, café"
    assert folded(unicodedata.normalize("NFD", text)) == folded(text)


def test_words_say_where_they_stand() -> None:
    text = "Xin chào, 日本語!"
    assert [text[word.start : word.end] for word in words(text)] == ["Xin", "chào", "日本", "本語"]


def test_words_have_bounds() -> None:
    assert folded("x" * 500) == ["x" * LONGEST_WORD]
    assert len(words("a " * 10_000)) == MOST_WORDS
    assert len(words("語" * 10_000)) == MOST_WORDS


def test_words_have_letters_marks_and_digits_alone_whatever_is_typed() -> None:
    """They are put into the languages of databases."""
    dice = random.Random(7)
    signs = "'\"\\&|!():*<>-^~{}+,;\x00\u200b\u00a0%_\n\r\t`$" + "aé日ा\u0301"
    for _ in range(500):
        text = "".join(dice.choice(signs) for _ in range(40))
        for word in folded(text):
            assert all(unicodedata.category(character)[0] in "LMN" for character in word), (text, word)


@given(st.text(st.characters(max_codepoint=127), max_size=80))
def test_plain_text_has_the_words_that_the_patterns_of_all_scripts_find(text: str) -> None:
    """It takes a short way. A letter of another script beside it takes the long one."""
    assert folded(text) == folded(f"{text} ω")[:-1]
    assert words(text) == words(f"{text} ω")[:-1]


@pytest.mark.parametrize(
    ("asked", "wanted", "unwanted"),
    [
        ("two words", [("two",), ("words",)], []),
        ('"a phrase" and', [("a", "phrase"), ("and",)], []),
        ("yes -no", [("yes",)], [("no",)]),
        ('yes -"not this"', [("yes",)], [("not", "this")]),
        ("e-mail", [("e", "mail")], []),
        ('an "open phrase', [("an",), ("open", "phrase")], []),
        ("日本語", [("日本", "本語")], []),
        ("-- '' \"\" -", [], []),
        ("-only", [], [("only",)]),
    ],
)
def test_a_query(asked: str, wanted: list[tuple[str, ...]], unwanted: list[tuple[str, ...]]) -> None:
    found = search_query(asked)
    assert [part.words for part in found.wanted] == wanted
    assert [part.words for part in found.unwanted] == unwanted


def test_a_character_that_is_always_in_a_pair_is_looked_for_as_its_beginning() -> None:
    assert search_query("日").wanted == (Term(("日",), "日", is_beginning=True),)
    assert not search_query("d").wanted[0].is_beginning


def test_a_query_has_bounds() -> None:
    assert len(search_query("a b c d " * 50).wanted) == MOST_TERMS


def test_the_marks_of_the_query_count() -> None:
    asked = search_query("đường phố")
    assert own_matches(asked, "Đường dài, PHỐ nhỏ") == 2
    assert own_matches(asked, "duong pho") == 0
    assert own_matches(asked, unicodedata.normalize("NFD", "đường")) == 1


def shown(asked: str, text: str) -> str:
    return "".join(f"[{part.text}]" if part.is_match else part.text for part in snippet(search_query(asked), text))


def test_a_snippet_marks_what_matches() -> None:
    assert shown("duong", "Con Đường dài, đường ngắn") == "Con [Đường] dài, [đường] ngắn"
    assert shown('"xin chao"', "Xin chào! chào xin") == "[Xin chào]! chào xin"
    assert shown("日", "今日は") == "今[日は]"
    assert shown("absent", "Nothing here") == "Nothing here"


def test_a_snippet_is_cut_around_the_first_match() -> None:
    text = "before " * 100 + "needle " + "after " * 100
    found = shown("needle", text)
    assert found.startswith("…before")
    assert found.endswith("after…")
    assert "[needle]" in found
    assert len(found) < 220


def test_overlapping_matches_are_marked_once() -> None:
    assert shown('"a b" "b c" b', "a b c") == "[a b][ c]"
