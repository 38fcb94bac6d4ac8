"""A busy evening: people write under three articles at two instances, two consoles decide, and an instance dies.

Afterwards every comment that had to be looked at has exactly one decision, no console was told of anything twice or
missed anything, and the queues have what one counts in the table.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import select
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from tertulia.checks import check
from tertulia.core.words import parse_entry
from tertulia.identity import new_moderator_token, utc_now
from tertulia.protocol import API
from tertulia.showcase.demo.remarks import SUSPECT, Remarks
from tertulia.store import Store, administration, schema
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import AddWords
from tests.api.app import bearer, new_key
from tests.support.postgres import running_postgres
from tests.support.server import ServerProcess
from tests.support.tables import rows
from tests.support.valkey import Valkey
from tests.support.waiting import PATIENCE, until

KEYS = ("council", "market", "river")
COMMENTS = 100
"""Under each article."""
WRITERS = 4
"""Under each, of whom each writes when the one before was answered."""
MODERATORS = ("Mai", "Thu")
_AWAY = (OSError, ConnectionClosed, InvalidHandshake, InvalidMessage, httpx.TransportError)
Json = dict[str, Any]


@pytest.fixture
def evening(tmp_path: Path) -> Iterator[tuple[str, list[ServerProcess]]]:
    """The database's address, and both servers."""
    (tmp_path / "key").write_text("the key of both servers, no secret of anybody")
    valkey = Valkey()
    try:
        with running_postgres() as postgres:
            flags = [
                *("--database-url", postgres.address(), "--redis-url", valkey.url),
                *("--secret-key-file", str(tmp_path / "key"), "--drain-seconds", "0", "--trusted-proxies", "127.0.0.1"),
            ]
            for limit in ("post", "edit"):
                flags += [f"--{limit}-limit-guest", "off", f"--{limit}-limit-address", "off"]
            servers = [ServerProcess(tmp_path / name, flags) for name in ("one", "other")]
            yield postgres.address(), servers
            for server in servers:
                server.end()
    finally:
        valkey.end()


@dataclass
class Servers:
    """Those that live; who finds one gone goes on at another."""

    urls: list[str]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            yield client

    async def ask(self, client: httpx.AsyncClient, at: int, method: str, path: str, **more: Any) -> Json:
        """With the same request until it is answered."""
        while True:
            try:
                answer = await client.request(method, f"{self.urls[at % len(self.urls)]}{API}{path}", **more)
            except httpx.TransportError:
                at += 1
                continue
            if answer.status_code < 500:
                answer.raise_for_status()
                found: Json = answer.json()
                return found
            at += 1


async def prepare(database: str) -> list[str]:
    """Moderators' tokens, and a site with words that wait."""
    store = await Store.open(database)
    store.start()
    try:
        tokens = []
        for name in MODERATORS:
            token, hashed = new_moderator_token()
            await store.write(administration.AddModerator(name, hashed, utc_now()))
            tokens.append(token)
        await store.write(AddWords(OPERATOR, "default", tuple(map(parse_entry, SUSPECT)), utc_now()))
    finally:
        await store.close()
    return tokens


# ---- those who write ----------------------------------------------------------------------------------------


@dataclass
class Written:
    """Ids of all comments that were answered, and of those that were reported."""

    said: list[str] = field(default_factory=list)
    reported: set[str] = field(default_factory=set)


async def write(servers: Servers, key: str, number: int, count: int, written: Written) -> None:
    remarks = Remarks(KEYS.index(key) * WRITERS + number)
    async with servers.client() as client:
        for index in range(count):
            from_there = {"X-Forwarded-For": f"198.51.{100 + KEYS.index(key)}.{number * 40 + index % 40}"}
            body = {"key": key, "body": remarks.text(), "author": {"name": remarks.name()}}
            headers = from_there | {"Idempotency-Key": new_key()}
            said = await servers.ask(client, number + index, "POST", "/comments", json=body, headers=headers)
            comment = said["comment"]
            written.said.append(comment["id"])
            if comment["state"] == "visible" and index % 20 == number:
                path = f"/comments/{comment['id']}/reports"
                await servers.ask(client, index, "POST", path, json=remarks.report(), headers=from_there)
                written.reported.add(comment["id"])


# ---- those who decide ---------------------------------------------------------------------------------------


@dataclass
class Console:
    """Follows the desk, and decides what it is told of; ``seqs`` is each event that it was given."""

    servers: Servers
    number: int
    token: str
    at: int = 0
    seqs: list[int] = field(default_factory=list)
    decided: dict[str, str] = field(default_factory=dict)
    lost_to: set[str] = field(default_factory=set)
    """Comments about which somebody else decided first."""
    waiting: dict[str, Json] = field(default_factory=dict)

    async def run(self) -> None:
        async with self.servers.client() as client:
            self.at = self.number
            start = await self.servers.ask(client, self.at, "GET", "/staff/queues", headers=bearer(self.token))
            epoch, after = start["epoch"], start["seq"]
            self.seqs.append(after)
            while True:
                try:
                    await self._follow(client, {"site": "default", "epoch": epoch, "after": self.seqs[-1]})
                except _AWAY:
                    self.at += 1

    async def _follow(self, client: httpx.AsyncClient, cursor: Json) -> None:
        base = self.servers.urls[self.at % len(self.servers.urls)]
        address = f"{base.replace('http', 'ws')}{API}/staff/live?{urlencode(cursor)}"
        async with connect(address, proxy=None, additional_headers=bearer(self.token)) as socket:
            while True:
                await self._hear(client, socket)

    async def _hear(self, client: httpx.AsyncClient, socket: ClientConnection) -> None:
        message = json.loads(await socket.recv())
        assert message["type"] != "reset", "what was missed is there"
        for event in message.get("events", ()):
            self.seqs.append(event["seq"])
            item = event["item"]
            if item["queue"] is None:
                self.waiting.pop(item["comment_id"], None)
            else:
                self.waiting[item["comment_id"]] = item
        for item in list(self.waiting.values()):
            if self._is_mine(item):
                await self._decide(client, item)

    def _is_mine(self, item: Json) -> bool:
        """Each begins with one half; what was reported both want to decide at once."""
        return item["queue"] == "reported" or int(item["comment_id"][-1], 16) % 2 == self.number

    async def _decide(self, client: httpx.AsyncClient, item: Json) -> None:
        """With one key until there is an answer: what an instance that died had done already is not done again."""
        comment_id = item["comment_id"]
        do = "keep" if item["queue"] == "reported" else "approve" if len(self.decided) % 2 else "remove"
        body = {"decisions": [{"comment_id": comment_id, "version": item["version"], "do": do, "reason": "spam"}]}
        headers = bearer(self.token) | {"Idempotency-Key": new_key()}
        answer = await self.servers.ask(client, self.at, "POST", "/staff/decisions", json=body, headers=headers)
        [result] = answer["results"]
        self.waiting.pop(comment_id, None)
        if result["problem"] is None:
            assert comment_id not in self.decided, "it came back although nothing had happened to it"
            self.decided[comment_id] = do
        else:
            assert result["problem"]["code"] in ("decided", "changed"), result
            self.lost_to.add(comment_id)


# ---- the evening --------------------------------------------------------------------------------------------


async def counts(servers: Servers, token: str) -> Json:
    async with servers.client() as client:
        found = await servers.ask(client, 0, "GET", "/staff/queues", headers=bearer(token))
    return {queue: found[queue] for queue in ("waiting", "reported", "suspected")}


async def look_back(database: str, written: Written, consoles: Sequence[Console]) -> None:
    store = await Store.open(database)
    try:
        reviews = await rows(store, schema.review)
        acts = await rows(store, select(schema.action).where(schema.action.c.comment_id.is_not(None)))
        comments = await rows(store, schema.comment)
        assert await check(store) == []
    finally:
        await store.close()
    assert {one["id"] for one in comments} == set(written.said)
    assert len(written.said) == len(set(written.said)) == len(KEYS) * COMMENTS
    looked_at = {one["comment_id"] for one in reviews}
    assert written.reported <= looked_at
    assert len(looked_at) > len(KEYS) * COMMENTS // 10, "too little to decide to prove anything"
    assert all(one["closed_at"] is not None for one in reviews), "nothing was left"
    assert sorted(one["comment_id"] for one in acts) == sorted(looked_at), "one decision each"
    one, other = (console.decided for console in consoles)
    assert not one.keys() & other.keys()
    assert one.keys() | other.keys() == looked_at
    assert one
    assert other, "both had something to do"
    for console in consoles:
        assert console.seqs == list(range(console.seqs[0], console.seqs[0] + len(console.seqs))), "each event once"
        assert console.lost_to <= looked_at


async def test_a_busy_evening_with_an_instance_that_dies(evening: tuple[str, list[ServerProcess]]) -> None:
    database, (one, other) = evening
    tokens = await prepare(database)
    servers, written = Servers([one.url, other.url]), Written()
    consoles = [Console(servers, number, token) for number, token in enumerate(tokens)]
    async with asyncio.TaskGroup() as group:
        deciding = [group.create_task(console.run()) for console in consoles]
        share = COMMENTS // WRITERS
        writing = [
            group.create_task(write(servers, key, number, share, written)) for key in KEYS for number in range(WRITERS)
        ]
        await until(lambda: len(written.said) > len(KEYS) * COMMENTS // 2, "half of it was said")
        other.kill()
        await asyncio.gather(*writing)
        heads: set[int] = set()

        async def is_calm() -> bool:
            nonlocal heads
            heads = {console.seqs[-1] for console in consoles}
            return len(heads) == 1 and not any((await counts(servers, tokens[0])).values())

        await until(is_calm, "both consoles have seen everything, and nothing waits")
        for task in deciding:
            task.cancel()
    await look_back(database, written, consoles)
