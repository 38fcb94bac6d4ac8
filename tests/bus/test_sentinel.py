"""Redis Sentinel: both instances go where the master is, whoever leads them astray."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import redis

from tertulia.bus.redis.bus import RedisBus
from tertulia.bus.redis.tuning import BusTuning
from tertulia.bus.redis.wire import channel_of
from tests.bus.instances import (
    KEY,
    SECRET,
    RecordingListener,
    bus_pair,
    permissions,
    wait_until_delivered,
    wait_until_healthy,
)
from tests.support.topologies import SERVICE, Sentinel, SentinelSetup
from tests.support.valkey import Valkey
from tests.support.waiting import until, wait_until


@pytest.fixture(scope="module")
def robust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelSetup]:
    """For tests that leave it as it was."""
    opened = SentinelSetup(tmp_path_factory.mktemp("robust"))
    yield opened
    opened.end()


@pytest.fixture
def another() -> Iterator[Valkey]:
    """A server that has nothing to do with the others."""
    server = Valkey()
    yield server
    server.end()


def asked(sentinel_setup: SentinelSetup) -> None:
    sentinel_setup.sentinels[0].ask("SENTINEL", "FAILOVER", SERVICE)


def killed(sentinel_setup: SentinelSetup) -> None:
    sentinel_setup.master.kill()


def frozen(sentinel_setup: SentinelSetup) -> None:
    sentinel_setup.master.freeze()


def lead(sentinel_setup: SentinelSetup, server: Valkey) -> None:
    """Has it made the master again where sentinels on a busy machine took it for dead and went back to the other."""
    first = sentinel_setup.sentinels[0]
    if int(first.ask("SENTINEL MASTER", SERVICE)["port"]) != server.port:
        with contextlib.suppress(redis.ResponseError):  # they are about it, or know of no replica yet
            first.ask("SENTINEL", "FAILOVER", SERVICE)


async def both_at(server: Valkey, here: RedisBus, there: RedisBus, keep: Callable[[], object] = lambda: None) -> None:
    """They hear and say there, and nowhere else."""

    def moved() -> bool:
        keep()
        return server.subscriber_count(channel_of(KEY)) == 1 and len(_probes(server)) == 2

    await until(moved, "they do not subscribe at the new master")
    await wait_until_healthy(here)
    await wait_until_healthy(there)


def _probes(server: Valkey) -> set[str]:
    return {channel for channel in server.channels() if channel.startswith("tertulia:probe:")}


@pytest.mark.parametrize("failing", [asked, killed, frozen])
async def test_another_server_becomes_the_master(
    sentinel_setup: SentinelSetup, failing: Callable[[SentinelSetup], None]
) -> None:
    async with bus_pair(sentinel_setup.url) as (here, there, listener):
        await wait_until_delivered(here, listener, 1)
        old, new = sentinel_setup.master, sentinel_setup.replica
        failing(sentinel_setup)
        await until(lambda: here.is_degraded and there.is_degraded, "nobody notices")
        listener.gaps.clear()
        keep = partial(lead, sentinel_setup, new)
        await both_at(new, here, there, keep if failing is asked else lambda: None)
        assert KEY in listener.gaps
        await wait_until_delivered(here, listener, 2)

        if failing is killed:
            old.start()
        old.thaw()
        await until(lambda: keep() or old.ask("ROLE")[0] == b"slave", "the old master stays one")
        await both_at(new, here, there, keep)
        await wait_until_delivered(here, listener, 3)


async def test_a_master_that_was_replaced_unknowingly_is_left(sentinel_setup: SentinelSetup, another: Valkey) -> None:
    """It takes everything as before, and everybody who is still there hears it."""
    async with bus_pair(sentinel_setup.url, BusTuning(sentinel_watch=0.1)) as (here, there, listener):
        for one in sentinel_setup.sentinels:
            one.ask("SENTINEL", "REMOVE", SERVICE)
            one.ask("SENTINEL", "MONITOR", SERVICE, "127.0.0.1", another.port, 2)
        await both_at(another, here, there)
        await wait_until_delivered(here, listener, 1)


async def test_a_sentinel_that_knows_only_of_the_past_is_not_believed(
    sentinel_setup: SentinelSetup, another: Valkey, tmp_path: Path
) -> None:
    behind = Sentinel(tmp_path, another.port)
    try:
        asked(sentinel_setup)
        new = sentinel_setup.replica
        wait_until(lambda: sentinel_setup.master is new, "there is no failover")
        for url in (
            sentinel_setup.url.replace("//", f"//127.0.0.1:{behind.port},"),
            sentinel_setup.url.replace(f"/{SERVICE}", f",127.0.0.1:{behind.port}/{SERVICE}"),
        ):
            async with bus_pair(url) as (here, there, listener):
                await both_at(new, here, there)
                await wait_until_delivered(here, listener, 1)
    finally:
        behind.end()


async def test_without_sentinels_all_goes_on(robust: SentinelSetup) -> None:
    asked = 0

    def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as one_more:
        url = robust.url.replace("//", f"//127.0.0.1:{one_more.sockets[0].getsockname()[1]},")
        async with bus_pair(url, BusTuning(sentinel_watch=0.01)) as (here, there, listener):
            robust.stop_sentinels()
            asked = 0
            await until(lambda: asked > 40, "nobody asks")
            assert not here.is_degraded
            assert here.stats.connections == there.stats.connections == 2
            await wait_until_delivered(here, listener, 1)
            robust.start_sentinels()


async def waiting(url: str, caplog: pytest.LogCaptureFixture, ready: Callable[[], object]) -> str:
    """Why the bus is degraded until there is what is waited for."""
    bus = RedisBus(url, SECRET)
    listener = RecordingListener(bus, KEY)
    bus.start()
    try:
        await until(lambda: caplog.records, "nobody is told")
        assert bus.is_degraded
        ready()
        await wait_until_healthy(bus)
        await listener.subscribed()
    finally:
        await bus.close()
    return str(vars(caplog.records[0])["reason"])


async def test_sentinels_that_are_down_are_waited_for(robust: SentinelSetup, caplog: pytest.LogCaptureFixture) -> None:
    robust.stop_sentinels()
    reason = await waiting(robust.url, caplog, robust.start_sentinels)
    assert reason.startswith("no sentinel knows where the master is")


async def test_a_service_that_nobody_knows_is_waited_for(
    robust: SentinelSetup, another: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    def known() -> None:
        robust.sentinels[0].ask("SENTINEL", "MONITOR", "other", "127.0.0.1", another.port, 1)

    reason = await waiting(robust.url.replace(f"/{SERVICE}", "/other"), caplog, known)
    assert "no sentinel knows where the master is" in reason


async def test_a_replica_is_no_master(
    valkey: Valkey, another: Valkey, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Though the sentinels say so."""
    valkey.ask("REPLICAOF", "127.0.0.1", another.port)
    one = Sentinel(tmp_path, valkey.port)
    try:
        url = f"redis+sentinel://127.0.0.1:{one.port}/{SERVICE}"
        reason = await waiting(url, caplog, lambda: valkey.ask("REPLICAOF", "NO", "ONE"))
    finally:
        one.end()
    assert reason == "the server that the sentinels name is not yet the master"


@pytest.mark.parametrize("protected", [True, False])
async def test_few_permissions_are_enough(robust: SentinelSetup, protected: bool) -> None:
    """Sentinels may have another login than the servers, or none."""
    _, of_servers, of_sentinels, _ = permissions()
    for server in robust.servers:
        server.ask(*of_servers)
    for one in robust.sentinels if protected else []:
        one.ask(*of_sentinels)
    url = robust.url.replace("//", "//talk:secret@")
    async with bus_pair(url if protected else url + "?sentinel_username=&sentinel_password=") as (here, _, listener):
        await wait_until_delivered(here, listener, 1)
    assert [server.ask("ACL", "LOG") for server in robust.servers] == [[], []]
    assert [one.ask("ACL", "LOG") for one in robust.sentinels] == [[], [], []]
