"""What has not changed is not sent again, by the rules of RFC 9110, 13."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tertulia.web.conditional import validated

CHANGED = datetime(2026, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)
DATE = "Wed, 04 Mar 2026 05:06:07 GMT"


def request(*headers: tuple[str, str]) -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw})


def answer(*headers: tuple[str, str], body: str = "a", changed: datetime | None = CHANGED) -> Response:
    made = Response(body, headers={"Cache-Control": "public, max-age=10"}, media_type="text/plain")
    return validated(request(*headers), made, changed)


TAG = answer().headers["etag"]


def test_an_answer_has_its_validators() -> None:
    assert TAG.startswith('W/"')
    assert answer().headers["last-modified"] == DATE
    assert (answer().status_code, answer().body) == (200, b"a")
    assert answer(body="b").headers["etag"] != TAG
    assert "last-modified" not in answer(changed=None).headers


@pytest.mark.parametrize(
    "given",
    [
        [("If-None-Match", TAG)],
        [("If-None-Match", TAG.removeprefix("W/"))],
        [("If-None-Match", "*")],
        [("If-None-Match", f'"x", W/"y,z" ,{TAG}')],
        [("If-None-Match", '"x"'), ("If-None-Match", TAG)],
        [("If-None-Match", TAG), ("If-Modified-Since", "Wed, 04 Mar 2020 05:06:07 GMT")],
        [("If-Modified-Since", DATE)],
        [("If-Modified-Since", "Wednesday, 04-Mar-26 05:06:07 GMT")],
        [("If-Modified-Since", "Thu, 05 Mar 2026 00:00:00 GMT")],
    ],
)
def test_what_the_client_has_is_not_sent(given: list[tuple[str, str]]) -> None:
    found = answer(*given)
    assert (found.status_code, found.body) == (304, b"")
    assert (found.headers["etag"], found.headers["last-modified"]) == (TAG, DATE)
    assert found.headers["cache-control"] == "public, max-age=10"
    assert "content-length" not in found.headers


@pytest.mark.parametrize(
    "given",
    [
        [("If-None-Match", '"x"')],
        [("If-None-Match", TAG.strip('W/"'))],
        [("If-None-Match", f'"x{TAG.strip(chr(34))}"')],
        [("If-None-Match", "")],
        [("If-None-Match", '"x"'), ("If-Modified-Since", DATE)],
        [("If-Modified-Since", "Wed, 04 Mar 2026 05:06:06 GMT")],
        [("If-Modified-Since", "yesterday")],
        [("If-Modified-Since", DATE), ("If-Modified-Since", DATE)],
    ],
)
def test_anything_else_is_sent(given: list[tuple[str, str]]) -> None:
    assert answer(*given).status_code == 200


def test_a_date_is_nothing_where_none_is_known() -> None:
    assert answer(("If-Modified-Since", DATE), changed=None).status_code == 200
