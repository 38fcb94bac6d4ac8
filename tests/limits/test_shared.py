"""Counts that instances share: one limit for all of them, and none that waits when Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import redis as client
from redis.asyncio import RedisCluster, SSLConnection

from tertulia.bus.redis import clients
from tertulia.bus.redis.connections import failure_kind
from tertulia.bus.stats import FailureKind
from tertulia.errors import Problem, StartupError
from tertulia.limits import PostingLimits
from tertulia.limits.shared import RedisCounts, Timing
from tests.bus.instances import all_permissions
from tests.limits.test_posting import admitted
from tests.support.topologies import ClusterSetup, SentinelSetup
from tests.support.valkey import Valkey
from tests.support.waiting import until

SECRET = b"a key of the tests, not a secret of anybody, and longer than BLAKE2b takes"
PATIENT = Timing(timeout=30.0)
"""A machine that is busy is no Redis that is away."""
RETRYING = Timing(timeout=30.0, retry=0.0)


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    server = Valkey()
    yield server
    server.end()


@pytest.fixture
def mortal() -> Iterator[Valkey]:
    """One that a test may kill."""
    server = Valkey()
    yield server
    server.end()


@asynccontextmanager
async def counting(
    url: str, guest: str, address: str, *, degraded: bool = False, count: int = 1, timing: Timing = PATIENT
) -> AsyncIterator[list[PostingLimits]]:
    """The limits at so many instances."""
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(count):
            counts = RedisCounts(url, SECRET, lambda: degraded, timing)
            stack.push_async_callback(counts.close)
            found.append(PostingLimits(guest, address, counts))
        yield found


@pytest.fixture(autouse=True)
def emptied(request: pytest.FixtureRequest) -> None:
    if "valkey" in request.fixturenames:
        request.getfixturevalue("valkey").ask("FLUSHALL")


async def test_one_limit_holds_over_all_instances(valkey: Valkey) -> None:
    async with counting(valkey.url, "5/minute;7/hour", "off", count=3) as instances:
        assert [await admitted(instances[number % 3], "lan", None) for number in range(9)] == [1] * 5 + [0] * 4
        assert await admitted(instances[1], "minh", None, 9) == 5


async def test_posts_at_once_are_counted_exactly(valkey: Valkey) -> None:
    async with counting(valkey.url, "10/minute", "12/minute", count=2) as instances:
        posts = (one.count("lan", "192.0.2.1") for one in instances for _ in range(100))
        answers = await asyncio.gather(*posts, return_exceptions=True)
        assert answers.count(None) == 10
        assert await admitted(instances[0], "minh", "192.0.2.1", 5) == 2, "refusals took nothing from the address"


async def test_what_is_refused_is_not_counted(valkey: Valkey) -> None:
    async with counting(valkey.url, "2/minute", "4/hour") as [limits]:
        assert await admitted(limits, "lan", "192.0.2.1", 20) == 2
        assert await admitted(limits, "minh", "192.0.2.1", 20) == 2
        assert await admitted(limits, "eva", "192.0.2.1", 20) == 0
        assert await admitted(limits, "eva", "192.0.2.9", 20) == 2


async def test_the_window_moves(valkey: Valkey) -> None:
    async with counting(valkey.url, "3/second", "off") as [limits]:
        assert await admitted(limits, "lan", None, 4) == 3
        await until(lambda: admitted(limits, "lan", None), "the window does not move")


async def test_the_wait_is_until_the_first_one_leaves(valkey: Valkey) -> None:
    """At another instance, which counted none of them itself."""
    async with counting(valkey.url, "2/hour", "off", count=2) as [before, limits]:
        await admitted(before, "lan", None, 2)
        [key] = valkey.ask("KEYS", "*")
        first = float(valkey.ask("LINDEX", key, 1))
        valkey.ask("LSET", key, 1, str(first - 1800))
        with pytest.raises(Exception, match=r"in (2\d|30) minutes"):
            await limits.count("lan", None)
        valkey.ask("LSET", key, 1, str(first - 3601))
        assert await admitted(limits, "lan", None, 3) == 1


async def test_what_is_kept_names_nobody_and_expires(valkey: Valkey) -> None:
    async with counting(valkey.url, "2/minute", "3/hour") as [limits]:
        await admitted(limits, "lan", "192.0.2.1", 5)
        keys = valkey.ask("KEYS", "*")
        assert len(keys) == 2
        for key in keys:
            assert key.startswith(b"tertulia:{limit}:")
            assert len(key) == len(b"tertulia:{limit}:") + 32
            assert 0 < valkey.ask("TTL", key) <= 3600
        assert sorted(valkey.ask("LLEN", key) for key in keys) == [2, 2]


async def test_it_needs_no_more_permissions_than_the_settings_tell(valkey: Valkey) -> None:
    for rules in all_permissions()[0]:
        valkey.ask(*rules)
    await _counted_by_redis(valkey.url, [valkey])
    valkey.ask("ACL", "DELUSER", "talk")


async def _counted_by_redis(url: str, servers: list[Valkey]) -> None:
    async with counting(url.replace("://", "://talk:secret@"), "2/minute", "off", count=2) as [here, there]:
        assert await admitted(here, "lan", None) + await admitted(there, "lan", None, 5) == 2
    assert any(server.ask("KEYS", "tertulia:*") for server in servers), "it was not Redis that counted"


# ---- who writes into Redis ------------------------------------------------------------------------------


@pytest.mark.parametrize("forged", ["99999999999", "1e300", "inf", "nan", "-inf", "0x7fffffff", "-5", "", "soon"])
async def test_a_forged_time_makes_nobody_wait_longer_than_the_window(valkey: Valkey, forged: str) -> None:
    async with counting(valkey.url, "2/minute", "off") as [limits]:
        await admitted(limits, "lan", None, 2)
        [key] = valkey.ask("KEYS", "*")
        valkey.ask("DEL", key)
        valkey.ask("LPUSH", key, forged, forged, forged)
        with pytest.raises(Problem) as refused:
            await limits.count("lan", None)
        assert refused.value.retry_after is not None
        assert 0 < refused.value.retry_after <= 60


async def test_a_list_that_is_emptied_lets_nobody_post_more_than_an_instance_allows(valkey: Valkey) -> None:
    async with counting(valkey.url, "3/minute", "5/minute", count=2) as instances:
        posted = 0
        for _ in range(6):
            for one in instances:
                valkey.ask("FLUSHALL")
                posted += await admitted(one, "lan", "192.0.2.1")
        assert posted == 3 * len(instances)


async def test_a_key_that_is_no_list_is_a_redis_that_is_away(valkey: Valkey) -> None:
    async with counting(valkey.url, "2/minute", "off") as [limits]:
        await admitted(limits, "lan", None)
        [key] = valkey.ask("KEYS", "*")
        valkey.ask("SET", key, "9")
        assert await admitted(limits, "lan", None, 5) == 1


# ---- without Redis --------------------------------------------------------------------------------------


async def test_each_instance_counts_alone_while_redis_is_away(mortal: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    """What it let in before counts, too."""
    async with counting(mortal.url, "4/minute", "off", count=2, timing=RETRYING) as [here, there]:
        assert await admitted(here, "lan", None, 3) == 3
        mortal.kill()
        assert await admitted(here, "lan", None, 5) == 1
        assert await admitted(there, "lan", None, 5) == 4
        assert len([one for one in caplog.records if "each instance alone" in one.message]) == 2, "told once at each"
        mortal.start()

        async def is_asked() -> bool:
            await admitted(here, "minh", None)
            return bool(mortal.ask("KEYS", "*"))

        await until(is_asked, "Redis is not asked again")


async def test_a_frozen_redis_is_waited_for_once(mortal: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    run = client.asyncio.connection.AbstractConnection.send_packed_command

    async def counted(self: object, *given: object, **named: object) -> None:
        nonlocal asked
        asked += 1
        await run(self, *given, **named)  # type: ignore[arg-type]

    async with counting(mortal.url, "100/minute", "off", timing=Timing(timeout=2.0, retry=3600.0)) as [limits]:
        assert await admitted(limits, "lan", None, 3) == 3
        mortal.freeze()
        monkeypatch.setattr(client.asyncio.connection.AbstractConnection, "send_packed_command", counted)
        assert await admitted(limits, "lan", None, 50) == 50
        assert asked == 1
        mortal.thaw()


async def test_a_redis_is_not_asked_while_the_bus_is_degraded(valkey: Valkey) -> None:
    async with counting(valkey.url, "2/minute", "off", degraded=True) as [limits]:
        assert await admitted(limits, "lan", None, 5) == 2
        assert valkey.ask("KEYS", "*") == []


# ---- several Redis servers ------------------------------------------------------------------------------


@pytest.fixture(params=["sentinel", "cluster"])
def group(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SentinelSetup | ClusterSetup]:
    servers = SentinelSetup(tmp_path) if request.param == "sentinel" else ClusterSetup(tmp_path)
    yield servers
    servers.end()


async def test_one_limit_holds_with_sentinels_and_in_a_cluster(group: SentinelSetup | ClusterSetup) -> None:
    async with counting(group.url, "5/minute", "7/minute", count=2) as [here, there]:
        assert await admitted(here, "lan", "192.0.2.1", 3) + await admitted(there, "lan", "192.0.2.1", 5) == 5
        assert await admitted(here, "minh", "192.0.2.1", 5) == 2


async def test_groups_need_no_more_permissions_than_the_settings_tell(group: SentinelSetup | ClusterSetup) -> None:
    _, of_servers, of_sentinels, of_nodes = all_permissions()
    for server in group.servers:
        for rules in of_servers if isinstance(group, SentinelSetup) else of_nodes:
            server.ask(*rules)
    if isinstance(group, SentinelSetup):
        for sentinel in group.sentinels:
            for rules in of_sentinels:
                sentinel.ask(*rules)
    await _counted_by_redis(group.url, group.servers)


async def test_after_a_failover_the_limit_holds_at_the_new_master(tmp_path: Path) -> None:
    setup = SentinelSetup(tmp_path)
    try:
        async with counting(setup.url, "1000/hour", "off", count=2, timing=RETRYING) as [here, there]:
            assert await admitted(here, "lan", None) == 1
            old = setup.master
            old.kill()

            async def is_asked() -> bool:
                await admitted(there, "minh", None)
                return setup.master is not old and bool(setup.master.ask("KEYS", "tertulia:*"))

            await until(is_asked, "the new master is not asked")
    finally:
        setup.end()


def test_a_url_asks_for_tls_and_a_login_of_every_client() -> None:
    for url in ("rediss://u:p@h:1", "redis+sentinel://u:p@h:1/s?ssl=true"):
        pool = clients.from_url(url, 1.0).connection_pool  # type: ignore[union-attr]
        assert issubclass(pool.connection_class, SSLConnection)
        assert (pool.connection_kwargs["username"], pool.connection_kwargs["password"]) == ("u", "p")
    cluster = clients.from_url("redis+cluster://u:p@h:1?ssl=true", 1.0)
    assert isinstance(cluster, RedisCluster)
    asked = cluster.nodes_manager.connection_kwargs
    assert issubclass(asked["connection_class"], SSLConnection)
    assert (asked["username"], asked["password"]) == ("u", "p")
    with pytest.raises(StartupError, match="TERTULIA_REDIS_URL"):
        clients.from_url("redis+sentinel://u:hidden@h:1", 1.0)


# ---- a Redis that refuses -------------------------------------------------------------------------------


async def test_a_redis_without_memory_is_found_though_nobody_posts_and_told_once(
    mortal: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    counts = RedisCounts(mortal.url, SECRET, lambda: False, Timing(timeout=30.0, retry=0.0, proven=0.0))
    try:
        assert await counts.can_count()
        mortal.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
        mortal.ask("CONFIG", "SET", "maxmemory", "1")
        assert [await counts.can_count() for _ in range(20)] == [False] * 20
        assert await admitted(PostingLimits("3/minute", "off", counts), "lan", None, 9) == 3, "counted here alone"
        assert counts.failures[FailureKind.refused] >= 20
        told = [(one.levelname, vars(one)["trouble"]) for one in caplog.records if one.name.endswith("shared")]
        assert told == [("WARNING", "refused")]
        assert "maxmemory" in vars(caplog.records[0])["reason"]
        mortal.ask("CONFIG", "SET", "maxmemory", "0")
        assert await counts.can_count()
    finally:
        await counts.close()


@pytest.mark.parametrize(
    ("error", "met"),
    [
        (
            client.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
            FailureKind.refused,
        ),
        (client.exceptions.NoPermissionError("no permissions"), FailureKind.refused),
        (client.exceptions.AuthenticationError("WRONGPASS"), FailureKind.refused),
        (client.exceptions.ReadOnlyError("a replica"), FailureKind.refused),
        (client.exceptions.ResponseError("MISCONF"), FailureKind.refused),
        (client.exceptions.TimeoutError("too slow"), FailureKind.slow),
        (TimeoutError(), FailureKind.slow),
        (client.exceptions.ConnectionError("refused"), FailureKind.unreachable),
        (ConnectionResetError(), FailureKind.unreachable),
        (client.exceptions.ClusterDownError("CLUSTERDOWN"), FailureKind.unreachable),
        (client.exceptions.TryAgainError("TRYAGAIN"), FailureKind.unreachable),
        (ExceptionGroup("subscriber", [TimeoutError()]), FailureKind.slow),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_a_failure_is_of_a_kind(error: Exception, met: FailureKind) -> None:
    assert failure_kind(error) is met


def test_a_post_waits_for_redis_as_briefly_as_it_is_told() -> None:
    """The real times: docs and alerts tell of them."""
    assert Timing() == Timing(timeout=0.25, retry=2.0, proven=5.0)
