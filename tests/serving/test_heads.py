"""Heads that two servers could read in two ways: one answer to each, whichever of our ways it takes."""

from __future__ import annotations

import pytest

from tertulia.serving.handshake import read
from tertulia.serving.heads import END, HEAD_BYTES, MAX_HEADERS, NEGOTIATION_BYTES, fault
from tests.serving.raw import WS_KEY, Raw
from tests.support.server import ServerProcess

HANDSHAKE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Key: {WS_KEY}",
)
LONG = "a, " * (NEGOTIATION_BYTES // 3 + 1)

# (what is replaced, by what) in a request that is in order
TAKEN = {
    "as it is": (b"", b""),
    "port": (b"news.test", b"news.test:8000"),
    "IPv4": (b"news.test", b"127.0.0.1:80"),
    "IPv6": (b"news.test", b"[::1]:8000"),
    "blanks around": (b"Host: news.test", b"Host: \t news.test \t"),
    "no blank": (b"Host: news.test", b"Host:news.test"),
    "case": (b"Host:", b"hOsT:"),
    "tab in a value": (b"X-Some: thing", b"X-Some: a\tb"),
    "latin-1 in a value": (b"X-Some: thing", b"X-Some: \xe9"),
    "empty value": (b"X-Some: thing", b"X-Some:"),
    "odd letters in a path": (b" / ", b' /%00%zz|{}"<>^`\\ '),
    "query": (b" / ", b" /?a=%0d%0a "),
    "many headers": (b"X-Some: thing", b"\r\n".join(b"X-%d: a" % number for number in range(MAX_HEADERS - 5))),
}
REFUSED = {
    "bare LF, all lines": (b"\r\n", b"\n"),
    "bare LF, one line": (b"test\r\n", b"test\n"),
    "bare LF, empty line": (b"thing\r\n\r\n", b"thing\r\n\n"),
    "bare LF in a value": (b"thing", b"th\ning"),
    "bare CR": (b"thing", b"th\ring"),
    "CR CR LF": (b"thing\r\n", b"thing\r\r\n"),
    "NUL": (b"thing", b"th\0ing"),
    "control character": (b"thing", b"th\x07ing"),
    "DEL": (b"thing", b"th\x7fing"),
    "HTTP/1.2": (b"HTTP/1.1", b"HTTP/1.2"),
    "HTTP/2.0": (b"HTTP/1.1", b"HTTP/2.0"),
    "HTTP/0.9": (b"HTTP/1.1", b"HTTP/0.9"),
    "HTTP/1.10": (b"HTTP/1.1", b"HTTP/1.10"),
    "http/1.1": (b"HTTP/1.1", b"http/1.1"),
    "HTTP/1,1": (b"HTTP/1.1", b"HTTP/1,1"),
    "no version": (b" HTTP/1.1", b""),
    "two blanks": (b" / HTTP", b" /  HTTP"),
    "tab": (b"GET /", b"GET\t/"),
    "blank before": (b"GET /", b" GET /"),
    "blank behind": (b"HTTP/1.1\r\n", b"HTTP/1.1 \r\n"),
    "empty line before": (b"GET /", b"\r\nGET /"),
    "long method": (b"GET /", b"G" * 40 + b" /"),
    "method of a separator": (b"GET /", b"GE,T /"),
    "control character in a path": (b" / ", b" /\x01 "),
    "DEL in a path": (b" / ", b" /\x7f "),
    "bytes in a path": (b" / ", b" /\xc3\xa9 "),
    "fragment": (b" / ", b" /#a "),
    "absolute": (b" / ", b" http://news.test/ "),
    "other host": (b" / ", b" http://other.test/ "),
    "authority": (b" / ", b" news.test:80 "),
    "asterisk": (b" / ", b" * "),
    "no slash": (b" / ", b" a "),
    "no host": (b"Host: news.test\r\n", b""),
    "two hosts": (b"Host: news.test", b"Host: news.test\r\nHost: news.test"),
    "two hosts, one empty": (b"Host: news.test", b"Host: news.test\r\nHost:"),
    "empty host": (b"Host: news.test", b"Host:"),
    **{f"host with {odd!r}": (b"news.test", b"news" + odd.encode() + b"test") for odd in "/?@\"<>#\\ \t,;|{}^`'"},
    "host of bytes": (b"news.test", b"n\xc3\xa9ws.test"),
    "escaped host": (b"news.test", b"news%2etest"),
    "host with a path": (b"news.test", b"news.test/path"),
    "host with a user": (b"news.test", b"me@news.test"),
    "host with letters for a port": (b"news.test", b"news.test:http"),
    "host with a long port": (b"news.test", b"news.test:800000"),
    "half of an IPv6 address": (b"news.test", b"[::1"),
    "folded": (b"X-Some: thing", b"X-Some: a\r\n b"),
    "folded by a tab": (b"X-Some: thing", b"X-Some: a\r\n\tb"),
    "folded at the start": (b"Host:", b" folded\r\nHost:"),
    "blank before the colon": (b"X-Some:", b"X-Some :"),
    "host, blank before the colon": (b"Host:", b"Host :"),
    "no colon": (b"X-Some: thing", b"thing"),
    "no name": (b"X-Some: thing", b": thing"),
    "name of a separator": (b"X-Some: thing", b"X(Some): thing"),
    "length with a plus": (b"X-Some: thing", b"Content-Length: +0"),
    "length with a minus": (b"X-Some: thing", b"Content-Length: -0"),
    "length in hex": (b"X-Some: thing", b"Content-Length: 0x0"),
    "length with a comma": (b"X-Some: thing", b"Content-Length: 0, 0"),
    "length with a blank": (b"X-Some: thing", b"Content-Length: 0 0"),
    "length of nothing": (b"X-Some: thing", b"Content-Length:"),
    "length twice": (b"X-Some: thing", b"Content-Length: 0\r\nContent-Length: 0"),
    "two lengths": (b"X-Some: thing", b"Content-Length: 0\r\ncontent-length: 1"),
    "long length": (b"X-Some: thing", b"Content-Length: " + b"1" * 20),
    "length and chunks": (b"X-Some: thing", b"Content-Length: 0\r\nTransfer-Encoding: chunked"),
    "chunks and length": (b"X-Some: thing", b"Transfer-Encoding: chunked\r\nContent-Length: 0"),
    "gzip": (b"X-Some: thing", b"Transfer-Encoding: gzip"),
    "gzip, chunked": (b"X-Some: thing", b"Transfer-Encoding: gzip, chunked"),
    "chunked, identity": (b"X-Some: thing", b"Transfer-Encoding: chunked, identity"),
    "chunked twice": (b"X-Some: thing", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    "quoted chunked": (b"X-Some: thing", b'Transfer-Encoding: "chunked"'),
    "chunked by a control character": (b"X-Some: thing", b"Transfer-Encoding: \x0bchunked"),
    "no coding": (b"X-Some: thing", b"Transfer-Encoding:"),
    "identity": (b"X-Some: thing", b"Transfer-Encoding: identity"),
}
TOO_LARGE = {
    "many headers": (b"X-Some: thing", b"\r\n".join(b"X-%d: a" % number for number in range(MAX_HEADERS + 1))),
    "the same header": (b"X-Some: thing", b"\r\n".join([b"X: a"] * (MAX_HEADERS + 1))),
    "empty headers": (b"X-Some: thing", b"\r\n".join([b"X:"] * 4_000)),
    "120 headers": (b"X-Some: thing", b"\r\n".join(b"X-%d: a" % number for number in range(120))),
    "long value": (b"thing", b"a" * HEAD_BYTES),
    "long name": (b"X-Some", b"a" * HEAD_BYTES),
    "long path": (b" / ", b" /" + b"a" * HEAD_BYTES + b" "),
    "long Connection": (b"X-Some: thing", b"Connection: " + LONG.encode()),
    "long Upgrade": (b"X-Some: thing", b"Upgrade: " + LONG.encode()),
    "long Expect": (b"X-Some: thing", b"Expect: " + LONG.encode()),
    "long extensions": (b"X-Some: thing", b"Sec-WebSocket-Extensions: " + LONG.encode()),
    "long protocols": (b"X-Some: thing", b"Sec-WebSocket-Protocol: " + LONG.encode()),
    "many lists": (b"X-Some: thing", b"\r\n".join([b"Sec-WebSocket-Extensions: " + b"a," * 10] * 60)),
}
CASES = [
    pytest.param(old, new, status, id=f"{status}-{what}")
    for status, table in ((200, TAKEN), (400, REFUSED), (431, TOO_LARGE))
    for what, (old, new) in table.items()
]


def _head(old: bytes, new: bytes, *, handshake: bool = False) -> bytes:
    lines = ("GET / HTTP/1.1", "Host: news.test", *(HANDSHAKE if handshake else ()), "X-Some: thing", "", "")
    plain = "\r\n".join(lines).encode()
    assert not old or old in plain
    return plain.replace(old, new) if old == b"\r\n" else plain.replace(old, new, 1) if old else plain


@pytest.mark.parametrize(("old", "new", "status"), CASES)
@pytest.mark.parametrize("handshake", [False, True], ids=["request", "handshake"])
def test_a_head_is_judged(old: bytes, new: bytes, status: int, handshake: bool) -> None:
    head = _head(old, new, handshake=handshake)
    found = fault(head[: head.find(b"\n\n") + 2] if b"\n\n" in head else head)
    assert (200 if found is None else found.status) == status
    if status != 200:
        assert read(head) is None, "what is refused is no plain handshake either"


@pytest.mark.parametrize(("old", "new", "status"), CASES)
@pytest.mark.parametrize("pieces", [1, 2])
def test_a_server_answers_so(server: ServerProcess, old: bytes, new: bytes, status: int, pieces: int) -> None:
    """Alone, behind another request, and as a handshake; in one piece and in two."""
    for handshake in (False, True):
        head = _head(old, new, handshake=handshake)
        with Raw(server) as raw:
            cut = len(head) - (len(head) // 2 if pieces == 2 else 0)
            if not (raw.send(head[:cut]) and raw.send(head[cut:])):
                assert status != 200
            answer = raw.answer()
            assert answer.status in (
                (403, 404) if handshake and status == 200 else (200, 404) if status == 200 else (status,)
            )
            assert answer.headers["x-content-type-options"] == "nosniff"
            if status != 200:
                assert answer.headers["connection"] == "close"
                assert raw.rest() == b""


def test_the_second_request_is_judged_like_the_first(server: ServerProcess) -> None:
    for old, new in (REFUSED["bare LF, all lines"], REFUSED["two hosts"], TOO_LARGE["empty headers"]):
        with Raw(server) as raw:
            raw.send(_head(b"", b"") + _head(old, new) + _head(b"", b""))
            assert raw.answer().status == 200
            assert raw.answer().status in (400, 431)
            assert raw.rest() == b""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", 200),
        (b"GET / HTTP/1.0\r\nHost: news.test\r\n\r\n", 200),
        (b"GET / HTTP/1.0\r\nHost: news test\r\n\r\n", 400),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"OPTIONS * HTTP/1.1\r\nHost: news.test\r\n\r\n", 404),
        (b"CONNECT news.test:80 HTTP/1.1\r\nHost: news.test:80\r\n\r\n", 400),
        (b"M-SEARCH / HTTP/1.1\r\nHost: news.test\r\n\r\n", 405),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"\n\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n", 400),
    ],
)
def test_other_heads(server: ServerProcess, head: bytes, status: int) -> None:
    with Raw(server) as raw:
        assert raw.send(head)
        assert raw.answer().status == status


def test_a_refused_handshake_of_the_library_is_no_less_careful(server: ServerProcess) -> None:
    for old, new in ((b"Version: 13", b"Version: 12"), (b"Connection: Upgrade", b"Connection: close")):
        with Raw(server) as raw:
            raw.send(_head(old, new, handshake=True))
            answer = raw.answer()
            assert 400 <= answer.status < 500
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_end_of_a_head_is_the_empty_line() -> None:
    assert fault(b"GET / HTTP/1.1\r\nHost: a" + END) is None
    assert fault(b"GET / HTTP/1.1\r\nHost: a\r\n\n") is not None
