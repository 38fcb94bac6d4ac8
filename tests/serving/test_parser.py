"""The parser in bounds: what a body's wire may be, and how little is parsed of what goes beyond."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import h11
import pytest

from tertulia.serving.heads import HEAD_BYTES, MAX_HEADERS
from tertulia.serving.parser import FRAMING_BYTES, MAX_CHUNKS, SLICE, RequestParser

POST = b"POST /x HTTP/1.1\r\nHost: news.test\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


class Parsed:
    """What came of some bytes, in segments of ``piece``: the body, the status of a refusal, the events made."""

    def __init__(self, said: bytes, piece: int | None = None) -> None:
        self.parser = RequestParser()
        self.body = b""
        self.events = self.segments = self.given = 0
        self.status: int | None = None
        self.is_whole = False
        step = piece or len(said)
        for start in range(0, len(said), step):
            self.segments += 1
            self.given += len(said[start : start + step])
            self.parser.receive_data(said[start : start + step])
            with self._refusals():
                self._read()
            if self.status is not None:
                return

    def _read(self) -> None:
        while (event := self.parser.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            self.events += 1
            if isinstance(event, h11.Data):
                self.body += event.data
            self.is_whole = isinstance(event, h11.EndOfMessage)
            if isinstance(event, h11.ConnectionClosed):
                return

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except h11.RemoteProtocolError:
            self.status = 400 if self.parser.refusal is None else self.parser.refusal.status


def _chunks(*sizes: int, extension: bytes = b"") -> bytes:
    return b"".join(b"%x%s\r\n%s\r\n" % (size, extension, b"a" * size) for size in sizes)


@pytest.mark.parametrize("piece", [1, 7, 4095, None])
@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (_chunks(1), 1),
        (_chunks(*[1] * MAX_CHUNKS), MAX_CHUNKS),
        (_chunks(5_000, 5_000, 3), 10_003),
        (_chunks(5, extension=b";name=value"), 5),
        (_chunks(*[256] * 40), 40 * 256),
    ],
    ids=["one", "as many as may be", "large", "extension", "10 KiB in small ones"],
)
def test_a_body_in_chunks_is_read(wire: bytes, body: int, piece: int | None) -> None:
    for trailers in (b"", b"Expires: never\r\n"):
        parsed = Parsed(POST + wire + b"0\r\n" + trailers + b"\r\n", piece)
        assert (len(parsed.body), parsed.status, parsed.is_whole) == (body, None, True)


@pytest.mark.parametrize("piece", [1, 6, SLICE, None])
@pytest.mark.parametrize(
    "wire",
    [
        _chunks(*[1] * 10_000),
        _chunks(*[2] * (MAX_CHUNKS + 1)),
        _chunks(1, extension=b";" + b"x" * FRAMING_BYTES),
        _chunks(*[9] * 100, extension=b";" + b"x" * 60),
        _chunks(1)[:-1] + b"\n1;" + b"x" * 100_000,
        b"0" * FRAMING_BYTES + b"1",
        b"0\r\n" + b"a:\r\n" * 20_000 + b"\r\n",
        b"0\r\n" + b"X: " + b"a" * 100_000,
    ],
    ids=[
        "one byte each",
        "one too many",
        "long extension",
        "many extensions",
        "endless extension",
        "endless size",
        "many trailers",
        "endless trailer",
    ],
)
def test_a_body_that_is_cut_too_fine_is_refused(wire: bytes, piece: int | None) -> None:
    parsed = Parsed(POST + wire, piece)
    assert parsed.status == 413
    assert parsed.events <= MAX_CHUNKS + 2 + (parsed.segments if piece else 0)
    # of what goes beyond, at most a slice is looked at
    looked_at = parsed.given - len(parsed.parser.trailing_data[0])
    assert looked_at <= len(POST) + len(parsed.body) + FRAMING_BYTES + 2 * SLICE


@pytest.mark.parametrize(
    "wire",
    [
        b"1\na\r\n" + LAST,
        b"1\r\na\n" + LAST,
        b"1;a\rb\r\na\r\n" + LAST,
        b"0\n\n",
        b"0\r\n\n",
        b"0\r\nX: a\n\n",
        b"0\r\nX: a\r\n\n",
        b"0\r\nX: a\n\r\n",
        b"1\r\na\r\n0\r\nX: a\nY: b\r\n\r\n",
        b" 1\r\na\r\n" + LAST,
        b"0x1\r\na\r\n" + LAST,
        b"+1\r\na\r\n" + LAST,
        b"1\r\nab\r\n" + LAST,
        b"\r\n1\r\na\r\n" + LAST,
    ],
)
@pytest.mark.parametrize("piece", [1, 2, None])
def test_chunks_are_read_in_one_way_only(wire: bytes, piece: int | None) -> None:
    parsed = Parsed(POST + wire, piece)
    assert (parsed.status or 0) == 400 or not parsed.is_whole


def test_each_body_has_bounds_of_its_own() -> None:
    parsed = Parsed(POST + _chunks(*[1] * MAX_CHUNKS) + LAST)
    for _ in range(3):
        parsed.parser.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
        parsed.parser.send(h11.EndOfMessage())
        parsed.parser.start_next_cycle()
        parsed.parser.receive_data(POST + _chunks(*[1] * MAX_CHUNKS) + LAST)
        parsed._read()
        assert parsed.is_whole


@pytest.mark.parametrize("piece", [1, 1000, None])
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_a_head_is_judged_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch, piece: int | None, line_end: bytes
) -> None:
    """Also one that comes behind another request."""

    def parse(*_: object) -> None:
        raise AssertionError("h11 parsed it")

    first = Parsed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    first.parser.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
    first.parser.send(h11.EndOfMessage())
    first.parser.start_next_cycle()
    monkeypatch.setattr("h11._readers._decode_header_lines", parse)
    lines = [b"GET / HTTP/1.1", b"Host: a", *[b"X:"] * (MAX_HEADERS + 1), b"", b""]
    for parsed in (Parsed(line_end.join(lines), piece), first):
        if parsed is first:
            parsed.parser.receive_data(line_end.join(lines))
            with parsed._refusals():
                parsed._read()
        assert parsed.status == (431 if line_end == b"\r\n" else parsed.status)
        assert parsed.status in (400, 431)


@pytest.mark.parametrize("piece", [1, 1000, None])
def test_a_head_without_an_end_is_refused(piece: int | None) -> None:
    parsed = Parsed(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 2 * HEAD_BYTES, piece)
    assert parsed.status == 431
    assert len(parsed.parser.trailing_data[0]) <= 2 * HEAD_BYTES + 100
