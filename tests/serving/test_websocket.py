"""WebSocket from clients that mean no good, or mean well and speak in unusual ways."""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect

from tertulia.protocol import BODY_LIMIT
from tertulia.serving.detached import FRAMES_PER_INTERVAL, MAX_FRAGMENTS
from tertulia.serving.timeouts import HANDSHAKE_SECONDS
from tests.serving.conftest import FLAGS
from tests.serving.raw import (
    BINARY,
    CLOSE,
    CONT,
    MIB,
    PING,
    PONG,
    TEXT,
    Raw,
    WellBehavedClient,
    costing,
    frame,
    live,
    note,
    upgrade,
)
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE, wait_until

BIG = "\n".join("😀" * (14 + number % 2) for number in range(645))
"""A comment as large as one may be: its document has just less than 64 KiB, its event a little more."""
OFFERS = [
    "permessage-deflate",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; server_max_window_bits=15; client_max_window_bits=15",
    "permessage-deflate; server_max_window_bits=12",
    "permessage-deflate; server_max_window_bits=9",
    "permessage-deflate; server_max_window_bits=8",
    "permessage-deflate; server_max_window_bits=99",
    "permessage-deflate; server_max_window_bits=",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; client_max_window_bits=8",
    "permessage-deflate; client_max_window_bits=99, permessage-deflate",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    "permessage-deflate; server_max_window_bits=12; server_max_window_bits=15",
    "permessage-deflate; unknown=1",
    "permessage-deflate; server_max_window_bits=-1",
    'permessage-deflate; server_max_window_bits="12"',
    "x-webkit-deflate-frame, permessage-deflate",
    "permessage-deflate, permessage-deflate, permessage-deflate",
    ";;; , = ,",
]
MALFORMED = ("permessage-deflate; server_max_window_bits=", ";;; , = ,")


def _inflated(payload: bytes, bits: int = 15) -> bytes:
    return zlib.decompressobj(-bits).decompress(payload + b"\x00\x00\xff\xff")


@cache
def _bomb() -> bytes:
    encoder = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(encoder.compress(bytes(MIB)) for _ in range(200))
    return (packed + encoder.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


# ---- handshakes -----------------------------------------------------------------------------------------


def test_a_handshake_may_come_in_pieces(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with Raw(server) as bytewise, Raw(server) as halved:
        bytewise.send_bytewise(upgrade(live(well_behaved.key)))
        whole = upgrade(live(well_behaved.key), "Sec-WebSocket-Extensions: permessage-deflate")
        assert halved.send(whole[:70])
        time.sleep(0.05)
        assert halved.send(whole[70:])
        for raw in (bytewise, halved):
            assert raw.answer().status == 101
            assert json.loads(raw.frame_of(TEXT).payload)["type"] == "hello"
        well_behaved.post("in pieces")
        assert b"in pieces" in _event(bytewise)
        assert b"in pieces" in _event(halved)


@pytest.mark.parametrize(
    "head",
    [
        upgrade("/api/v1/live?key=x").replace(b"Version: 13", b"Version: 12"),
        upgrade("/api/v1/live?key=x").replace(b"AAAAAAAAAAAAAAAAAAAAAA==", b"short"),
        upgrade("/api/v1/live?key=x").replace(b"Connection: Upgrade\r\n", b""),
        upgrade("/api/v1/live?key=x").replace(b"HTTP/1.1", b"HTTP/1.0"),
        upgrade("/api/v1/live?key=x", "Content-Length: 5"),
        upgrade("/api/v1/live?key=x", "Content-Length: five"),
        upgrade("/api/v1/live?key=x", "Transfer-Encoding: chunked"),
        upgrade("/api/v1/live?key=x", "No colon"),
        upgrade("/api/v1/live?key=x", "X: \x00"),
        upgrade("/api/v1/live?key=x", "X: ").replace(b"X: ", b"X: \xff\xfe"),
        upgrade("/api/v1/live?key=x").replace(b"key=x", b"key=\xff\xfe"),
        upgrade("/api/v1/live?key=x", *(f"X-{number}: a" for number in range(500))),
        upgrade("/api/v1/live?key=x", "X: " + "a" * 9_000),
        upgrade("/nothing-here"),
        upgrade("http://news.test/api/v1/live?key=x"),
        upgrade("*"),
        upgrade("/%zz%00%ff?key=x"),
    ],
    ids=[
        "version",
        "key",
        "no connection",
        "HTTP/1.0",
        "length",
        "bad length",
        "chunked",
        "no colon",
        "NUL",
        "latin-1",
        "latin-1 query",
        "500 headers",
        "long header",
        "elsewhere",
        "absolute",
        "asterisk",
        "escapes",
    ],
)
def test_an_odd_handshake_breaks_nothing(server: ServerProcess, well_behaved: WellBehavedClient, head: bytes) -> None:
    for pieces in ((head,), (head[:30], head[30:])):
        with Raw(server) as raw:
            for piece in pieces:
                raw.send(piece)
                time.sleep(0.01)
            began = time.monotonic()
            with suppress(EOFError):
                answer = raw.answer()
                note(f"{answer.status} {answer.body[:60]!r}")
                if answer.headers.get("connection") is None:
                    continue  # an ordinary request, an ordinary answer
                if answer.status == 101:
                    raw.send(frame(CLOSE, struct.pack("!H", 1000)))
            raw.rest()
            assert time.monotonic() - began < HANDSHAKE_SECONDS - 1


def test_readers_that_are_gone_before_they_are_let_in_are_not_counted(
    server: ServerProcess, well_behaved: WellBehavedClient
) -> None:
    for index in range(60):
        with Raw(server) as raw:
            assert raw.send(upgrade(live(f"{well_behaved.key} {index % 20}")))
            if index % 3:
                time.sleep(0.0005 * (index % 5))
            raw.reset()
    with WellBehavedClient(server) as other:
        for index in range(20):
            other.key = f"{well_behaved.key} {index}"
            wait_until(lambda: other.readers() == 0, "the end of readers that are gone")


# ---- what readers say -----------------------------------------------------------------------------------


def test_empty_fragments_without_end(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with costing(server, 10 * MIB), Raw(server) as raw:
        raw.follow(live(well_behaved.key))
        raw.send(frame(TEXT, fin=False) + frame(CONT, fin=False) * 10_000)
        assert raw.until_code() in (1008, None)


def test_slow_empty_fragments(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with Raw(server) as raw:
        raw.follow(live(well_behaved.key))
        for index in range(MAX_FRAGMENTS + 5):
            if not raw.send(frame(CONT if index else TEXT, fin=False)):
                break
        assert raw.until_code() in (1008, None)


def test_pings_from_who_never_reads(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with costing(server, 10 * MIB), Raw(server, receive_buffer=4096) as raw:
        raw.follow(live(well_behaved.key))
        flood = frame(PING, b"a" * 125) * 1000
        raw.socket.settimeout(5)
        sent = 0
        while sent < 500 and raw.send(flood):
            sent += 1
        note(f"{sent * len(flood) // 1024} KiB of pings")
        assert sent < 500
        wait_until(lambda: well_behaved.readers() == 1, "the end of who pings")


def test_pings_at_leisure_are_answered(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with Raw(server) as raw:
        raw.follow(live(well_behaved.key))
        for number in range(FRAMES_PER_INTERVAL // 2):
            assert raw.send(frame(PING, b"%d" % number))
            assert raw.frame_of(PONG).payload == b"%d" % number


@pytest.mark.parametrize("fin", [True, False])
@pytest.mark.parametrize("size", [10 * MIB, 60 * 1024], ids=["whole", "what fits in the limit"])
def test_a_deflate_bomb(server: ServerProcess, well_behaved: WellBehavedClient, fin: bool, size: int) -> None:
    bomb = _bomb()[:size]
    note(f"{len(bomb)} bytes of a bomb")
    with costing(server, 20 * MIB), Raw(server) as raw:
        raw.follow(live(well_behaved.key), "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=15")
        raw.send(frame(TEXT, bomb, rsv1=True, fin=fin))
        assert raw.until_code() == 1009


def test_a_bomb_in_fragments(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    bomb = _bomb()
    with costing(server, 20 * MIB), Raw(server) as raw:
        raw.follow(live(well_behaved.key), "Sec-WebSocket-Extensions: permessage-deflate")
        for at in range(0, len(bomb), 30):
            if not raw.send(frame(CONT if at else TEXT, bomb[at : at + 30], rsv1=not at, fin=False)):
                break
        assert raw.until_code() in (1008, 1009)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (frame(TEXT, b"a" * BODY_LIMIT), 4400),
        (frame(TEXT, b"a" * (BODY_LIMIT + 1)), 1009),
        (frame(TEXT, b"a" * BODY_LIMIT, fin=False) + frame(CONT, b"a"), 1009),
        (frame(TEXT, announced=2**62), 1009),
        (frame(TEXT, announced=2**63 + 1), 1009),
        (frame(TEXT, b"{}", masked=False), 1002),
        (frame(TEXT, b"{}", rsv1=True), 1002),
        (frame(0x3, b"{}"), 1002),
        (frame(CONT, b"{}"), 1002),
        (frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"), 1002),
        (frame(PING, b"a" * 126), 1002),
        (frame(PING, b"a", fin=False), 1002),
        (frame(CLOSE, b"a"), 1002),
        (frame(CLOSE, struct.pack("!H", 1005)), 1002),
        (frame(TEXT, b'"\xff\xfe"'), 1007),
        (frame(TEXT, b'"\xed\xa0\x80"'), 1007),
        (frame(BINARY, b"{}"), 4400),
        (frame(BINARY, b"{", fin=False) + frame(CONT, b"}"), 4400),
        (frame(TEXT, b"[" * 60_000), 4400),
        (frame(TEXT, b'{"type":"writing","x":' + b"9" * 60_000 + b"}"), 4400),
        (frame(TEXT), 4400),
        (frame(CLOSE, struct.pack("!H", 1000) + b"bye"), 1000),
        (frame(CLOSE, struct.pack("!H", 4999)), 4999),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1002),
    ],
    ids=[
        "64 KiB",
        "64 KiB and 1",
        "64 KiB and 1 in two",
        "2^62",
        "2^63+1",
        "unmasked",
        "rsv1",
        "opcode",
        "no beginning",
        "two beginnings",
        "long ping",
        "ping in pieces",
        "short close",
        "close 1005",
        "no UTF-8",
        "surrogate",
        "binary",
        "binary in two",
        "deep JSON",
        "long number",
        "nothing",
        "close",
        "close 4999",
        "HTTP",
    ],
)
@pytest.mark.parametrize("pieces", [False, True], ids=["at once", "in pieces"])
def test_what_a_reader_may_not_say(
    server: ServerProcess, well_behaved: WellBehavedClient, said: bytes, code: int, pieces: bool
) -> None:
    with Raw(server) as raw:
        raw.follow(live(well_behaved.key))
        assert raw.frame().opcode == TEXT
        if pieces:
            for byte in said[:12]:
                raw.send(bytes([byte]))
                time.sleep(0.001)
            said = said[12:]
        raw.send(said)
        if code == 4400:  # the application's own; a client answers before the connection ends
            assert raw.frame_of(CLOSE).code == code
            raw.send(frame(CLOSE, struct.pack("!H", code)))
            assert raw.rest() == b""
        else:
            assert raw.until_code() == code
    wait_until(lambda: well_behaved.readers() == 1, "the end of who said it")


# ---- compression ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("offer", OFFERS)
def test_whatever_is_offered_events_can_be_read(
    server: ServerProcess, well_behaved: WellBehavedClient, offer: str
) -> None:
    with Raw(server) as raw:
        if not raw.send(upgrade(live(well_behaved.key), f"Sec-WebSocket-Extensions: {offer}")):
            raise AssertionError("nothing was taken")
        answer = raw.answer()
        taken = answer.headers.get("sec-websocket-extensions")
        note(f"{offer!r} -> {answer.status} {taken!r}")
        if answer.status == 400:
            assert offer in MALFORMED
            return
        assert answer.status == 101
        bits = 15
        if taken is not None:
            assert "server_no_context_takeover" in taken
            for parameter in taken.split(";"):
                if "server_max_window_bits" in parameter:
                    bits = int(parameter.partition("=")[2])
        assert b"hello" in raw.frame().payload
        well_behaved.post("readable " * 100)
        text = b""
        while b"readable" not in text:
            found = raw.frame_of(TEXT)
            assert taken is not None or not found.deflated
            text = _inflated(found.payload, max(bits, 9)) if found.deflated else found.payload


@pytest.mark.parametrize("context", [True, False])
@pytest.mark.parametrize("bits", [None, 9, 12, 15])
def test_every_event_of_a_batch_is_decoded(
    server: ServerProcess, well_behaved: WellBehavedClient, context: bool, bits: int | None
) -> None:
    offer = ClientPerMessageDeflateFactory(
        server_no_context_takeover=not context, server_max_window_bits=bits, client_max_window_bits=True
    )
    url = server.url.replace("http", "ws") + live(well_behaved.key, epoch=_epoch(well_behaved), after=0)
    last = [well_behaved.post(f"Comment {number} " + "of many. " * 20) for number in range(40)][-1]
    with connect(url, proxy=None, compression=None, extensions=[offer]) as reader:
        taken = reader.response.headers.get("Sec-WebSocket-Extensions")  # type: ignore[union-attr]
        assert taken is None if bits == 9 else taken is not None and "server_no_context_takeover" in taken
        seqs: list[int] = []
        while not seqs or seqs[-1] < last + 10:
            message = json.loads(reader.recv(10))
            if message["type"] == "events":
                seqs += [event["seq"] for event in message["events"]]
                if seqs[-1] == last:
                    for number in range(10):
                        well_behaved.post(f"Then comment {number} " + "of many. " * 20)
        assert seqs == list(range(1, last + 11))


@pytest.mark.parametrize("unusual", [(), ("Accept: a", "Accept: b")])
@pytest.mark.parametrize("pieces", [1, 2])
def test_what_is_said_with_the_handshake_is_heard(
    server: ServerProcess, well_behaved: WellBehavedClient, unusual: tuple[str, ...], pieces: int
) -> None:
    """A frame may come in the segment of the head, or before the answer to it."""
    said = upgrade(live(well_behaved.key), *unusual) + frame(TEXT, b'{"type":"nonsense"}')
    cut = len(said) // pieces
    with Raw(server) as raw:
        for start in range(0, len(said), cut):
            raw.send(said[start : start + cut])
        assert raw.answer().status == 101
        assert raw.until_code() == 4400


def test_who_declines_compression_gets_none(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with Raw(server) as raw:
        answer = raw.follow(live(well_behaved.key, compress=0), "Sec-WebSocket-Extensions: permessage-deflate")
        assert "sec-websocket-extensions" not in answer.headers
        assert b"hello" in raw.frame().payload
        well_behaved.post("plain " * 100)
        assert b"plain" in _event(raw)


# ---- who does not read ----------------------------------------------------------------------------------


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that ends readers who take nothing for a second."""
    process = ServerProcess(tmp_path / "impatient", FLAGS, program=("tests.push.impatient", "1"))
    yield process
    assert process.end() == 0, process.output


def test_who_never_reads_is_gone_and_the_others_get_everything(impatient: ServerProcess) -> None:
    with (
        WellBehavedClient(impatient) as one,
        Raw(impatient, receive_buffer=2048) as raw,
        WellBehavedClient(impatient, one.key) as other,
    ):
        one.post_and_read()
        other.seen += one.seen
        other.follow(full=1)
        assert raw.send(upgrade(live(one.key, full=1, compress=0)))
        wait_until(lambda: other.readers() == 3, "the reader that takes nothing")
        seq, began = 0, time.monotonic()
        while other.readers() == 3:
            assert time.monotonic() - began < PATIENCE, f"{seq} comments"
            seq = one.post(BIG)
            other.read_until(seq)
        note(f"gone after {time.monotonic() - began:.1f} s, {seq} comments")
        assert other.seen == list(range(1, seq + 1))
        raw.rest()


def _event(raw: Raw) -> bytes:
    """The next message with events, as text."""
    while True:
        found = raw.frame_of(TEXT)
        text = _inflated(found.payload) if found.deflated else found.payload
        if b'"type":"events"' in text:
            return text


def _epoch(well_behaved: WellBehavedClient) -> str:
    epoch: str = well_behaved.client.get("/api/v1/events", params={"key": well_behaved.key}).json()["epoch"]
    return epoch
