"""The plain handshake against the WebSocket library's: whatever it takes, the library takes with the same answer."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame as WireFrame
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tertulia.serving.handshake import SharedDeflate, opts_out, read
from tertulia.serving.heads import END, fault

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
BROWSER = [
    ("Host", "news.test"),
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "websocket"),
    ("Origin", "https://news.test"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
]


def head(headers: list[tuple[str, str]], target: str = "/api/v1/live?key=a", first: str = "GET {} HTTP/1.1") -> bytes:
    lines = [first.format(target), *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode("latin-1") + END


def librarys(data: bytes) -> tuple[Request, dict[str, str]] | None:
    """What is made of it without ours: the request and the headers of its answer, None where it is refused."""
    if fault(data) is not None:
        return None
    conn = ServerProtocol(extensions=None if opts_out(data.split(b" ")[1]) else [SharedDeflate()])
    conn.receive_data(data)
    events = conn.events_received()
    if not events or isinstance(events[0], WireFrame):
        return None
    assert isinstance(events[0], Request)
    answer = conn.accept(events[0])
    return (events[0], dict(answer.headers.raw_items())) if answer.status_code == 101 else None


def agrees(data: bytes) -> bool:
    """Checks one head; whether it was a plain one."""
    handshake = read(data)
    if handshake is None:
        return False
    found = librarys(data)
    assert found is not None, data
    request, expected = found
    expected.pop("Date")
    first, *lines = handshake.answer.decode().removesuffix("\r\n").split("\r\n")
    assert first == "HTTP/1.1 101 Switching Protocols"
    assert dict(line.split(": ", 1) for line in lines) == expected
    assert handshake.deflates == ("Sec-WebSocket-Extensions" in expected)
    assert handshake.target.decode() == request.path
    assert handshake.headers == [
        (name.lower().encode(), value.encode("latin-1")) for name, value in request.headers.raw_items()
    ]
    return True


def test_a_browsers_head_is_plain() -> None:
    assert agrees(head(BROWSER))
    assert agrees(head(BROWSER, "/api/v1/live?key=a&compress=0"))
    assert agrees(head(BROWSER[:-1]))


def test_the_standards_example() -> None:
    handshake = read(head(BROWSER))
    assert handshake is not None
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in handshake.answer  # RFC 6455, section 1.3


@pytest.mark.parametrize(
    "unusual",
    [
        head([*BROWSER, ("Accept", "a"), ("Accept", "b")]),
        head([*BROWSER, ("Sec-WebSocket-Protocol", "chat")]),
        head([*BROWSER, ("Content-Length", "5")]),
        head([*BROWSER, ("Transfer-Encoding", "chunked")]),
        head([*BROWSER, ("Empty", "")]),
        head([*BROWSER, ("Bad name", "x")]),
        head([*BROWSER, *((f"X-{number}", "x") for number in range(100))]),
        head(BROWSER, first="POST {} HTTP/1.1"),
        head(BROWSER, first="GET {} HTTP/1.0"),
        head(BROWSER, "http://news.test/"),
        head(BROWSER).replace(b"\r\nHost", b"\nHost"),
        head(BROWSER).replace(b"Host:", b"Host :"),
        head(BROWSER).replace(b"Host:", b" folded\r\nHost:"),
        head(BROWSER).replace(b"news.test", b"news\x00test"),
        head(BROWSER[1:]),
        *(head([pair for pair in BROWSER if pair[0] != name]) for name in ("Connection", "Upgrade", "Host")),
        *(head([pair for pair in BROWSER if not pair[0].endswith(name)]) for name in ("Version", "Key")),
        *(
            head([(name, value if name == "Sec-WebSocket-Key" else given) for name, given in BROWSER])
            for value in ("c2hvcnQ=", KEY[:-1], "dGhlIHNhbXBsZSBub25jZR==", "")
        ),
    ],
)
def test_what_is_unusual_is_left_to_the_library(unusual: bytes) -> None:
    assert read(unusual) is None


_names = st.sampled_from([name for name, _ in BROWSER] + ["connection", "UPGRADE", "X-Other", "Accept", "Te st"])
_parameters = st.sampled_from(
    ["", "; client_max_window_bits", "; server_max_window_bits=9", "; server_max_window_bits=12", "; nonsense", "; ="]
)
_offers = st.lists(
    st.tuples(st.sampled_from(["permessage-deflate", "x-other"]), _parameters).map("".join), max_size=3
).map(", ".join)
_values = st.one_of(
    st.sampled_from(["websocket", "Upgrade", "upgrade, keep-alive", "13", KEY, "a\tb", "é", "\x7f"]),
    _offers,
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=8),
)
_changes = st.lists(
    st.tuples(st.sampled_from(["replace", "insert", "drop"]), st.integers(0, 7), _names, _values), max_size=3
)


@given(_changes, st.sampled_from(["/api/v1/live?key=a", "/x%20y", "/é", "/a b", "*", "/?compress=0", "/?a=compress=0"]))
@example([("replace", 6, "Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=9")], "/x")
@example([("replace", 6, "Sec-WebSocket-Extensions", "permessage-deflate; ;")], "/x")
def test_the_library_agrees(changes: list[tuple[str, int, str, str]], target: str) -> None:
    headers = list(BROWSER)
    for change, place, name, value in changes:
        if change == "insert":
            headers.insert(place, (name, value))
        elif headers:
            place %= len(headers)
            headers[place : place + 1] = [(name, value)] if change == "replace" else []
    agrees(head(headers, target))
