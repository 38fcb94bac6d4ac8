"""The hub: one room a discussion, none for longer than it is wanted, and no silence that goes unnoticed."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Iterable

import pytest

from tertulia.bus import BusHandlers, Message
from tertulia.bus.memory import MemoryBus
from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode, ErrorCode, Problem
from tertulia.live import hub as hubs
from tertulia.live.hub import Hub, Rates
from tertulia.live.presence import RoomPresence
from tertulia.live.reader import Reader
from tertulia.live.room import Cursor, Room
from tertulia.live.tail import Tail
from tests.live.script import BUSY, EPOCH, KEY, Clock, Script, follow, joined, made, said, settled

OTHER = DiscussionKey("default", "other")


@pytest.fixture
async def script() -> Script:
    return Script(made(1), made(2))


@pytest.fixture
async def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
async def hub(clock: Clock, script: Script, bus: MemoryBus) -> AsyncIterator[Hub]:
    hub = Hub(bus, EPOCH, script.fetch, script.heads, Rates(BUSY, BUSY))
    hub.start()
    yield hub
    await hub.close()


async def watched(clock: Clock, seconds: float) -> None:
    """Lets the watch go round for so long."""
    for _ in range(int(seconds / hubs.WATCH_SECONDS)):
        await clock.go(hubs.WATCH_SECONDS + 0.01)


async def test_all_readers_of_a_discussion_are_in_one_room(hub: Hub) -> None:
    found = await asyncio.gather(*(hub.enter(KEY) for _ in range(10)))
    assert len(set(found)) == 1
    assert await hub.enter(OTHER) not in found
    assert set(hub.rooms) == {KEY, OTHER}
    for room in found:
        joined(room)
    assert (hub.readers(KEY), hub.readers(OTHER), hub.readers(DiscussionKey("x", "x"))) == (10, 0, 0)


async def test_a_room_hears_its_own_discussion(hub: Hub, bus: MemoryBus, script: Script) -> None:
    room, other = await hub.enter(KEY), await hub.enter(OTHER)
    bus.publish(script.add(made(3)))
    assert (room.head, other.head) == (3, 2)


async def test_recent_is_what_a_warm_room_has(hub: Hub, bus: MemoryBus, script: Script) -> None:
    assert hub.recent(KEY, 2) is None
    joined(await hub.enter(KEY))
    bus.publish(script.add(made(3), made(4)))
    assert hub.recent(KEY, 1) is None
    assert hub.recent(KEY, 2) == (4, script.events[2:])
    assert hub.recent(KEY, 4) == (4, [])
    assert hub.recent(KEY, 5) is None


async def test_who_knows_more_than_the_room_goes_on(hub: Hub, script: Script) -> None:
    """Another instance committed it, and its message is late: the reader is no reason to begin again."""
    early = joined(await hub.enter(KEY))
    script.add(made(3), made(4), made(5))  # and nobody is told
    reader = await follow(hub, KEY, Cursor(EPOCH, 4))
    await settled()
    assert (reader.of("reset"), reader.seqs) == ([], [5])
    assert early.seqs == [3, 4, 5]


async def test_who_knows_more_than_there_is_begins_again(hub: Hub, script: Script) -> None:
    reader = await follow(hub, KEY, Cursor(EPOCH, 9))
    assert reader.of("reset") == [{"type": "reset", "epoch": EPOCH, "seq": 2}]
    assert script.fills == []


async def test_a_store_that_is_away_makes_nobody_begin_again(hub: Hub, script: Script) -> None:
    joined(await hub.enter(KEY))
    script.error = Problem(ErrorCode.unavailable, "The database does not answer.")
    with pytest.raises(Problem):
        await hub.enter(KEY, Cursor(EPOCH, 3))


# ---- rooms come and go ----------------------------------------------------------------------------------


async def test_an_empty_room_stays_warm_for_a_while_and_goes(
    clock: Clock, hub: Hub, bus: MemoryBus, script: Script
) -> None:
    room = await hub.enter(KEY)
    reader = joined(room)
    await watched(clock, 60)
    assert hub.rooms == {KEY: room}
    reader.end()
    await watched(clock, 25)
    assert hub.rooms == {KEY: room}
    await watched(clock, 15)
    assert hub.rooms == {}
    bus.publish(script.add(made(3)))
    assert room.head == 2, "nobody listens any more"


async def test_who_comes_back_in_time_finds_the_room_warm(clock: Clock, hub: Hub, script: Script) -> None:
    room = await hub.enter(KEY)
    for _ in range(4):
        joined(room).end()
        await watched(clock, 20)
        assert await hub.enter(KEY) is room
        reader = joined(room)
        await watched(clock, 60)
        reader.end()
    assert len(script.asked) == 1


async def test_a_room_that_nobody_came_into_goes_too(clock: Clock, hub: Hub, script: Script) -> None:
    """A reader may leave while its room opens."""
    script.free.clear()
    entering = [asyncio.create_task(hub.enter(DiscussionKey("default", str(number)))) for number in range(20)]
    await settled()
    for task in entering:
        task.cancel()
    await settled()
    script.free.set()
    await watched(clock, 60)
    assert hub.rooms == {}


async def test_a_room_that_could_not_open_goes_too(clock: Clock, hub: Hub, script: Script) -> None:
    script.error = Problem(ErrorCode.unknown_site, "There is no such site.")
    with pytest.raises(Problem):
        await hub.enter(KEY)
    script.error = None
    await watched(clock, 60)
    assert hub.rooms == {}
    assert (await hub.enter(KEY)).head == 2


async def test_a_hub_that_is_closed_has_no_rooms(hub: Hub, bus: MemoryBus, script: Script) -> None:
    room = await hub.enter(KEY)
    await hub.close()
    bus.publish(script.add(made(3)))
    assert (hub.rooms, room.head) == ({}, 2)


async def test_a_discussion_without_events_has_a_room_only_while_it_is_read(hub: Hub, script: Script) -> None:
    script.events.clear()
    room = await hub.enter(KEY)
    first, second = joined(room), joined(room)
    first.end()
    assert hub.rooms == {KEY: room}
    second.end()
    assert hub.rooms == {}


async def test_so_it_is_where_nobody_came_in(clock: Clock, hub: Hub, script: Script) -> None:
    script.events.clear()
    await hub.enter(KEY)
    await watched(clock, hubs.WATCH_SECONDS)
    assert hub.rooms == {}


async def test_a_room_that_nobody_waits_for_is_not_opened(hub: Hub, script: Script) -> None:
    script.free.clear()
    waiting = [asyncio.create_task(hub.enter(KEY)) for _ in range(2)]
    await settled()
    waiting[0].cancel()
    await settled()
    assert set(hub.rooms) == {KEY}
    waiting[1].cancel()
    await settled()
    assert hub.rooms == {}


async def test_a_room_that_cannot_open_is_not_kept(hub: Hub, script: Script) -> None:
    script.error = Problem(ErrorCode.unavailable, "The database does not answer.")
    found = await asyncio.gather(*(hub.enter(KEY) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [Problem] * 3
    assert hub.rooms == {}


async def test_so_many_empty_rooms_are_kept(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are read are not counted; the one that has been empty longest goes."""
    monkeypatch.setattr(hubs, "EMPTY_ROOMS", 3)
    keys = [DiscussionKey("default", str(number)) for number in range(8)]
    readers = [joined(await hub.enter(key)) for key in keys]
    assert set(hub.rooms) == set(keys)
    for number in (2, 0, 1):
        readers[number].end()
    again = joined(await hub.enter(keys[2]))
    for number in (3, 4):
        readers[number].end()
    assert set(hub.rooms) == {*keys} - {keys[0]}
    again.end()
    assert set(hub.rooms) == {keys[2], *keys[3:]}


# ---- what is gone is free -------------------------------------------------------------------------------


async def test_a_room_that_is_forgotten_is_free(clock: Clock, hub: Hub, bus: MemoryBus, script: Script) -> None:
    """After all that a room does, however it ends."""

    async def busy(key: DiscussionKey) -> weakref.ref[Room]:
        room = await hub.enter(key)
        readers = [joined(room), joined(room, 0)]
        bus.publish(Message(key, EPOCH, tuple(script.add(made(script.head + 1)).events)))
        room.note_writing(readers[0].reader)
        await clock.go(1.5)
        for reader in readers:
            reader.end()
            reader.let_go()
        return weakref.ref(room)

    async def failing(key: DiscussionKey) -> weakref.ref[Room]:
        script.error = Problem(ErrorCode.unavailable, "The database does not answer.")
        entering = asyncio.create_task(hub.enter(key))
        await asyncio.sleep(0)
        room = weakref.ref(hub.rooms[key])
        await asyncio.wait([entering])
        assert isinstance(entering.exception(), Problem)
        script.error = None
        return room

    async def left(key: DiscussionKey) -> weakref.ref[Room]:
        script.free.clear()
        entering = asyncio.create_task(hub.enter(key))
        await asyncio.sleep(0)
        room = weakref.ref(hub.rooms[key])
        entering.cancel()
        await asyncio.wait([entering])
        script.free.set()
        return room

    gc.disable()
    try:
        rooms = [await way(DiscussionKey("default", way.__name__)) for way in (busy, failing, left)]
        await watched(clock, 60)
        assert hub.rooms == {}
        assert [room() for room in rooms] == [None] * 3
    finally:
        gc.enable()


async def test_a_thousand_rooms_come_and_go(clock: Clock, hub: Hub) -> None:
    async def come(count: int) -> None:
        for number in range(count):
            reader = joined(await hub.enter(DiscussionKey("default", str(number))))
            reader.end()
            reader.let_go()
        await watched(clock, 60)

    def living() -> Counter[str]:
        kinds = {Room, Tail, RoomPresence, Reader, asyncio.Task}
        return Counter(type(one).__name__ for one in gc.get_objects() if type(one) in kinds)

    gc.disable()
    try:
        await come(1)
        before = living()
        await come(1_000)
        assert living() == before
    finally:
        gc.enable()


# ---- the watch ------------------------------------------------------------------------------------------


async def test_a_last_message_that_is_lost_is_missed(clock: Clock, hub: Hub, script: Script) -> None:
    room = await hub.enter(KEY)
    reader = joined(room)
    script.add(made(3), made(4))  # and nobody is told
    await settled()
    assert reader.seqs == []
    await watched(clock, 5)
    assert reader.seqs == [3, 4]


async def test_a_comparison_that_finds_nothing_reads_nothing(clock: Clock, hub: Hub, script: Script) -> None:
    joined(await hub.enter(KEY))
    await watched(clock, 100)
    assert script.fills == []


async def test_the_watch_goes_on_after_an_error(clock: Clock, hub: Hub, script: Script) -> None:
    room = await hub.enter(KEY)
    reader = joined(room)
    script.error = OSError("no disk")
    script.add(made(3))
    await watched(clock, 20)
    assert room.head == 2
    script.error = None
    await watched(clock, 5)
    assert reader.seqs == [3]


async def test_a_room_behind_a_comparison_is_left_alone(hub: Hub, bus: MemoryBus, script: Script) -> None:
    """The heads that were read may be older than what the room heard meanwhile."""
    room = await hub.enter(KEY)
    bus.publish(said(made(3)))
    await hub.compare()
    await settled()
    assert (room.head, script.fills) == (3, [])


async def test_time_passes_in_all_rooms(clock: Clock, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats come, also where the tick of another room fails."""
    broken, room, other = await hub.enter(DiscussionKey("default", "a")), await hub.enter(KEY), await hub.enter(OTHER)
    monkeypatch.setattr(broken, "tick", lambda: 1 / 0)
    readers = [joined(room), joined(other)]
    for _ in range(30):
        await clock.go(1.01)
    for reader in readers:
        assert reader.of("heartbeat") != []


async def test_a_store_that_is_away_is_told_once_each_time(
    clock: Clock, hub: Hub, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    reader = joined(await hub.enter(KEY))
    for times in (1, 2):
        script.error = Problem(ErrorCode.unavailable, "The database does not answer; try again.")
        await watched(clock, 30)
        told = [record for record in caplog.records if record.getMessage() == "The rooms wait for the database"]
        assert len(told) == times
        script.error = None
        script.add(made(2 + times))
        await watched(clock, 5)
        assert reader.seqs[-1] == 2 + times
    assert not any(record.exc_info for record in caplog.records)


# ---- doubt ----------------------------------------------------------------------------------------------


class DoubtfulBus(MemoryBus):
    """Doubts when it is told to."""

    def set_handlers(self, handlers: BusHandlers) -> None:
        self.on_gap, self.on_hint = handlers.on_gap, handlers.on_hint


@pytest.fixture
async def doubtful(script: Script) -> DoubtfulBus:
    return DoubtfulBus()


@pytest.fixture
async def doubting(clock: Clock, script: Script, doubtful: DoubtfulBus) -> AsyncIterator[Hub]:
    hub = Hub(doubtful, EPOCH, script.fetch, script.heads, Rates(BUSY, BUSY))
    hub.start()
    yield hub
    await hub.close()


async def test_in_doubt_a_lost_message_is_missed_sooner(
    clock: Clock, doubting: Hub, doubtful: DoubtfulBus, script: Script
) -> None:
    reader = joined(await doubting.enter(KEY))
    for seq, doubt, seqs in ((3, False, []), (4, True, [3, 4]), (5, True, [3, 4, 5]), (6, False, [3, 4, 5])):
        doubtful.is_degraded = doubt
        script.add(made(seq))
        await settled()
        await clock.go(hubs.DOUBT_SECONDS + 0.01)
        assert reader.seqs == seqs


async def test_a_hint_is_followed_at_once_and_a_flood_of_them_no_faster(
    clock: Clock, doubting: Hub, doubtful: DoubtfulBus, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever publishes on Redis makes the store be asked no more often than this, and nobody be told anything."""
    room, other = await doubting.enter(KEY), await doubting.enter(OTHER)
    reader = joined(room)
    asked: list[set[DiscussionKey]] = []

    async def heads(keys: Iterable[DiscussionKey]) -> dict[DiscussionKey, int]:
        asked.append(set(keys))
        return await script.heads(keys)

    monkeypatch.setattr(doubting, "_heads", heads)
    script.add(made(3))
    doubtful.on_hint(KEY)
    await settled()
    assert (asked, reader.seqs) == ([{KEY}], [3]), "the clock stands still"
    for number in range(1000):
        doubtful.on_hint((KEY, OTHER)[number % 2])
        doubtful.on_hint(DiscussionKey("nobody", f"reads {number}"))
        if number % 100 == 0:
            await settled()
    assert asked == [{KEY}]
    await clock.go(hubs.HINT_SECONDS)
    assert asked == [{KEY}, {KEY, OTHER}]
    await clock.go(hubs.HINT_SECONDS)
    assert len(asked) == 2, "it is followed once"
    assert (other.head, doubting._hints) == (3, {})


async def test_what_may_be_missed_is_compared_at_once(doubting: Hub, doubtful: DoubtfulBus, script: Script) -> None:
    """The clock stands still."""
    room, other = await doubting.enter(KEY), await doubting.enter(OTHER)
    readers = joined(room), joined(other)
    script.add(made(3))
    doubtful.on_gap([KEY, DiscussionKey("x", "without a room")])
    await settled()
    assert [reader.seqs for reader in readers] == [[3], []]
    doubtful.on_gap([OTHER])
    await settled()
    assert [reader.seqs for reader in readers] == [[3], [3]]


async def test_much_that_is_missed_is_few_queries(
    doubting: Hub, doubtful: DoubtfulBus, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[DiscussionKey]] = []
    free = asyncio.Event()

    async def heads(keys: Iterable[DiscussionKey]) -> dict[DiscussionKey, int]:
        asked.append(list(keys))
        await free.wait()
        return {}

    monkeypatch.setattr(doubting, "_heads", heads)
    keys = [DiscussionKey("default", str(number)) for number in range(50)]
    for key in keys:
        await doubting.enter(key)
    doubtful.on_gap(keys[:1])
    await settled()
    for key in keys * 2:
        doubtful.on_gap([key])
        await settled()
    free.set()
    await settled()
    assert asked == [keys[:1], keys]


async def test_what_is_missed_during_an_error_is_not_forgotten(
    clock: Clock, doubting: Hub, doubtful: DoubtfulBus, script: Script
) -> None:
    reader = joined(await doubting.enter(KEY))
    script.error = OSError("no disk")
    script.add(made(3))
    doubtful.on_gap([KEY])
    await settled()
    script.error = None
    doubtful.on_gap([KEY])
    await settled()
    assert reader.seqs == [3]


async def test_a_room_that_is_missed_while_it_opens_is_compared(
    doubting: Hub, doubtful: DoubtfulBus, script: Script
) -> None:
    script.free.clear()
    entering = asyncio.create_task(doubting.enter(KEY))
    await settled()
    script.add(made(3))  # after the head was read, and before the subscription held
    doubtful.on_gap([KEY])
    await settled()
    script.free.set()
    room = await entering
    await settled()
    assert room.head == 3


# ---- draining -------------------------------------------------------------------------------------------


async def test_all_are_told_of_the_restart(hub: Hub) -> None:
    readers = [joined(await hub.enter(key)) for key in (KEY, OTHER) for _ in range(3)]
    assert not hub.draining
    await hub.drain(0)
    assert hub.draining
    assert [reader.closing for reader in readers] == [CloseCode.restarting] * 6
    assert (hub.readers(KEY), hub.readers(OTHER)) == (0, 0)


async def test_they_are_told_one_after_the_other(clock: Clock, hub: Hub) -> None:
    """So that they do not all come back in the same moment."""
    readers = [joined(await hub.enter(KEY)) for _ in range(100)]
    draining = asyncio.create_task(hub.drain(2))
    told = []
    for _ in range(20):
        await settled()
        told.append(sum(reader.closing is CloseCode.restarting for reader in readers))
        await clock.go(0.101)
    assert told == list(range(5, 101, 5))
    await draining


async def test_a_drain_without_readers_takes_no_time(hub: Hub) -> None:
    """The clock stands still."""
    await hub.enter(KEY)
    await hub.drain(60)
    reader = joined(await hub.enter(KEY))
    draining = asyncio.create_task(hub.drain(60))
    await settled()
    assert reader.closing is CloseCode.restarting
    assert draining.done()
