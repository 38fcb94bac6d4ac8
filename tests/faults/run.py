"""A run: people begin, a test makes trouble, everything comes to rest, and the checker says what was broken."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx

from tertulia import checks
from tertulia.store import Store
from tests.faults.cluster import Cluster
from tests.faults.people import ATTEMPT_SECONDS, REFUSED, Moderator, Notes, Onlooker, Reader, Writer, newcomers, now
from tests.history.checker import Demands, check, told
from tests.history.records import Answered, Attempted, Joined, Json, written
from tests.history.stored import InstanceView, Row, Stored, mark_in
from tests.support.waiting import until

TALKS, WRITERS, READERS = 2, 10, 9
FAULT_SECONDS = 60.0
"""A fault that ends, and what follows it on a machine that runs a cluster and its people besides."""
STILL_SECONDS = 10.0
"""Without any progress for so long, what a reader has not got is lost."""
HIDE_SECONDS = 8.0
"""Another instance that lost the word of a removal finds it in the next watch, five seconds later."""


class Run:
    """``notes`` is what happens. Waits are for progress, not for time."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.cluster = notes.cluster

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = FAULT_SECONDS) -> None:
        notes = self.notes
        await until(condition, lambda: f"{what} ({dict(notes.counts)}, {dict(notes.refusals)})", seconds)

    async def answered(self, more: int) -> None:
        """Waits until so many more comments have been answered."""
        wanted = self.notes.counts["post"] + more
        await self.until(lambda: self.notes.counts["post"] >= wanted, f"{more} more are not answered")

    async def unknown(self, more: int) -> None:
        """Waits until so many more attempts have ended without an answer."""
        wanted = self.notes.counts["unknown"] + more
        await self.until(lambda: self.notes.counts["unknown"] >= wanted, f"{more} more do not fail")

    async def read_by_all(self) -> None:
        """Waits until every reader has what is answered by now, while people go on."""
        heads = dict(self.notes.heads)
        await self.until(lambda: not self._behind(heads), "readers do not get what is answered")

    def _behind(self, heads: dict[str, int]) -> list[str]:
        return [who for who, (talk, seq) in self.notes.cursors.items() if seq < heads.get(talk, 0)]

    def waits(self, since: float) -> list[float]:
        """How long each attempt that was answered took, of those that began after ``since``."""
        asked: dict[str, float] = {}
        found = []
        for record in self.notes.records:
            if isinstance(record, Attempted) and record.act == "post":
                asked[record.mark] = record.at
            elif isinstance(record, Answered) and asked.get(record.mark, 0.0) > since:
                found.append(record.at - asked[record.mark])
        return found

    async def settled(self, heads: dict[str, int]) -> None:
        """Waits until every reader is at the end, or nothing has moved for STILL_SECONDS."""
        moved, cursors = now(), dict(self.notes.cursors)
        while self._behind(heads) and now() - moved < STILL_SECONDS:
            await asyncio.sleep(0.05)
            if self.notes.cursors != cursors:
                moved, cursors = now(), dict(self.notes.cursors)


@asynccontextmanager
async def run(
    cluster: Cluster,
    name: str,
    folder: Path,
    *,
    at: tuple[str, ...] = ("A", "B", "C"),
    writes_at: tuple[str, ...] = (),
    demands: Demands | None = None,
    hide: float = HIDE_SECONDS,
    pause: float = 0.25,
    restless: bool = True,
    seed: int = 0,
) -> AsyncIterator[Run]:
    """People read at the instances ``at`` and write at those or at ``writes_at`` while the body makes trouble.

    Then the checker has its say.

    Some readers are ``restless``; one who comes with a newer cursor makes an instance look at the store, for all.

    The history stays in ``folder`` where something is wrong.
    """
    talks = tuple(f"{name}-{number}" for number in range(TALKS))
    notes = Notes(name, cluster, at, writes_at or at, talks, random.Random(seed), pause)
    going = Run(notes)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=ATTEMPT_SECONDS, limits=limits, trust_env=False) as client:
        readers = [
            Reader(notes, client, f"r{number}", talks[number % TALKS], restless=restless and number % 3 == 0)
            for number in range(READERS)
        ]
        reading = [asyncio.create_task(reader.run(), name=reader.who) for reader in readers]
        try:
            await going.until(lambda: len(notes.cursors) == READERS, "readers do not join")
            busy = [Writer(notes, client, f"w{number}").run() for number in range(WRITERS)]
            epoch = next(record.epoch for record in notes.records if isinstance(record, Joined))
            busy.append(newcomers(notes, client, epoch))
            busy += [Moderator(notes, client, "mod").run(), Onlooker(notes, client, "looks").run()]
            async with asyncio.TaskGroup() as people:
                for one in busy:
                    people.create_task(one)
                try:
                    yield going
                finally:
                    notes.stopping.set()
            stored = await _stored(cluster, talks)
            await going.settled(stored.heads)
        finally:
            for task in reading:
                task.cancel()
            ended = await asyncio.gather(*reading, return_exceptions=True)
        stored.views = await _views(cluster, client, at, talks)
    assert not [one for one in ended if not isinstance(one, asyncio.CancelledError)], ended
    assert set(notes.refusals) <= REFUSED, notes.refusals
    violations = check(notes.records, stored, demands, hide=hide)
    if violations:
        kept = folder / "history.jsonl"
        kept.write_text("\n".join(written(notes.records)))
        raise AssertionError(f"seed {seed}, {kept}:\n{told(violations)}")
    assert await _checked(cluster) == []


async def _checked(cluster: Cluster) -> list[checks.Finding]:
    store = await Store.open(cluster.postgres.address())
    try:
        return await checks.check(store)
    finally:
        await store.close()


# ---- what there is in the end ---------------------------------------------------------------------------


async def _stored(cluster: Cluster, talks: tuple[str, ...]) -> Stored:
    connection = await asyncpg.connect(cluster.postgres.address().replace("+asyncpg", ""))
    try:
        epoch = await connection.fetchval("SELECT value FROM meta WHERE name = 'epoch'")
        found = Stored(epoch, logs={talk: [] for talk in talks}, heads=dict.fromkeys(talks, 0))
        given = list(talks)
        for row in await connection.fetch("SELECT key, seq FROM discussion WHERE key = ANY($1)", given):
            found.heads[row["key"]] = row["seq"]
        for row in await connection.fetch(
            "SELECT c.*, d.key FROM comment c JOIN discussion d ON d.id = c.discussion_id WHERE d.key = ANY($1)", given
        ):
            said = Row(
                row["id"], row["key"], row["author_id"], row["idempotency_key"], mark_in(row["text"]), row["state"]
            )
            found.rows.append(said)
        for row in await connection.fetch(
            "SELECT d.key, e.payload FROM event e JOIN discussion d ON d.id = e.discussion_id "
            "WHERE d.key = ANY($1) ORDER BY d.key, e.seq",
            given,
        ):
            found.logs[row["key"]].append(json.loads(row["payload"]))
        voters: dict[str, set[str]] = defaultdict(set)
        for row in await connection.fetch(
            "SELECT v.* FROM vote v JOIN comment c ON c.id = v.comment_id JOIN discussion d ON d.id = c.discussion_id "
            "WHERE d.key = ANY($1)",
            given,
        ):
            voters[row["comment_id"]].add(row["voter_id"])
        found.voters = voters
        return found
    finally:
        await connection.close()


async def _views(
    cluster: Cluster, client: httpx.AsyncClient, at: tuple[str, ...], talks: tuple[str, ...]
) -> list[InstanceView]:
    found = []
    for name in at:
        for talk in talks:
            api = f"{cluster.instances[name].url}/api/v1"
            found.append(InstanceView(name, talk, await _whole(client, api, talk), await _log(client, api, talk)))
    return found


async def _get(client: httpx.AsyncClient, url: str, **query: Any) -> Json:
    answer = await client.get(url, params=query, timeout=FAULT_SECONDS)
    assert answer.status_code == 200, answer.text
    given: Json = answer.json()
    return given


async def _whole(client: httpx.AsyncClient, api: str, talk: str) -> Json:
    """The snapshot with the comments of all its pages."""
    shown = page = await _get(client, f"{api}/discussion", key=talk, limit=100)
    while page["next"] is not None:
        page = await _get(client, f"{api}/comments", key=talk, limit=100, cursor=page["next"])
        shown["comments"] += page["comments"]
        shown["replies"] |= page["replies"]
    assert not shown["replies"], "nobody has more than 50 replies here"
    return shown


async def _log(client: httpx.AsyncClient, api: str, talk: str) -> list[Json]:
    events: list[Json] = []
    more = True
    while more:
        page = await _get(client, f"{api}/events", key=talk, after=len(events))
        events += page["events"]
        more = page["more"]
    return events
