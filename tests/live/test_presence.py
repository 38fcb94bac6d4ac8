"""Presence: who reads here and elsewhere, who is told of it and how often, and what becomes of the dead."""

from __future__ import annotations

import pytest

from tertulia.bus import PresenceUpdate
from tertulia.bus.memory import MemoryBus
from tertulia.core.comments import DiscussionKey
from tertulia.live.presence import MAX_READERS, Headcount
from tertulia.live.room import Room
from tertulia.live.tuning import EXPIRY_SECONDS, PEERS_SECONDS, REPEAT_SECONDS
from tests.live.fakes import KEY, FakeStore, created_event, join, new_room
from tests.live.loop import Clock, run_until_idle


class Neighbours(MemoryBus):
    """Notes what is published to other instances as (readers, writing, wants_reply); those in ``living`` live."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[tuple[int, int, bool]] = []
        self.living = {"one", "other"}

    def publish_presence(self, key: DiscussionKey, readers: int, writing: int, *, wants_reply: bool) -> None:
        assert key == KEY
        self.published.append((readers, writing, wants_reply))

    def is_alive(self, instance: str) -> bool:
        return instance in self.living


@pytest.fixture
def bus() -> Neighbours:
    return Neighbours()


@pytest.fixture
async def room(clock: Clock, bus: Neighbours) -> Room:
    store = FakeStore(created_event(seq=1))
    room = new_room(store, bus=bus)
    await room.ready()
    return room


def elsewhere(
    instance: str, readers: int, writing: int = 0, *, wants_reply: bool = False, at: int = 0
) -> PresenceUpdate:
    return PresenceUpdate(KEY, instance, readers, writing, wants_reply, at)


async def tick_for(clock: Clock, room: Room, seconds: float) -> None:
    for _ in range(int(seconds)):
        await clock.advance(1)
        room.tick()
        await run_until_idle()


async def test_readers_are_told_how_many_read_here_and_elsewhere(clock: Clock, room: Room) -> None:
    reader = join(room)
    await tick_for(clock, room, 1)
    room.presence.receive(elsewhere("one", 4, 1))
    room.presence.receive(elsewhere("other", 5, 2))
    await clock.advance(1)
    assert reader.of_type("presence")[-1] == {"type": "presence", "readers": 10, "writing": 3}
    assert join(room).messages[0]["readers"] == 11
    room.presence.receive(elsewhere("one", 0))
    await clock.advance(1)
    assert room.presence.total() == Headcount(7, 2)
    assert reader.of_type("presence")[-1] == {"type": "presence", "readers": 7, "writing": 2}


async def test_the_last_value_counts_and_is_told_once_a_second(clock: Clock, room: Room) -> None:
    reader = join(room)
    await clock.advance(2)
    before = len(reader.of_type("presence"))
    await clock.advance(2)
    for number in range(1, 100):
        room.presence.receive(elsewhere("one", number))
    await clock.advance(0)
    assert reader.of_type("presence")[-1]["readers"] == 100
    room.presence.receive(elsewhere("one", 1000))
    await clock.advance(0.9)
    assert len(reader.of_type("presence")) == before + 1
    await clock.advance(0.2)
    assert reader.of_type("presence")[-1]["readers"] == 1001
    assert len(reader.of_type("presence")) == before + 2


async def test_others_are_told_of_a_change_and_not_too_often(clock: Clock, room: Room, bus: Neighbours) -> None:
    readers = [join(room) for _ in range(3)]
    await tick_for(clock, room, 1)
    assert bus.published == [(3, 0, False)]
    for reader in readers[1:]:
        reader.disconnect()
    await tick_for(clock, room, PEERS_SECONDS - 1)
    assert bus.published[1:] == []
    await tick_for(clock, room, 1)
    assert bus.published[1:] == [(1, 0, False)]
    join(room).disconnect()
    await tick_for(clock, room, 10)
    assert bus.published[2:] == [], "it is what it was"


async def test_others_are_told_who_writes_and_when_it_is_over(clock: Clock, room: Room, bus: Neighbours) -> None:
    reader = join(room)
    await tick_for(clock, room, 3)
    bus.published.clear()
    reader.reader.on_message('{"type":"writing"}')
    await tick_for(clock, room, 12)
    assert bus.published == [(1, 1, False), (1, 0, False)]


async def test_it_is_told_again_now_and_then(clock: Clock, room: Room, bus: Neighbours) -> None:
    """A message may have been lost."""
    join(room)
    await tick_for(clock, room, 2)
    bus.published.clear()
    await tick_for(clock, room, 3 * REPEAT_SECONDS)
    assert bus.published == [(1, 0, False)] * 3


async def test_a_room_without_readers_says_nothing(clock: Clock, room: Room, bus: Neighbours) -> None:
    room.presence.receive(elsewhere("one", 3, wants_reply=True))
    await tick_for(clock, room, 3 * REPEAT_SECONDS)
    assert bus.published == []


async def test_who_asks_is_answered_once_for_all(clock: Clock, room: Room, bus: Neighbours) -> None:
    join(room)
    await tick_for(clock, room, 3)
    bus.published.clear()
    for number in range(50):
        room.presence.receive(elsewhere("one", number, wants_reply=True))
    await tick_for(clock, room, 1)
    assert bus.published == [(1, 0, False)]
    await tick_for(clock, room, 10)
    assert bus.published == [(1, 0, False)]


async def test_what_may_be_lost_is_asked_for(clock: Clock, room: Room, bus: Neighbours) -> None:
    join(room)
    await tick_for(clock, room, 3)
    bus.published.clear()
    room.presence.request()
    await tick_for(clock, room, 2)
    assert bus.published == [(1, 0, True)]


async def test_many_rooms_do_not_ask_at_once(clock: Clock, room: Room, bus: Neighbours) -> None:
    asked_after = []
    for _ in range(30):
        bus.published.clear()
        room.presence.request(rooms=5_000)
        seconds = 0
        while not bus.published:
            await tick_for(clock, room, 1)
            seconds += 1
        asked_after.append(seconds)
    assert max(asked_after) <= 11
    assert len(set(asked_after)) > 2


async def test_readers_of_a_dead_instance_expire(clock: Clock, room: Room, bus: Neighbours) -> None:
    reader = join(room)
    room.presence.receive(elsewhere("one", 4))
    room.presence.receive(elsewhere("other", 5))
    await tick_for(clock, room, 2)
    assert room.presence.readers == 10
    bus.living.remove("one")
    await tick_for(clock, room, 2)
    assert room.presence.readers == 6
    assert reader.of_type("presence")[-1]["readers"] == 6


async def test_an_instance_that_nobody_knows_is_not_counted(room: Room) -> None:
    room.presence.receive(elsewhere("ghost", 1000))
    assert room.presence.total() == Headcount(0, 0)


async def test_the_end_of_a_room_takes_its_readers_with_it(clock: Clock, room: Room, bus: Neighbours) -> None:
    join(room)
    await tick_for(clock, room, 2)
    await room.close()
    assert bus.published[-1] == (0, 0, False)


@pytest.mark.parametrize("last", [0, 3])
async def test_an_older_number_that_comes_again_counts_nothing(clock: Clock, room: Room, last: int) -> None:
    room.presence.receive(elsewhere("one", 9, 9, at=1000))
    room.presence.receive(elsewhere("one", last, at=2000))
    await tick_for(clock, room, 5)
    room.presence.receive(elsewhere("one", 9, 9, at=1000))
    room.presence.receive(elsewhere("other", 1, at=500))
    assert room.presence.total() == Headcount(last + 1, 0), "the clock of each instance is its own"


async def test_a_number_that_is_not_told_again_is_forgotten(clock: Clock, room: Room, bus: Neighbours) -> None:
    """It may have been repeated by somebody else, and the instance has nobody to tell of."""
    room.presence.receive(elsewhere("one", 9, at=1))
    room.presence.receive(elsewhere("other", 5, at=1))
    await tick_for(clock, room, EXPIRY_SECONDS - 1)
    room.presence.receive(elsewhere("other", 5, at=2))
    assert room.presence.readers == 14
    bus.is_degraded = True
    await tick_for(clock, room, 10)
    assert room.presence.readers == 14, "while Redis is away the last numbers stand"
    bus.is_degraded = False
    room.presence.request()
    await tick_for(clock, room, 10)
    assert room.presence.readers == 14, "it is asked and may answer"
    await tick_for(clock, room, EXPIRY_SECONDS)
    assert room.presence.readers == 0


async def test_more_readers_than_people_are_not_told(clock: Clock, room: Room, bus: Neighbours) -> None:
    reader = join(room)
    bus.living = {str(number) for number in range(60)}
    for instance in bus.living:
        room.presence.receive(elsewhere(instance, 200_000, 200_000))
    await clock.advance(2)
    assert room.presence.readers == MAX_READERS
    assert reader.of_type("presence")[-1] == {"type": "presence", "readers": MAX_READERS, "writing": MAX_READERS}
