"""Three instances and a Redis that dies, freezes, cuts, loses, doubles, shuffles and says what nobody knows."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.faults.cluster import Cluster
from tests.faults.people import now
from tests.faults.run import Run, run
from tests.history.checker import Demands
from tests.support.faulty_redis import FaultyRedis

DEMANDS = Demands(answers=90, resumes=5, faults=True)
FROZEN_SECONDS = 30.0
SOON = 1.0
"""Seconds that half of the posts take at most: who waits for Redis waits for its timeouts, one or two seconds."""


def at_once(going: Run, since: float) -> None:
    waits = going.waits(since)
    assert statistics.median(waits) < SOON, f"posts wait for Redis: {sorted(waits)}"


async def test_redis_dies_and_comes_back_empty(instances: Cluster, tmp_path: Path) -> None:
    async with run(instances, "dies", tmp_path, demands=DEMANDS) as going:
        await going.answered(30)
        began = now()
        with going.notes.fault("Redis is dead"):
            await asyncio.to_thread(instances.valkey.kill)
            try:
                await going.answered(60)
                await going.read_by_all()
                at_once(going, began)
            finally:
                await asyncio.to_thread(instances.valkey.start)
        await going.answered(30)


async def test_redis_freezes_for_half_a_minute(instances: Cluster, tmp_path: Path) -> None:
    """Nobody moves and all write at one, so that only the watch of the others can find what it commits."""
    demands = Demands(answers=90, faults=True)
    async with run(
        instances, "freezes", tmp_path, writes_at=("A",), demands=demands, pause=0.8, restless=False
    ) as going:
        await going.answered(20)
        began = now()
        with going.notes.fault("Redis is frozen"):
            instances.valkey.freeze()
            try:
                while now() - began < FROZEN_SECONDS:
                    await going.answered(20)
                    await going.read_by_all()
                at_once(going, began)
            finally:
                instances.valkey.thaw()
        await going.answered(20)


async def test_connections_to_redis_are_cut_again_and_again(instances: Cluster, tmp_path: Path) -> None:
    async with run(instances, "cut", tmp_path, demands=DEMANDS) as going:
        await going.answered(20)
        cut = 0
        with going.notes.fault("connections are cut"):
            for _ in range(5):
                cut += instances.valkey.cut_subscribers()
                await going.answered(10)
                cut += instances.valkey.cut_publishers()
                await going.answered(10)
        assert cut >= 10
        await going.answered(20)


@asynccontextmanager
async def behind(instances: Cluster, redis: FaultyRedis) -> AsyncIterator[tuple[str, str]]:
    """Two more instances, with this between them and Redis."""
    names = ("D", "E")
    async with redis:
        await asyncio.gather(*(asyncio.to_thread(instances.start, name, "--redis-url", redis.url) for name in names))
        yield names
        await asyncio.gather(*(asyncio.to_thread(instances.end, name) for name in names))


async def test_messages_are_lost_doubled_and_shuffled(instances: Cluster, tmp_path: Path) -> None:
    faulty = FaultyRedis(instances.valkey.port, share=0.1)
    async with (
        behind(instances, faulty) as names,
        run(instances, "lossy", tmp_path, at=names, demands=DEMANDS) as going,
    ):
        with going.notes.fault("a tenth is lost, a tenth doubled, a tenth shuffled"):
            await going.answered(150)
    assert min(faulty.fates[fate] for fate in ("lost", "doubled", "held", "passed")) >= 5, faulty.fates


async def test_messages_of_a_newer_version_are_passed_over(instances: Cluster, tmp_path: Path) -> None:
    newer = FaultyRedis(instances.valkey.port, newer=0.3)
    async with (
        behind(instances, newer) as names,
        run(instances, "newer", tmp_path, at=names, demands=DEMANDS) as going,
    ):
        with going.notes.fault("messages are of a newer version"):
            await going.answered(120)
    assert min(newer.fates["newer"], newer.fates["passed"]) >= 20, newer.fates
