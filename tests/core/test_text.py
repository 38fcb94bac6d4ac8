"""What cleaning keeps, what it takes away, and what it refuses."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.core.text import (
    KEY_LENGTH,
    NAME_LENGTH,
    TEXT_LENGTH,
    TITLE_LENGTH,
    URL_LENGTH,
    clean_key,
    clean_name,
    clean_text,
    clean_title,
    clean_url,
    is_visible,
    is_web_address,
)
from tertulia.errors import ErrorCode, Problem
from tests.support.calls import calls_of

SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
FAMILY = "👩\u200d👩\u200d👧\u200d👦"
PERSIAN = "می\u200cخواهم"
TRICKS = [
    *"aệ1 \t\n\r\v\x00\x1f\x85\xa0\xad\u034f\u061c\u115f\u1160\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u202e\u2060",
    *"\u2066\u2069\u2800\u3164\ufe0f\ufeff\uffa0\ufffe\ufffc\ue000\u0378\u0301\u0316\u0327\u0344\u09c7\u09be\u0f71\u1100",
    *"\u1161\u11a8\u2126\u037e\u1fef\U0001f3f4\U000e0001\U000e0067\U000e007f\U0001fae8\U0010ffff\U000e0100",
    "\ud800",
    "\r\n",
    "\n\n\n",
    "e\u0302\u0323",
    SCOTLAND,
    FAMILY,
    "\u0301" * 40,
    "\n \u200e\n",
]
anything = st.text(st.characters(exclude_categories=())) | st.lists(st.sampled_from(TRICKS)).map("".join)
CLEANERS: list[Callable[[str], str]] = [clean_text, clean_name, clean_title, clean_key, clean_url]


def refused(clean: Callable[[str], str], raw: str) -> Problem:
    with pytest.raises(Problem) as caught:
        clean(raw)
    return caught.value


def cleaned(clean: Callable[[str], str], raw: str) -> str | None:
    """The clean text, or None when it is refused; any other exception is a failure."""
    try:
        return clean(raw)
    except Problem:
        return None


# ---- every cleaner --------------------------------------------------------------------------------------


@pytest.mark.parametrize("clean", CLEANERS)
@given(raw=anything)
def test_any_string_is_cleaned_once_and_for_all_or_refused(clean: Callable[[str], str], raw: str) -> None:
    once = cleaned(clean, raw)
    if once is not None:
        assert unicodedata.is_normalized("NFC", once)
        assert clean(once) == once


@pytest.mark.parametrize("clean", CLEANERS)
@pytest.mark.parametrize("raw", ["a\0b", "a\ud800b", "\udfff"])
def test_nul_and_lone_surrogates_are_malformed(clean: Callable[[str], str], raw: str) -> None:
    assert refused(clean, raw).code is ErrorCode.malformed


@pytest.mark.parametrize("clean", [clean_text, clean_name])
def test_every_character_is_kept_or_dropped_stably(clean: Callable[[str], str]) -> None:
    codes = [c for c in [*range(1, 0x32000), *range(0xE0000, 0xE0200)] if not 0xD800 <= c < 0xE000]
    for start in range(0, len(codes), 20):
        raw = "x" + "".join(map(chr, codes[start : start + 20])) + "x"
        once = clean(raw)
        assert clean(once) == once
        assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    ("clean", "field", "limit"),
    [
        (clean_text, "body", TEXT_LENGTH),
        (clean_name, "author.name", NAME_LENGTH),
        (clean_key, "key", KEY_LENGTH),
        (clean_url, "url", URL_LENGTH),
    ],
)
def test_length_is_counted_in_code_points_after_cleaning(clean: Callable[[str], str], field: str, limit: int) -> None:
    start = "https://a.vn/" if clean is clean_url else ""
    full = start + "ệ" * (limit - len(start))
    assert clean(unicodedata.normalize("NFD", full)) == full
    for raw in (full + "e", "e" * 100_000):
        problem = refused(clean, raw)
        assert (problem.code, problem.field) == (ErrorCode.too_long, field)
        assert f"{len(raw):,}" in problem.detail
        assert f"{limit:,}" in problem.detail


@pytest.mark.parametrize(("clean", "field"), [(clean_text, "body"), (clean_name, "author.name"), (clean_key, "key")])
@pytest.mark.parametrize(
    "raw", ["", " ", "\u3164", "\u115f\u1160\uffa0", "\u2800", "\u0301", "\u200d", "\u200e", "\u2003"]
)
def test_what_cannot_be_seen_is_empty(clean: Callable[[str], str], field: str, raw: str) -> None:
    problem = refused(clean, raw)
    assert (problem.code, problem.field) == (ErrorCode.empty, field)


@pytest.mark.parametrize(
    "unit", ["plain text\n", "Một buổi sáng", "吾輩は猫である。", "हिन्दी में", "a\u0301\u0302", " \u200e", "\n "]
)
@pytest.mark.parametrize("clean", [clean_text, clean_title, clean_name, clean_key])
def test_cleaning_looks_once_at_each_kind_of_character(clean: Callable[[str], str], unit: str) -> None:
    def cleaned() -> None:
        with suppress(Problem):
            clean(unit * (20_000 // len(unit)))

    assert calls_of(cleaned) < 5_000, "a call for each character would be 20,000 and more"


def test_a_pile_of_marks_costs_no_quadratic_work() -> None:
    pile = clean_text("a" + "\u0301\u0316" * 39_000)
    assert len(pile) <= 1 + 8


# ---- texts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Tiếng Việt: ệ, ỡ, Đ",
        "one\ttwo\nthree\n\nfour",
        PERSIAN,
        FAMILY,
        f"{SCOTLAND}!",
        "👍🏽 ❤️ 1️⃣ 🇻🇳",
        "\U0001fae8",
        "ที่นี่",
        "הוא כתב C++\u200e",
        "\u0f40\u0f90\u0f71\u0f74\u0f7e",
        "\u06dd١",
        "  a".strip(),
        "full-width ＡＢＣ",
    ],
)
def test_a_text_stays_as_written(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("e\u0302\u0323", "ệ"),
        ("a\r\nb\rc\u2028d\ve\x85f", "a\nb\nc\nd\ne\nf"),
        ("a\n\n\nb\n \n\u3164\n\u200e\nc", "a\n\nb\n\nc"),
        (" \n\u3164a b\u1160\u2800\n", "a b"),
        ("a\x07\x9b\u200b\u2060\ufeff\u202e\u2066\u2069\xad\u206a\ufff9b", "ab"),
        ("a\ue000\U000f0000\ufffe\U0010ffff\u0378b", "ab"),
        ("a\U000e0068\U000e0069b", "ab"),
        ("\U0001f3f4\U000e0067\U000e0062b", "\U0001f3f4b"),
        ("\U0001f3f4" + "\U000e0061" * 7 + "\U000e007f", "\U0001f3f4"),
        ("a" + "\u0316" * 9 + "b", "a" + "\u0316" * 8 + "b"),
        ("a" + "\u0316\u200d" * 9 + "b", "a" + "\u0316\u200d" * 4 + "b"),
        ("a\u200d", "a"),
    ],
)
def test_what_hides_or_piles_up_goes(raw: str, text: str) -> None:
    assert clean_text(raw) == text


def test_the_field_of_a_text_can_be_named() -> None:
    with pytest.raises(Problem) as caught:
        clean_text("", "note")
    assert caught.value.field == "note"


# ---- names and titles -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Nguyễn Thị Ánh", "ＡＢＣ", "O’Brien", PERSIAN, "山田 太郎", f"{FAMILY} Lê", "Zoë 2"])
def test_a_name_stays_as_written(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (unicodedata.normalize("NFD", "Nguyễn"), "Nguyễn"),
        ("  An \n\t\u3000 Lê\u2029", "An Lê"),
        ("An\u202egro.live\u200e\xad", "Angro.live"),
        ("A\u3164\u115f\u2800n", "An"),
        ("Z" + "\u0316" * 9 + "o", "Z" + "\u0316" * 4 + "o"),
        ("\u200d\u0301 \u0316An\u200c", "An"),
        ("a \u200b b", "a b"),
        (SCOTLAND, "\U0001f3f4"),
    ],
)
def test_a_name_is_one_line_of_visible_characters(raw: str, name: str) -> None:
    assert clean_name(raw) == name


@given(anything)
def test_a_name_has_neither_line_ends_nor_hidden_characters(raw: str) -> None:
    name = cleaned(clean_name, raw)
    if name is not None:
        assert 1 <= len(name) <= NAME_LENGTH
        assert is_visible(name)
        assert name == name.strip()
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in name if c not in "\u200c\u200d")


def test_a_title_is_cut_and_may_be_empty() -> None:
    assert clean_title("") == ""
    assert clean_title(" Một\nbài ") == "Một bài"
    assert clean_title("a" * (TITLE_LENGTH - 1) + " b") == "a" * (TITLE_LENGTH - 1)
    assert len(clean_title("ệ" * 100_000)) == TITLE_LENGTH


# ---- keys and addresses ---------------------------------------------------------------------------------


def test_a_key_is_taken_as_it_is() -> None:
    assert clean_key(" /2026/Bài-viết?x=1 ") == " /2026/Bài-viết?x=1 "


@pytest.mark.parametrize("raw", ["a\nb", "a\tb", "a\x7fb", "a\u2028b", "a\u2029b"])
def test_a_key_with_control_characters_is_invalid(raw: str) -> None:
    problem = refused(clean_key, raw)
    assert (problem.code, problem.field) == (ErrorCode.invalid, "key")


@pytest.mark.parametrize(
    "url", ["", "https://a.vn", "http://localhost:8000/x?y#z", "https://báo.vn/đường", "HTTP://[::1]/"]
)
def test_a_page_has_an_absolute_web_address_or_none(url: str) -> None:
    assert clean_url(f" {url} ") == url


NO_WEB_ADDRESSES = [
    "a.vn",
    "/path",
    "//a.vn",
    "http:",
    "http:a.vn",
    "http:/a.vn",
    "http:///a.vn",
    "http://",
    "http://?x",
    "http://#x",
    "http://:80",
    "http://.",
    "http://-",
    "http://\u200c/",
    "http://a:0",
    "http://a:65536",
    "http://a:x",
    "http://[::1",
    "http://u@a.vn",
    "http://u:p@a.vn",
    "http://@a.vn",
    "http://a\uff20b.vn",
    "http://a\u2100b.vn",
    "http://a.vn\\@b.vn",
    "http:\\\\a.vn",
    "http://a b",
    "http://a\tb",
    "http://a\x85b",
    "http://a\u3000b",
    'http://a"b',
    "http://a<b",
    " http://a",
    "ftp://a.vn",
    "httpſ://a.vn",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "JaVaScRiPt://a.vn/%0aalert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://a.vn/1",
    "view-source:https://a.vn",
    "https\u2236//a.vn",
    "https://a.vn/" + "x" * URL_LENGTH,
]


@pytest.mark.parametrize("url", NO_WEB_ADDRESSES)
def test_what_is_no_web_address(url: str) -> None:
    assert not is_web_address(url)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "a.vn", "http://u@a.vn", "http://a b"])
def test_a_page_with_another_address_is_invalid(url: str) -> None:
    problem = refused(clean_url, url)
    assert (problem.code, problem.field) == (ErrorCode.invalid, "url")
