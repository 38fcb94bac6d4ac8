"""Strict JSON: what json.loads reads in one way alone, as it reads it, and nothing else."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.core.strict_json import DEPTH, LARGEST_WHOLE, Json, parse, read

TEXTS = st.text(st.characters(codec="utf-8"))
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_WHOLE, LARGEST_WHOLE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES: st.SearchStrategy[Json] = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20
)


def depth(value: Json) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_what_is_written_is_read_as_json_reads_it(value: Json, is_ascii: bool, indent: int | None) -> None:
    raw = json.dumps(value, ensure_ascii=is_ascii, indent=indent).encode()
    if depth(value) > DEPTH:
        with pytest.raises(ValueError, match="deep"):
            parse(raw)
    else:
        found = parse(raw)
        assert found == json.loads(raw)
        assert json.dumps(found) == json.dumps(value), "true is not 1, and 1 is not 1.0"


@given(st.binary(max_size=40) | TEXTS.map(str.encode) | VALUES.map(lambda value: json.dumps(value).encode()[1:]))
def test_whatever_it_reads_json_reads_alike(raw: bytes) -> None:
    try:
        found = parse(raw)
    except ValueError:
        return
    assert json.dumps(found) == json.dumps(json.loads(raw.decode()))


@pytest.mark.parametrize(
    "raw",
    [
        '{"a": 1, "a": 1}',
        '{"a": 1, "\\u0061": 2}',
        '[{"b": {"a": 1, "a": 2}}]',
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e400",
        "-1e999",
        str(LARGEST_WHOLE + 1),
        str(-LARGEST_WHOLE - 1),
        "9" * 5_000,
        '"\\ud800"',
        '{"\\udfff": 1}',
        '["\\ude00\\ud83d"]',
        '"a\nb"',
        "'a'",
        "{a: 1}",
        "[1,]",
        '{"a": 1,}',
        "01",
        "+1",
        ".5",
        "1.",
        "0x1",
        "\u0661",
        "// a word\n1",
        "1 2",
        "",
        " ",
        "\ufeff1",
        "[1\u00a0]",
        "TRUE",
        "[" * 100_000,
    ],
)
def test_what_can_be_read_in_two_ways_or_is_no_json_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(raw.encode())


@pytest.mark.parametrize("raw", [b"\xff", b'"\xc0\xaf"', b'"\xed\xa0\x80"', '"a"'.encode("utf-16"), b'"\x00"'])
def test_nor_is_what_is_not_utf_8(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(raw)


def test_depth_counts_what_is_within_one_another() -> None:
    assert parse(b"[" * DEPTH + b"]" * DEPTH) is not None
    assert parse(b'{"a":' * DEPTH + b"1" + b"}" * DEPTH) is not None
    assert parse(b"[[1], [2]]", 2) == [[1], [2]]
    for raw in (b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1), b'[{"a":' * 5 + b"1" + b"}]" * 5):
        with pytest.raises(ValueError, match="deep"):
            parse(raw)


def test_controls_are_as_json_has_them() -> None:
    assert parse(b'{"a": 1, "A": 1, " a": 1}') == {"a": 1, "A": 1, " a": 1}
    assert parse('"\\ud83d\\ude00 \U0001f600 ế \\u0000"'.encode()) == "\U0001f600 \U0001f600 ế \0"
    assert parse(b" \t\r\n-0.0 ") == 0
    assert math.copysign(1, float(str(parse(b"-0.0")))) == -1
    assert parse(str(LARGEST_WHOLE).encode()) == LARGEST_WHOLE
    assert parse(str(-LARGEST_WHOLE).encode()) == -LARGEST_WHOLE


def test_what_a_model_judges_is_read_with_any_number_and_text() -> None:
    assert read(b'{"a": [9007199254740993, 0.5, "\\ud800", [[[[[[[[[]]]]]]]]]]}') == {
        "a": [9007199254740993, 0.5, "\ud800", [[[[[[[[[]]]]]]]]]]
    }


@pytest.mark.parametrize(
    "raw", [b'{"a": 1, "a": 1}', b"NaN", b"-Infinity", b"\xff", b"{", b"9" * 5_000, b"[" * 100_000]
)
def test_but_never_in_two_ways(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(raw)
