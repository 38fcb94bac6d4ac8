"""Redis Cluster: a shard that fails or gives slots away is noticed, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tertulia.bus import cluster as clusters
from tertulia.bus import sending
from tertulia.bus.addresses import Nodes, address
from tertulia.bus.counts import Dropped
from tertulia.bus.encoding import channel_of
from tertulia.bus.partitions import PARTITIONS, SLOTS, partition_of, tagged, untagged
from tertulia.bus.redis import RedisBus
from tertulia.bus.shards import shards_at
from tertulia.bus.speech import batches
from tertulia.core.comments import DiscussionKey
from tests.bus.instances import (
    KEY,
    SECRET,
    Hearing,
    certain,
    connected,
    happened,
    heard_again,
    message,
    permissions,
    two,
)
from tests.topologies import SLOTS as ALL_SLOTS
from tests.topologies import Cluster, is_following
from tests.valkey import Valkey

CHANNEL = channel_of(KEY)


@pytest.fixture(scope="module")
def robust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    opened = Cluster(tmp_path_factory.mktemp("robust"))
    yield opened
    opened.end()


@pytest.fixture
def cluster(robust: Cluster) -> Iterator[Cluster]:
    """One that takes harm which is mended at the end."""
    yield robust
    robust.mend()


@pytest.fixture
def backed(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster whose first shard has a replica, which is its last server."""
    opened = Cluster(tmp_path, replicas=1)
    yield opened
    opened.end()


def keys() -> Iterator[DiscussionKey]:
    return (DiscussionKey("a", str(number)) for number in count())


def key_in(partition: int) -> DiscussionKey:
    return next(key for key in keys() if partition_of(channel_of(key)) == partition)


async def both_hear(here: RedisBus, there: RedisBus, hearing: Hearing, seq: int) -> None:
    await certain(here)
    await certain(there)
    await heard_again(here, hearing, seq)


# ---- partitions -----------------------------------------------------------------------------------------


def test_partitions_are_of_the_clusters_slots(shared_cluster: Cluster) -> None:
    for key in ("x", "y", "z"):
        channel = channel_of(DiscussionKey("a", key))
        name = tagged(channel, partition_of(channel))
        assert shared_cluster.servers[0].ask("CLUSTER", "KEYSLOT", name) == SLOTS[partition_of(channel)]
        assert untagged(name) == channel


def test_channels_are_spread_over_shards() -> None:
    used = {partition_of(channel_of(DiscussionKey("a", str(number)))) for number in range(1000)}
    assert used == set(range(PARTITIONS))
    for shards in range(1, 11):
        shares = [0] * shards
        for slot in SLOTS:
            shares[slot * shards // ALL_SLOTS] += 1
        assert max(shares) <= PARTITIONS / shards + 2, shares


def test_a_command_names_channels_of_one_partition() -> None:
    names = [tagged(f"tertulia:{number}", number % 3) for number in range(3000)]
    found = [*batches(names)]
    assert sorted(name for batch in found for name in batch) == sorted(names)
    assert {len({name.partition("}")[0] for name in batch}) for batch in found} == {1}
    assert [len(batch) for batch in batches(f"tertulia:{number}" for number in range(1200))] == [500, 500, 200]


async def test_every_partition_carries(shared_cluster: Cluster) -> None:
    all_keys = [*map(key_in, range(PARTITIONS))]
    async with connected(shared_cluster.url) as here, connected(shared_cluster.url) as there:
        assert here.counts.connections == there.counts.connections == 6, "two to each shard"
        hearings = [Hearing(there, key) for key in all_keys]
        await happened(lambda: set(all_keys) <= set(hearings[-1].missed), "not all are subscribed")
        for key in all_keys:
            here.publish(message(1, key=key))
        await happened(lambda: all(hearing.seqs == [1] for hearing in hearings), "not all are heard")


# ---- slots move -----------------------------------------------------------------------------------------


def heard_at(server: Valkey, key: DiscussionKey) -> bool:
    channel = channel_of(key)
    return bool(server.ask("PUBSUB", "SHARDNUMSUB", tagged(channel, partition_of(channel)))[1] == 1)


async def test_a_slot_that_moves_is_followed(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """By who hears at once, by who says with the first message that is refused, which is not lost."""
    monkeypatch.setattr(clusters, "MAP_SECONDS", 3600.0)
    monkeypatch.setattr(sending, "ANSWER_SECONDS", 30.0)  # a batch that a busy machine holds up would be lost
    old = cluster.shard(CHANNEL)
    new = (old + 1) % 3
    async with two(cluster.url) as (here, there, hearing):
        await heard_again(here, hearing, 1)
        hearing.missed.clear()
        cluster.move(CHANNEL, new)
        await happened(lambda: heard_at(cluster.servers[new], KEY), "nobody hears at the new place")
        await certain(there)
        assert KEY in hearing.missed
        for seq in range(2, 100):
            here.publish(message(seq))
        await happened(lambda: hearing.seqs == [*range(1, 100)], "not all that was refused is said again")
        await certain(here)
        assert here.counts.dropped[Dropped.not_sent] == 0


async def test_all_slots_of_a_shard_move(cluster: Cluster) -> None:
    old = cluster.shard(CHANNEL)
    new = (old + 1) % 3
    async with two(cluster.url) as (here, there, hearing):
        for partition in range(PARTITIONS):
            channel = channel_of(key_in(partition))
            if cluster.shard(channel) == old:
                cluster.move(channel, new)
        await happened(lambda: heard_at(cluster.servers[new], KEY), "nobody hears at the new place")
        await heard_again(here, hearing, 1)
        await happened(lambda: not cluster.servers[old].ask("PUBSUB", "SHARDCHANNELS"), "somebody stays")
        await both_hear(here, there, hearing, 2)


# ---- servers fail ---------------------------------------------------------------------------------------


async def test_a_shard_that_is_down_leaves_the_others_alone(cluster: Cluster) -> None:
    down = cluster.servers[cluster.shard(CHANNEL)]
    other = next(key for key in keys() if cluster.shard(channel_of(key)) != cluster.shard(CHANNEL))
    async with two(cluster.url) as (here, there, hearing):
        await heard_again(here, hearing, 1)
        elsewhere = Hearing(there, other)
        await elsewhere.holds()
        down.kill()
        await happened(lambda: here.in_doubt and there.in_doubt, "nobody doubts")
        here.publish(message(1, key=other))
        await happened(lambda: elsewhere.seqs == [1], "another shard does not carry")
        assert here.in_doubt
        assert there.in_doubt
        elsewhere.missed.clear()
        down.start()
        await certain(there)
        assert KEY in elsewhere.missed
        await both_hear(here, there, hearing, 2)


def asked(backed: Cluster) -> None:
    backed.servers[3].ask("CLUSTER", "FAILOVER")


def killed(backed: Cluster) -> None:
    backed.servers[0].kill()


def frozen(backed: Cluster) -> None:
    backed.servers[0].freeze()


@pytest.mark.parametrize("failing", [asked, killed, frozen])
async def test_a_replica_takes_over(
    backed: Cluster, failing: Callable[[Cluster], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "MAP_SECONDS", 3600.0)
    old, *_, new = backed.servers
    await happened(lambda: is_following(new), "the replica does not follow")
    key = next(key for key in keys() if backed.shard(channel_of(key)) == 0)
    async with connected(backed.url) as here, connected(backed.url) as there:
        hearing = Hearing(there, key)
        await hearing.holds()
        hearing.missed.clear()
        failing(backed)
        await happened(lambda: heard_at(new, key), "nobody hears at the new place")
        await certain(there)
        assert key in hearing.missed
        await happened(lambda: _heard(here, hearing, key), "nothing is heard")
        await certain(here)

        if failing is killed:
            old.start()
        old.thaw()
        await happened(lambda: old.ask("ROLE")[0] == b"slave", "the old master stays one")
        hearing.messages.clear()
        await happened(lambda: _heard(here, hearing, key), "nothing is heard any more")


def _heard(here: RedisBus, hearing: Hearing, key: DiscussionKey) -> bool:
    here.publish(message(1, key=key))
    return bool(hearing.messages)


async def test_what_waits_for_a_server_goes_to_its_successor(backed: Cluster) -> None:
    old, *_, new = backed.servers
    await happened(lambda: is_following(new), "the replica does not follow")
    key = next(key for key in keys() if backed.shard(channel_of(key)) == 0)
    async with connected(backed.url) as here:
        old.kill()

        def waits() -> bool:
            if here.waiting:
                return True
            here.publish(message(1, key=key))
            return False

        await happened(waits, "nothing waits")
        for seq in range(2, 1000):
            here.publish(message(seq, key=key))
        await happened(lambda: here.counts.sent >= 999, "not all that waited is sent")


async def test_a_cluster_that_is_not_whole_is_doubt(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though everything may still arrive, as it does where nobody owns a slot that no channel has."""
    monkeypatch.setattr(clusters, "MAP_SECONDS", 0.1)
    slot = next(slot for slot in range(ALL_SLOTS) if slot not in SLOTS)
    async with two(cluster.url) as (here, there, hearing):
        connections = here.counts.connections
        cluster.disown(slot)
        await happened(lambda: here.in_doubt and there.in_doubt, "nobody doubts")
        await heard_again(here, hearing, 1)
        assert here.in_doubt
        cluster.own(slot)
        await both_hear(here, there, hearing, 2)
        assert here.counts.connections == connections


async def test_a_partition_without_an_owner_is_doubt(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "MAP_SECONDS", 0.1)
    slot = SLOTS[partition_of(CHANNEL)]
    for server in cluster.servers:
        server.ask("CONFIG", "SET", "cluster-require-full-coverage", "no")
    async with two(cluster.url) as (here, there, hearing):
        cluster.disown(slot)
        await happened(lambda: here.in_doubt and there.in_doubt, "nobody doubts")

        def dropped() -> int:
            here.publish(message(1))
            return here.counts.dropped[Dropped.not_sent]

        await happened(dropped, "it is sent to somebody")
        cluster.own(slot)
        await both_hear(here, there, hearing, 2)


async def test_a_server_that_is_no_cluster_is_doubt(valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    bus = RedisBus(valkey.url.replace("redis:", "redis+cluster:"), SECRET)
    bus.start()
    try:
        await happened(lambda: caplog.records, "nobody is told")
        bus.publish(message(1))
        assert bus.in_doubt
        assert bus.counts.dropped[Dropped.not_sent] == 1
    finally:
        await bus.close()
    assert vars(caplog.records[0])["reason"] == "no server of the cluster answers"


# ---- what servers say of themselves ---------------------------------------------------------------------


async def test_servers_that_do_not_know_their_host_are_where_they_were_asked(cluster: Cluster) -> None:
    given = address(cluster.url)
    assert isinstance(given, Nodes)
    known = await shards_at(given.servers[0])
    assert known.is_sure
    assert known.places == {server.place for server in given.servers}
    assert set(known.owners) == known.places
    cluster.servers[0].ask("CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint")
    try:
        assert await shards_at(given.servers[0]) == known
    finally:
        cluster.servers[0].ask("CONFIG", "SET", "cluster-preferred-endpoint-type", "ip")


async def test_few_permissions_are_enough(cluster: Cluster) -> None:
    *_, rules = permissions()
    for server in cluster.servers:
        server.ask(*rules)
    async with two(cluster.url.replace("//", "//talk:secret@")) as (here, there, hearing):
        await heard_again(here, hearing, 1)
        there.unsubscribe(KEY)
        await happened(lambda: not cluster.hearers(CHANNEL), "the channel stays subscribed")
    assert [server.ask("ACL", "LOG") for server in cluster.servers] == [[], [], []]
