"""What every bus does; each implementation is one more in BUSES."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count, product

import pytest

from tertulia.bus import Bus, BusHandlers, Glance, LookingUpdate, Message, PresenceUpdate
from tertulia.bus.memory import MemoryBus
from tertulia.bus.redis.cluster import partition_of
from tertulia.bus.redis.wire import channel_of
from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent
from tests.bus.conftest import TOPOLOGIES
from tests.bus.instances import CrossInstanceBus, healthy_bus
from tests.support.waiting import until

HERE, THERE, ABROAD = DiscussionKey("a", "x"), DiscussionKey("a", "điểm/\N{DUCK}\n"), DiscussionKey("b", "x")


@asynccontextmanager
async def alone(url: str) -> AsyncIterator[Bus]:
    async with healthy_bus(url) as bus:
        yield bus


@asynccontextmanager
async def between_instances(url: str) -> AsyncIterator[Bus]:
    async with healthy_bus(url) as here, healthy_bus(url) as there:
        yield CrossInstanceBus(here, there)


BUSES = [None, *product(TOPOLOGIES, [alone, between_instances])]


def name(kind: tuple[str, Callable[..., object]] | None) -> str:
    return "memory" if kind is None else f"{kind[0]}-{kind[1].__name__}"


@pytest.fixture(params=BUSES, ids=name)
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """A bus of each kind."""
    if request.param is None:
        yield MemoryBus()
        return
    topology, opened = request.param
    async with opened(request.getfixturevalue(f"shared_{topology}").url) as bus:
        yield bus


def message(key: DiscussionKey, *seqs: int, epoch: str = "one", text: str = "") -> Message:
    events = (
        EncodedEvent(seq, "comment.created", f"comment-{seq}", f'{{"seq":{seq},"text":"{text}"}}') for seq in seqs
    )
    return Message(key, epoch, tuple(events))


marks = count(1)


def beside(key: DiscussionKey) -> DiscussionKey:
    """Another discussion that goes the same way, also in a cluster."""
    keys = (DiscussionKey("marks", f"{key}-{number}") for number in count())
    return next(one for one in keys if partition_of(channel_of(one)) == partition_of(channel_of(key)))


MARKS = [beside(key) for key in (HERE, THERE, ABROAD)]


async def arrived(bus: Bus) -> None:
    """Waits until everything published before has been delivered, and everything subscribed before takes effect."""
    heads: dict[DiscussionKey, int] = {}
    for mark in MARKS:
        bus.subscribe(mark, lambda one: heads.update({one.key: one.head}))
    first = next(marks)

    def all_arrived() -> bool:
        for mark in MARKS:
            bus.publish(message(mark, next(marks)))
        return all(heads.get(mark, 0) >= first for mark in MARKS)

    await until(all_arrived, "nothing arrives")
    for mark in MARKS:
        bus.unsubscribe(mark)


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


async def test_of_a_long_message_at_least_the_head_arrives(bus: Bus) -> None:
    heard: list[Message] = []
    bus.subscribe(HERE, heard.append)
    await arrived(bus)
    sent = message(HERE, *range(1, 500), text="long " * 50)
    bus.publish(sent)
    await arrived(bus)
    assert heard in ([sent], [Message(HERE, "one", (), reached=499)])


async def test_what_one_publisher_says_of_a_discussion_arrives_in_order(bus: Bus) -> None:
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
    told: list[PresenceUpdate] = []
    bus.set_handlers(BusHandlers(on_presence=told.append))
    heard: list[Message] = []
    bus.subscribe(HERE, heard.append)
    await arrived(bus)
    bus.publish_presence(HERE, 7, 2, wants_reply=True)
    bus.publish_presence(THERE, 1, 0, wants_reply=False)  # which nobody subscribes to
    await arrived(bus)
    assert heard == []
    if isinstance(bus, CrossInstanceBus):
        [said] = told
        assert said == PresenceUpdate(HERE, said.instance, 7, 2, wants_reply=True, at=said.at)
        assert bus.is_alive(said.instance)
    else:
        assert told == []
    assert not bus.is_alive("nobody")


async def test_who_looks_at_what_is_told_to_others_alone(bus: Bus) -> None:
    told: list[LookingUpdate] = []
    bus.set_handlers(BusHandlers(on_looking=told.append))
    heard: list[Message] = []
    bus.subscribe(HERE, heard.append)
    await arrived(bus)
    look = Glance("someone", "Mai \N{DUCK}", "a comment")
    bus.publish_looking(HERE, look)
    bus.publish_looking(THERE, look)  # which nobody subscribes to
    await arrived(bus)
    assert heard == []
    if isinstance(bus, CrossInstanceBus):
        [said] = told
        assert (said.key, said.look) == (HERE, look)
    else:
        assert told == []
