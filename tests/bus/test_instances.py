"""Two whole instances with one database and one Redis: what is said at one is read at the other."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest

from tertulia.app import Running, running
from tertulia.bus import Message, PresenceUpdate
from tertulia.bus.redis.bus import RedisBus
from tertulia.bus.redis.signing import Signer
from tertulia.bus.redis.wire import channel_of, encode_events, encode_presence
from tertulia.bus.stats import DropReason
from tertulia.core.comments import DiscussionKey
from tertulia.live.backlog import Cursor
from tertulia.live.stats import GapSource
from tertulia.live.tuning import DEFAULT, Tuning
from tertulia.settings import Settings
from tests.bus.conftest import TOPOLOGIES, Redis
from tests.bus.instances import now, wait_until_healthy
from tests.live.fakes import FakeReader, event_of, join_discussion
from tests.support.api_client import AsyncApiClient
from tests.support.faulty_redis import FaultyRedis
from tests.support.valkey import Valkey
from tests.support.waiting import until

KEY = DiscussionKey("default", "talk")


class Instance:
    """An application in this process, somebody who writes through it, and one who reads."""

    def __init__(self, server: Running, client: httpx.AsyncClient) -> None:
        self.hub = server.hub
        assert isinstance(server.bus, RedisBus)
        self.bus = server.bus
        self._client = client

    async def post(self) -> int:
        began = time.monotonic()
        posted = await AsyncApiClient(self._client, KEY.key).post_comment()
        assert time.monotonic() - began < 2, "the answer waited for Redis"
        return int(posted["seq"])

    async def health(self) -> tuple[int, str]:
        answer = await self._client.get("/readyz")
        return answer.status_code, answer.json()["status"]

    async def read(self) -> FakeReader:
        return await join_discussion(self.hub, KEY, Cursor(None, None))


@asynccontextmanager
async def instance(settings: Settings, redis: Redis | FaultyRedis, tuning: Tuning = DEFAULT) -> AsyncIterator[Instance]:
    async with running(settings.model_copy(update={"redis_url": redis.url}), tuning=tuning) as server:
        transport = httpx.ASGITransport(server.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:
            opened = Instance(server, client)
            await wait_until_healthy(opened.bus)
            yield opened


NO_WATCH = Tuning(reconcile_seconds=3600.0)
without_watch = pytest.mark.parametrize("tuning", [NO_WATCH], ids=["no watch"])


@pytest.fixture
def tuning() -> Tuning:
    return DEFAULT


@pytest.fixture
async def pair(settings: Settings, redis: Redis, tuning: Tuning) -> AsyncIterator[tuple[Instance, Instance]]:
    async with instance(settings, redis, tuning) as here, instance(settings, redis, tuning) as there:
        yield here, there


async def post_to_all(here: Instance, readers: list[FakeReader], last: int) -> None:
    """One more comment, which everybody gets; all of them are dense."""
    assert await here.post() == last
    expected = list(range(1, last + 1))
    await until(lambda: all(reader.seqs == expected for reader in readers), "a comment does not arrive")


@pytest.mark.parametrize("redis", TOPOLOGIES, indirect=True)
async def test_what_is_said_at_one_is_read_at_the_other(pair: tuple[Instance, Instance], redis: Redis) -> None:
    here, there = pair
    readers = [await one.read() for one in pair]
    channel = channel_of(KEY)
    await until(lambda: redis.subscriber_count(channel) == len(pair), "nobody subscribes")
    for seq in range(1, 21):
        await post_to_all(pair[seq % 2], readers, seq)
    assert here.bus.stats.received == there.bus.stats.received == 10
    assert [one.hub.stats.gaps[GapSource.reconcile] for one in pair] == [0, 0], "Redis carried nothing"

    assert redis.cut_subscribers() >= len(pair)
    await post_to_all(here, readers, 21)
    for one in pair:
        await wait_until_healthy(one.bus)
    await post_to_all(there, readers, 22)


async def test_a_message_that_is_lost_is_found(settings: Settings, valkey: Valkey) -> None:
    """The last one, so that no later one tells of it."""
    async with (
        FaultyRedis(valkey.port, share=1.0) as faulty,
        instance(settings, valkey) as here,
        instance(settings, faulty) as there,
    ):
        readers = [await one.read() for one in (here, there)]
        await post_to_all(here, readers, 1)
        assert faulty.fates["lost"]
        assert not there.bus.is_degraded
        assert there.bus.stats.received == 0


@without_watch
@pytest.mark.parametrize("redis", TOPOLOGIES, indirect=True)
async def test_comments_go_on_without_redis(pair: tuple[Instance, Instance], redis: Redis) -> None:
    """Neither who writes nor who reads needs it, dead or frozen."""
    here, there = pair
    readers = [await one.read() for one in pair]
    redis.freeze()
    await until(lambda: here.bus.is_degraded and there.bus.is_degraded, "nobody notices")
    await post_to_all(here, readers, 1)
    await post_to_all(there, readers, 2)
    redis.thaw()
    redis.kill()
    await post_to_all(here, readers, 3)
    await post_to_all(there, readers, 4)
    redis.start()
    for one in pair:
        await wait_until_healthy(one.bus)
    await post_to_all(here, readers, 5)


async def test_what_was_said_before_the_subscription_held_is_read(settings: Settings, valkey: Valkey) -> None:
    """No watch comes to help."""
    async with (
        FaultyRedis(valkey.port) as slow,
        instance(settings, valkey, NO_WATCH) as here,
        instance(settings, slow, NO_WATCH) as there,
    ):
        reader = await here.read()
        slow.subscribing.clear()
        late = await there.read()
        await post_to_all(here, [reader], 1)
        assert late.seqs == []
        slow.subscribing.set()
        await until(lambda: late.seqs == [1], "the comment is not found")


async def test_readers_are_counted_over_all_instances(settings: Settings, valkey: Valkey) -> None:
    """From the first moment at a new one, and no longer than they are there."""
    async with instance(settings, valkey) as here:
        first = await here.read()
        async with instance(settings, valkey) as there:
            readers = [await there.read() for _ in range(3)]
            await until(lambda: here.hub.readers(KEY) == there.hub.readers(KEY) == 4, "not all are counted")
            await until(lambda: first.of_type("presence")[-1]["readers"] == 4, "readers are not told")
            readers[0].disconnect()
            await until(lambda: here.hub.readers(KEY) == 3, "one that left is counted")
        await until(lambda: here.hub.readers(KEY) == 1, "readers of an instance that ended are counted")
        async with instance(settings, valkey) as there:
            await there.read()
            await until(lambda: here.hub.readers(KEY) == 2, "not all readers are counted")
            here.bus.tuning = replace(here.bus.tuning, peer_timeout=0.0)
            await until(lambda: here.hub.readers(KEY) == 1, "readers of a dead instance are counted")


async def test_an_instance_without_redis_is_ready_and_says_that_it_is_slower(
    settings: Settings, valkey: Valkey
) -> None:
    async with instance(settings, valkey) as here:
        assert await here.health() == (200, "ok")
        valkey.kill()
        await until(lambda: here.bus.is_degraded, "its death goes unnoticed")
        assert await here.health() == (200, "slower: Redis is in doubt")
        valkey.start()
        await wait_until_healthy(here.bus)
        assert await here.health() == (200, "ok")


# ---- who is not believed --------------------------------------------------------------------------------


def _refused(here: Instance, messages: int) -> bool:
    return here.bus.stats.dropped[DropReason.unverified] == messages


def forged(message: Message) -> list[bytes]:
    """As somebody who can publish on Redis says it, or a server of the version before this one."""
    body = encode_events(message, "another", now())
    older = body.replace(b"[2,", b"[1,", 1)
    return [body, older, Signer(b"a key that was guessed").sign(channel_of(message.key), body), b"hello"]


@without_watch
@pytest.mark.parametrize("redis", TOPOLOGIES, indirect=True)
async def test_what_is_forged_reaches_nobody_and_what_is_true_everybody(
    pair: tuple[Instance, Instance], redis: Redis
) -> None:
    """No watch comes to help: that something unsigned came does."""
    there = pair[1]
    readers = [await one.read() for one in pair]
    channel = channel_of(KEY)
    await until(lambda: redis.subscriber_count(channel) == len(pair), "nobody subscribes")
    for seq in range(1, 5):
        event = event_of("comment.created" if seq % 2 else "comment.removed", seq=seq, text="Forged")
        shouted = forged(Message(KEY, there.hub.epoch, (event,)))[seq - 1]
        assert redis.publish(channel, shouted) == len(pair)
        redis.publish(channel, encode_presence(PresenceUpdate(KEY, "another", 100_000, 9, at=now())))
        await until(partial(_refused, there, 2 * seq), "it is not heard")
        await post_to_all(pair[seq % 2], readers, seq)
    assert not any("Forged" in text for reader in readers for text in reader.texts)
    assert there.hub.readers(KEY) < 3
    assert await there.health() == (200, "slower: messages on Redis are not believed")


async def test_what_an_older_server_says_is_read_from_the_store(settings: Settings, valkey: Valkey) -> None:
    """Its messages have no signature."""
    async with (
        FaultyRedis(valkey.port, older=1.0) as faulty,
        instance(settings, valkey, NO_WATCH) as older,
        instance(settings, faulty, NO_WATCH) as here,
    ):
        reader = await here.read()
        await until(lambda: valkey.subscriber_count(channel_of(KEY)) == 1, "nobody subscribes")
        for seq in range(1, 5):
            await post_to_all(older, [reader], seq)
        assert faulty.fates["older"] >= 4
        assert here.bus.stats.received == 0


async def test_an_instance_with_another_key_and_the_others_still_read_all(settings: Settings, valkey: Valkey) -> None:
    other = settings.model_copy(update={"secret_key": "another key for one of the instances, by mistake"})
    async with instance(settings, valkey) as here, instance(other, valkey) as there:
        readers = [await one.read() for one in (here, there)]
        for seq in range(1, 5):
            await post_to_all((here, there)[seq % 2], readers, seq)
        await until(lambda: here.bus.receives_unverified and there.bus.receives_unverified, "it is not noticed")
        for one in (here, there):
            assert await one.health() == (200, "slower: messages on Redis are not believed")
            assert one.bus.peer_count == one.bus.stats.received == 0


async def test_two_databases_on_one_redis_do_not_hear_each_other(
    settings: Settings, valkey: Valkey, tmp_path: Path
) -> None:
    """With one secret key and discussions of the same names."""
    other = settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"})
    async with instance(settings, valkey) as here, instance(other, valkey) as there:
        readers = [await one.read() for one in (here, there)]
        await until(lambda: valkey.subscriber_count(channel_of(KEY)) == 2, "nobody subscribes")
        await post_to_all(here, readers[:1], 1)
        await post_to_all(there, readers[1:], 1)
        await until(lambda: there.bus.stats.dropped[DropReason.unverified], "it is not heard")
        assert [one.hub.readers(KEY) for one in (here, there)] == [1, 1]
        assert [reader.seqs for reader in readers] == [[1], [1]]
