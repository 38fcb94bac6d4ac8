"""ResponseCounts are counted by kinds of which nobody can make more."""

from __future__ import annotations

import pytest

from tertulia.web.response_counts import ResponseCounts


@pytest.mark.parametrize(
    ("method", "path", "status", "counted"),
    [
        ("GET", "/api/v1/discussion", 200, ("api_read", "2xx")),
        ("OPTIONS", "/api/v1/comments", 204, ("api_read", "2xx")),
        ("POST", "/api/v1/comments", 201, ("api_write", "2xx")),
        ("POST", "/api/v1/comments", 429, ("api_write", "429")),
        ("PUT", "/api/v1/comments/x/vote", 503, ("api_write", "503")),
        ("BREW", "/api/v1/comments", 405, ("api_write", "4xx")),
        ("GET", "/", 304, ("page", "3xx")),
        ("HEAD", "/d", 200, ("page", "2xx")),
        ("GET", "/no-such-page-4711", 404, ("page", "4xx")),
        ("POST", "/d", 303, ("form", "3xx")),
        ("GET", "/readyz", 503, ("operation", "503")),
        ("GET", "/", 500, ("page", "5xx")),
        ("GET", "/", 599, ("page", "5xx")),
        ("GET", "/", 101, ("page", "2xx")),
        ("GET", "/", 999, ("page", "5xx")),
        ("POST", "/api/v1/comments", None, ("api_write", "none")),
    ],
)
def test_an_answer_is_counted_once(method: str, path: str, status: int | None, counted: tuple[str, str]) -> None:
    responses = ResponseCounts()
    responses.count(method, path, status)
    assert {key: count for key, count in responses.counts.items() if count} == {counted: 1}


def test_no_request_makes_a_series() -> None:
    responses = ResponseCounts()
    before = responses.counts.keys() | set()
    for number in range(1000):
        responses.count(f"M{number}", f"/api/{number}", number)
        responses.count("GET", f"/{number}", number)
    assert responses.counts.keys() == before
    assert len(before) == 35
