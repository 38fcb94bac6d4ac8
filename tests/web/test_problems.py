"""Every code of the table as an answer."""

from __future__ import annotations

import json

import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tertulia.errors import ErrorCode, Problem
from tertulia.web import problems


@pytest.mark.parametrize("code", ErrorCode, ids=lambda code: code.name)
def test_a_problem_is_a_document(code: ErrorCode) -> None:
    answer = problems.response(Problem(code, "Do this instead.", field="a"))
    document = json.loads(bytes(answer.body))
    assert document == {
        "type": f"/api/docs#{code.name}",
        "title": code.value.title,
        "status": code.value.status,
        "code": code.name,
        "detail": "Do this instead.",
        "field": "a",
    }
    assert answer.status_code == code.value.status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("www-authenticate" in answer.headers) == (code.value.status == 401), "as RFC 9110 wants it, 15.5.2"
    assert "retry-after" not in answer.headers


def test_when_to_come_back_is_said_twice() -> None:
    answer = problems.response(Problem(ErrorCode.rate_limited, "Wait.", retry_after=12))
    assert answer.headers["retry-after"] == "12"
    assert json.loads(bytes(answer.body))["retry_after"] == 12


def test_statuses_are_those_of_errors() -> None:
    for code in ErrorCode:
        assert 400 <= code.value.status < 600
        assert code.value.title
        assert code.value.retry == (code.value.status in (429, 500, 503))


def test_what_the_router_refuses() -> None:
    wrong = problems.of_http(HTTPException(405, headers={"Allow": "GET"}), "BREW")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert json.loads(bytes(wrong.body))["detail"].startswith("BREW is not offered")
    missing = problems.of_http(HTTPException(404), "GET")
    assert json.loads(bytes(missing.body))["code"] == "not_found"


async def test_the_handler_of_problems() -> None:
    request = Request({"type": "http", "headers": [(b"accept-language", b"vi")]})
    answer = await problems.on_problem(request, Problem(ErrorCode.gone, "Gone."))
    assert answer.status_code == 410
    assert answer.headers["content-language"] == "vi"


def _told(problem: Problem, language: str | None) -> tuple[str, str]:
    answer = problems.response(problem, None if language is None else Headers({"accept-language": language}))
    return json.loads(bytes(answer.body))["detail"], answer.headers["content-language"]


@pytest.mark.parametrize("language", [None, "", "en-GB,vi;q=0.5", "xx"])
def test_refusals_are_in_english_and_exact_unless_another_language_is_asked_for(language: str | None) -> None:
    problem = Problem(ErrorCode.too_long, "The text has 10,001 characters.", field="body")
    assert _told(problem, language) == ("The text has 10,001 characters.", "en")


def test_readers_are_refused_in_their_language() -> None:
    assert _told(Problem(ErrorCode.closed, "No."), "de-AT,en;q=0.5")[0].startswith("Die Diskussion wurde inzwischen")
    told, tag = _told(Problem(ErrorCode.rate_limited, "Wait.", retry_after=7), "vi")
    assert "7 giây" in told
    assert tag == "vi"
    assert _told(Problem(ErrorCode.bad_parent, "d", field="parent_id"), "vi")[1] == "vi"
    assert _told(Problem(ErrorCode.invalid, "Why.", field="author.name"), "vi")[0] == "Không dùng được tên này: Why."
    assert _told(Problem(ErrorCode.empty, "d", field="author.name"), "de")[0] == "Bitte geben Sie Ihren Namen ein."


@pytest.mark.parametrize(("code", "field"), [(ErrorCode.bad_cursor, None), (ErrorCode.too_long, "note")])
def test_what_no_sentence_is_about_stays_in_english(code: ErrorCode, field: str | None) -> None:
    assert _told(Problem(code, "d", field=field), "vi") == ("d", "en")
