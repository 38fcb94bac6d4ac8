"""The hub: one room a discussion, none for longer than it is wanted, and no silence that goes unnoticed."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from tertulia.bus import BusHandlers, Message
from tertulia.bus.memory import MemoryBus
from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode, ErrorCode, Problem
from tertulia.live.backlog import Backlog, Cursor
from tertulia.live.hub import Hub
from tertulia.live.presence import RoomPresence
from tertulia.live.reader import Reader
from tertulia.live.room import Room
from tertulia.live.tuning import DEGRADED_SECONDS, RECONCILE_SECONDS, UNVERIFIED_SECONDS, Tuning
from tests.live.fakes import EPOCH, KEY, NEVER_BUSY, FakeStore, created_event, join, join_discussion, message_of
from tests.live.loop import Clock, run_until_idle

OTHER = DiscussionKey("default", "other")


@pytest.fixture
async def store() -> FakeStore:
    return FakeStore(created_event(seq=1), created_event(seq=2))


@pytest.fixture
async def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
def tuning() -> Tuning:
    return Tuning()


@pytest.fixture
async def hub(clock: Clock, store: FakeStore, bus: MemoryBus, tuning: Tuning) -> AsyncIterator[Hub]:
    hub = Hub(bus, EPOCH, store.read_log, store.latest_seqs, NEVER_BUSY, tuning)
    hub.start()
    yield hub
    await hub.close()


async def watched(clock: Clock, seconds: float) -> None:
    """Lets the watch go round for so long."""
    for _ in range(int(seconds / RECONCILE_SECONDS)):
        await clock.advance(RECONCILE_SECONDS + 0.01)


async def test_all_readers_of_a_discussion_are_in_one_room(hub: Hub) -> None:
    found = await asyncio.gather(*(hub.enter(KEY) for _ in range(10)))
    assert len(set(found)) == 1
    assert await hub.enter(OTHER) not in found
    assert set(hub.rooms) == {KEY, OTHER}
    for room in found:
        join(room)
    assert (hub.readers(KEY), hub.readers(OTHER), hub.readers(DiscussionKey("x", "x"))) == (10, 0, 0)


async def test_a_room_hears_its_own_discussion(hub: Hub, bus: MemoryBus, store: FakeStore) -> None:
    room, other = await hub.enter(KEY), await hub.enter(OTHER)
    bus.publish(store.commit(created_event(seq=3)))
    assert (room.head, other.head) == (3, 2)


async def test_recent_is_what_a_warm_room_has(hub: Hub, bus: MemoryBus, store: FakeStore) -> None:
    assert hub.recent(KEY, 2) is None
    join(await hub.enter(KEY))
    bus.publish(store.commit(created_event(seq=3), created_event(seq=4)))
    assert hub.recent(KEY, 1) is None
    assert hub.recent(KEY, 2) == (4, store.events[2:])
    assert hub.recent(KEY, 4) == (4, [])
    assert hub.recent(KEY, 5) is None


async def test_who_knows_more_than_the_room_goes_on(hub: Hub, store: FakeStore) -> None:
    """Another instance committed it, and its message is late: the reader is no reason to begin again."""
    early = join(await hub.enter(KEY))
    store.commit(created_event(seq=3), created_event(seq=4), created_event(seq=5))  # and nobody is told
    reader = await join_discussion(hub, KEY, Cursor(EPOCH, 4))
    await run_until_idle()
    assert (reader.of_type("reset"), reader.seqs) == ([], [5])
    assert early.seqs == [3, 4, 5]


async def test_who_knows_more_than_there_is_begins_again(hub: Hub, store: FakeStore) -> None:
    reader = await join_discussion(hub, KEY, Cursor(EPOCH, 9))
    assert reader.of_type("reset") == [{"type": "reset", "epoch": EPOCH, "seq": 2}]
    assert store.log_reads == []


async def test_a_store_that_is_away_makes_nobody_begin_again(hub: Hub, store: FakeStore) -> None:
    join(await hub.enter(KEY))
    store.error = Problem(ErrorCode.unavailable, "The database does not answer.")
    with pytest.raises(Problem):
        await hub.enter(KEY, Cursor(EPOCH, 3))


# ---- rooms come and go ----------------------------------------------------------------------------------


async def test_an_empty_room_stays_warm_for_a_while_and_goes(
    clock: Clock, hub: Hub, bus: MemoryBus, store: FakeStore
) -> None:
    room = await hub.enter(KEY)
    reader = join(room)
    await watched(clock, 60)
    assert hub.rooms == {KEY: room}
    reader.disconnect()
    await watched(clock, 25)
    assert hub.rooms == {KEY: room}
    await watched(clock, 15)
    assert hub.rooms == {}
    bus.publish(store.commit(created_event(seq=3)))
    assert room.head == 2, "nobody listens any more"


async def test_who_comes_back_in_time_finds_the_room_warm(clock: Clock, hub: Hub, store: FakeStore) -> None:
    room = await hub.enter(KEY)
    for _ in range(4):
        join(room).disconnect()
        await watched(clock, 20)
        assert await hub.enter(KEY) is room
        reader = join(room)
        await watched(clock, 60)
        reader.disconnect()
    assert len(store.reads) == 1


async def test_a_room_that_nobody_came_into_goes_too(clock: Clock, hub: Hub, store: FakeStore) -> None:
    """A reader may leave while its room opens."""
    store.hold()
    entering = [asyncio.create_task(hub.enter(DiscussionKey("default", str(number)))) for number in range(20)]
    await run_until_idle()
    for task in entering:
        task.cancel()
    await run_until_idle()
    store.release()
    await watched(clock, 60)
    assert hub.rooms == {}


async def test_a_room_that_could_not_open_goes_too(clock: Clock, hub: Hub, store: FakeStore) -> None:
    store.error = Problem(ErrorCode.unknown_site, "There is no such site.")
    with pytest.raises(Problem):
        await hub.enter(KEY)
    store.error = None
    await watched(clock, 60)
    assert hub.rooms == {}
    assert (await hub.enter(KEY)).head == 2


async def test_a_hub_that_is_closed_has_no_rooms(hub: Hub, bus: MemoryBus, store: FakeStore) -> None:
    room = await hub.enter(KEY)
    await hub.close()
    bus.publish(store.commit(created_event(seq=3)))
    assert (hub.rooms, room.head) == ({}, 2)


async def test_a_discussion_without_events_has_a_room_only_while_it_is_read(hub: Hub, store: FakeStore) -> None:
    store.events.clear()
    room = await hub.enter(KEY)
    first, second = join(room), join(room)
    first.disconnect()
    assert hub.rooms == {KEY: room}
    second.disconnect()
    assert hub.rooms == {}


async def test_so_it_is_where_nobody_came_in(clock: Clock, hub: Hub, store: FakeStore) -> None:
    store.events.clear()
    await hub.enter(KEY)
    await watched(clock, RECONCILE_SECONDS)
    assert hub.rooms == {}


async def test_a_room_that_nobody_waits_for_is_not_opened(hub: Hub, store: FakeStore) -> None:
    store.hold()
    waiting = [asyncio.create_task(hub.enter(KEY)) for _ in range(2)]
    await run_until_idle()
    waiting[0].cancel()
    await run_until_idle()
    assert set(hub.rooms) == {KEY}
    waiting[1].cancel()
    await run_until_idle()
    assert hub.rooms == {}


async def test_a_room_that_cannot_open_is_not_kept(hub: Hub, store: FakeStore) -> None:
    store.error = Problem(ErrorCode.unavailable, "The database does not answer.")
    found = await asyncio.gather(*(hub.enter(KEY) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [Problem] * 3
    assert hub.rooms == {}


@pytest.mark.parametrize("tuning", [Tuning(empty_rooms=3)], ids=["three"])
async def test_so_many_empty_rooms_are_kept(hub: Hub) -> None:
    """Those that are read are not counted; the one that has been empty longest goes."""
    keys = [DiscussionKey("default", str(number)) for number in range(8)]
    readers = [join(await hub.enter(key)) for key in keys]
    assert set(hub.rooms) == set(keys)
    for number in (2, 0, 1):
        readers[number].disconnect()
    again = join(await hub.enter(keys[2]))
    for number in (3, 4):
        readers[number].disconnect()
    assert set(hub.rooms) == {*keys} - {keys[0]}
    again.disconnect()
    assert set(hub.rooms) == {keys[2], *keys[3:]}


# ---- what is gone is free -------------------------------------------------------------------------------


async def test_a_room_that_is_forgotten_is_free(clock: Clock, hub: Hub, bus: MemoryBus, store: FakeStore) -> None:
    """After all that a room does, however it ends."""

    async def busy(key: DiscussionKey) -> weakref.ref[Room]:
        room = await hub.enter(key)
        readers = [join(room), join(room, 0)]
        bus.publish(Message(key, EPOCH, tuple(store.commit(created_event(seq=store.head + 1)).events)))
        room.on_writing(readers[0].reader)
        await clock.advance(1.5)
        for reader in readers:
            reader.disconnect()
            reader.unlink()
        return weakref.ref(room)

    async def failing(key: DiscussionKey) -> weakref.ref[Room]:
        store.error = Problem(ErrorCode.unavailable, "The database does not answer.")
        entering = asyncio.create_task(hub.enter(key))
        await asyncio.sleep(0)
        room = weakref.ref(hub.rooms[key])
        await asyncio.wait([entering])
        assert isinstance(entering.exception(), Problem)
        store.error = None
        return room

    async def left(key: DiscussionKey) -> weakref.ref[Room]:
        store.hold()
        entering = asyncio.create_task(hub.enter(key))
        await asyncio.sleep(0)
        room = weakref.ref(hub.rooms[key])
        entering.cancel()
        await asyncio.wait([entering])
        store.release()
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
            reader = join(await hub.enter(DiscussionKey("default", str(number))))
            reader.disconnect()
            reader.unlink()
        await watched(clock, 60)

    def living() -> Counter[str]:
        kinds = {Room, Backlog, RoomPresence, Reader, asyncio.Task}
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


async def test_a_last_message_that_is_lost_is_missed(clock: Clock, hub: Hub, store: FakeStore) -> None:
    room = await hub.enter(KEY)
    reader = join(room)
    store.commit(created_event(seq=3), created_event(seq=4))  # and nobody is told
    await run_until_idle()
    assert reader.seqs == []
    await watched(clock, 5)
    assert reader.seqs == [3, 4]


async def test_a_comparison_that_finds_nothing_reads_nothing(clock: Clock, hub: Hub, store: FakeStore) -> None:
    join(await hub.enter(KEY))
    await watched(clock, 100)
    assert store.log_reads == []


async def test_the_watch_goes_on_after_an_error(clock: Clock, hub: Hub, store: FakeStore) -> None:
    room = await hub.enter(KEY)
    reader = join(room)
    store.error = OSError("no disk")
    store.commit(created_event(seq=3))
    await watched(clock, 20)
    assert room.head == 2
    store.error = None
    await watched(clock, 5)
    assert reader.seqs == [3]


async def test_a_room_behind_a_comparison_is_left_alone(hub: Hub, bus: MemoryBus, store: FakeStore) -> None:
    """The heads that were read may be older than what the room heard meanwhile."""
    room = await hub.enter(KEY)
    bus.publish(message_of(created_event(seq=3)))
    await hub.reconcile()
    await run_until_idle()
    assert (room.head, store.log_reads) == (3, [])


async def test_time_passes_in_all_rooms(clock: Clock, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats come, also where the tick of another room fails."""
    broken, room, other = await hub.enter(DiscussionKey("default", "a")), await hub.enter(KEY), await hub.enter(OTHER)
    monkeypatch.setattr(broken, "tick", lambda: 1 / 0)
    readers = [join(room), join(other)]
    for _ in range(30):
        await clock.advance(1.01)
    for reader in readers:
        assert reader.of_type("heartbeat") != []


async def test_a_store_that_is_away_is_told_once_each_time(
    clock: Clock, hub: Hub, store: FakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    reader = join(await hub.enter(KEY))
    for times in (1, 2):
        store.error = Problem(ErrorCode.unavailable, "The database does not answer; try again.")
        await watched(clock, 30)
        logged = [record for record in caplog.records if record.getMessage() == "The rooms wait for the database"]
        assert len(logged) == times
        store.error = None
        store.commit(created_event(seq=2 + times))
        await watched(clock, 5)
        assert reader.seqs[-1] == 2 + times
    assert not any(record.exc_info for record in caplog.records)


# ---- a degraded bus ---------------------------------------------------------------------------------------


class DegradableBus(MemoryBus):
    """Is degraded when it is told to be, and hands out its handlers."""

    def set_handlers(self, handlers: BusHandlers) -> None:
        self.on_gap, self.on_unverified = handlers.on_gap, handlers.on_unverified


@pytest.fixture
async def degradable(store: FakeStore) -> DegradableBus:
    return DegradableBus()


@pytest.fixture
async def degradable_hub(clock: Clock, store: FakeStore, degradable: DegradableBus) -> AsyncIterator[Hub]:
    hub = Hub(degradable, EPOCH, store.read_log, store.latest_seqs, NEVER_BUSY)
    hub.start()
    yield hub
    await hub.close()


async def test_while_degraded_a_lost_message_is_missed_sooner(
    clock: Clock, degradable_hub: Hub, degradable: DegradableBus, store: FakeStore
) -> None:
    reader = join(await degradable_hub.enter(KEY))
    for seq, is_degraded, seqs in ((3, False, []), (4, True, [3, 4]), (5, True, [3, 4, 5]), (6, False, [3, 4, 5])):
        degradable.is_degraded = is_degraded
        store.commit(created_event(seq))
        await run_until_idle()
        await clock.advance(DEGRADED_SECONDS + 0.01)
        assert reader.seqs == seqs


async def test_an_unsigned_message_makes_it_look_at_once_and_a_flood_of_them_no_faster(
    clock: Clock, degradable_hub: Hub, degradable: DegradableBus, store: FakeStore
) -> None:
    """Whoever publishes on Redis makes the store be asked no more often than this, and nobody be told anything."""
    room, other = await degradable_hub.enter(KEY), await degradable_hub.enter(OTHER)
    reader = join(room)
    store.commit(created_event(seq=3))
    degradable.on_unverified(KEY)
    await run_until_idle()
    assert (store.comparisons, reader.seqs) == ([[KEY]], [3]), "the clock stands still"
    for number in range(1000):
        degradable.on_unverified((KEY, OTHER)[number % 2])
        degradable.on_unverified(DiscussionKey("nobody", f"reads {number}"))
        if number % 100 == 0:
            await run_until_idle()
    assert store.comparisons == [[KEY]]
    await clock.advance(UNVERIFIED_SECONDS)
    assert store.comparisons == [[KEY], [KEY, OTHER]]
    await clock.advance(UNVERIFIED_SECONDS)
    degradable.on_unverified(DiscussionKey("nobody", "reads this"))
    await run_until_idle()
    assert len(store.comparisons) == 2, "it is followed once, and what nobody reads not at all"
    assert other.head == 3


async def test_what_may_be_missed_is_compared_at_once(
    degradable_hub: Hub, degradable: DegradableBus, store: FakeStore
) -> None:
    """The clock stands still."""
    room, other = await degradable_hub.enter(KEY), await degradable_hub.enter(OTHER)
    readers = join(room), join(other)
    store.commit(created_event(seq=3))
    degradable.on_gap([KEY, DiscussionKey("x", "without a room")])
    await run_until_idle()
    assert [reader.seqs for reader in readers] == [[3], []]
    degradable.on_gap([OTHER])
    await run_until_idle()
    assert [reader.seqs for reader in readers] == [[3], [3]]


async def test_much_that_is_missed_is_few_queries(
    degradable_hub: Hub, degradable: DegradableBus, store: FakeStore
) -> None:
    store.hold_comparisons()
    keys = [DiscussionKey("default", str(number)) for number in range(50)]
    for key in keys:
        await degradable_hub.enter(key)
    degradable.on_gap(keys[:1])
    await run_until_idle()
    for key in keys * 2:
        degradable.on_gap([key])
        await run_until_idle()
    store.release()
    await run_until_idle()
    assert store.comparisons == [keys[:1], keys]


async def test_what_is_missed_during_an_error_is_not_forgotten(
    clock: Clock, degradable_hub: Hub, degradable: DegradableBus, store: FakeStore
) -> None:
    reader = join(await degradable_hub.enter(KEY))
    store.error = OSError("no disk")
    store.commit(created_event(seq=3))
    degradable.on_gap([KEY])
    await run_until_idle()
    store.error = None
    degradable.on_gap([KEY])
    await run_until_idle()
    assert reader.seqs == [3]


async def test_a_room_that_is_missed_while_it_opens_is_compared(
    degradable_hub: Hub, degradable: DegradableBus, store: FakeStore
) -> None:
    store.hold()
    entering = asyncio.create_task(degradable_hub.enter(KEY))
    await run_until_idle()
    store.commit(created_event(seq=3))  # after the head was read, and before the subscription held
    degradable.on_gap([KEY])
    await run_until_idle()
    store.release()
    room = await entering
    await run_until_idle()
    assert room.head == 3


# ---- draining -------------------------------------------------------------------------------------------


async def test_all_are_told_of_the_restart(hub: Hub) -> None:
    readers = [join(await hub.enter(key)) for key in (KEY, OTHER) for _ in range(3)]
    assert not hub.draining
    await hub.drain(0)
    assert hub.draining
    assert [reader.closing for reader in readers] == [CloseCode.restarting] * 6
    assert (hub.readers(KEY), hub.readers(OTHER)) == (0, 0)


async def test_they_are_told_one_after_the_other(clock: Clock, hub: Hub) -> None:
    """So that they do not all come back in the same moment."""
    readers = [join(await hub.enter(KEY)) for _ in range(100)]
    draining = asyncio.create_task(hub.drain(2))
    closed = []
    for _ in range(20):
        await run_until_idle()
        closed.append(sum(reader.closing is CloseCode.restarting for reader in readers))
        await clock.advance(0.101)
    assert closed == list(range(5, 101, 5))
    await draining


async def test_a_drain_without_readers_takes_no_time(hub: Hub) -> None:
    """The clock stands still."""
    await hub.enter(KEY)
    await hub.drain(60)
    reader = join(await hub.enter(KEY))
    draining = asyncio.create_task(hub.drain(60))
    await run_until_idle()
    assert reader.closing is CloseCode.restarting
    assert draining.done()
