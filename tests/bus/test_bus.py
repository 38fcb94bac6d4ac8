"""What every bus does; each implementation is one more in BUSES."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count

import pytest

from tertulia.bus import Attendance, Bus, Message
from tertulia.bus.memory import MemoryBus
from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent
from tests.bus.instances import Between, connected
from tests.valkey import Valkey

HERE, THERE, ABROAD = DiscussionKey("a", "x"), DiscussionKey("a", "điểm/\N{DUCK}\n"), DiscussionKey("b", "x")
MARK = DiscussionKey("a", "mark")


@asynccontextmanager
async def memory(_valkey: Valkey) -> AsyncIterator[Bus]:
    yield MemoryBus()


@asynccontextmanager
async def redis(valkey: Valkey) -> AsyncIterator[Bus]:
    async with connected(valkey.url) as bus:
        yield bus


@asynccontextmanager
async def redis_between_instances(valkey: Valkey) -> AsyncIterator[Bus]:
    async with connected(valkey.url) as here, connected(valkey.url) as there:
        yield Between(here, there)


BUSES: list[Callable[[Valkey], AbstractAsyncContextManager[Bus]]] = [memory, redis, redis_between_instances]


@pytest.fixture(params=BUSES, ids=lambda factory: factory.__name__)
async def bus(request: pytest.FixtureRequest, shared_valkey: Valkey) -> AsyncIterator[Bus]:
    """A bus of each kind."""
    async with request.param(shared_valkey) as opened:
        yield opened


def message(key: DiscussionKey, *seqs: int, epoch: str = "one", text: str = "") -> Message:
    events = (
        EncodedEvent(seq, "comment.created", f"comment-{seq}", f'{{"seq":{seq},"text":"{text}"}}') for seq in seqs
    )
    return Message(key, epoch, tuple(events))


marks = count(1)


async def arrived(bus: Bus) -> None:
    """Waits until everything published before has been delivered, and everything subscribed before is heard."""
    heard: list[int] = []
    bus.subscribe(MARK, lambda one: heard.append(one.head))
    first = next(marks)
    end = time.monotonic() + 20
    while not heard or heard[-1] < first:
        assert time.monotonic() < end, "nothing arrives"
        bus.publish(message(MARK, next(marks)))
        await asyncio.sleep(0.001)
    bus.unsubscribe(MARK)


async def test_a_message_arrives_whole(bus: Bus) -> None:
    heard: list[Message] = []
    for key in (HERE, THERE, ABROAD):
        bus.subscribe(key, heard.append)
    await arrived(bus)
    sent = [
        message(HERE, 1),
        message(THERE, 1, 2, 3, text="“điểm” \\n \N{DUCK}"),
        message(ABROAD, 7, epoch="two"),
        message(HERE, *range(2, 150), text="long " * 50),
        Message(HERE, "one", (EncodedEvent(400, "discussion.changed", None, "{}"),)),
    ]
    for one in sent:
        bus.publish(one)
    await arrived(bus)
    assert [one for one in heard if one.key == HERE] == [one for one in sent if one.key == HERE]
    assert sorted(heard, key=repr) == sorted(sent, key=repr)


async def test_a_long_message_arrives_at_least_as_a_hint(bus: Bus) -> None:
    heard: list[Message] = []
    bus.subscribe(HERE, heard.append)
    await arrived(bus)
    sent = message(HERE, *range(1, 500), text="long " * 50)
    bus.publish(sent)
    await arrived(bus)
    assert heard in ([sent], [Message(HERE, "one", (), reached=499)])


async def test_messages_of_one_publisher_arrive_in_order(bus: Bus) -> None:
    heard: list[Message] = []
    bus.subscribe(HERE, heard.append)
    await arrived(bus)
    sent = [message(HERE, seq) for seq in range(1, 300)]
    for one in sent:
        bus.publish(one)
    await arrived(bus)
    assert heard == sent


async def test_nobody_hears_of_another_discussion(bus: Bus) -> None:
    here: list[Message] = []
    there: list[Message] = []
    bus.subscribe(HERE, here.append)
    bus.subscribe(THERE, there.append)
    await arrived(bus)
    for key in (HERE, THERE, ABROAD):
        bus.publish(message(key, 1))
    await arrived(bus)
    assert (here, there) == ([message(HERE, 1)], [message(THERE, 1)])


async def test_nothing_is_heard_before_and_after(bus: Bus) -> None:
    heard: list[Message] = []
    bus.publish(message(HERE, 1))
    await arrived(bus)
    bus.subscribe(HERE, heard.append)
    await arrived(bus)
    bus.publish(message(HERE, 2))
    await arrived(bus)
    bus.unsubscribe(HERE)
    bus.publish(message(HERE, 3))
    await arrived(bus)
    bus.subscribe(HERE, heard.append)
    await arrived(bus)
    bus.publish(message(HERE, 4))
    await arrived(bus)
    assert heard == [message(HERE, 2), message(HERE, 4)]


async def test_one_listener_a_discussion_the_last_one(bus: Bus) -> None:
    first: list[Message] = []
    second: list[Message] = []
    bus.subscribe(HERE, first.append)
    bus.subscribe(HERE, second.append)
    await arrived(bus)
    bus.publish(message(HERE, 1))
    await arrived(bus)
    assert (first, second) == ([], [message(HERE, 1)])


async def test_unsubscribing_from_nothing_is_nothing(bus: Bus) -> None:
    bus.unsubscribe(HERE)
    bus.unsubscribe(HERE)
    bus.publish(message(HERE, 1))
    await arrived(bus)


async def test_a_listener_may_unsubscribe_while_it_hears(bus: Bus) -> None:
    heard: list[Message] = []

    def once(one: Message) -> None:
        heard.append(one)
        bus.unsubscribe(HERE)

    bus.subscribe(HERE, once)
    await arrived(bus)
    bus.publish(message(HERE, 1))
    bus.publish(message(HERE, 2))
    await arrived(bus)
    assert heard == [message(HERE, 1)]


async def test_who_reads_is_told_to_others_alone(bus: Bus) -> None:
    told: list[Attendance] = []
    bus.watch(lambda _keys: None, told.append)
    heard: list[Message] = []
    bus.subscribe(HERE, heard.append)
    await arrived(bus)
    bus.tell(HERE, 7, 2, asks=True)
    bus.tell(THERE, 1, 0, asks=False)  # which nobody subscribes to
    await arrived(bus)
    assert heard == []
    if isinstance(bus, Between):
        [said] = told
        assert said == Attendance(HERE, said.instance, 7, 2, asks=True)
        assert bus.is_alive(said.instance)
    else:
        assert told == []
    assert not bus.is_alive("nobody")
