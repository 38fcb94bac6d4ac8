"""Clients that never end what they began, on a server that gives them less time than the real one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlencode

import pytest

from tertulia.serving.timeouts import Timeouts
from tests.serving.conftest import FLAGS
from tests.serving.raw import (
    MIB,
    Raw,
    Slow,
    WellBehavedClient,
    costing,
    get,
    live,
    note,
    until_closed,
    upgrade,
)
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until

SHORT = Timeouts(head=1, body=2, handshake=1)
GRACE = 2.0
HEAD = b"GET /healthz HTTP/1.1\r\nHost: news.test\r\n"
BODY = HEAD.replace(b"GET /healthz", b"POST /api/v1/comments") + (
    b"Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    program = ("tests.serving.timed", f"head={SHORT.head},body={SHORT.body},handshake={SHORT.handshake}")
    process = ServerProcess(tmp_path_factory.mktemp("serving"), FLAGS, program=program)
    yield process
    assert process.end() == 0, process.output
    assert "Traceback" not in process.output, process.output


def test_the_real_server_gives_more_time() -> None:
    """What SECURITY.md tells operators, and what they set their proxies by."""
    assert Timeouts() == Timeouts(head=5, body=10, handshake=5, stall=15, linger=2, close=3, idle=4, last=1)


def test_what_never_becomes_a_request_is_cut(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with ExitStack() as stack:

        def begin(said: bytes, drip: bytes) -> Slow:
            raw = stack.enter_context(Raw(server))
            if said:
                assert raw.send(said)
            return Slow(raw, drip)

        kept = stack.enter_context(Raw(server))
        assert kept.send(get())
        assert kept.answer().status == 200
        slow = {
            "silent": begin(b"", b""),
            "trickling head": begin(HEAD, b"X-A: b\r\n"),
            "head that stands still": begin(HEAD, b""),
            "idle after an answer": Slow(kept),
            "handshake that stands still": begin(upgrade(live(well_behaved.key))[:-2], b""),
            "trickling handshake": begin(upgrade(live(well_behaved.key))[:-2], b"X-A: b\r\n"),
        }
        until_closed(list(slow.values()), SHORT.head + GRACE)
        for what, one in slow.items():
            note(f"{what}: {one.closed_after:.1f} s")


def test_what_is_only_long_is_not_cut(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    """Streams, whatever they say of the connection's end, and a handshake on a connection that was used before."""
    path = f"/api/v1/events?{urlencode({'key': well_behaved.key})}"
    accept = "Accept: text/event-stream"
    with ExitStack() as stack:
        streams = [stack.enter_context(Raw(server)) for _ in range(5)]
        streams[0].send(get(path, accept))
        streams[1].send(get(path, accept, "Connection: close"))
        streams[2].send(get(path, accept).replace(b"HTTP/1.1", b"HTTP/1.0"))
        streams[3].send(get(path, accept, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"))
        streams[4].send(get())
        assert streams[4].answer().status == 200
        streams[4].follow(live(well_behaved.key))
        wait_until(lambda: well_behaved.readers() == 6, "all readers")
        until = time.monotonic() + SHORT.head + GRACE
        wait_until(lambda: time.monotonic() > until, "the time in which nothing is cut")
        assert well_behaved.readers() == 6
        well_behaved.post("There you are.")
        for stream in streams:
            stream.read_until(b"There you are.")


def test_a_body_that_trickles_is_cut(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with Raw(server) as raw, Raw(server) as chunked:
        assert raw.send(BODY)
        assert chunked.send(BODY.replace(b"Content-Length: 900", b"Transfer-Encoding: chunked")[:-1])
        slow = [Slow(raw, b" "), Slow(chunked, b"1\r\n \r\n")]
        until_closed(slow, SHORT.body + GRACE)
        note(f"body: {slow[0].closed_after:.1f} s, chunked: {slow[1].closed_after:.1f} s")


def test_hundreds_of_slow_connections_disturb_nobody(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with ExitStack() as stack, costing(server, 20 * MIB):
        slow = []
        for index in range(300):
            raw = stack.enter_context(Raw(server, f"127.0.0.{3 + index % 2}"))
            said, drip = ((HEAD, b"X: y\r\n"), (BODY, b" "), (upgrade(live(well_behaved.key))[:-2], b"X: y\r\n"))[
                index % 3
            ]
            assert raw.send(said)
            slow.append(Slow(raw, drip))
        longest = 0.0

        def meanwhile() -> None:
            nonlocal longest
            began = time.monotonic()
            well_behaved.post_and_read()
            longest = max(longest, time.monotonic() - began)

        until_closed(slow, SHORT.body + 2 * GRACE, meanwhile)
        last = max(one.closed_after or 0 for one in slow)
        note(f"300 slow connections: the last closed after {last:.1f} s; longest comment and event {longest:.3f} s")
        assert longest < 2


def test_a_handshake_that_is_never_complete_is_cut(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    with Raw(server) as first, Raw(server) as second:
        assert first.send(upgrade(live(well_behaved.key))[:-1])
        assert second.send(upgrade(live(well_behaved.key))[:20])
        until_closed([Slow(first), Slow(second)], SHORT.handshake + GRACE)
