"""Three instances that are killed, restarted and frozen; a database that crashes or is slow; a clock that is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]

from tertulia.discussions.sites import FRESH_SECONDS
from tests.faults.cluster import Cluster
from tests.faults.people import now
from tests.faults.run import HIDE_SECONDS, run
from tests.history.checker import Demands

DEMANDS = Demands(answers=90, resumes=5, faults=True)
FROZEN_SECONDS = 6.0
SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.1 THEN PERFORM pg_sleep(0.3); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION slow();
"""
"""Every tenth event makes the COMMIT itself slow: what others do meanwhile is committed in between."""
HELD = "SELECT 1, pg_sleep(2) FROM (SELECT 1 FROM discussion WHERE key = 'slow-0' FOR UPDATE) AS held"
"""A stranger's transaction keeps one discussion for two seconds."""


@asynccontextmanager
async def slow_commits(instances: Cluster) -> AsyncIterator[None]:
    await instances.postgres.run(SLOW)
    try:
        yield
    finally:
        await instances.postgres.run("DROP TRIGGER slow ON event; DROP FUNCTION slow()")


async def test_instances_are_killed_while_many_post(instances: Cluster, tmp_path: Path) -> None:
    async with run(instances, "killed", tmp_path, demands=DEMANDS, pause=0.1) as going:
        for name in ("A", "B", "A"):
            await going.answered(30)
            with going.notes.fault(f"{name} is killed"):
                await asyncio.to_thread(instances.instances[name].kill)
                await going.answered(20)
                await asyncio.to_thread(instances.start, name)
        await going.answered(30)


async def test_instances_are_restarted_one_after_another(instances: Cluster, tmp_path: Path) -> None:
    async with run(instances, "rolling", tmp_path, demands=DEMANDS) as going:
        for name in ("A", "B", "C"):
            await going.answered(20)
            with going.notes.fault(f"{name} restarts"):
                assert await asyncio.to_thread(instances.instances[name].end) == 0
                await asyncio.to_thread(instances.start, name)
            await going.answered(20)
        assert going.notes.closes[1012] > 0, "nobody was told that the server restarts"


async def test_an_instance_is_frozen_for_a_while(instances: Cluster, tmp_path: Path) -> None:
    hide = HIDE_SECONDS + 5 * FROZEN_SECONDS
    demands = Demands(answers=80, resumes=5, faults=True)
    async with run(instances, "frozen", tmp_path, demands=demands, hide=hide) as going:
        await going.answered(30)
        began = now()
        with going.notes.fault("A is frozen"):
            instances.freeze("A")
            try:
                while now() - began < FROZEN_SECONDS:
                    await going.answered(10)
                await going.read_by_all()
            finally:
                instances.thaw("A")
        await going.answered(60)


async def test_the_database_crashes_and_starts_again(instances: Cluster, tmp_path: Path) -> None:
    """In the middle of slow commits; the second time for longer than instances believe what they know of the sites."""
    async with slow_commits(instances), run(instances, "crashed", tmp_path, demands=DEMANDS) as going:
        for seconds in (0.0, FRESH_SECONDS + 1):
            await going.answered(30)
            began = now()
            with going.notes.fault("the database is down"):
                await asyncio.to_thread(instances.postgres.crash)
                try:
                    await going.unknown(10)
                    while now() - began < seconds:
                        await going.unknown(1)
                finally:
                    await asyncio.to_thread(instances.postgres.start_again)
            await going.answered(30)


async def _hold(instances: Cluster) -> None:
    """PostgreSQL ends one of those who wait for each other in a circle, and that may be this one."""
    while True:
        with suppress(asyncpg.DeadlockDetectedError):
            return await instances.postgres.run(HELD)


async def test_a_slow_commit_between_two_others_is_skipped_by_nobody(instances: Cluster, tmp_path: Path) -> None:
    """Every discussion that waits for one has its events after it; every other one goes on before it."""
    async with (
        slow_commits(instances),
        run(instances, "slow", tmp_path, demands=DEMANDS, pause=0.1) as going,
    ):
        with going.notes.fault("commits are slow"):
            await going.answered(60)
            await _hold(instances)
            await going.answered(50)


async def test_the_clock_of_an_instance_is_an_hour_back(instances: Cluster, tmp_path: Path) -> None:
    await asyncio.to_thread(instances.start, "D", program=("tests.support.clocks", "-3600"))
    async with run(instances, "clock", tmp_path, at=("A", "D"), demands=DEMANDS) as going:
        with going.notes.fault("the clock of D is an hour back"):
            await going.answered(120)
    await asyncio.to_thread(instances.end, "D")
