"""Every code of the table as an answer."""

from __future__ import annotations

import json

import pytest
from starlette.exceptions import HTTPException

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
    assert ("www-authenticate" in answer.headers) == (code is ErrorCode.unauthenticated)
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
    answer = await problems.on_problem(None, Problem(ErrorCode.gone, "Gone."))  # type: ignore[arg-type]
    assert answer.status_code == 410
