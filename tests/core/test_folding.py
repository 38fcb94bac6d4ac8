"""What is the same in a search, and what is not; and that the client folds as the server does."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.core.folding import fold
from tests.support.client_code import ClientFunction
from tests.support.effort import examples


@pytest.fixture(scope="module")
def client_fold() -> Iterator[ClientFunction]:
    with ClientFunction("page/folding.js", "fold") as function:
        yield function


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Đặng Thị Hường", "dang thi huong"),
        ("Łódź, Øre, Straße, STRAẞE, Æther, Œuvre", "lodz, ore, strasse, strasse, aether, oeuvre"),
        ("Þingvellir ð Sámi ŋ Malta ħ", "thingvellir d sami n malta h"),
        ("İstanbul ISPARTA ısparta", "istanbul isparta isparta"),
        ("“so” ‘so’ «so» it’s – — −", '"so" \'so\' "so" it\'s - - -'),
        ("ＦＵＬＬ　ｗｉｄｔｈ１", "full width1"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("ﬁne ½ ² …", "fine 1⁄2 2 ..."),
        ("ΟΔΌΣ οδός", "οδοσ οδοσ"),
        ("Ёлка Йод", "елка иод"),
        ("مُحَمَّد أحمد إلى مدرسة مـــن", "محمد احمد الي مدرسه من"),
        ("می‌خواهم کی", "ميخواهم كي"),
        ("שָׁלוֹם ג׳ צה״ל", "שלום ג' צה\"ל"),
    ],
)
def test_what_is_the_same(typed: str, folded: str) -> None:
    assert fold(typed) == folded
    assert fold(unicodedata.normalize("NFD", typed)) == folded


@pytest.mark.parametrize(
    "typed", ["हिन्दी में", "กำลังเขียน ได้", "がぎ ぱば", "パリ", "한국어", "தமிழ்", "বাংলা", "မြန်မာ", "日本"]
)
def test_vowels_and_voicing_are_no_accents(typed: str) -> None:
    kept = [c for c in unicodedata.normalize("NFKD", typed) if unicodedata.category(c) != "Cf"]
    assert list(unicodedata.normalize("NFKD", fold(typed))) == kept
    assert fold("か") != fold("が")
    assert fold("कि") != fold("के")


def test_every_letter_folds_as_in_the_client(client_fold: ClientFunction) -> None:
    for start in range(0, 0x30000, 0x1000):
        known = [chr(n) for n in range(start, start + 0x1000) if unicodedata.category(chr(n)) not in ("Cs", "Cn", "Co")]
        assert client_fold("\n".join(known)) == fold("\n".join(known)), hex(start)


@settings(max_examples=examples(500))
@given(st.text(st.characters(exclude_categories=("Cs", "Cn", "Co"), max_codepoint=sys.maxunicode), max_size=20))
def test_any_text_folds_as_in_the_client_and_once_for_all(client_fold: ClientFunction, typed: str) -> None:
    assert client_fold(typed) == fold(typed)
    assert fold(fold(typed)) == fold(typed)
