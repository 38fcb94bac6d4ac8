"""What the button for bold makes is always read as bold: beside every script, within words, over lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.core.documents import parse, plain
from tests.support.client_code import ClientFunction
from tests.support.effort import examples


@pytest.fixture(scope="module")
def emphasise() -> Iterator[ClientFunction]:
    with ClientFunction("actions/extras/emphasise.js", "emphasise") as function:
        yield function


def pressed(emphasise: ClientFunction, value: str, start: int, end: int, mark: str = "**") -> str:
    made = emphasise(value, start, end, mark)
    assert (
        value[made["start"] : made["end"]].strip("*_") in made["text"].replace(mark, "").replace("__", "")
        or "\n" in value
    )
    return value[: made["start"]] + str(made["text"]) + value[made["end"] :]


def bold(nodes: list[Any], kind: str = "strong") -> list[str]:
    found = [plain([{"type": "paragraph", "children": node["children"]}]) for node in nodes if node["type"] == kind]
    for node in nodes:
        for children in (node.get("children", []), *node.get("items", [])):
            found += bold(children, kind)
    return found


@pytest.mark.parametrize(
    ("value", "selected", "marked"),
    [
        ("say this now", "this", "say **this** now"),
        ("say this now", " this ", "say **this** now"),
        ("unbelievable", "believ", "**unbelievable**"),
        ("これは「重要」です", "「重要」", "これは**「重要」**です"),
        ("강조는", "강조", "**강조**는"),
        ("foo(bar)baz", "(bar)", "**foo(bar)baz**"),
        ('say "this"', '"this"', 'say **"this"**'),
        ("see a(b)", "(b)", "see **a(b)**"),
        ("a 2 * 3 b", "2 * 3", "a __2 * 3__ b"),
        ("one\ntwo", "one\ntwo", "**one**\n**two**"),
        ("- one\n- two", "- one\n- two", "- **one**\n- **two**"),
        ("> one\n\n> two", "one\n\n> two", "> **one**\n\n> **two**"),
        ("wait!", "!", "**wait!**"),
        ("นี่สำคัญมาก", "สำคัญ", "นี่**สำคัญ**มาก"),
    ],
)
def test_bold(emphasise: ClientFunction, value: str, selected: str, marked: str) -> None:
    start = value.index(selected)
    found = pressed(emphasise, value, start, start + len(selected))
    assert found == marked
    assert bold(parse(found))


def test_a_caret_in_a_word_takes_the_word_and_one_between_words_what_comes(emphasise: ClientFunction) -> None:
    assert pressed(emphasise, "one two", 5, 5) == "one **two**"
    assert emphasise("one ", 4, 4, "*") == {"start": 4, "end": 4, "text": "**", "selected": [5, 5]}
    assert emphasise("say this now", 4, 8, "**")["selected"] == [6, 10]


words = st.text(
    st.sampled_from([*" \nabcé.,;:!?()[]\"'-—…“”‘’«»「」（）。、！語日本かなカ한글는ไทยहिंअ中文слגب1/=&#@%^+~"]),
    min_size=1,
    max_size=14,
)


@settings(max_examples=examples(2000))
@given(words, st.data())
def test_whatever_is_selected(emphasise: ClientFunction, value: str, data: Any) -> None:
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, len(value)))
    kind, mark = data.draw(st.sampled_from([("strong", "**"), ("emphasis", "*")]))
    made = emphasise(value, start, end, mark)
    if made["text"] == mark + mark:
        return
    found = bold(parse(value[: made["start"]] + made["text"] + value[made["end"] :]), kind)
    assert "".join("".join(found).split()).startswith("".join(made["text"].replace("*", "").split())[:1])
    lines = [line for line in made["text"].split("\n") if mark in line]
    assert len(found) == len(lines), (value, made, found)
