"""What every bus does; each implementation is one more in BUSES."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tertulia.bus import Bus, Message
from tertulia.bus.memory import MemoryBus
from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent

HERE, THERE, ABROAD = DiscussionKey("a", "x"), DiscussionKey("a", "điểm/\N{DUCK}\n"), DiscussionKey("b", "x")
MARK = DiscussionKey("a", "mark")


@asynccontextmanager
async def memory() -> AsyncIterator[Bus]:
    yield MemoryBus()


BUSES: list[Callable[[], AbstractAsyncContextManager[Bus]]] = [memory]


@pytest.fixture(params=BUSES, ids=lambda factory: factory.__name__)
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """A bus of each kind."""
    async with request.param() as opened:
        yield opened


def message(key: DiscussionKey, *seqs: int, epoch: str = "one", text: str = "") -> Message:
    events = (
        EncodedEvent(seq, "comment.created", f"comment-{seq}", f'{{"seq":{seq},"text":"{text}"}}') for seq in seqs
    )
    return Message(key, epoch, tuple(events))


async def arrived(bus: Bus) -> None:
    """Waits until everything published before has been delivered."""
    heard: list[Message] = []
    bus.subscribe(MARK, heard.append)
    end = time.monotonic() + 10
    while not heard:
        assert time.monotonic() < end, "nothing arrives"
        bus.publish(message(MARK, 1))
        await asyncio.sleep(0)
    bus.unsubscribe(MARK)


async def test_a_message_arrives_whole(bus: Bus) -> None:
    heard: list[Message] = []
    for key in (HERE, THERE, ABROAD):
        bus.subscribe(key, heard.append)
    sent = [
        message(HERE, 1),
        message(THERE, 1, 2, 3, text="“điểm” \\n \N{DUCK}"),
        message(ABROAD, 7, epoch="two"),
        message(HERE, *range(2, 400), text="long " * 50),
        Message(HERE, "one", (EncodedEvent(400, "discussion.changed", None, "{}"),)),
    ]
    for one in sent:
        bus.publish(one)
    await arrived(bus)
    assert [one for one in heard if one.key == HERE] == [one for one in sent if one.key == HERE]
    assert sorted(heard, key=repr) == sorted(sent, key=repr)


async def test_messages_of_one_publisher_arrive_in_order(bus: Bus) -> None:
    heard: list[Message] = []
    bus.subscribe(HERE, heard.append)
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
    for key in (HERE, THERE, ABROAD):
        bus.publish(message(key, 1))
    await arrived(bus)
    assert (here, there) == ([message(HERE, 1)], [message(THERE, 1)])


async def test_nothing_is_heard_before_and_after(bus: Bus) -> None:
    heard: list[Message] = []
    bus.publish(message(HERE, 1))
    await arrived(bus)
    bus.subscribe(HERE, heard.append)
    bus.publish(message(HERE, 2))
    await arrived(bus)
    bus.unsubscribe(HERE)
    bus.publish(message(HERE, 3))
    await arrived(bus)
    bus.subscribe(HERE, heard.append)
    bus.publish(message(HERE, 4))
    await arrived(bus)
    assert heard == [message(HERE, 2), message(HERE, 4)]


async def test_one_listener_a_discussion_the_last_one(bus: Bus) -> None:
    first: list[Message] = []
    second: list[Message] = []
    bus.subscribe(HERE, first.append)
    bus.subscribe(HERE, second.append)
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
    bus.publish(message(HERE, 1))
    bus.publish(message(HERE, 2))
    await arrived(bus)
    assert heard == [message(HERE, 1)]
