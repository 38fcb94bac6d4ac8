"""Durable posts a second of 64 writers, on SQLite with FULL sync and on PostgreSQL, against one commit a post."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from pathlib import Path

from bench.measures import Plan, median
from bench.report import Findings, Row
from bench.subjects import KEY
from tertulia.core.comments import Author
from tertulia.core.documents import parse
from tertulia.core.ids import uuid7
from tertulia.identity import utc_now
from tertulia.store import Store, write_queue
from tertulia.store.commands import Draft, PostComment
from tests.support.postgres import running_postgres

WRITERS = 64
SECONDS = 3.0
_SAID = parse("said")


def measure(plan: Plan, findings: Findings) -> None:
    with (
        tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder,
        running_postgres(durable=True) as postgres,
    ):  # /tmp may be memory
        addresses = {"SQLite": f"sqlite+aiosqlite:///{folder}/bench.db", "PostgreSQL": postgres.address()}
        for database, address in addresses.items():
            ours, lone = _rates(plan, database, address)
            findings.rows.append(
                Row(
                    f"durable posts/s on {database}, {WRITERS} writers",
                    f"{ours:,.0f}",
                    f"one a commit {lone:,.0f}",
                    f"{ours / lone:.1f} ×",
                    "5 ×",
                    ours >= 5 * lone,
                )
            )


def _rates(plan: Plan, database: str, address: str) -> tuple[float, float]:
    """Posts a second in batches, and with one a commit."""
    figures: dict[int, list[float]] = {write_queue.BATCH: [], 1: []}
    for number in range(plan.rounds):
        for batch, found in figures.items():
            plan.say(f"durable posts on {database}, round {number + 1}, at most {batch} a commit")
            found.append(asyncio.run(_posting(address, batch)))
    batched, lone = (median(found) for found in figures.values())
    return batched, lone


async def _posting(address: str, batch: int) -> float:
    kept, write_queue.BATCH = write_queue.BATCH, batch
    store = await Store.open(address)
    store.start()
    started, done = time.perf_counter(), 0
    end = started + SECONDS

    async def write() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await store.write(PostComment(_draft()))
            done += 1

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    rate = done / (time.perf_counter() - started)
    await store.close()
    write_queue.BATCH = kept
    return rate


def _draft() -> Draft:
    return Draft(
        id=uuid7(),
        key=KEY,
        title="",
        url="",
        parent_id=None,
        author=Author(uuid7(), "A writer"),
        text="said",
        body=_SAID,
        at=utc_now(),
        idempotency_key=uuid.uuid4().hex,
        digest="",
    )
