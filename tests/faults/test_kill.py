"""kill -9 while many post: what was answered is there, what was not is there at most once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tertulia.checks import check
from tertulia.store import Store
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE

WRITERS = 24
ANSWERS_BEFORE_KILL = 300
ROUNDS = 3
KEYS = ("one", "two", "three")


@dataclass
class Posting:
    """One writer's posts: what was answered, and what was under way when the server died."""

    answered: dict[str, tuple[str, int]] = field(default_factory=dict)
    unknown: dict[str, dict[str, object]] = field(default_factory=dict)


async def _write(client: httpx.AsyncClient, postings: list[Posting], number: int, enough: asyncio.Event) -> None:
    posting = postings[number]
    while True:
        key = str(uuid.uuid4())
        body: dict[str, object] = {
            "key": KEYS[number % len(KEYS)],
            "body": f"said as {key}",
            "author": {"name": f"Writer {number}"},
        }
        posting.unknown[key] = body
        try:
            answer = await client.post("/api/v1/comments", json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            return
        assert answer.status_code == 201, answer.text
        del posting.unknown[key]
        posting.answered[key] = (answer.json()["comment"]["id"], answer.json()["seq"])
        if sum(len(one.answered) for one in postings) >= ANSWERS_BEFORE_KILL:
            enough.set()


async def _post_until_killed(server: ServerProcess) -> list[Posting]:
    postings = [Posting() for _ in range(WRITERS)]
    enough = asyncio.Event()
    limits = httpx.Limits(max_connections=WRITERS)
    async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=PATIENCE) as client:
        writers = [asyncio.create_task(_write(client, postings, n, enough)) for n in range(WRITERS)]
        await asyncio.wait_for(enough.wait(), 60)
        server.kill()
        await asyncio.wait_for(asyncio.gather(*writers), 60)
    return postings


async def _events(client: httpx.AsyncClient, key: str) -> dict[str, int]:
    found: dict[str, int] = {}
    after, more = 0, True
    while more:
        page = (await client.get("/api/v1/events", params={"key": key, "after": after})).json()
        for event in page["events"]:
            assert event["seq"] == after + 1, "the log has a hole"
            after = event["seq"]
            assert event["comment"]["id"] not in found, "a comment came twice"
            found[event["comment"]["id"]] = event["seq"]
        more = page["more"]
    return found


async def test_an_answered_post_survives_kill_9(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    answered: dict[str, tuple[str, int]] = {}
    retried: set[str] = set()
    for _ in range(ROUNDS):
        postings = await _post_until_killed(server)
        server = start_server(data_dir=server.data_dir)
        unknown: dict[str, dict[str, object]] = {}
        for posting in postings:
            answered |= posting.answered
            unknown |= posting.unknown
        async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
            for key, body in unknown.items():
                answer = await client.post("/api/v1/comments", json=body, headers={"Idempotency-Key": key})
                assert answer.status_code in (200, 201)
                retried.add(answer.json()["comment"]["id"])
            stored: dict[str, int] = {}
            for discussion in KEYS:
                stored |= await _events(client, discussion)
        assert dict(answered.values()).items() <= stored.items()
        assert stored.keys() == {comment_id for comment_id, _ in answered.values()} | retried
    assert len(answered) >= ROUNDS * ANSWERS_BEFORE_KILL // 2, "too little was under way to prove anything"
    assert server.end() == 0
    store = await Store.open(f"sqlite+aiosqlite:///{server.data_dir / 'tertulia.db'}")
    assert await check(store) == []
    await store.close()
