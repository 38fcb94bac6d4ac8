"""docker-compose.yml with three servers: posts and readers through Caddy while servers die, restart, come and go."""

from __future__ import annotations

import asyncio
import uuid
from functools import partial

import httpx
import pytest

from tests.containers.people import RECOVERY_SECONDS, Reader, Writer, following
from tests.containers.stack import Stack
from tests.support.waiting import PATIENCE, until

SERVERS = 3
READERS = 24
WRITERS = 6
RESTARTS = 10


@pytest.fixture
def key() -> str:
    return f"discussion {uuid.uuid4()}"


async def _spread(stack: Stack) -> dict[str, int]:
    """How many readers each server has, by its own count."""
    servers = stack.containers("server")
    counts = [await asyncio.to_thread(stack.readers, server) for server in servers]
    return dict(zip(servers, counts, strict=True))


async def _all_have(readers: list[Reader], seqs: list[int]) -> None:
    await until(
        lambda: all(len(reader.seqs) >= len(seqs) for reader in readers), "readers that catch up", RECOVERY_SECONDS
    )
    await asyncio.sleep(0.5)  # for what may come twice
    for reader in readers:
        assert reader.seqs == seqs, "each event once, in order"


def test_the_first_start_shows_the_sample_articles(stack: Stack) -> None:
    page = httpx.get(stack.url, timeout=PATIENCE)
    assert page.status_code == 200
    assert page.text.count("<article") + page.text.count("<li") >= 4
    assert httpx.get(f"{stack.url}/api/v1/counts", params={"key": "who-reads-the-river"}).json()["counts"][0]["count"]


async def test_readers_at_every_server_get_every_comment_once(stack: Stack, key: str) -> None:
    writer = Writer(stack.url, key)
    async with following(stack.url, key, READERS) as readers:
        spread = await _spread(stack)
        assert len(spread) == SERVERS
        assert all(spread.values()), f"readers at every server: {spread}"
        assert sum(spread.values()) >= READERS
        await writer.say(30)
        assert writer.seqs == list(range(1, 31))
        assert writer.retries == 0
        await _all_have(readers, writer.seqs)
        assert all(reader.connections == 1 for reader in readers)


async def test_readers_of_a_server_that_is_killed_go_on_at_the_others(stack: Stack, key: str) -> None:
    writer = Writer(stack.url, key)
    victim = stack.containers("server")[0]
    async with following(stack.url, key, READERS) as readers:
        await writer.say(10)
        assert (await _spread(stack))[victim] > 0
        await asyncio.to_thread(stack.engine, "kill", "--signal", "KILL", victim)
        await writer.say(20)
        await until(lambda: all(reader.is_there for reader in readers), "readers that come back", RECOVERY_SECONDS)
        await _all_have(readers, list(range(1, 31)))
        assert sorted(writer.seqs) == list(range(1, 31))
        moved = [reader for reader in readers if reader.connections > 1]
        assert moved, "somebody was at the server that died"
        assert len(moved) < READERS, "the others kept their connections"
        await asyncio.to_thread(stack.engine, "start", victim)
        await until(lambda: stack.is_healthy(victim), "the health of the server that died", RECOVERY_SECONDS)


async def test_a_rolling_restart_loses_nobody(stack: Stack, key: str) -> None:
    writer = Writer(stack.url, key)
    ended = asyncio.Event()
    async with following(stack.url, key, READERS) as readers:
        posting = asyncio.create_task(writer.say_until(ended))
        for server in stack.containers("server"):
            said = len(writer.seqs)
            await asyncio.to_thread(stack.restart, server)
            await until(partial(writer.has_said_more, said), "a comment since the restart began", RECOVERY_SECONDS)
        await until(partial(writer.has_said_more, 20), "more than 20 comments in all", RECOVERY_SECONDS)
        ended.set()
        await posting
        assert sorted(writer.seqs) == list(range(1, len(writer.seqs) + 1)), "each comment is there once"
        await _all_have(readers, sorted(writer.seqs))
        assert sum(reader.connections for reader in readers) > READERS, "restarts move readers"


async def test_nobody_who_writes_notices_ten_restarts(stack: Stack, key: str) -> None:
    """The proxy meets no connection that is just being closed: it would have to answer 502 to a post."""
    writers = [Writer(stack.url, f"{key} {number}") for number in range(WRITERS)]
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for writer in writers:
            tasks.create_task(writer.say_until(ended))
        for number in range(RESTARTS):
            counts = [len(writer.seqs) for writer in writers]
            await asyncio.to_thread(stack.restart, stack.containers("server")[number % SERVERS])
            for writer, count in zip(writers, counts, strict=True):
                await until(partial(writer.has_said_more, count), "a comment since the restart began", RECOVERY_SECONDS)
        ended.set()
    said = sum(len(writer.seqs) for writer in writers)
    assert [failure for writer in writers for failure in writer.failures] == [], f"of {said} posts"
    assert said > 20 * RESTARTS, "enough posts that one in twenty would show"


async def test_servers_come_and_go_while_readers_are_there(stack: Stack, key: str) -> None:
    writer = Writer(stack.url, key)
    async with following(stack.url, key, READERS) as readers:
        await writer.say(5)
        await asyncio.to_thread(stack.scale, SERVERS + 1)
        newest = stack.containers("server")[-1]
        async with following(stack.url, key, READERS) as later:
            await until(lambda: stack.readers(newest), "readers at the server that came", RECOVERY_SECONDS)
            await writer.say(5)
            await _all_have([*readers, *later], list(range(1, 11)))
            await asyncio.to_thread(stack.scale, SERVERS)
            assert newest not in stack.containers("server")
            await writer.say(5)
            await _all_have([*readers, *later], list(range(1, 16)))


async def test_redis_may_die(stack: Stack, key: str) -> None:
    writer = Writer(stack.url, key)
    redis = stack.container("redis")
    async with following(stack.url, key, READERS) as readers:
        await writer.say(5)
        await asyncio.to_thread(stack.engine, "kill", "--signal", "KILL", redis)
        await writer.say(5)
        await _all_have(readers, list(range(1, 11)))
        await asyncio.to_thread(stack.engine, "start", redis)
        await until(lambda: stack.is_healthy(redis), "the health of Redis", RECOVERY_SECONDS)
        await writer.say(5)
        await _all_have(readers, list(range(1, 16)))


async def test_what_was_said_is_there_after_down_and_up(stack: Stack, key: str) -> None:
    writer = Writer(stack.url, key)
    await writer.say(3)
    keys = [stack.python(server, "print(open('/secrets/secret-key').read())") for server in stack.containers("server")]
    await asyncio.to_thread(stack.down, volumes=False)
    assert stack.containers() == []
    await asyncio.to_thread(stack.up, SERVERS)
    async with following(stack.url, key, 1) as readers:
        await _all_have(readers, [1, 2, 3])
    again = [stack.python(server, "print(open('/secrets/secret-key').read())") for server in stack.containers("server")]
    assert set(keys) == set(again)
    assert len(set(keys)) == 1
    assert "Made" not in stack.logs(stack.container("secrets"))
