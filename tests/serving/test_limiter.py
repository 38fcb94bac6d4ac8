"""The connection limiter: how many there may be, from one address and in all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from bench.measures import hostile
from tertulia.serving.limiter import ConnectionLimiter
from tests.serving.raw import CLOSE, MIB, Answer, Raw, WellBehavedClient, costing, frame, get, live, upgrade
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until

HERE, THERE = "127.0.0.2", "127.0.0.3"


def _refusal(server: ServerProcess, address: str = HERE, said: bytes = b"") -> Answer | None:
    """What a connection is answered before it said anything, or None where it is let in."""
    with Raw(server, address) as raw:
        raw.send(said or get())
        answer = raw.answer()
        if answer.status != 503:
            return None
        assert raw.rest() == b""
        return answer


def _is_let_in(server: ServerProcess, address: str = HERE) -> bool:
    with suppress(EOFError):
        return _refusal(server, address) is None
    return False


@pytest.mark.parametrize("said", [get(), upgrade("/api/v1/live?key=x"), b"\x00"], ids=["request", "handshake", "noise"])
def test_one_address_gets_no_more_than_its_share(starting: Callable[..., ServerProcess], said: bytes) -> None:
    server = starting("--connections-per-address", "4")
    with WellBehavedClient(server) as well_behaved:
        with ExitStack() as stack:
            readers = [stack.enter_context(Raw(server, HERE)) for _ in range(4)]
            for reader in readers:
                reader.follow(live(well_behaved.key))
            for _ in range(20):
                refused = _refusal(server, HERE, said)
                assert refused is not None
                assert int(refused.headers["retry-after"]) > 0
                assert refused.headers["connection"] == "close"
            with Raw(server, HERE) as silent:  # it is answered without a word of its own
                assert silent.answer().status == 503
            assert _is_let_in(server, THERE)
            well_behaved.post_and_read()
            readers[0].reset()
            wait_until(lambda: _is_let_in(server), "the place of a reader that was reset")
            readers[1].send(frame(CLOSE, (1000).to_bytes(2, "big")))
            assert readers[1].until_code() == 1000
            wait_until(lambda: _is_let_in(server), "the place of a reader that said goodbye")
            for index in (2, 3):
                readers[index].send(frame(0x3))
                assert readers[index].until_code() == 1002
            wait_until(lambda: well_behaved.readers() == 1, "the end of the readers")
            again = [stack.enter_context(Raw(server, HERE)) for _ in range(4)]
            for reader in again:
                reader.follow(live(well_behaved.key))
            assert not _is_let_in(server)
        well_behaved.post_and_read()
        well_behaved.healthy()


def test_every_end_gives_the_place_back(starting: Callable[..., ServerProcess]) -> None:
    server = starting("--connections-per-address", "3")
    ends: list[Callable[[Raw], object]] = [
        lambda raw: raw.send(get()) and raw.answer(),
        lambda raw: raw.send(b"\x00\r\n\r\n") and raw.rest(),
        lambda raw: raw.send(b"X: y\r\n" * 20_000),
        lambda raw: raw.send(upgrade("/nothing-here")) and raw.rest(),
        lambda raw: raw.send(upgrade("/api/v1/live")),
        lambda raw: raw.send(upgrade("/api/v1/live?key=x", "Content-Length: five")) and raw.rest(),
        lambda raw: raw.follow(live("x")),
        lambda raw: raw.send(upgrade("/api/v1/live?key=x")) and raw.reset(),
        lambda raw: raw.send(upgrade("/api/v1/live?key=x")[:90]) and raw.reset(),
        lambda raw: raw.send(get("/api/v1/events?key=x", "Accept: text/event-stream")) and raw.reset(),
    ]
    with WellBehavedClient(server) as well_behaved:
        for _ in range(3):
            for end in ends:
                wait_until(lambda: _is_let_in(server), "a place")
                with Raw(server) as raw:
                    end(raw)
        with ExitStack() as stack:
            wait_until(lambda: _three(server, stack), "all three places")
        well_behaved.post_and_read()
        well_behaved.healthy()


def _three(server: ServerProcess, stack: ExitStack) -> bool:
    """Three at once, which are all there may be."""
    with ExitStack() as opened:
        for _ in range(3):
            raw = opened.enter_context(Raw(server))
            raw.send(get())
            with suppress(EOFError):
                if raw.answer().status == 200:
                    continue
            return False
        assert not _is_let_in(server)
        stack.push(opened.pop_all())
    return True


def test_thousands_of_connections_shut_nobody_out(starting: Callable[..., ServerProcess]) -> None:
    server = starting()
    attempts = 12_000
    # 42 MiB where it takes 3 s; up to 81 where it takes 18, with coverage: cycles wait longer for the collector
    most_bytes = attempts * MIB // 100
    with WellBehavedClient(server) as well_behaved, ThreadPoolExecutor(1) as pool, costing(server, most_bytes):
        well_behaved.post_and_read()
        attacking = pool.submit(hostile.attack, server.port, attempts)
        most = 0
        while not attacking.done():
            with WellBehavedClient(server, well_behaved.key) as newcomer:
                newcomer.post()
                most = max(most, newcomer.connections())
            well_behaved.post_and_read()
        answers, held = attacking.result()
        well_behaved.post_and_read()
        for one in held:
            one.close()
    assert most <= 1_600 + 2 * 3  # 200 of each of 8 addresses, and the honest ones with their reader
    assert set(answers) == {b"101", b"503"}
    assert answers.total() == attempts
    # the silent are let go after 20 s without a pong, and others have their places: more where the attack takes longer
    assert answers[b"101"] >= 1_600


def test_the_total_is_bounded(starting: Callable[..., ServerProcess]) -> None:
    server = starting("--connections", "5", "--connections-per-address", "4")
    with WellBehavedClient(server) as well_behaved, ExitStack() as stack:
        well_behaved.healthy()  # one
        for address in (HERE, THERE, HERE, THERE):
            stack.enter_context(Raw(server, address)).follow(live(well_behaved.key))
        assert not _is_let_in(server, "127.0.0.4")
        stack.close()
        wait_until(lambda: _is_let_in(server, "127.0.0.4"), "a place")
        well_behaved.healthy()
        well_behaved.post_and_read()


def test_proxies_are_not_counted_singly_by_a_server(starting: Callable[..., ServerProcess]) -> None:
    server = starting("--connections-per-address", "2", "--trusted-proxies", "127.0.0.2/32")
    with WellBehavedClient(server) as well_behaved, ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(Raw(server, HERE)).follow(live(well_behaved.key))
        for _ in range(2):
            stack.enter_context(Raw(server, THERE)).follow(live(well_behaved.key))
        assert not _is_let_in(server, THERE)
        well_behaved.post_and_read()
        well_behaved.healthy()


# ---- the counting alone ---------------------------------------------------------------------------------


def test_what_is_one_address() -> None:
    limiter = ConnectionLimiter(100, 1)
    assert limiter.acquire("192.0.2.1") == "192.0.2.1"
    assert limiter.acquire("192.0.2.1") is None
    assert limiter.acquire("::ffff:192.0.2.1") is None
    assert limiter.acquire("192.0.2.2") == "192.0.2.2"
    assert limiter.acquire("2001:db8::1") is not None
    assert limiter.acquire("2001:db8::ffff") is None  # the same /64
    assert limiter.acquire("2001:db8:0:1::1") is not None
    assert (limiter.count, limiter.refused_of_address, limiter.refused_in_all) == (4, 3, 0)


def test_who_has_no_address_is_counted_in_all_only() -> None:
    limiter = ConnectionLimiter(3, 1)
    assert [limiter.acquire(host) for host in (None, "", "a socket", None)] == ["", "", "", None]
    assert (limiter.count, limiter.refused_of_address, limiter.refused_in_all) == (3, 0, 1)


def test_trusted_proxies_are_counted_in_all_only() -> None:
    limiter = ConnectionLimiter(4, 1, ["10.0.0.0/8", "fd00::/8"])
    assert [limiter.acquire(host) for host in ("10.1.2.3", "10.1.2.3", "fd00::1")] == ["", "", ""]
    assert limiter.acquire("::ffff:10.1.2.3") == ""  # as a socket of both families names it
    assert limiter.acquire("10.1.2.3") is None


def test_leaving_makes_room() -> None:
    limiter = ConnectionLimiter(2, 1, ["10.0.0.0/8"])
    for _ in range(3):
        places = [limiter.acquire("192.0.2.1"), limiter.acquire("10.0.0.1")]
        assert limiter.acquire("10.0.0.1") is None
        for place in places:
            assert place is not None
            limiter.release(place)
        assert limiter.count == 0
    assert (limiter.refused_of_address, limiter.refused_in_all) == (0, 3)


def test_connections_past_a_limit_are_one_line_a_minute_that_names_the_setting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limiter = ConnectionLimiter(3, 2)
    for host in ["192.0.2.1"] * 5 + ["192.0.2.2"] * 5:
        limiter.acquire(host)
    assert [vars(record)["setting"] for record in caplog.records] == [
        "TERTULIA_CONNECTIONS_PER_ADDRESS",
        "TERTULIA_CONNECTIONS",
    ]
