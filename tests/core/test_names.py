"""Which names look alike, and what a name is not adorned with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.core.names import skeletons, unadorned
from tertulia.core.text import clean_name
from tertulia.errors import ErrorCode, Problem

from .test_text import anything

ALIKE = [
    ("Mai", "mai"),
    ("Mai", "Мai"),  # a Cyrillic М
    ("Mai", "MAl"),
    ("Mai", "M.a.i"),
    ("Mai", " M a i"),
    ("Mai", "Ｍａｉ"),
    ("Mai", "ⅿai"),
    ("Mai", "M\u200dai"),
    ("Mai", "Maí"),
    ("Anna Lee", "Аnnа  Lее"),
    ("Anna", "Ana"),
    ("Bình", "binh"),
    ("Alice", "AIice"),
    ("Alice", "A1ice"),
    ("Olivia", "0livia"),
    ("NINA", "ΝΙΝΑ"),  # Greek
    ("Tom", "Torn"),
    ("Редактор", "Рeдaктoр"),
    ("Admin", "𝓐𝓭𝓶𝓲𝓷"),
    ("Đặng", "đăng"),
]
UNLIKE = [
    ("Mai", "Lan"),
    ("Minh", "Mihn"),
    ("Sam", "Samuel"),
    ("Lan", "Lan Anh"),
    ("😀", "😃"),
    ("李", "王"),
    ("Ед", "Ed"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_look_alike_share_a_skeleton(one: str, other: str) -> None:
    assert skeletons(one) & skeletons(other)


@pytest.mark.parametrize(("one", "other"), UNLIKE)
def test_others_share_none(one: str, other: str) -> None:
    assert not skeletons(one) & skeletons(other)


@given(anything)
def test_every_name_has_a_skeleton_and_that_of_another_case_too(raw: str) -> None:
    try:
        name = clean_name(raw)
    except Problem:
        return
    assert all(skeletons(name))
    assert skeletons(name) & skeletons(name.upper())
    assert skeletons(name) & skeletons(name.lower())


@given(st.text(alphabet="abc ", min_size=1).filter(str.strip))
def test_a_name_without_signs_stays_as_it_is(raw: str) -> None:
    assert unadorned(clean_name(raw)) == clean_name(raw)


@pytest.mark.parametrize(
    "adorned", ["Lan ✓", "Lan ✔\ufe0f", "★ Lan ★", "\U0001f6e1\ufe0f Lan", "☑ Lan ✅", "Lan ⭐", "La✓n"]
)
def test_signs_that_look_like_a_badge_are_taken_out(adorned: str) -> None:
    assert unadorned(clean_name(adorned)) == "Lan"


def test_a_name_of_signs_alone_is_none() -> None:
    with pytest.raises(Problem) as refused:
        unadorned("✓ ★")
    assert (refused.value.code, refused.value.field) == (ErrorCode.empty, "author.name")
