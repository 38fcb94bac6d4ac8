"""Redis Sentinel: both instances go where the master is, whoever leads them astray."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tertulia.bus import sentinel
from tertulia.bus.encoding import channel_of
from tertulia.bus.redis import RedisBus
from tests.bus.instances import KEY, SECRET, Hearing, certain, happened, heard_again, permissions, two
from tests.topologies import SERVICE, Guarded, Sentinel, wait
from tests.valkey import Valkey


@pytest.fixture(scope="module")
def robust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """For tests that leave it as it was."""
    opened = Guarded(tmp_path_factory.mktemp("robust"))
    yield opened
    opened.end()


@pytest.fixture
def another() -> Iterator[Valkey]:
    """A server that has nothing to do with the others."""
    server = Valkey()
    yield server
    server.end()


def asked(guarded: Guarded) -> None:
    guarded.sentinels[0].ask("SENTINEL", "FAILOVER", SERVICE)


def killed(guarded: Guarded) -> None:
    guarded.master.kill()


def frozen(guarded: Guarded) -> None:
    guarded.master.freeze()


async def both_at(server: Valkey, here: RedisBus, there: RedisBus) -> None:
    """They hear and say there, and nowhere else."""

    def heard() -> bool:
        return server.hearers(channel_of(KEY)) == 1 and len(_probes(server)) == 2

    await happened(heard, "they do not hear the new master", seconds=30)
    await certain(here)
    await certain(there)


def _probes(server: Valkey) -> set[str]:
    return {channel for channel in server.channels() if channel.startswith("tertulia:probe:")}


@pytest.mark.parametrize("failing", [asked, killed, frozen])
async def test_another_server_becomes_the_master(guarded: Guarded, failing: Callable[[Guarded], None]) -> None:
    async with two(guarded.url) as (here, there, hearing):
        await heard_again(here, hearing, 1)
        old, new = guarded.master, guarded.replica
        failing(guarded)
        await happened(lambda: here.in_doubt and there.in_doubt, "nobody doubts")
        hearing.missed.clear()
        await both_at(new, here, there)
        assert KEY in hearing.missed
        await heard_again(here, hearing, 2)

        if failing is killed:
            old.start()
        old.thaw()
        await happened(lambda: old.ask("ROLE")[0] == b"slave", "the old master stays one", seconds=30)
        await both_at(new, here, there)
        await heard_again(here, hearing, 3)


async def test_a_master_that_was_replaced_unknowingly_is_left(
    guarded: Guarded, another: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes everything as before, and everybody who is still there hears it."""
    monkeypatch.setattr(sentinel, "WATCH_SECONDS", 0.1)
    async with two(guarded.url) as (here, there, hearing):
        for one in guarded.sentinels:
            one.ask("SENTINEL", "REMOVE", SERVICE)
            one.ask("SENTINEL", "MONITOR", SERVICE, "127.0.0.1", another.port, 2)
        await both_at(another, here, there)
        await heard_again(here, hearing, 1)


async def test_a_sentinel_that_knows_only_of_the_past_is_not_believed(
    guarded: Guarded, another: Valkey, tmp_path: Path
) -> None:
    behind = Sentinel(tmp_path, another.port)
    try:
        asked(guarded)
        new = guarded.replica
        wait(lambda: guarded.master is new, "there is no failover")
        for url in (
            guarded.url.replace("//", f"//127.0.0.1:{behind.port},"),
            guarded.url.replace("/talk", f",127.0.0.1:{behind.port}/talk"),
        ):
            async with two(url) as (here, there, hearing):
                await both_at(new, here, there)
                await heard_again(here, hearing, 1)
    finally:
        behind.end()


async def test_without_sentinels_all_goes_on(robust: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentinel, "WATCH_SECONDS", 0.01)
    asked_in_vain: list[sentinel.Unknown] = []
    found = sentinel.Master._found

    async def counted(self: sentinel.Master) -> object:
        try:
            return await found(self)
        except sentinel.Unknown as error:
            asked_in_vain.append(error)
            raise

    async with two(robust.url) as (here, there, hearing):
        monkeypatch.setattr(sentinel.Master, "_found", counted)
        robust.retire()
        await happened(lambda: len(asked_in_vain) > 20, "nobody asks")
        assert not here.in_doubt
        assert here.counts.connections == there.counts.connections == 2
        await heard_again(here, hearing, 1)
        robust.guard()


async def waiting(url: str, caplog: pytest.LogCaptureFixture, ready: Callable[[], object]) -> str:
    """Why there is doubt until there is what is waited for."""
    bus = RedisBus(url, SECRET)
    hearing = Hearing(bus, KEY)
    bus.start()
    try:
        await happened(lambda: caplog.records, "nobody is told")
        assert bus.in_doubt
        ready()
        await certain(bus)
        await hearing.holds()
    finally:
        await bus.close()
    return str(vars(caplog.records[0])["reason"])


async def test_sentinels_that_are_down_are_waited_for(robust: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    robust.retire()
    reason = await waiting(robust.url, caplog, robust.guard)
    assert reason.startswith("no sentinel knows where the master is")


async def test_a_service_that_nobody_knows_is_waited_for(
    robust: Guarded, another: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    def known() -> None:
        robust.sentinels[0].ask("SENTINEL", "MONITOR", "other", "127.0.0.1", another.port, 1)

    reason = await waiting(robust.url.replace("/talk", "/other"), caplog, known)
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
async def test_few_permissions_are_enough(robust: Guarded, protected: bool) -> None:
    """Sentinels may have another login than the servers, or none."""
    _, of_servers, of_sentinels, _ = permissions()
    for server in robust.servers:
        server.ask(*of_servers)
    for one in robust.sentinels if protected else []:
        one.ask(*of_sentinels)
    url = robust.url.replace("//", "//talk:secret@")
    async with two(url if protected else url + "?sentinel_username=&sentinel_password=") as (here, _, hearing):
        await heard_again(here, hearing, 1)
    assert [server.ask("ACL", "LOG") for server in robust.servers] == [[], []]
    assert [one.ask("ACL", "LOG") for one in robust.sentinels] == [[], [], []]
