"""Reading bodies and queries, one rule at a time."""

from __future__ import annotations

import json
from enum import StrEnum

import pytest
from pydantic import BaseModel
from starlette.datastructures import QueryParams

from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import Inbound
from tertulia.web.validation import LARGEST_NUMBER, MAX_PARAMETERS, MAX_TOKENS, Query, check_parameters, parse


class Inner(Inbound):
    name: str


class Outer(Inbound):
    number: int = 0
    inner: Inner | None = None


class Fruit(StrEnum):
    apple = "apple"
    pear = "pear"


def _refusal(body: bytes, model: type[BaseModel] = Outer) -> Problem:
    with pytest.raises(Problem) as caught:
        parse(body, model)
    return caught.value


def _query(text: str, *known: str, repeated: tuple[str, ...] = ()) -> Query:
    return Query(QueryParams(text), known, repeated)


def test_a_body_becomes_a_model() -> None:
    assert parse(b' {"number": 7, "inner": {"name": "\\u00ea"}} ', Outer) == Outer(number=7, inner=Inner(name="ê"))


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b'{"inner": {"name": 1}}', ErrorCode.invalid, "inner.name"),
        (b'{"inner": {"name": "x", "b\xc3\xa9": 1}}', ErrorCode.unknown_field, "inner.b\\xe9"),
        (b'{"inner": {}}', ErrorCode.invalid, "inner.name"),
        (b'{"number": true}', ErrorCode.invalid, "number"),
        (b'{"number": "1"}', ErrorCode.invalid, "number"),
        (b'{"number": 1e400}', ErrorCode.invalid, "number"),
        (b'{"number": NaN}', ErrorCode.malformed, None),
        (b'{"number": 1, "number": 1}', ErrorCode.malformed, None),
        (b"[" * 60_000, ErrorCode.malformed, None),
        (b"\xff", ErrorCode.malformed, None),
        (b"[]", ErrorCode.malformed, None),
    ],
)
def test_a_body_that_is_refused_names_the_field(body: bytes, code: ErrorCode, field: str | None) -> None:
    problem = _refusal(body)
    assert (problem.code, problem.field) == (code, field)


def test_a_fields_name_is_ascii_and_not_longer_than_needed() -> None:
    problem = _refusal(b'{"' + "ộ".encode() * 500 + b'": 1}')
    assert problem.field is not None
    assert problem.field.isascii()
    assert len(problem.field) == 100


def test_a_number_larger_than_anything_is_read_and_left_to_the_model() -> None:
    assert parse(b'{"number": 1' + b"0" * 400 + b"}", Outer).number == 10**400


def test_parameters_are_read() -> None:
    query = _query("a=1&b=2&b=3&fruit=pear", "a", "fruit", repeated=("b",))
    assert query.text("a") == "1"
    assert query.text("c") is None
    assert query.texts("b") == ["2", "3"]
    assert query.choice("fruit", Fruit, Fruit.apple) is Fruit.pear
    assert query.choice("other", Fruit, Fruit.apple) is Fruit.apple
    assert query.number("a", least=0) == 1
    assert query.number("c", least=0) is None


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("x=1", ErrorCode.unknown_field, "x"),
        ("%C3%AA=1", ErrorCode.unknown_field, "\\xea"),
        ("a=1&a=1", ErrorCode.invalid, "a"),
        ("a=1&%61=2", ErrorCode.invalid, "a"),
        ("=1", ErrorCode.unknown_field, ""),
    ],
)
def test_parameters_that_are_refused(text: str, code: ErrorCode, field: str) -> None:
    with pytest.raises(Problem) as caught:
        _query(text, "a")
    assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize("given", ["", "-1", "+1", "1.0", "1e3", " 1", "1_0", "x", "\uff11", "\u00b2", "9" * 17])
def test_what_is_no_whole_number(given: str) -> None:
    with pytest.raises(Problem) as caught:
        Query(QueryParams({"a": given}), ("a",)).number("a", least=0)
    assert (caught.value.code, caught.value.field) == (ErrorCode.invalid, "a")


@pytest.mark.parametrize(("given", "inside"), [("0", False), ("1", True), ("5", True), ("6", False), ("0005", True)])
def test_a_number_has_its_bounds(given: str, inside: bool) -> None:
    query = _query(f"a={given}", "a")
    if inside:
        assert query.number("a", least=1, most=5) == int(given)
    else:
        with pytest.raises(Problem):
            query.number("a", least=1, most=5)


def test_the_largest_number_is_one_that_javascript_has() -> None:
    assert _query(f"a={LARGEST_NUMBER}", "a").number("a", least=0) == 2**53
    with pytest.raises(Problem):
        _query(f"a={LARGEST_NUMBER + 1}", "a").number("a", least=0)


def test_a_discussion_is_named_by_site_and_key() -> None:
    found = _query("key=tranh-ca%CC%83i&site=second", "site", "key").discussion()
    assert (found.site, found.key) == ("second", "tranh-c\u00e3i")
    assert _query("key=a", "site", "key").discussion().site == "default"
    with pytest.raises(Problem) as caught:
        _query("", "key").discussion()
    assert (caught.value.code, caught.value.field) == (ErrorCode.invalid, "key")


def test_a_choice_that_is_none_is_told_the_others() -> None:
    with pytest.raises(Problem, match=r"apple, pear"):
        _query("fruit=plum", "fruit").choice("fruit", Fruit, Fruit.apple)


KIB_64 = 64 * 1024


@pytest.mark.parametrize(
    "body",
    [
        b'{"x":[' + b",".join([b"{}"] * 20_000) + b"]}",
        b"{" + b",".join(b'"%x":1' % number for number in range(6_000)) + b"}",
        b"{" + b",".join([b'"number":1'] * 5_000) + b"}",
        b'{"x":[' + b",".join([b"1"] * 30_000) + b"]}",
        b'{"x":[' + b",".join([b'""'] * 20_000) + b"]}",
        b'{"x":[' + b",".join([b"1.5"] * 10_000) + b"]}",
        b'{"x":[' + b",".join([b"null"] * 10_000) + b"]}",
        b'{"inner":' * 6_000,
        b"[" * KIB_64,
        b"[[" + b"]," * 20_000,
        b'{"x":"' + b'\\"' * 30_000 + b"," * 200 + b"\\",
    ],
    ids=["objects", "names", "one name", "numbers", "texts", "fractions", "nulls", "deep", "lists", "ends", "quotes"],
)
def test_a_body_of_many_elements_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    def loads(*_: object, **__: object) -> None:
        raise AssertionError("it was parsed")

    if body.endswith(b"\\"):
        assert _refusal(body).code is ErrorCode.malformed  # one text only: short work
        return
    monkeypatch.setattr("tertulia.core.strict_json.json.loads", loads)
    assert _refusal(body).code is ErrorCode.malformed


def test_marks_within_a_text_are_no_elements() -> None:
    name = '{}[],"\\' * 5_000
    found = parse(json.dumps({"inner": {"name": name}}).encode(), Outer)
    assert found == Outer(inner=Inner(name=name))


def test_the_bound_of_elements_is_exact() -> None:
    class Lists(Inbound):
        x: list[str]

    for texts, taken in (
        (MAX_TOKENS // 2 - 1, True),
        (MAX_TOKENS // 2, False),
    ):  # 4 for the object, its name and the list
        body = json.dumps({"x": ["a"] * (texts - 1)}).encode()
        if taken:
            assert len(parse(body, Lists).x) == texts - 1
        else:
            assert _refusal(body, Lists).code is ErrorCode.malformed


@pytest.mark.parametrize("parameter", [b"a=", b"", b"%41=%42", b"key=a"])
def test_a_query_has_a_bounded_number_of_parameters(parameter: bytes) -> None:
    check_parameters({"query_string": b"&".join([parameter] * MAX_PARAMETERS)})
    with pytest.raises(Problem) as caught:
        check_parameters({"query_string": b"&".join([parameter] * (MAX_PARAMETERS + 1))})
    assert caught.value.code is ErrorCode.invalid
