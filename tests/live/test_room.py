"""A room: whatever is heard, each reader is given every event once, in order, and nothing that was taken back."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator

import pytest

from tertulia.core.comments import State
from tertulia.errors import CloseCode
from tertulia.live import room as rooms
from tertulia.live.room import Present, Reader, Room
from tertulia.protocol import EVENTS_PAGE, EncodedEvent, redacted
from tests.live.script import EPOCH, KEY, Clock, Script, joined, made, opened, said, seqs, settled, taken


@pytest.fixture
async def script() -> Script:
    return Script(made(1), made(2), made(3))


@pytest.fixture
async def room(script: Script) -> AsyncIterator[Room]:
    room = await opened(script)
    yield room
    await room.shut()


# ---- what continues, what does not ----------------------------------------------------------------------


async def test_what_continues_is_passed_on_without_reading(room: Room, script: Script) -> None:
    readers = [joined(room) for _ in range(3)]
    room.hear(script.add(made(4), made(5)))
    room.hear(script.add(made(6)))
    assert room.head == 6
    for reader in readers:
        assert reader.wake.is_set()
        assert await taken(room, reader) == [4, 5, 6]
        assert await taken(room, reader) == []
    assert script.fills == []


async def test_readers_at_one_place_share_one_message(room: Room, script: Script) -> None:
    readers = [joined(room) for _ in range(3)]
    room.hear(script.add(made(4)))
    batches = [await room.next_batch(reader) for reader in readers]
    assert len({id(batch.message) for batch in batches if batch}) == 1


async def test_a_gap_is_read_once_for_all_readers(room: Room, script: Script) -> None:
    readers = [joined(room) for _ in range(5)]
    script.add(made(4), made(5))
    room.hear(script.add(made(6)))
    room.hear(script.add(made(7)))
    await settled()
    assert script.fills == [(3, EVENTS_PAGE)]
    for reader in readers:
        assert reader.wake.is_set()
        assert await taken(room, reader) == [4, 5, 6, 7]


async def test_a_gap_inside_a_message_is_read(room: Room, script: Script) -> None:
    reader = joined(room)
    script.add(made(4), made(5), made(6))
    room.hear(said(made(4), made(6)))
    await settled()
    assert await taken(room, reader) == [4, 5, 6]


async def test_a_gap_longer_than_a_page_is_read_page_by_page(
    room: Room, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "EVENTS_PAGE", 4)
    reader = joined(room)
    script.add(*(made(seq) for seq in range(4, 14)))
    room.expect(13)
    await settled()
    assert script.fills == [(3, 4), (7, 4), (11, 4)]
    assert await taken(room, reader) == list(range(4, 14))


async def test_what_is_known_is_dropped(room: Room, script: Script) -> None:
    reader = joined(room)
    first, second = script.add(made(4), made(5)), script.add(made(6))
    for message in (first, first, second, first, said(made(5), made(6)), said(made(1)), second):
        room.hear(message)
    await settled()
    assert await taken(room, reader) == [4, 5, 6]
    assert script.fills == []


async def test_a_message_that_is_half_known_gives_the_rest(room: Room, script: Script) -> None:
    reader = joined(room)
    script.add(made(4), made(5), made(6))
    room.hear(said(made(4), made(5)))
    room.hear(said(made(4), made(5), made(6)))
    assert await taken(room, reader) == [4, 5, 6]
    assert script.fills == []


@pytest.mark.parametrize("order", list(itertools.permutations((4, 5, 6, 7)))[1:])
async def test_messages_in_any_order(room: Room, script: Script, order: tuple[int, ...]) -> None:
    reader = joined(room)
    script.add(*(made(seq) for seq in (4, 5, 6, 7)))
    found = []
    for seq in order:
        room.hear(said(made(seq)))
        found += await taken(room, reader)
    await settled()
    assert found + await taken(room, reader) == [4, 5, 6, 7]


async def test_messages_that_are_heard_while_a_gap_is_read(room: Room, script: Script) -> None:
    reader = joined(room)
    script.free.clear()
    script.add(made(4))
    room.hear(script.add(made(5)))
    await settled()
    room.hear(said(made(4)))
    room.hear(script.add(made(6)))
    room.hear(script.add(made(7)))
    assert await taken(room, reader) == [4]
    script.free.set()
    await settled()
    assert await taken(room, reader) == [5, 6, 7]


async def test_another_epoch_is_never_passed_on(room: Room, script: Script) -> None:
    reader = joined(room)
    foreign = made(4, text="of another database")
    room.hear(said(foreign, epoch="epoch-two"))
    await settled()
    assert (room.head, await taken(room, reader)) == (3, [])
    script.add(made(4))
    room.hear(said(foreign, epoch="epoch-two"))
    await settled()
    batch = await room.next_batch(reader)
    assert seqs(batch) == [4]
    assert batch is not None
    assert "another database" not in batch.message


async def test_what_was_announced_and_is_nowhere_is_given_up(room: Room, script: Script) -> None:
    reader = joined(room)
    room.expect(9)
    await settled()
    assert script.fills == [(3, EVENTS_PAGE)]
    room.hear(script.add(made(4)))
    assert await taken(room, reader) == [4]


async def test_a_gap_that_cannot_be_read_is_read_when_it_can(room: Room, script: Script) -> None:
    reader = joined(room)
    script.error = OSError("no disk")
    script.add(made(4))
    room.hear(script.add(made(5)))
    await settled()
    assert (room.head, await taken(room, reader)) == (3, [])
    script.error = None
    room.expect(5)
    await settled()
    assert await taken(room, reader) == [4, 5]


async def test_random_losses_repeats_and_orders(script: Script) -> None:
    for seed in range(40):
        chance = random.Random(seed)
        script = Script()
        room = await opened(script)
        readers = [joined(room) for _ in range(3)]
        found: list[list[int]] = [[] for _ in readers]
        pending = []
        for seq in range(1, 60):
            pending.append(script.add(made(seq)))
            while pending and chance.random() < 0.6:
                message = pending.pop(chance.randrange(len(pending)))
                for _ in range(chance.choice((0, 1, 1, 2))):
                    room.hear(message)
            for at, reader in enumerate(readers):
                if chance.random() < 0.4:
                    found[at] += await taken(room, reader)
            if chance.random() < 0.5:
                await asyncio.sleep(0)
        room.expect(script.head)
        await settled()
        for at, reader in enumerate(readers):
            assert found[at] + await taken(room, reader) == list(range(1, 60)), seed
        await room.shut()


# ---- opening --------------------------------------------------------------------------------------------


async def test_a_room_begins_at_the_head(script: Script) -> None:
    room = await opened(script)
    assert (room.head, room.floor, room.is_open) == (3, 3, True)
    assert (room.recent(3), room.recent(2), room.recent(4)) == ([], None, None)


async def test_many_that_wait_open_it_once(script: Script) -> None:
    room = Room(KEY, EPOCH, script.fetch, 1000)
    await asyncio.gather(*(room.ready() for _ in range(20)))
    assert len(script.asked) == 1


async def test_what_is_heard_while_it_opens_is_not_lost(script: Script) -> None:
    script.free.clear()
    room = Room(KEY, EPOCH, script.fetch, 1_000_000)
    opening = asyncio.create_task(room.ready())
    await settled()
    room.hear(script.add(made(4)))
    room.hear(script.add(made(5)))
    script.free.set()
    await opening
    reader = joined(room, 3)
    room.hear(script.add(made(6)))
    await settled()
    assert await taken(room, reader) == [4, 5, 6]
    await room.shut()


async def test_an_old_message_that_is_heard_while_it_opens_is_not_the_head(script: Script) -> None:
    script.free.clear()
    room = Room(KEY, EPOCH, script.fetch, 1_000_000)
    opening = asyncio.create_task(room.ready())
    await settled()
    room.hear(said(made(1)))
    script.free.set()
    await opening
    await settled()
    for cursor in range(4):
        assert await taken(room, joined(room, cursor)) == list(range(cursor + 1, 4))
    await room.shut()


async def test_who_goes_while_it_opens_does_not_stop_the_others(script: Script) -> None:
    script.free.clear()
    room = Room(KEY, EPOCH, script.fetch, 1000)
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
    room = Room(KEY, EPOCH, script.fetch, 1000)
    with pytest.raises(OSError, match="no disk"):
        await room.ready()
    assert not room.is_open
    assert room.recent(0) is None
    script.error = None
    await room.ready()
    assert room.head == 3


# ---- what was taken back --------------------------------------------------------------------------------


async def test_a_removal_takes_the_text_out_of_the_log(room: Room, script: Script) -> None:
    room.hear(script.add(made(4), made(5), made(6, "comment.edited", 4), made(7, "comment.voted", 4)))
    late, early = joined(room, 3), joined(room, 3)
    first = await room.next_batch(early)
    assert first is not None
    assert "text-4" in first.message
    room.hear(script.add(made(8, "comment.removed", 4)))
    batch = await room.next_batch(late)
    assert batch is not None
    assert seqs(batch) == [4, 5, 6, 7, 8]
    assert "text-4" not in batch.message
    assert "name-4" not in batch.message
    assert "text-5" in batch.message
    replayed = room.recent(3)
    assert replayed is not None
    assert [event.payload for event in replayed] == [event.payload for event in script.events[3:]]


async def test_what_is_restored_is_shown_by_its_restoration_alone(room: Room, script: Script) -> None:
    removal = script.add(made(5, "comment.removed", 4))
    room.hear(script.add(made(4)))
    room.hear(removal)
    script.events.sort(key=lambda event: event.seq)
    room.hear(script.add(made(6, "comment.restored", 4)))
    room.hear(removal)  # late and twice
    replayed = room.recent(3)
    assert replayed is not None
    assert ["text-4" in event.payload for event in replayed] == [False, False, True]


@pytest.mark.parametrize("gap", [False, True])
async def test_a_removal_heard_while_the_store_is_read_is_minded(script: Script, gap: bool) -> None:
    room = await opened(script)
    room.hear(script.add(*(made(seq) for seq in range(4, 10))))
    reader = joined(room, 0)  # from before what the room keeps
    script.free.clear()
    reading = asyncio.create_task(room.next_batch(reader))
    await settled()
    removal = script.add(made(10, "comment.removed", 2))
    if gap:
        script.add(made(11))
        removal = said(script.events[-2], script.events[-1])
    room.hear(removal)
    script.free.set()
    batch = await reading
    assert batch is not None
    assert "text-2" not in batch.message
    assert "text-3" in batch.message
    reader.cursor = batch.seq
    assert seqs(batch) + await taken(room, reader) == list(range(1, script.head + 1))
    await room.shut()


async def test_a_removal_heard_while_a_gap_is_read_is_minded(room: Room, script: Script) -> None:
    reader = joined(room)
    script.free.clear()
    script.add(made(4))
    room.hear(script.add(made(5)))
    await settled()
    room.hear(script.add(made(6, "comment.removed", 4)))
    script.free.set()
    await settled()
    batch = await room.next_batch(reader)
    assert seqs(batch) == [4, 5, 6]
    assert batch is not None
    assert "text-4" not in batch.message


async def test_a_removal_heard_after_a_gap_is_minded_before_the_gap_is_read(room: Room, script: Script) -> None:
    room.hear(script.add(made(4)))
    before = await room.next_batch(joined(room, 3))
    assert before is not None
    assert "text-4" in before.message
    script.free.clear()
    script.add(made(5))
    room.hear(script.add(made(6, "comment.removed", 4)))
    await settled()
    batch = await room.next_batch(joined(room, 3))
    assert batch is not None
    assert "text-4" not in batch.message
    recent = room.recent(3)
    assert recent is not None
    assert all("text-4" not in event.payload for event in recent)
    script.free.set()
    await settled()
    assert await taken(room, joined(room, 3)) == [4, 5, 6]


async def test_a_removal_in_another_epoch_takes_nothing_out(room: Room, script: Script) -> None:
    """A database that was restored holds the same comments."""
    room.hear(script.add(made(4)))
    room.hear(said(made(9, "comment.removed", 4), epoch="epoch-two"))
    await settled()
    assert room.recent(3) == script.events[3:]


async def test_what_its_author_deleted_says_so(room: Room, script: Script) -> None:
    deletion = made(5, "comment.removed", 4)
    room.hear(script.add(made(4)))
    room.hear(said(EncodedEvent(5, deletion.comment_id, True, redacted(deletion.payload, State.deleted))))
    replayed = room.recent(3)
    assert replayed is not None
    assert [json.loads(event.payload)["comment"]["state"] for event in replayed] == ["deleted", "deleted"]


# ---- what is kept ---------------------------------------------------------------------------------------


async def test_who_is_too_far_back_for_the_room_is_given_it_from_the_store(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "RING_EVENTS", 8)
    monkeypatch.setattr(rooms, "EVENTS_PAGE", 5)
    room = await opened(script)
    for seq in range(4, 31):
        room.hear(script.add(made(seq)))
    assert (room.floor, room.head) == (22, 30)
    for cursor in range(31):
        assert await taken(room, joined(room, cursor)) == list(range(cursor + 1, 31))
        recent = room.recent(cursor)
        if cursor < 22:
            assert recent is None
        else:
            assert recent is not None
            assert [event.seq for event in recent] == list(range(cursor + 1, 31))[:5]
    assert room.recent(31) is None


async def test_what_the_store_has_before_the_room_is_not_sent_twice(script: Script) -> None:
    room = await opened(script)
    reader = joined(room, 0)
    script.add(made(4), made(5))
    found = await taken(room, reader)
    assert found == [1, 2, 3]
    room.hear(said(made(4)))
    room.hear(said(made(5)))
    assert await taken(room, reader) == [4, 5]


# ---- who is slow ----------------------------------------------------------------------------------------


async def test_who_takes_too_little_is_closed_by_bytes(script: Script) -> None:
    size = len(made(4).payload)
    room = await opened(script, backlog=3 * size)
    closed: list[str] = []
    slow, quick = Reader(3, lambda: closed.append("slow")), Reader(3, lambda: closed.append("quick"))
    room.join(slow)
    room.join(quick)
    for seq in range(4, 7):
        room.hear(script.add(made(seq)))
        await taken(room, quick)
        assert slow.closing is None
    room.hear(script.add(made(7)))
    assert slow.closing is None, "nobody can have taken what has only just come"
    room.hear(script.add(made(8)))
    assert [reader.closing for reader in (slow, quick)] == [CloseCode.too_slow, None]
    room.hear(script.add(made(9)))
    assert closed == ["slow"]
    assert await taken(room, quick) == [7, 8, 9]


async def test_who_reads_from_the_store_is_counted_from_there(script: Script) -> None:
    size = len(made(4).payload)
    room = await opened(script, backlog=3 * size)
    reader = joined(room, 0)
    for seq in range(4, 7):
        room.hear(script.add(made(seq)))
    assert await room.next_batch(reader) is not None
    for seq in range(7, 10):
        room.hear(script.add(made(seq)))
    assert reader.closing is None
    room.hear(script.add(made(10)))
    assert reader.closing is None
    room.hear(script.add(made(11)))
    assert reader.closing is CloseCode.too_slow


async def test_all_are_closed_once(room: Room) -> None:
    closed: list[CloseCode] = []
    readers = [Reader(3, lambda: closed.append(CloseCode.restarting)) for _ in range(3)]
    for reader in readers:
        room.join(reader)
    room.close(CloseCode.restarting)
    room.close(CloseCode.too_slow)
    assert [reader.closing for reader in readers] == [CloseCode.restarting] * 3
    assert len(closed) == 3


# ---- who reads ------------------------------------------------------------------------------------------


async def test_presence_is_told_at_most_once_a_second(clock: Clock, room: Room) -> None:
    readers = [joined(room) for _ in range(5)]
    await settled()
    assert (room.present, room.presence_round) == (Present(5, 0), 1)
    for reader in readers[1:]:
        room.leave(reader)
    joined(room)
    await clock.go(0.9)
    assert room.presence_round == 1
    readers[0].wake.clear()
    await clock.go(0.1)
    assert (room.present, room.presence_round) == (Present(2, 0), 2)
    assert readers[0].wake.is_set()


async def test_writing_is_over_unless_it_is_said_again(clock: Clock, room: Room) -> None:
    one, other = joined(room), joined(room)
    room.note_writing(one)
    await clock.go(1)
    assert room.present == Present(2, 1)
    room.note_writing(other)
    await clock.go(3)
    assert room.present == Present(2, 2)
    room.note_writing(other)
    await clock.go(3)
    await clock.go(1)
    assert room.present == Present(2, 1), "one has been silent for more than six seconds"
    await clock.go(6)
    await clock.go(1)
    assert room.present == Present(2, 0)
    room.note_writing(one)
    await clock.go(1)
    assert room.present == Present(2, 1)
    room.leave(one)
    await clock.go(1)
    assert room.present == Present(1, 0)


async def test_a_room_that_is_shut_does_nothing_more(clock: Clock, room: Room, script: Script) -> None:
    reader = joined(room)
    room.note_writing(reader)
    script.free.clear()
    room.expect(9)
    await settled()
    await room.shut()
    rounds = room.presence_round
    await clock.go(30)
    assert room.presence_round == rounds
