"""A room: whatever is heard, each reader is given every event once, in order, and nothing that was taken back."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator

import pytest

from tertulia.bus import Message
from tertulia.bus.memory import MemoryBus
from tertulia.errors import CloseCode
from tertulia.live import backlog as backlogs
from tertulia.live import room as rooms
from tertulia.live.backlog import MAX_FRAME_BYTES
from tertulia.live.presence import Headcount
from tertulia.live.rate import CALM_SECONDS, DeliveryMode, DeliveryRate
from tertulia.live.room import STALL_SECONDS, Cursor, Room
from tertulia.live.stats import LiveStats
from tertulia.live.summary import SHOWN
from tertulia.protocol import EVENTS_PAGE, HEARTBEAT_SECONDS
from tests.live.script import BUSY, EPOCH, KEY, Clock, Follower, Script, deletion, joined, made, opened, said, settled


@pytest.fixture
async def script() -> Script:
    return Script(made(1), made(2), made(3))


@pytest.fixture
async def room(script: Script) -> AsyncIterator[Room]:
    room = await opened(script)
    yield room
    await room.close()


# ---- where a reader begins ------------------------------------------------------------------------------


@pytest.mark.parametrize("after", range(4))
async def test_a_reader_is_given_what_it_missed_and_then_what_comes(room: Room, script: Script, after: int) -> None:
    reader = joined(room, after)
    assert reader.heard[0] == {
        "type": "hello", "epoch": EPOCH, "seq": 3, "heartbeat": HEARTBEAT_SECONDS, "readers": 1,
    }  # fmt: skip
    await settled()
    assert reader.seqs == list(range(after + 1, 4))
    for seq in range(4, 7):
        room.receive(script.add(made(seq)))
        await settled()
        assert reader.seqs == list(range(after + 1, seq + 1))
        assert reader.reader.cursor == seq
    assert reader.of("reset") == []


@pytest.mark.parametrize("epoch", [None, EPOCH])
async def test_without_a_seq_it_begins_at_the_head(room: Room, script: Script, epoch: str | None) -> None:
    reader = Follower(room, Cursor(epoch, None))
    assert [message["type"] for message in reader.heard] == ["hello"]
    room.receive(script.add(made(4)))
    await settled()
    assert reader.batches == [[4]]


@pytest.mark.parametrize(
    ("epoch", "after"),
    [("epoch-two", 0), ("epoch-two", 3), ("epoch-two", None), (None, 3), (EPOCH, 4), (EPOCH, 2**53)],
)
async def test_a_cursor_that_cannot_be_continued_is_reset(
    room: Room, script: Script, epoch: str | None, after: int | None
) -> None:
    reader = Follower(room, Cursor(epoch, after))
    assert reader.heard[1:] == [{"type": "reset", "epoch": EPOCH, "seq": 3}]
    assert reader.frames[1].seq == 3
    room.receive(script.add(made(4)))
    await settled()
    assert reader.batches == [[4]]


async def test_events_come_with_what_they_say(room: Room, script: Script) -> None:
    reader = joined(room, 0)
    await settled()
    payloads = ",".join(event.payload for event in script.events)
    assert f'{{"type":"events","events":[{payloads}]}}' in reader.raw


# ---- what continues, what does not ----------------------------------------------------------------------


async def test_what_continues_is_passed_on_without_reading(room: Room, script: Script) -> None:
    readers = [joined(room) for _ in range(3)]
    room.receive(script.add(made(4), made(5)))
    room.receive(script.add(made(6)))
    assert room.head == 6
    await settled()
    assert [reader.batches for reader in readers] == [[[4, 5, 6]]] * 3
    assert script.fills == []


async def test_readers_at_one_place_share_one_frame(room: Room, script: Script) -> None:
    readers = [joined(room) for _ in range(3)]
    room.receive(script.add(*(made(seq) for seq in range(4, 10))))
    await settled()
    frames = [next(frame for frame in reader.frames if frame.seq == 9) for reader in readers]
    assert all(frame is frames[0] for frame in frames)
    assert all(frame.deflated is frames[0].deflated for frame in frames)


async def test_a_gap_is_read_once_for_all_readers(room: Room, script: Script) -> None:
    readers = [joined(room) for _ in range(5)]
    script.add(made(4), made(5))
    room.receive(script.add(made(6)))
    room.receive(script.add(made(7)))
    await settled()
    assert script.fills == [(3, EVENTS_PAGE)]
    assert [reader.seqs for reader in readers] == [[4, 5, 6, 7]] * 5


async def test_a_gap_inside_a_message_is_read(room: Room, script: Script) -> None:
    reader = joined(room)
    script.add(made(4), made(5), made(6))
    room.receive(said(made(4), made(6)))
    await settled()
    assert reader.seqs == [4, 5, 6]


async def test_a_gap_longer_than_a_page_is_read_page_by_page(
    room: Room, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "EVENTS_PAGE", 4)
    reader = joined(room)
    script.add(*(made(seq) for seq in range(4, 14)))
    room.catch_up_to(13)
    await settled()
    assert script.fills == [(3, 4), (7, 4), (11, 4)]
    assert reader.seqs == list(range(4, 14))


async def test_what_is_known_is_dropped(room: Room, script: Script) -> None:
    reader = joined(room)
    first, second = script.add(made(4), made(5)), script.add(made(6))
    for message in (first, first, second, first, said(made(5), made(6)), said(made(1)), second):
        room.receive(message)
        await settled()
    assert reader.batches == [[4, 5], [6]]
    assert script.fills == []


async def test_a_message_that_is_half_known_gives_the_rest(room: Room, script: Script) -> None:
    reader = joined(room)
    script.add(made(4), made(5), made(6))
    room.receive(said(made(4), made(5)))
    await settled()
    room.receive(said(made(4), made(5), made(6)))
    await settled()
    assert reader.batches == [[4, 5], [6]]
    assert script.fills == []


@pytest.mark.parametrize("order", list(itertools.permutations((4, 5, 6, 7)))[1:])
async def test_messages_in_any_order(room: Room, script: Script, order: tuple[int, ...]) -> None:
    reader = joined(room)
    script.add(*(made(seq) for seq in (4, 5, 6, 7)))
    for seq in order:
        room.receive(said(made(seq)))
        await asyncio.sleep(0)
    await settled()
    assert reader.seqs == [4, 5, 6, 7]


async def test_messages_that_are_heard_while_a_gap_is_read(room: Room, script: Script) -> None:
    reader = joined(room)
    script.free.clear()
    script.add(made(4))
    room.receive(script.add(made(5)))
    await settled()
    room.receive(said(made(4)))
    room.receive(script.add(made(6)))
    room.receive(script.add(made(7)))
    await settled()
    assert reader.seqs == [4]
    script.free.set()
    await settled()
    assert reader.seqs == [4, 5, 6, 7]


async def test_another_epoch_is_never_passed_on(room: Room, script: Script) -> None:
    reader = joined(room)
    foreign = made(4, text="of another database")
    room.receive(said(foreign, epoch="epoch-two"))
    await settled()
    assert (room.head, reader.seqs) == (3, [])
    script.add(made(4))
    room.receive(said(foreign, epoch="epoch-two"))
    await settled()
    assert reader.seqs == [4]
    assert "another database" not in "".join(reader.raw)


async def test_a_hint_makes_the_room_read(room: Room, script: Script) -> None:
    reader = joined(room)
    script.add(made(4), made(5))
    room.receive(Message(KEY, EPOCH, (), reached=5))
    room.receive(Message(KEY, EPOCH, (), reached=5))
    await settled()
    assert reader.seqs == [4, 5]
    room.receive(Message(KEY, EPOCH, (), reached=4))
    room.receive(script.add(made(6)))
    await settled()
    assert (reader.seqs, script.fills) == ([4, 5, 6], [(3, EVENTS_PAGE)])


async def test_a_hint_may_be_of_a_removal(room: Room, script: Script) -> None:
    """What is read while it comes may be older than the removal, and is read again."""
    reader = joined(room)
    script.add(made(4, text="to be removed"))
    script.free.clear()
    room.catch_up_to(4)
    await settled()
    script.add(made(5, "comment.removed", 4))
    room.receive(Message(KEY, EPOCH, (), reached=5))
    script.free.set()
    script.free.clear()  # one read ends, the next has to wait
    await settled()
    script.free.set()
    await settled()
    assert reader.seqs == [4, 5]
    assert "to be removed" not in "".join(reader.raw)


async def test_what_was_announced_and_is_nowhere_is_given_up(room: Room, script: Script) -> None:
    reader = joined(room)
    room.catch_up_to(9)
    await settled()
    assert script.fills == [(3, EVENTS_PAGE)]
    room.receive(script.add(made(4)))
    await settled()
    assert reader.seqs == [4]


async def test_a_gap_that_cannot_be_read_is_read_when_it_can(room: Room, script: Script) -> None:
    reader = joined(room)
    script.error = OSError("no disk")
    script.add(made(4))
    room.receive(script.add(made(5)))
    await settled()
    assert (room.head, reader.seqs) == (3, [])
    script.error = None
    room.catch_up_to(5)
    await settled()
    assert reader.seqs == [4, 5]


async def test_random_losses_repeats_pauses_and_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """With readers that come and go, in slices of two, over a tail that holds little."""
    monkeypatch.setattr(rooms, "SLICE", 2)
    monkeypatch.setattr(backlogs, "MAX_EVENTS", 8)
    monkeypatch.setattr(backlogs, "MAX_FRAMES", 6)
    for seed in range(40):
        chance = random.Random(seed)
        script = Script()
        room = await opened(script)
        readers = [joined(room) for _ in range(7)]
        begins = [0] * len(readers)
        pending = []
        for seq in range(1, 60):
            pending.append(script.add(made(seq)))
            while pending and chance.random() < 0.6:
                message = pending.pop(chance.randrange(len(pending)))
                for _ in range(chance.choice((0, 1, 1, 2))):
                    room.receive(message)
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
                reader = chance.choice(readers)
                if reader.reader.paused:
                    reader.reader.resume()
                elif chance.random() < 0.5:
                    reader.reader.pause()
            if chance.random() < 0.1:
                readers.append(joined(room, room.head // 2))
                begins.append(room.head // 2)
            if chance.random() < 0.1 and len(readers) > 3:
                readers[0].end()
                del readers[0], begins[0]
        room.catch_up_to(script.head)
        await settled()
        for reader in readers:
            if reader.reader.paused:
                reader.reader.resume()
        await settled()
        for reader, begin in zip(readers, begins, strict=True):
            assert reader.seqs == list(range(begin + 1, 60)), seed
        await room.close()


# ---- opening --------------------------------------------------------------------------------------------


def closed_room(script: Script) -> Room:
    return Room(KEY, EPOCH, MemoryBus(), script.fetch, DeliveryRate(BUSY, BUSY), script.emptied.append, LiveStats())


async def test_a_room_begins_at_the_head(room: Room) -> None:
    assert (room.head, room.is_open) == (3, True)
    assert (room.recent(3), room.recent(2), room.recent(4)) == ([], None, None)


async def test_many_that_wait_open_it_once(script: Script) -> None:
    room = closed_room(script)
    await asyncio.gather(*(room.ready() for _ in range(20)))
    assert len(script.asked) == 1


async def test_what_is_heard_while_it_opens_is_not_lost(script: Script) -> None:
    script.free.clear()
    room = closed_room(script)
    opening = asyncio.create_task(room.ready())
    await settled()
    room.receive(script.add(made(4)))
    room.receive(script.add(made(5)))
    script.free.set()
    await opening
    reader = joined(room, 3)
    room.receive(script.add(made(6)))
    await settled()
    assert reader.seqs == [4, 5, 6]
    await room.close()


async def test_an_old_message_that_is_heard_while_it_opens_is_not_the_head(script: Script) -> None:
    script.free.clear()
    room = closed_room(script)
    opening = asyncio.create_task(room.ready())
    await settled()
    room.receive(said(made(1)))
    script.free.set()
    await opening
    readers = [joined(room, after) for after in range(4)]
    await settled()
    assert [reader.seqs for reader in readers] == [[1, 2, 3], [2, 3], [3], []]
    await room.close()


async def test_who_goes_while_it_opens_does_not_stop_the_others(script: Script) -> None:
    script.free.clear()
    room = closed_room(script)
    first, second = asyncio.create_task(room.ready()), asyncio.create_task(room.ready())
    await settled()
    first.cancel()
    await settled()
    script.free.set()
    await second
    assert first.cancelled()
    assert room.is_open


async def test_a_room_that_cannot_open_tries_again_for_the_next(script: Script) -> None:
    script.error = OSError("no disk")
    room = closed_room(script)
    with pytest.raises(OSError, match="no disk"):
        await room.ready()
    assert not room.is_open
    assert room.recent(0) is None
    script.error = None
    await room.ready()
    assert room.head == 3


# ---- what was taken back --------------------------------------------------------------------------------


async def test_a_removal_takes_the_text_out_of_the_log(room: Room, script: Script) -> None:
    early = joined(room, 3)
    room.receive(script.add(made(4), made(5), made(6, "comment.edited", 4), made(7, "comment.voted", 4)))
    await settled()
    assert "text-4" in "".join(early.raw)
    room.receive(script.add(made(8, "comment.removed", 4)))
    late = joined(room, 3)
    await settled()
    assert early.seqs == late.seqs == [4, 5, 6, 7, 8]
    assert "text-4" not in "".join(late.raw)
    assert "name-4" not in "".join(late.raw)
    assert "text-5" in "".join(late.raw)
    replayed = room.recent(3)
    assert replayed is not None
    assert [event.payload for event in replayed] == [event.payload for event in script.events[3:]]


async def test_what_is_restored_is_shown_by_its_restoration_alone(room: Room, script: Script) -> None:
    removal = script.add(made(5, "comment.removed", 4))
    room.receive(script.add(made(4)))
    room.receive(removal)
    script.events.sort(key=lambda event: event.seq)
    room.receive(script.add(made(6, "comment.restored", 4)))
    room.receive(removal)  # late and twice
    replayed = room.recent(3)
    assert replayed is not None
    assert ["text-4" in event.payload for event in replayed] == [False, False, True]


@pytest.mark.parametrize("gap", [False, True])
async def test_a_removal_heard_while_history_is_read_is_minded(room: Room, script: Script, gap: bool) -> None:
    room.receive(script.add(*(made(seq) for seq in range(4, 10))))
    script.free.clear()
    reader = joined(room, 0)  # from before what the room keeps
    await settled()
    if gap:
        script.add(made(10))  # and nobody is told
    room.receive(script.add(made(script.head + 1, "comment.removed", 2)))
    await settled()
    script.free.set()
    await settled()
    assert reader.seqs == list(range(1, script.head + 1))
    assert "text-2" not in "".join(reader.raw)
    assert "text-3" in "".join(reader.raw)


async def test_a_removal_that_the_store_told_while_history_is_read_is_minded(script: Script) -> None:
    """The bus lost it: the repair finds it, while an older read is under way."""
    fetched: list[asyncio.Event] = []

    async def fetch(key: object, after: int, limit: int) -> object:
        head, found = await script.fetch(KEY, after, limit)
        if after == 0 and not fetched:
            fetched.append(asyncio.Event())
            await fetched[0].wait()
        return head, found

    room = Room(KEY, EPOCH, MemoryBus(), fetch, DeliveryRate(BUSY, BUSY), script.emptied.append, LiveStats())  # type: ignore[arg-type]
    await room.ready()
    reader = joined(room, 0)
    await settled()
    script.add(made(4, "comment.removed", 2))
    room.catch_up_to(4)
    await settled()
    assert room.head == 4
    fetched[0].set()
    await settled()
    assert reader.seqs == [1, 2, 3, 4]
    assert "text-2" not in "".join(reader.raw)
    await room.close()


async def test_a_removal_heard_while_a_gap_is_read_is_minded(room: Room, script: Script) -> None:
    reader = joined(room)
    script.free.clear()
    script.add(made(4))
    room.receive(script.add(made(5)))
    await settled()
    room.receive(script.add(made(6, "comment.removed", 4)))
    script.free.set()
    await settled()
    assert reader.seqs == [4, 5, 6]
    assert "text-4" not in "".join(reader.raw)


async def test_a_removal_heard_after_a_gap_is_minded_before_the_gap_is_read(room: Room, script: Script) -> None:
    room.receive(script.add(made(4)))
    before = joined(room, 3)
    assert "text-4" in "".join(before.raw)
    script.free.clear()
    script.add(made(5))
    room.receive(script.add(made(6, "comment.removed", 4)))
    after = joined(room, 3)
    await settled()
    assert after.seqs == [4]
    assert "text-4" not in "".join(after.raw)
    recent = room.recent(3)
    assert recent is not None
    assert all("text-4" not in event.payload for event in recent)
    script.free.set()
    await settled()
    assert after.seqs == before.seqs == [4, 5, 6]


async def test_a_removal_heard_between_slices_is_minded(
    room: Room, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "SLICE", 2)
    readers = [joined(room) for _ in range(6)]
    await settled()

    def remove() -> None:
        readers[1].on_write = lambda: None
        room.receive(script.add(made(5, "comment.removed", 4)))

    readers[1].on_write = remove
    room.receive(script.add(made(4)))
    await settled()
    assert [reader.seqs for reader in readers] == [[4, 5]] * 6
    assert ["text-4" in "".join(reader.raw) for reader in readers] == [True, True, False, False, False, False]


async def test_a_removal_heard_while_a_reader_is_paused_is_minded(room: Room, script: Script) -> None:
    reader = joined(room)
    reader.reader.pause()
    room.receive(script.add(made(4)))
    await settled()
    room.receive(script.add(made(5, "comment.removed", 4)))
    await settled()
    reader.reader.resume()
    assert reader.batches == [[4, 5]]
    assert "text-4" not in "".join(reader.raw)


async def test_a_removal_in_another_epoch_takes_nothing_out(room: Room, script: Script) -> None:
    """A database that was restored holds the same comments."""
    room.receive(script.add(made(4)))
    room.receive(said(made(9, "comment.removed", 4), epoch="epoch-two"))
    await settled()
    assert room.recent(3) == script.events[3:]


async def test_what_its_author_deleted_says_so(room: Room, script: Script) -> None:
    room.receive(script.add(made(4)))
    room.receive(said(deletion(5, 4)))
    replayed = room.recent(3)
    assert replayed is not None
    assert [json.loads(event.payload)["comment"]["state"] for event in replayed] == ["deleted", "deleted"]


# ---- what is kept ---------------------------------------------------------------------------------------


async def test_who_is_too_far_back_for_the_room_is_given_it_from_the_store(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlogs, "MAX_EVENTS", 8)
    monkeypatch.setattr(rooms, "EVENTS_PAGE", 5)
    room = await opened(script)
    for seq in range(4, 31):
        room.receive(script.add(made(seq)))
    assert room.head == 30
    readers = [joined(room, cursor) for cursor in range(31)]
    await settled()
    for cursor, reader in enumerate(readers):
        assert reader.seqs == list(range(cursor + 1, 31))
        recent = room.recent(cursor)
        if cursor < 22:
            assert recent is None
        else:
            assert recent is not None
            assert [event.seq for event in recent] == list(range(cursor + 1, 31))
    assert room.recent(31) is None
    await room.close()


async def test_a_thousand_at_one_place_are_one_read(room: Room, script: Script) -> None:
    script.free.clear()
    readers = [joined(room, 1) for _ in range(1000)]
    late = joined(room, 0)
    await settled()
    script.free.set()
    await settled()
    assert script.fills == [(1, EVENTS_PAGE), (0, EVENTS_PAGE)]
    assert all(reader.batches == [[2, 3]] for reader in readers)
    assert late.seqs == [1, 2, 3]
    frames = {id(frame) for reader in readers for frame in reader.frames if frame.seq == 3}
    assert len(frames) == 1
    again = joined(room, 1)
    assert again.seqs == [2, 3]
    assert len(script.fills) == 2, "it is still known what the store said"


async def test_history_that_cannot_be_read_ends_those_that_wait_for_it(room: Room, script: Script) -> None:
    script.error = OSError("no disk")
    waiting, there = joined(room, 0), joined(room, 3)
    await settled()
    assert (waiting.closing, there.closing) == (CloseCode.restarting, None)
    script.error = None
    again = joined(room, 0)
    await settled()
    assert again.seqs == [1, 2, 3]


async def test_what_the_store_has_before_the_room_is_not_sent_twice(room: Room, script: Script) -> None:
    script.free.clear()
    reader = joined(room, 0)
    script.add(made(4), made(5))
    script.free.set()
    await settled()
    assert reader.seqs == [1, 2, 3]
    room.receive(said(made(4)))
    room.receive(said(made(5)))
    await settled()
    assert reader.seqs == [1, 2, 3, 4, 5]


async def test_frames_are_of_bounded_size(room: Room, script: Script) -> None:
    events = [made(seq, text="x" * 10_000) for seq in range(4, 104)]
    there, late = joined(room), joined(room, 2)
    room.receive(script.add(*events))
    await settled()
    assert there.seqs == list(range(4, 104))
    assert late.seqs == list(range(3, 104))
    for reader in (there, late):
        assert max(len(frame.text) for frame in reader.frames) < MAX_FRAME_BYTES + 1000
        assert len(reader.batches) < 8


# ---- flushes and slices ---------------------------------------------------------------------------------


async def test_what_is_heard_during_a_flush_becomes_one_frame(
    room: Room, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "SLICE", 2)
    readers = [joined(room) for _ in range(6)]
    await settled()
    following = [made(5), made(6), made(7)]
    readers[1].on_write = lambda: room.receive(script.add(following.pop(0))) if following else None
    readers[3].on_write = readers[1].on_write
    room.receive(script.add(made(4)))
    await settled()
    assert [reader.seqs for reader in readers] == [[4, 5, 6, 7]] * 6
    assert readers[0].batches == [[4], [5, 6], [7]]


async def test_nothing_is_lost_or_doubled_between_slices(
    room: Room, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "SLICE", 2)
    readers = [joined(room) for _ in range(8)]
    came: list[Follower] = []
    await settled()

    def meanwhile() -> None:
        readers[1].on_write = lambda: None
        readers[0].end()  # has got it
        readers[3].end()  # has not
        readers[4].reader.pause()
        readers[5].reader.pause()
        readers[5].reader.resume()  # and is given it at once
        came.extend([joined(room), joined(room, 1)])

    readers[1].on_write = meanwhile
    room.receive(script.add(made(4)))
    await settled()
    assert [reader.seqs for reader in readers] == [[4], [4], [4], [], [], [4], [4], [4]]
    assert [reader.seqs for reader in came] == [[], [2, 3, 4]]
    room.receive(script.add(made(5)))
    await settled()
    readers[4].reader.resume()
    assert [reader.seqs for reader in readers] == [[4], [4, 5], [4, 5], [], [4, 5], [4, 5], [4, 5], [4, 5]]
    assert [reader.seqs for reader in came] == [[5], [2, 3, 4, 5]]


async def test_who_leaves_between_slices_is_told_nothing_more(
    clock: Clock, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "SLICE", 2)
    readers = [joined(room) for _ in range(6)]
    readers[1].on_write = readers[4].end
    await clock.go(1)
    assert [len(reader.of("presence")) for reader in readers] == [1, 1, 1, 1, 0, 1]
    assert readers[4].wrong == []


# ---- who is slow ----------------------------------------------------------------------------------------


async def test_who_is_paused_gets_nothing_and_then_one_batch(clock: Clock, room: Room, script: Script) -> None:
    reader, other = joined(room), joined(room)
    await clock.go(2)
    reader.reader.pause()
    heard = len(reader.heard)
    for seq in range(4, 9):
        room.receive(script.add(made(seq)))
        await settled()
    joined(room)
    room.on_writing(other.reader)
    await clock.go(HEARTBEAT_SECONDS + 1)
    room.tick()
    await settled()
    assert other.seqs == [4, 5, 6, 7, 8]
    assert other.of("heartbeat") != []
    assert len(reader.heard) == heard
    reader.reader.resume()
    assert reader.batches == [[4, 5, 6, 7, 8]]
    room.receive(script.add(made(9)))
    await settled()
    assert reader.batches[1:] == [[9]]


async def test_who_is_paused_by_what_it_is_given_gets_the_rest_later(room: Room, script: Script) -> None:
    reader = joined(room)
    reader.on_write = reader.reader.pause
    room.receive(script.add(*(made(seq, text="x" * 100_000) for seq in range(4, 12))))
    await settled()
    assert reader.batches == [[4, 5]]
    reader.reader.resume()
    assert reader.batches == [[4, 5], [6, 7]]
    assert reader.reader.paused
    reader.on_write = lambda: None
    reader.reader.resume()
    assert reader.seqs == list(range(4, 12))


async def test_who_is_paused_when_the_tail_has_gone_on_is_given_it_from_the_store(
    room: Room, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlogs, "MAX_EVENTS", 4)
    reader = joined(room)
    reader.reader.pause()
    for seq in range(4, 30):
        room.receive(script.add(made(seq)))
        await asyncio.sleep(0)
    await settled()
    assert script.fills == []
    reader.reader.resume()
    await settled()
    assert reader.batches == [list(range(4, 30))]
    assert script.fills == [(3, EVENTS_PAGE)]


async def ticked(clock: Clock, room: Room, seconds: float) -> None:
    for _ in range(int(seconds)):
        await clock.go(1)
        room.tick()
        await settled()


async def test_who_takes_nothing_is_ended(clock: Clock, room: Room, script: Script) -> None:
    stuck, other = joined(room), joined(room)
    stuck.waiting, stuck.lingers = 70_000, True
    stuck.reader.pause()
    await ticked(clock, room, STALL_SECONDS)
    assert [reader.closing for reader in (stuck, other)] == [None, None]
    await ticked(clock, room, 2)
    assert [reader.closing for reader in (stuck, other)] == [CloseCode.too_slow, None]
    assert room.presence.local() == Headcount(1, 0)
    room.receive(script.add(made(4)))
    await settled()
    assert (stuck.seqs, other.seqs) == ([], [4])


async def test_who_takes_a_little_is_not(clock: Clock, room: Room) -> None:
    slow = joined(room)
    slow.waiting = 70_000
    slow.reader.pause()
    for _ in range(10):
        await ticked(clock, room, STALL_SECONDS - 2)
        slow.waiting -= 10
    assert slow.closing is None
    await ticked(clock, room, STALL_SECONDS + 2)
    assert slow.closing is CloseCode.too_slow


async def test_who_pauses_again_is_counted_anew(clock: Clock, room: Room) -> None:
    reader = joined(room)
    reader.waiting = 70_000
    for _ in range(5):
        reader.reader.pause()
        await ticked(clock, room, STALL_SECONDS - 2)
        reader.reader.resume()
        await ticked(clock, room, 2)
    assert reader.closing is None


# ---- busy times -----------------------------------------------------------------------------------------


async def test_in_busy_times_events_come_in_ticks(clock: Clock, script: Script) -> None:
    room = await opened(script, tick_rate=5)
    reader, full = joined(room), joined(room, full=True)
    for seq in range(4, 14):
        room.receive(script.add(made(seq)))
    await settled()
    assert room.rate.mode is DeliveryMode.ticks
    assert (reader.batches, full.batches) == ([], [])
    room.receive(script.add(made(14)))
    await clock.go(rooms.TICK_SECONDS + 0.01)
    assert reader.batches == full.batches == [list(range(4, 15))]
    await ticked(clock, room, CALM_SECONDS + 3)
    room.receive(script.add(made(15)))
    await settled()
    assert reader.batches[1:] == [[15]]
    await room.close()


async def test_in_very_busy_times_readers_get_summaries_and_full_ones_everything(clock: Clock, script: Script) -> None:
    room = await opened(script, tick_rate=5, summary_rate=20)
    reader, full, paused = joined(room), joined(room, full=True), joined(room)
    paused.reader.pause()
    room.receive(script.add(*(made(seq) for seq in range(4, 44)), made(44, "comment.removed", 10)))
    await settled()
    await clock.go(rooms.TICK_SECONDS + 0.01)
    assert room.rate.mode is DeliveryMode.summaries
    assert full.batches == [list(range(4, 45))]
    [summary] = reader.of("summary")
    assert (summary["from"], summary["to"], summary["count"]) == (4, 44, 40)
    assert [event["seq"] for event in summary["events"]] == [*range(44 - SHOWN, 44), 44]
    assert (reader.batches, reader.reader.cursor, reader.frames[-1].seq) == ([], 44, 44)
    assert "text-10" not in "".join(reader.raw + full.raw)
    paused.reader.resume()
    assert paused.batches == [list(range(4, 45))]
    room.receive(script.add(made(45)))
    await settled()
    await clock.go(rooms.TICK_SECONDS + 0.01)
    assert [one.batches[-1] for one in (reader, full, paused)] == [[45]] * 3, "where nothing is left out"
    await room.close()


# ---- when nothing comes ---------------------------------------------------------------------------------


async def test_a_heartbeat_comes_after_25_seconds_of_silence(clock: Clock, room: Room, script: Script) -> None:
    reader = joined(room)
    await ticked(clock, room, 20)
    room.receive(script.add(made(4)))
    await settled()
    await ticked(clock, room, HEARTBEAT_SECONDS - 1)
    assert reader.of("heartbeat") == []
    await ticked(clock, room, 2)
    assert reader.of("heartbeat") == [{"type": "heartbeat", "seq": 4, "readers": 1}]
    await ticked(clock, room, HEARTBEAT_SECONDS)
    assert len(reader.of("heartbeat")) == 2


async def test_a_heartbeat_never_names_what_was_not_sent(
    clock: Clock, room: Room, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events may come at the very moment of the heartbeat: a seq above the last event's would look like a loss."""
    monkeypatch.setattr(rooms, "SLICE", 2)
    readers = [joined(room) for _ in range(8)]
    await clock.go(HEARTBEAT_SECONDS + 1)

    def meanwhile() -> None:
        readers[1].on_write = lambda: None
        room.receive(script.add(made(5)))
        room.tick()

    readers[1].on_write = meanwhile
    room.receive(script.add(made(4)))
    await settled()
    for reader in readers:
        assert reader.seqs == [4, 5]
        last = 3
        for message in reader.heard:
            if message["type"] == "events":
                last = message["events"][-1]["seq"]
            if message["type"] == "heartbeat":
                assert message["seq"] <= last
    assert any(reader.of("heartbeat") for reader in readers), "those who had it all were told"


# ---- who reads ------------------------------------------------------------------------------------------


async def test_presence_is_told_at_most_once_a_second(clock: Clock, room: Room) -> None:
    readers = [joined(room) for _ in range(5)]
    await settled()
    first = readers[0]
    assert room.presence.local() == Headcount(5, 0)
    assert first.of("presence") == [{"type": "presence", "readers": 5, "writing": 0}]
    for reader in readers[1:]:
        reader.end()
    late = joined(room)
    assert late.heard[0]["readers"] == 2
    await clock.go(0.9)
    assert len(first.of("presence")) == 1
    await clock.go(0.2)
    assert first.of("presence")[1:] == [{"type": "presence", "readers": 2, "writing": 0}]


async def test_presence_that_is_what_it_was_is_not_told(clock: Clock, room: Room) -> None:
    first = joined(room)
    await clock.go(2)
    for _ in range(3):
        joined(room).end()
    await clock.go(2)
    assert len(first.of("presence")) == 1


async def test_who_comes_when_another_goes_is_told_the_truth(clock: Clock, room: Room) -> None:
    first, second = joined(room), joined(room)
    await clock.go(1)
    first.end()
    third = joined(room)
    second.end()
    await clock.go(1)
    assert third.of("presence")[-1] == {"type": "presence", "readers": 1, "writing": 0}


async def test_writing_is_over_unless_it_is_said_again(clock: Clock, room: Room) -> None:
    one, other = joined(room), joined(room)
    assert one.reader.on_message('{"type":"writing"}') is None
    await ticked(clock, room, 1)
    assert room.presence.local() == Headcount(2, 1)
    assert other.of("presence")[-1] == {"type": "presence", "readers": 2, "writing": 1}
    other.reader.on_message('{"type":"writing"}')
    await ticked(clock, room, 3)
    assert room.presence.local() == Headcount(2, 2)
    other.reader.on_message('{"type":"writing"}')
    await ticked(clock, room, 3)
    assert room.presence.local() == Headcount(2, 1), "one has been silent for more than six seconds"
    await ticked(clock, room, 7)
    assert room.presence.local() == Headcount(2, 0)
    assert one.of("presence")[-1] == {"type": "presence", "readers": 2, "writing": 0}
    one.reader.on_message('{"type":"writing"}')
    await ticked(clock, room, 1)
    assert other.of("presence")[-1] == {"type": "presence", "readers": 2, "writing": 1}
    one.end()
    await ticked(clock, room, 2)
    assert room.presence.local() == Headcount(1, 0)
    assert other.of("presence")[-1] == {"type": "presence", "readers": 1, "writing": 0}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"type":"events"}', '{"type":"writing","more":1}', "\ud800"])
async def test_what_is_not_in_the_protocol_is_not_taken(room: Room, text: str) -> None:
    reader = joined(room)
    assert reader.reader.on_message(text) is CloseCode.malformed
    assert room.presence.local() == Headcount(1, 0)


async def test_leaving_twice_is_leaving_once(room: Room, script: Script) -> None:
    one, other = joined(room), joined(room)
    one.reader.on_disconnect()
    one.reader.on_disconnect()
    assert script.emptied == []
    other.reader.on_disconnect()
    other.reader.on_disconnect()
    one.reader.on_disconnect()
    assert script.emptied == [room]


async def test_a_room_that_is_shut_does_nothing_more(clock: Clock, room: Room, script: Script) -> None:
    reader = joined(room)
    room.on_writing(reader.reader)
    script.free.clear()
    room.catch_up_to(9)
    joined(room, 0)
    heard = len(reader.heard)
    await room.close()
    script.free.set()
    await clock.go(30)
    assert len(reader.heard) == heard
    assert room.head == 3
