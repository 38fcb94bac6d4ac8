"""Metrics: numbers that move with what happens, a page that names them all, and who may read them."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import prometheus_client
import pytest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, event
from starlette.types import ASGIApp

from tertulia.app import Running, running
from tertulia.bus import Message
from tertulia.core.comments import DiscussionKey
from tertulia.live.tuning import Tuning
from tertulia.metrics.catalogue import BUS_METRICS, CATALOGUE, SERVER_METRICS
from tertulia.metrics.host import BACKUP, Host
from tertulia.serving.limiter import ConnectionLimiter
from tertulia.serving.listening import listen
from tertulia.serving.server import serve
from tertulia.serving.stats import GcPauses, ServerStats
from tertulia.serving.unread import MIB, Unread
from tertulia.settings import Settings
from tertulia.store import write_queue
from tertulia.store.commands import CommandResult
from tertulia.store.stats import Histogram
from tests.live.fakes import FakeReader, created_event, join
from tests.serving.raw import Raw, WellBehavedClient, get
from tests.support.server import ServerProcess
from tests.support.store_actions import Custom
from tests.support.waiting import until, wait_until

KEY = DiscussionKey("default", "talk")
PAGE = Path(__file__).parent.parent / "docs/metrics.md"
UNITS = {
    "seconds",
    "total",
    "info",
    "rooms",
    "readers",
    "paused",
    "draining",
    "bytes",
    "commands",
    "waiting",
    "connections",
    "instances",
    "doubt",
    "stuck",
    "due",
    "dead",
    "stale",
}


@pytest.fixture
def server_stats() -> ServerStats:
    return ServerStats(ConnectionLimiter(3, 2), Unread(MIB))


@pytest.fixture
def tuning() -> Tuning:
    return Tuning()


@pytest.fixture
async def server(settings: Settings, server_stats: ServerStats, tuning: Tuning) -> AsyncIterator[Running]:
    """The application as it is on our own server."""
    async with running(settings, server_stats, tuning=tuning) as opened:
        yield opened


@asynccontextmanager
async def _visitor(app: ASGIApp, peer: str | None = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, client=(peer, 4711))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:
        yield client


def _families(text: str) -> dict[str, Family]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def _numbers(text: str) -> dict[str, float]:
    """Every sample by its name and the values of its labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in _families(text).values()
        for sample in family.samples
    }


async def _scraped(client: httpx.AsyncClient) -> dict[str, float]:
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return _numbers(answer.text)


async def _post(client: httpx.AsyncClient, number: int, **changes: Any) -> httpx.Response:
    body = {"key": KEY.key, "body": "Hello.", "author": {"name": "Lan"}} | changes
    return await client.post("/api/v1/comments", json=body, headers={"Idempotency-Key": f"{number:032}"})


def _has_seqs(reader: FakeReader, expected: list[int]) -> bool:
    return reader.seqs == expected


async def _follow(server: Running, count: int) -> list[FakeReader]:
    room = await server.hub.enter(KEY)
    return [join(room) for _ in range(count)]


# ---- what there is --------------------------------------------------------------------------------------


@pytest.fixture
async def whole(settings: Settings, server_stats: ServerStats) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with all its parts; its Redis and its mail server are down."""
    more = {"smtp_url": "smtp://127.0.0.1:1", "mail_from": "comments@news.test"}
    connected = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1", "search": True, "work": "all"} | more)
    async with running(connected, server_stats) as opened, _visitor(opened.asgi) as client:
        yield client


async def test_an_answer_is_the_text_format(whole: httpx.AsyncClient) -> None:
    answer = await whole.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert (await whole.head("/metrics")).status_code == 200
    types = re.findall(r"^# TYPE (\S+) (\S+)$", answer.text, re.MULTILINE)
    told = [(name, kind) for name, kind in types if not name.startswith("process_")]
    assert told == [(metric.name, metric.kind) for metric in CATALOGUE]
    helps = re.findall(r"^# HELP (\S+) (.+)$", answer.text, re.MULTILINE)
    assert [name for name, _ in helps] == [name for name, _ in types]
    assert {"process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"} <= dict(types).keys()


async def test_the_documentation_names_what_there_is(whole: httpx.AsyncClient) -> None:
    rows = re.findall(r"^\| `(\w+)(?:{([\w,]+)})?` \| (\w+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    found = {}
    for family in _families((await whole.get("/metrics")).text).values():
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[family.name] = (family.type, labels)
    documented = {name.removesuffix("_total"): (kind, {*filter(None, by.split(","))}) for name, by, kind in rows}
    assert {name: kind for name, kind in found.items() if not name.startswith("process_")} == documented


def test_names_are_as_prometheus_wants_them() -> None:
    names = [metric.name for metric in CATALOGUE]
    assert len(set(names)) == len(names)
    for metric in CATALOGUE:
        assert metric.name.startswith("tertulia_")
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert metric.name.rpartition("_")[2] in UNITS, metric.name
        assert metric.help.endswith("."), metric.name


async def test_no_discussion_has_series_of_its_own(server: Running, client: httpx.AsyncClient) -> None:
    before = await _scraped(client)
    for number in range(20):
        join(await server.hub.enter(DiscussionKey("default", f"talk {number}")))
        assert (await _post(client, number, key=f"talk {number}")).status_code == 201
    after = await _scraped(client)
    assert after.keys() == before.keys()
    assert after["tertulia_rooms instant"] == 20


async def test_on_another_server_nothing_is_said_of_connections(settings: Settings) -> None:
    async with running(settings) as plain, _visitor(plain.asgi) as client:
        names = {name.partition(" ")[0] for name in await _scraped(client)}
    assert "tertulia_readers" in names
    assert names.isdisjoint(metric.name for metric in SERVER_METRICS)


async def test_without_redis_nothing_is_said_of_it(client: httpx.AsyncClient) -> None:
    names = {name.partition(" ")[0] for name in await _scraped(client)}
    assert names.isdisjoint(metric.name for metric in BUS_METRICS)


async def test_a_degraded_bus_is_told(whole: httpx.AsyncClient) -> None:
    for number in range(3):
        assert (await _post(whole, number)).status_code == 201
    told = await _scraped(whole)
    assert (told["tertulia_bus_in_doubt"], told["tertulia_bus_messages_waiting"]) == (1, 3)
    assert told["tertulia_bus_messages_sent_total"] == told["tertulia_bus_connections_total"] == 0


async def test_the_library_s_own_registry_is_not_used(client: httpx.AsyncClient) -> None:
    await _scraped(client)
    assert "tertulia" not in prometheus_client.generate_latest().decode()


# ---- rooms and readers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tuning", [Tuning(slice=2)], ids=["slices of two"])
async def test_deliveries_are_messages_times_readers_that_take_them(server: Running, client: httpx.AsyncClient) -> None:
    followers = await _follow(server, 5)
    paused, *others = followers
    paused.reader.pause()
    assert (await _post(client, 1)).status_code == 201
    await until(lambda: all(one.seqs == [1] for one in others), "the first event")
    told = await _scraped(client)
    assert told["tertulia_readers"] == 5
    assert told["tertulia_readers_paused"] == 1
    assert told["tertulia_events_total"] == 1
    assert told["tertulia_deliveries_total"] == 4
    paused.reader.resume()
    others.pop().disconnect()
    assert (await _post(client, 2)).status_code == 201
    await until(lambda: all(one.seqs == [1, 2] for one in (paused, *others)), "the second event")
    told = await _scraped(client)
    assert told["tertulia_readers"] == 4
    assert told["tertulia_readers_paused"] == 0
    assert told["tertulia_events_total"] == 2
    assert told["tertulia_deliveries_total"] == sum(len(one.of_type("events")) for one in followers) == 9


async def test_what_is_heard_twice_is_one_event(server: Running, client: httpx.AsyncClient) -> None:
    [follower] = await _follow(server, 1)
    for last in (2, 3, 3):
        server.bus.publish(Message(KEY, server.store.epoch, tuple(created_event(seq) for seq in range(1, last + 1))))
        await until(partial(_has_seqs, follower, list(range(1, last + 1))), "every event")
    told = await _scraped(client)
    assert (told["tertulia_events_total"], told["tertulia_deliveries_total"]) == (3, 2)


async def test_a_busy_discussion_is_counted_as_such(settings: Settings) -> None:
    busy = settings.model_copy(update={"tick_rate": 1.0, "summary_rate": 2.0})
    async with running(busy) as server, _visitor(server.asgi) as client:
        followers = await _follow(server, 3)
        server.bus.publish(Message(KEY, server.store.epoch, tuple(created_event(seq) for seq in range(1, 41))))
        await until(lambda: all(one.of_type("summary") for one in followers), "a summary each")
        told = await _scraped(client)
    assert [told[f"tertulia_rooms {pace}"] for pace in ("instant", "ticks", "summaries")] == [0, 0, 1]
    assert told["tertulia_events_total"] == 40
    assert told["tertulia_summaries_total"] == 1
    assert told["tertulia_deliveries_total"] == 3


async def test_a_calm_discussion_has_no_summaries(server: Running, client: httpx.AsyncClient) -> None:
    followers = await _follow(server, 2)
    assert (await _post(client, 1)).status_code == 201
    await until(lambda: all(one.seqs == [1] for one in followers), "the first event")
    told = await _scraped(client)
    assert [told[f"tertulia_rooms {pace}"] for pace in ("instant", "ticks", "summaries")] == [1, 0, 0]
    assert told["tertulia_summaries_total"] == 0


async def test_gaps_are_told_by_what_found_them(
    server: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    [follower] = await _follow(server, 1)

    async def lost(number: int) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(server.bus, "publish", lambda message: None)
            assert (await _post(client, number)).status_code == 201

    async def gaps(seq: int) -> list[float]:
        await until(lambda: follower.seqs[-1:] == [seq], "the last event")
        told = await _scraped(client)
        return [told[f"tertulia_gaps_total {found}"] for found in ("bus", "watch")]

    assert (await _post(client, 1)).status_code == 201
    assert await gaps(1) == [0, 0]
    await lost(2)
    assert (await _post(client, 3)).status_code == 201
    assert await gaps(3) == [1, 0]
    await lost(4)
    await server.hub.reconcile()
    assert await gaps(4) == [1, 1]
    assert (await _scraped(client))["tertulia_events_total"] == 4


@pytest.mark.parametrize("tuning", [Tuning(stall_seconds=0.0, housekeeping_seconds=3600.0)], ids=["no patience"])
async def test_a_reader_that_takes_nothing_is_counted_when_it_is_ended(
    server: Running, client: httpx.AsyncClient
) -> None:
    stuck, other = await _follow(server, 2)
    stuck.reader.pause()
    stuck.buffered_bytes = 100
    server.hub.rooms[KEY].tick()
    assert (await _scraped(client))["tertulia_readers_evicted_total"] == 0
    server.hub.rooms[KEY].tick()
    told = await _scraped(client)
    assert (told["tertulia_readers_evicted_total"], told["tertulia_readers"]) == (1, 1)
    assert other.closing is None


async def test_draining(server: Running, client: httpx.AsyncClient) -> None:
    assert (await _scraped(client))["tertulia_draining"] == 0
    await server.hub.drain(0)
    assert (await _scraped(client))["tertulia_draining"] == 1


async def test_a_loop_that_was_held_up_is_late(settings: Settings) -> None:
    often = Tuning(housekeeping_seconds=0.01)
    async with running(settings, tuning=often) as server, _visitor(server.asgi) as client:
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - this is what is measured
        await until(lambda: server.hub.longest_lag > 0.25 and server.hub.lag < 0.2, "the lag, and its end")
        told = await _scraped(client)
    assert 0.25 < told["tertulia_loop_longest_lag_seconds"] < 10
    assert told["tertulia_loop_lag_seconds"] < told["tertulia_loop_longest_lag_seconds"]


# ---- the write queue ------------------------------------------------------------------------------------


async def test_commits_and_what_was_committed_together(server: Running, client: httpx.AsyncClient) -> None:
    assert (await _post(client, 1)).status_code == 201
    told = await _scraped(client)
    assert (told["tertulia_commits_total"], told["tertulia_commands_committed_total"]) == (1, 1)
    assert told["tertulia_commit_commands_bucket 1.0"] == 1
    answers = await asyncio.gather(*(_post(client, number) for number in range(2, 12)))
    assert [answer.status_code for answer in answers] == [201] * 10
    refused = await _post(client, 12, parent_id="0190a000-0000-7000-8000-000000000000")
    assert refused.status_code in (404, 409)
    told = await _scraped(client)
    assert told["tertulia_commands_committed_total"] == 11
    assert told["tertulia_commit_commands_sum"] == 12
    assert 3 <= told["tertulia_commits_total"] <= 12
    assert told["tertulia_commit_commands_bucket +Inf"] == told["tertulia_commits_total"]
    assert told["tertulia_commit_seconds_count"] == told["tertulia_commits_total"]
    assert 0 < told["tertulia_commit_seconds_sum"] < 60
    assert told["tertulia_commands_waiting"] == 0


async def test_a_database_that_fails_is_counted(server: Running, client: httpx.AsyncClient) -> None:
    def broken(_connection: Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    event.listen(server.store.database.write.engine, "begin", broken)
    assert (await _post(client, 1)).status_code == 503
    event.remove(server.store.database.write.engine, "begin", broken)
    told = await _scraped(client)
    assert (told["tertulia_commits_failed_total"], told["tertulia_commits_total"]) == (1, 0)
    assert told["tertulia_commands_unavailable_total commit_failed"] == 1
    assert told["tertulia_commands_unavailable_total queue_full"] == 0
    assert told["tertulia_commands_committed_total"] == told["tertulia_commit_seconds_count"] == 0


async def test_what_waits_and_what_finds_no_room_to_wait(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_queue, "QUEUE", 2)
    async with running(settings) as server, _visitor(server.asgi) as client:
        work = server.store.write_queue
        tasks = [asyncio.create_task(work.submit(Custom(lambda _: CommandResult(None)))) for _ in range(5)]
        await asyncio.sleep(0)
        assert work.waiting == 2
        await asyncio.gather(*tasks, return_exceptions=True)
        told = await _scraped(client)
        assert told["tertulia_commands_unavailable_total queue_full"] == 3
        assert told["tertulia_commands_committed_total"] == 2


def test_a_histogram_counts_each_value_once() -> None:
    histogram = Histogram(1, 2, 4)
    for value in (0.5, 1, 1.5, 2, 3, 4, 5, 100):
        histogram.add(value)
    assert histogram.counts == [2, 2, 2, 2]
    assert histogram.total == 117


# ---- the server -----------------------------------------------------------------------------------------


async def test_connections(client: httpx.AsyncClient, server_stats: ServerStats) -> None:
    places = [server_stats.limiter.acquire(host) for host in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2")]
    assert [place is None for place in places] == [False, False, True, False]
    assert server_stats.limiter.acquire("192.0.2.3") is None
    assert server_stats.limiter.acquire("192.0.2.4") is None
    told = await _scraped(client)
    assert told["tertulia_connections"] == 3
    assert told["tertulia_connections_refused_total address"] == 1
    assert told["tertulia_connections_refused_total total"] == 2
    server_stats.limiter.release("192.0.2.1")
    assert (await _scraped(client))["tertulia_connections"] == 2


async def test_collections_are_counted_from_the_start_to_the_stop(
    client: httpx.AsyncClient, server_stats: ServerStats
) -> None:
    gc.disable()
    try:
        server_stats.gc_pauses.start()
        gc.collect()
        gc.collect(0)
        server_stats.gc_pauses.stop()
        gc.collect()
    finally:
        gc.enable()
    told = await _scraped(client)
    assert told["tertulia_gc_pauses_total"] == 2
    assert 0 < told["tertulia_gc_longest_pause_seconds"] < told["tertulia_gc_pause_seconds_total"] < 60


def test_stopping_what_never_started_is_nothing() -> None:
    before = list(gc.callbacks)
    GcPauses().stop()
    assert gc.callbacks == before


def test_a_collection_that_had_begun_before_is_not_counted() -> None:
    gc_pauses = GcPauses()
    gc_pauses.on_gc("stop", {})
    assert (gc_pauses.count, gc_pauses.seconds, gc_pauses.longest) == (0, 0.0, 0.0)


async def test_a_server_watches_collections_while_it_serves(
    settings: Settings, server_stats: ServerStats, monkeypatch: pytest.MonkeyPatch
) -> None:
    tame = SimpleNamespace(collect=gc.collect, freeze=lambda: None, set_threshold=lambda *_: None)
    monkeypatch.setattr("tertulia.serving.server.gc", tame)  # this process goes on afterwards
    before = list(gc.callbacks)
    at_start: list[int] = []
    async with running(settings, server_stats) as server:

        def ready() -> None:
            at_start.append(server_stats.gc_pauses.count)
            gc.collect()
            asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGTERM)

        with listen("127.0.0.1", 0) as listener:
            await serve(server.asgi, server.hub, listener, server_stats, drain_seconds=0, ready=ready)
    assert at_start == [0], "what was collected before made nobody wait"
    assert server_stats.gc_pauses.count >= 1
    assert gc.callbacks == before


def test_a_real_server_tells_what_its_readers_see(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server("--connections-per-address", "3", "--work", "none")

    def told() -> dict[str, float]:
        return _numbers(httpx.get(f"{server.url}/metrics", headers={"Connection": "close"}).text)

    with WellBehavedClient(server) as client:
        for _ in range(3):
            client.post_and_read()
        numbers = told()
        assert numbers["tertulia_readers"] == numbers["tertulia_rooms instant"] == 1
        assert numbers["tertulia_events_total"] == numbers["tertulia_deliveries_total"] == 3
        assert numbers["tertulia_commands_committed_total"] == 3
        assert numbers["tertulia_commit_commands_sum"] == 3
        assert numbers["tertulia_connections"] == 3, "who writes, who reads, and who asks"
        assert numbers["tertulia_connections_refused_total address"] == 0
        with Raw(server) as one, Raw(server) as two, Raw(server) as three, Raw(server) as four:
            for raw in (one, two, three):
                raw.send(get())
                assert raw.answer().status == 200
            assert four.answer().status == 503
            numbers = told()
            assert numbers["tertulia_connections"] == 6
            assert numbers["tertulia_connections_refused_total address"] == 1
            assert numbers["tertulia_connections_refused_total total"] == 0
        assert numbers["process_resident_memory_bytes"] > 2**20
        assert 0 <= numbers["tertulia_gc_longest_pause_seconds"] <= numbers["tertulia_gc_pause_seconds_total"]
    wait_until(lambda: told()["tertulia_readers"] == 0, "the end of the reader")
    wait_until(lambda: told()["tertulia_loop_longest_lag_seconds"] > 0, "the first tick")
    assert server.end() == 0
    assert "Traceback" not in server.output


# ---- who may read ---------------------------------------------------------------------------------------

PROXIES = ("127.0.0.1", "10.0.0.0/8")
FOR = "X-Forwarded-For"


@pytest.mark.parametrize(
    ("peer", "headers", "trusted", "allowed"),
    [
        ("127.0.0.1", {}, (), True),
        ("127.9.9.9", {}, (), True),
        ("::1", {}, (), True),
        ("::ffff:127.0.0.1", {}, (), True),
        ("192.0.2.1", {}, (), False),
        ("10.0.0.1", {}, (), False),
        ("::2", {}, (), False),
        ("fe80::1%eth0", {}, (), False),
        ("", {}, (), False),
        # a stranger says what he likes
        ("192.0.2.1", {FOR: "127.0.0.1"}, (), False),
        ("192.0.2.1", {FOR: "127.0.0.1"}, PROXIES, False),
        # a proxy on this machine that nobody named carries a stranger's request on
        ("127.0.0.1", {FOR: "203.0.113.9"}, (), False),
        ("127.0.0.1", {FOR: "127.0.0.1"}, (), False),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}, (), False),
        ("127.0.0.1", {"X-Real-IP": "203.0.113.9"}, (), False),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}, (), False),
        ("127.0.0.1", {"Via": "1.1 proxy"}, (), False),
        # a proxy that is trusted
        ("127.0.0.1", {FOR: "203.0.113.9"}, PROXIES, False),
        ("127.0.0.1", {FOR: "127.0.0.1, 203.0.113.9"}, PROXIES, False),
        ("127.0.0.1", {FOR: "127.0.0.7, 203.0.113.9, 10.0.0.1"}, PROXIES, False),
        ("127.0.0.1", {FOR: "203.0.113.9:4711"}, PROXIES, False),
        ("127.0.0.1", {FOR: "unknown"}, PROXIES, False),
        ("127.0.0.1", {FOR: ""}, PROXIES, False),
        ("127.0.0.1", {FOR: "127.0.0.1"}, PROXIES, False),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}, PROXIES, False),
        ("127.0.0.1", {"Via": "1.1 proxy"}, PROXIES, False),
        ("127.0.0.1", {}, PROXIES, True),
        ("10.0.0.1", {FOR: "127.0.0.7"}, PROXIES, True),
        ("10.0.0.1", {}, PROXIES, False),
    ],
)
async def test_the_machine_itself_may_read_by_default(
    settings: Settings, peer: str, headers: dict[str, str], trusted: tuple[str, ...], allowed: bool
) -> None:
    chosen = settings.model_copy(update={"trusted_proxies": trusted})
    async with running(chosen) as server, _visitor(server.asgi, peer) as client:
        answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == (200 if allowed else 404)
    if not allowed:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "not_found"
        assert "tertulia_" not in answer.text


@pytest.mark.parametrize(
    ("networks", "peer", "allowed"),
    [
        (("192.0.2.0/24",), "192.0.2.77", True),
        (("192.0.2.0/24",), "127.0.0.1", False),
        (("192.0.2.0/24", "2001:db8::/32"), "2001:db8::5", True),
        (("192.0.2.5",), "192.0.2.5", True),
        (("192.0.2.5",), "192.0.2.6", False),
        ((), "127.0.0.1", False),
        (("0.0.0.0/0",), "203.0.113.9", True),
    ],
)
async def test_who_else_may_read_is_a_setting(
    settings: Settings, networks: Sequence[str], peer: str, allowed: bool
) -> None:
    chosen = settings.model_copy(update={"metrics_allow": tuple(networks)})
    async with running(chosen) as server, _visitor(server.asgi, peer) as client:
        assert (await client.get("/metrics")).status_code == (200 if allowed else 404)


async def test_who_has_no_address_may_not_read(server: Running) -> None:
    said: list[Any] = []

    async def nothing() -> Any:
        await asyncio.Event().wait()

    async def note(message: Any) -> None:
        said.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/metrics", "query_string": b"", "headers": []}
    await server.asgi(scope | {"client": None}, nothing, note)
    assert said[0]["status"] == 404


def test_behind_a_proxy_the_reader_s_own_address_counts(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server("--trusted-proxies", "127.0.0.2/32", "--metrics-allow", "127.0.0.1,198.51.100.7")

    def status(address: str, *headers: str) -> int:
        with Raw(server, address) as raw:
            raw.send(get("/metrics", *headers))
            return raw.answer().status

    assert status("127.0.0.1") == 200
    assert status("127.0.0.3") == 404
    assert status("127.0.0.2") == 404
    assert status("127.0.0.2", "X-Forwarded-For: 198.51.100.7") == 200
    assert status("127.0.0.2", "X-Forwarded-For: 198.51.100.7, 203.0.113.9") == 404
    assert status("127.0.0.2", "X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 203.0.113.9") == 404
    assert status("127.0.0.3", "X-Forwarded-For: 198.51.100.7") == 404
    assert status("127.0.0.1", "X-Forwarded-For: 127.0.0.1") == 404


async def test_a_scrape_is_no_line_of_the_log(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "tertulia")
    await _scraped(client)
    assert caplog.records == []
    await client.get("/nothing")
    assert [record.getMessage() for record in caplog.records] == ["request"]


# ---- answers, and the host ------------------------------------------------------------------------------


async def test_answers_are_counted_by_kind_and_status(client: httpx.AsyncClient) -> None:
    assert (await _post(client, 1)).status_code == 201
    await client.post("/api/v1/comments", json={})
    await client.get("/nothing")
    await client.get("/healthz")
    found = await _scraped(client)
    counted = {name: value for name, value in found.items() if name.startswith("tertulia_http_answers_total") and value}
    assert counted == {
        "tertulia_http_answers_total api_write 2xx": 1,
        "tertulia_http_answers_total api_write 4xx": 1,
        "tertulia_http_answers_total page 4xx": 1,
        "tertulia_http_answers_total operation 2xx": 1,
    }


def test_disk_and_memory_of_the_host(tmp_path: Path) -> None:
    cgroup = tmp_path / "memory.max"
    there, nowhere = Host(tmp_path, cgroup), Host(tmp_path / "not" / "made" / "yet")
    disk = there.disk()
    assert 0 < disk["free"] < disk["whole"]
    assert nowhere.disk()["whole"] == disk["whole"]
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert there.memory_limit == whole
    for text, limit in (("max", whole), ("268435456", 268435456), (str(2**70), whole)):
        cgroup.write_text(f"{text}\n")
        assert there.memory_limit == limit


async def test_the_last_backup_is_when_the_operator_said_so(settings: Settings, client: httpx.AsyncClient) -> None:
    assert not any("backup" in name for name in await _scraped(client))
    file = settings.data_dir / BACKUP
    file.touch()
    os.utime(file, (1_900_000_000, 1_900_000_000))
    assert (await _scraped(client))["tertulia_backup_timestamp_seconds"] == 1_900_000_000
    assert f"touch /var/lib/tertulia/{BACKUP}" in (PAGE.parent / "operating.md").read_text()
