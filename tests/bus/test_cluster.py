"""Redis Cluster: a shard that fails or gives slots away is noticed, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tertulia.bus.redis.bus import RedisBus
from tertulia.bus.redis.cluster import PARTITION_SLOTS, PARTITIONS, fetch_shard_map, partition_of, tagged, untagged
from tertulia.bus.redis.connections import batches
from tertulia.bus.redis.tuning import BusTuning
from tertulia.bus.redis.urls import ClusterAddress, parse_redis_url
from tertulia.bus.redis.wire import channel_of
from tertulia.bus.stats import DropReason
from tertulia.core.comments import DiscussionKey
from tests.bus.instances import (
    KEY,
    SECRET,
    RecordingListener,
    bus_pair,
    healthy_bus,
    message,
    permissions,
    wait_until_delivered,
    wait_until_healthy,
)
from tests.support.topologies import SLOTS as ALL_SLOTS
from tests.support.topologies import ClusterSetup, is_following
from tests.support.valkey import Valkey
from tests.support.waiting import until

CHANNEL = channel_of(KEY)


@pytest.fixture(scope="module")
def robust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterSetup]:
    opened = ClusterSetup(tmp_path_factory.mktemp("robust"))
    yield opened
    opened.end()


@pytest.fixture
def cluster(robust: ClusterSetup) -> Iterator[ClusterSetup]:
    """One that takes harm which is mended at the end."""
    yield robust
    robust.mend()


@pytest.fixture
def backed(tmp_path: Path) -> Iterator[ClusterSetup]:
    """A cluster whose first shard has a replica, which is its last server."""
    opened = ClusterSetup(tmp_path, replicas=1)
    yield opened
    opened.end()


def keys() -> Iterator[DiscussionKey]:
    return (DiscussionKey("a", str(number)) for number in count())


def key_in(partition: int) -> DiscussionKey:
    return next(key for key in keys() if partition_of(channel_of(key)) == partition)


async def wait_until_both_deliver(here: RedisBus, there: RedisBus, listener: RecordingListener, seq: int) -> None:
    await wait_until_healthy(here)
    await wait_until_healthy(there)
    await wait_until_delivered(here, listener, seq)


# ---- partitions -----------------------------------------------------------------------------------------


def test_partitions_are_of_the_clusters_slots(shared_cluster: ClusterSetup) -> None:
    for key in ("x", "y", "z"):
        channel = channel_of(DiscussionKey("a", key))
        name = tagged(channel, partition_of(channel))
        assert shared_cluster.servers[0].ask("CLUSTER", "KEYSLOT", name) == PARTITION_SLOTS[partition_of(channel)]
        assert untagged(name) == channel


def test_channels_are_spread_over_shards() -> None:
    used = {partition_of(channel_of(DiscussionKey("a", str(number)))) for number in range(1000)}
    assert used == set(range(PARTITIONS))
    for shards in range(1, 11):
        shares = [0] * shards
        for slot in PARTITION_SLOTS:
            shares[slot * shards // ALL_SLOTS] += 1
        assert max(shares) <= PARTITIONS / shards + 2, shares


def test_a_command_names_channels_of_one_partition() -> None:
    names = [tagged(f"tertulia:{number}", number % 3) for number in range(3000)]
    found = [*batches(names)]
    assert sorted(name for batch in found for name in batch) == sorted(names)
    assert {len({name.partition("}")[0] for name in batch}) for batch in found} == {1}
    assert [len(batch) for batch in batches(f"tertulia:{number}" for number in range(1200))] == [500, 500, 200]


async def test_every_partition_carries(shared_cluster: ClusterSetup) -> None:
    all_keys = [*map(key_in, range(PARTITIONS))]
    async with healthy_bus(shared_cluster.url) as here, healthy_bus(shared_cluster.url) as there:
        assert here.stats.connections == there.stats.connections == 6, "two to each shard"
        listeners = [RecordingListener(there, key) for key in all_keys]
        await until(lambda: set(all_keys) <= set(listeners[-1].gaps), "not all are subscribed")
        for key in all_keys:
            here.publish(message(1, key=key))
        await until(lambda: all(listener.seqs == [1] for listener in listeners), "not all are heard")


# ---- slots move -----------------------------------------------------------------------------------------


def is_subscribed_at(server: Valkey, key: DiscussionKey) -> bool:
    channel = channel_of(key)
    return bool(server.ask("PUBSUB", "SHARDNUMSUB", tagged(channel, partition_of(channel)))[1] == 1)


async def test_a_slot_that_moves_is_followed(cluster: ClusterSetup) -> None:
    """By who subscribes at once, by who publishes with the first message that is refused, which is not lost."""
    # a batch that a busy machine holds up would be lost
    tuning = BusTuning(cluster_refresh=3600.0, reply_timeout=30.0)
    old = cluster.shard(CHANNEL)
    new = (old + 1) % 3
    async with bus_pair(cluster.url, tuning) as (here, there, listener):
        await wait_until_delivered(here, listener, 1)
        listener.gaps.clear()
        cluster.move(CHANNEL, new)
        await until(lambda: is_subscribed_at(cluster.servers[new], KEY), "nobody subscribes at the new place")
        await wait_until_healthy(there)
        assert KEY in listener.gaps
        for seq in range(2, 100):
            here.publish(message(seq))
        await until(lambda: listener.seqs == [*range(1, 100)], "not all that was refused is said again")
        await wait_until_healthy(here)
        assert here.stats.dropped[DropReason.not_sent] == 0


async def test_all_slots_of_a_shard_move(cluster: ClusterSetup) -> None:
    old = cluster.shard(CHANNEL)
    new = (old + 1) % 3
    async with bus_pair(cluster.url) as (here, there, listener):
        for partition in range(PARTITIONS):
            channel = channel_of(key_in(partition))
            if cluster.shard(channel) == old:
                cluster.move(channel, new)
        await until(lambda: is_subscribed_at(cluster.servers[new], KEY), "nobody subscribes at the new place")
        await wait_until_delivered(here, listener, 1)
        await until(lambda: not cluster.servers[old].ask("PUBSUB", "SHARDCHANNELS"), "somebody stays")
        await wait_until_both_deliver(here, there, listener, 2)


# ---- servers fail ---------------------------------------------------------------------------------------


async def test_a_shard_that_is_down_leaves_the_others_alone(cluster: ClusterSetup) -> None:
    down = cluster.servers[cluster.shard(CHANNEL)]
    other = next(key for key in keys() if cluster.shard(channel_of(key)) != cluster.shard(CHANNEL))
    async with bus_pair(cluster.url) as (here, there, listener):
        await wait_until_delivered(here, listener, 1)
        elsewhere = RecordingListener(there, other)
        await elsewhere.subscribed()
        down.kill()
        await until(lambda: here.is_degraded and there.is_degraded, "nobody notices")
        here.publish(message(1, key=other))
        await until(lambda: elsewhere.seqs == [1], "another shard does not carry")
        assert here.is_degraded
        assert there.is_degraded
        elsewhere.gaps.clear()
        down.start()
        await wait_until_healthy(there)
        assert KEY in elsewhere.gaps
        await wait_until_both_deliver(here, there, listener, 2)


def asked(backed: ClusterSetup) -> None:
    backed.servers[3].ask("CLUSTER", "FAILOVER")


def killed(backed: ClusterSetup) -> None:
    backed.servers[0].kill()


def frozen(backed: ClusterSetup) -> None:
    backed.servers[0].freeze()


@pytest.mark.parametrize("failing", [asked, killed, frozen])
async def test_a_replica_takes_over(backed: ClusterSetup, failing: Callable[[ClusterSetup], None]) -> None:
    tuning = BusTuning(cluster_refresh=3600.0)
    old, *_, new = backed.servers
    await until(lambda: is_following(new), "the replica does not follow")
    key = next(key for key in keys() if backed.shard(channel_of(key)) == 0)
    async with healthy_bus(backed.url, tuning=tuning) as here, healthy_bus(backed.url, tuning=tuning) as there:
        listener = RecordingListener(there, key)
        await listener.subscribed()
        listener.gaps.clear()
        failing(backed)
        await until(lambda: is_subscribed_at(new, key), "nobody subscribes at the new place")
        await wait_until_healthy(there)
        assert key in listener.gaps
        await until(lambda: _delivers(here, listener, key), "nothing is heard")
        await wait_until_healthy(here)

        if failing is killed:
            old.start()
        old.thaw()
        await until(lambda: old.ask("ROLE")[0] == b"slave", "the old master stays one")
        listener.messages.clear()
        await until(lambda: _delivers(here, listener, key), "nothing is heard any more")


def _delivers(here: RedisBus, listener: RecordingListener, key: DiscussionKey) -> bool:
    here.publish(message(1, key=key))
    return bool(listener.messages)


async def test_what_waits_for_a_server_goes_to_its_successor(backed: ClusterSetup) -> None:
    old, *_, new = backed.servers
    await until(lambda: is_following(new), "the replica does not follow")
    key = next(key for key in keys() if backed.shard(channel_of(key)) == 0)
    async with healthy_bus(backed.url) as here:
        old.kill()

        def waits() -> bool:
            if here.pending:
                return True
            here.publish(message(1, key=key))
            return False

        await until(waits, "nothing waits")
        for seq in range(2, 1000):
            here.publish(message(seq, key=key))
        await until(lambda: here.stats.sent >= 999, "not all that waited is sent")


async def test_a_cluster_that_is_not_whole_degrades_the_bus(cluster: ClusterSetup) -> None:
    """Though everything may still arrive, as it does where nobody owns a slot that no channel has."""
    slot = next(slot for slot in range(ALL_SLOTS) if slot not in PARTITION_SLOTS)
    async with bus_pair(cluster.url, BusTuning(cluster_refresh=0.1)) as (here, there, listener):
        connections = here.stats.connections
        cluster.disown(slot)
        await until(lambda: here.is_degraded and there.is_degraded, "nobody notices")
        await wait_until_delivered(here, listener, 1)
        assert here.is_degraded
        cluster.own(slot)
        await wait_until_both_deliver(here, there, listener, 2)
        assert here.stats.connections == connections


async def test_a_partition_without_an_owner_degrades_the_bus(cluster: ClusterSetup) -> None:
    slot = PARTITION_SLOTS[partition_of(CHANNEL)]
    for server in cluster.servers:
        server.ask("CONFIG", "SET", "cluster-require-full-coverage", "no")
    async with bus_pair(cluster.url, BusTuning(cluster_refresh=0.1)) as (here, there, listener):
        cluster.disown(slot)
        await until(lambda: here.is_degraded and there.is_degraded, "nobody notices")

        def dropped() -> int:
            here.publish(message(1))
            return here.stats.dropped[DropReason.not_sent]

        await until(dropped, "it is sent to somebody")
        cluster.own(slot)
        await wait_until_both_deliver(here, there, listener, 2)


async def test_a_server_that_is_no_cluster_degrades_the_bus(valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    bus = RedisBus(valkey.url.replace("redis:", "redis+cluster:"), SECRET)
    bus.start()
    try:
        await until(lambda: caplog.records, "nobody is told")
        bus.publish(message(1))
        assert bus.is_degraded
        assert bus.stats.dropped[DropReason.not_sent] == 1
    finally:
        await bus.close()
    assert vars(caplog.records[0])["reason"] == "no server of the cluster answers"


# ---- what servers say of themselves ---------------------------------------------------------------------


async def test_servers_that_do_not_know_their_host_are_where_they_were_asked(cluster: ClusterSetup) -> None:
    given = parse_redis_url(cluster.url)
    assert isinstance(given, ClusterAddress)
    known = await fetch_shard_map(given.servers[0])
    assert known.is_authoritative
    assert known.nodes == {server.host_port for server in given.servers}
    assert set(known.owners) == known.nodes
    cluster.servers[0].ask("CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint")
    try:
        assert await fetch_shard_map(given.servers[0]) == known
    finally:
        cluster.servers[0].ask("CONFIG", "SET", "cluster-preferred-endpoint-type", "ip")


async def test_few_permissions_are_enough(cluster: ClusterSetup) -> None:
    *_, rules = permissions()
    for server in cluster.servers:
        server.ask(*rules)
    async with bus_pair(cluster.url.replace("//", "//talk:secret@")) as (here, there, listener):
        await wait_until_delivered(here, listener, 1)
        there.unsubscribe(KEY)
        await until(lambda: not cluster.subscriber_count(CHANNEL), "the channel stays subscribed")
    assert [server.ask("ACL", "LOG") for server in cluster.servers] == [[], [], []]
