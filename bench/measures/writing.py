"""Durable posts a second of 64 writers on SQLite with FULL sync, against the same with one commit a post."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from pathlib import Path

from bench.measures import Plan, median
from bench.report import Findings, Row
from bench.subjects import posting
from tertulia.core.comments import Author, DiscussionKey
from tertulia.core.documents import parse
from tertulia.core.ids import uuid7
from tertulia.identity import utc_now
from tertulia.store import Store, ledger
from tertulia.store.commands import Draft

WRITERS = 64
SECONDS = 3.0
_SAID = parse("said")


def measure(plan: Plan, findings: Findings) -> None:
    figures: dict[int, list[float]] = {ledger.BATCH: [], 1: []}
    for number in range(plan.rounds):
        for batch, found in figures.items():
            plan.say(f"durable posts, round {number + 1}, at most {batch} a commit")
            found.append(asyncio.run(_posting(batch)))
    ours, lone = (median(found) for found in figures.values())
    findings.rows.append(
        Row(
            f"durable posts/s, {WRITERS} writers",
            f"{ours:,.0f}",
            f"one a commit {lone:,.0f}",
            f"{ours / lone:.1f} ×",
            "5 ×",
            ours >= 5 * lone,
        )
    )


async def _posting(batch: int) -> float:
    kept, ledger.BATCH = ledger.BATCH, batch
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # a disk: /tmp may be memory
        store = await Store.open(f"sqlite+aiosqlite:///{folder}/bench.db")
        store.start()
        started, done = time.perf_counter(), 0
        end = started + SECONDS

        async def write() -> None:
            nonlocal done
            while time.perf_counter() < end:
                await store.ledger.submit(posting(_draft()))
                done += 1

        await asyncio.gather(*(write() for _ in range(WRITERS)))
        rate = done / (time.perf_counter() - started)
        await store.close()
    ledger.BATCH = kept
    return rate


def _draft() -> Draft:
    return Draft(
        id=uuid7(),
        key=DiscussionKey("default", "bench"),
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
