"""HTTP from clients that mean no good: what is too large, or can be read in two ways."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import suppress

import pytest

from tertulia.serving.heads import MAX_HEADERS
from tests.serving.raw import (
    MIB,
    Answer,
    Raw,
    WellBehavedClient,
    costing,
    get,
    live,
    note,
    upgrade,
)
from tests.support.server import ServerProcess

HEAD = b"GET /healthz HTTP/1.1\r\nHost: news.test\r\n"
BODY = HEAD.replace(b"GET /healthz", b"POST /api/v1/comments") + (
    b"Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
)


def _post(key: str, *extra: str) -> bytes:
    body = json.dumps({"key": key, "body": "Hello.", "author": {"name": "Ana"}}).encode()
    lines = (
        "POST /api/v1/comments HTTP/1.1",
        "Host: news.test",
        "Content-Type: application/json",
        f"Idempotency-Key: {uuid.uuid4()}",
        f"Content-Length: {len(body)}",
        *extra,
        "",
    )
    return "".join(f"{line}\r\n" for line in lines).encode() + body


# ---- what is too large ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (HEAD + b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(1040)) + b"\r\n", {431}),
        (HEAD + b"X: " + b"a" * MIB, {431}),
        (HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(5000)) + b"\r\n", {400, 431}),
        (HEAD + b"".join(b"X:\r\n" for _ in range(MAX_HEADERS + 1)) + b"\r\n", {431}),
        (get("/" + "a" * MIB), {400, 414, 431}),
        (b"a" * MIB, {400, 431}),
        (upgrade("/api/v1/live?key=large", "X: " + "a" * MIB), {400, 431}),
    ],
    ids=["headers", "one header", "5000 headers", "101 headers", "URL", "no line end", "handshake"],
)
def test_a_head_that_is_too_large_is_refused(
    server: ServerProcess, well_behaved: WellBehavedClient, what: bytes, expected: set[int]
) -> None:
    with costing(server, 10 * MIB), Raw(server) as raw:
        raw.send(what)
        answer = raw.answer()
        note(str(answer.status))
        assert answer.status in expected
        assert raw.rest() == b""


def test_headers_up_to_the_bound_are_taken(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with Raw(server) as raw:
        assert raw.send(get("/healthz", *(f"X-{number}: a" for number in range(MAX_HEADERS - 1))))
        assert raw.answer().status == 200


def test_an_endless_body_is_not_kept(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with costing(server, 10 * MIB), Raw(server) as raw:
        raw.send(BODY.replace(b"Content-Length: 900", b"Transfer-Encoding: chunked")[:-1])
        for _ in range(500):
            if not raw.send(b"10000\r\n" + b"a" * 65_536 + b"\r\n"):
                break
        assert raw.answer().status == 413


# ---- requests in pieces and in rows ---------------------------------------------------------------------


def test_requests_are_read_in_whatever_pieces_they_come(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with Raw(server) as raw:
        for _ in range(2):
            raw.send_bytewise(get())
            assert raw.answer().status == 200
        raw.send_bytewise(_post(well_behaved.key))
        answer = raw.answer()
        assert answer.status == 201
        assert well_behaved.read_until(json.loads(answer.body)["seq"])


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_head_may_end_between_two_pieces(server: ServerProcess, well_behaved: WellBehavedClient, cut: int) -> None:
    body = json.dumps({"key": well_behaved.key, "body": "a" * 9_000, "author": {"name": "Ana"}}).encode()
    body += b" " * (40_000 - len(body))
    head, _, _ = _post(well_behaved.key).partition(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    whole = head.replace(length, b"Content-Length: 40000") + b"\r\n\r\n"
    with Raw(server) as raw:
        raw.send(whole[:-cut])
        time.sleep(0.05)
        raw.send(whole[-cut:] + body)
        assert raw.answer().status == 201


def test_requests_in_a_row_are_answered_in_order(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with Raw(server) as raw:
        paths = ["/healthz", f"/api/v1/discussion?key={uuid.uuid4()}", "/nothing-here"] * 10
        assert raw.send(b"".join(get(path) for path in paths) + _post(well_behaved.key) + get())
        answers = [raw.answer() for _ in range(len(paths) + 2)]
        assert [answer.status for answer in answers] == [200, 200, 404] * 10 + [201, 200]
        assert [b"discussion" in answer.body for answer in answers[:6]] == [False, True, False] * 2


def test_a_body_that_breaks_after_its_refusal(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with Raw(server) as raw:
        assert raw.send(BODY.replace(b"Content-Length: 900", b"Transfer-Encoding: chunked")[:-1])
        assert raw.send(b"10001\r\n" + b"a" * 65_537 + b"\r\n")
        assert raw.answer().status == 413
        raw.send(b"no length\r\n")
        assert raw.rest() == b""


# ---- what can be read in two ways -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffffffff\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded: yes\r\nX : y\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n",
    ],
    ids=[
        "chunk size",
        "negative chunk",
        "huge chunk",
        "unknown coding",
        "two lengths",
        "negative length",
        "length then chunked",
        "chunked then length",
        "two hosts",
        "no host",
        "space before colon",
        "TLS",
    ],
)
def test_what_is_no_request_is_answered_400_and_closed(
    server: ServerProcess, well_behaved: WellBehavedClient, request_: bytes
) -> None:
    with Raw(server) as raw:
        assert raw.send(request_)
        rest = raw.rest()
        note(repr(rest[:60]))
        assert rest == b"" or rest.startswith(b"HTTP/1.1 ")
        assert b" 400 " in rest
        assert rest.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("padding", [0, 20_000])
def test_a_body_that_is_not_read_is_no_request(
    server: ServerProcess, well_behaved: WellBehavedClient, padding: int
) -> None:
    """A refusal before the body came: what follows is still the body, also where it looks like a handshake."""
    smuggled = b"a" * padding + upgrade(live(well_behaved.key))
    length = 100_000
    with Raw(server) as raw:
        assert raw.send(BODY.replace(b"900", b"%d" % length)[:-1])
        answer = raw.answer()
        assert answer.status == 413
        readers = well_behaved.readers()
        if answer.headers.get("connection") != "close":
            assert raw.send(smuggled)
            time.sleep(0.05)
            raw.send(b" " * (length - len(smuggled)) + get())
            after: Answer | None = None
            with suppress(EOFError):
                after = raw.answer()
            note(str(after))
            assert after is None or after.status == 200
        assert well_behaved.readers() == readers


def test_the_end_of_a_head_is_not_a_handshake_of_its_own(
    server: ServerProcess, well_behaved: WellBehavedClient
) -> None:
    with Raw(server) as raw:
        assert raw.send(get() + b"GET /healthz HTTP/1.1\r\nHost: news.test\r\nX: ")
        assert raw.answer().status == 200
        assert raw.send(upgrade(live(well_behaved.key)).replace(b"\r\nHost: news.test", b"", 1))
        assert raw.answer().status != 101
