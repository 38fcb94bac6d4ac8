"""A room: whatever is heard, each reader is given every event once, in order, and nothing that was taken back."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable

import pytest

from tertulia.bus import Message
from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode
from tertulia.live.backlog import MAX_FRAME_BYTES, Cursor
from tertulia.live.presence import Headcount
from tertulia.live.rate import DeliveryMode, Rates
from tertulia.live.room import READS, Room
from tertulia.live.summary import SHOWN
from tertulia.live.tuning import CALM_SECONDS, STALL_SECONDS, TICK_SECONDS, Tuning
from tertulia.protocol import EVENTS_PAGE, HEARTBEAT_SECONDS, EncodedEvent, EventPage
from tests.live.fakes import (
    EPOCH,
    KEY,
    FakeReader,
    FakeStore,
    created_event,
    deleted_event,
    edited_event,
    join,
    message_of,
    new_room,
    open_room,
    removed_event,
    restored_event,
    voted_event,
)
from tests.live.loop import Clock, run_until_idle


@pytest.fixture
async def store() -> FakeStore:
    return FakeStore(created_event(seq=1), created_event(seq=2), created_event(seq=3))


@pytest.fixture
def tuning() -> Tuning:
    return Tuning()


@pytest.fixture
async def room(store: FakeStore, tuning: Tuning) -> AsyncIterator[Room]:
    room = await open_room(store, tuning)
    yield room
    await room.close()


in_slices_of_two = pytest.mark.parametrize("tuning", [Tuning(slice=2)], ids=["slices of two"])


# ---- where a reader begins ------------------------------------------------------------------------------


@pytest.mark.parametrize("after", range(4))
async def test_a_reader_is_given_what_it_missed_and_then_what_comes(room: Room, store: FakeStore, after: int) -> None:
    reader = join(room, after)
    assert reader.messages[0] == {
        "type": "hello", "epoch": EPOCH, "seq": 3, "heartbeat": HEARTBEAT_SECONDS, "readers": 1,
    }  # fmt: skip
    await run_until_idle()
    assert reader.seqs == list(range(after + 1, 4))
    for seq in range(4, 7):
        room.receive(store.commit(created_event(seq)))
        await run_until_idle()
        assert reader.seqs == list(range(after + 1, seq + 1))
        assert reader.reader.cursor == seq
    assert reader.of_type("reset") == []


@pytest.mark.parametrize("epoch", [None, EPOCH])
async def test_without_a_seq_it_begins_at_the_head(room: Room, store: FakeStore, epoch: str | None) -> None:
    reader = FakeReader(room, Cursor(epoch, None))
    assert [message["type"] for message in reader.messages] == ["hello"]
    room.receive(store.commit(created_event(seq=4)))
    await run_until_idle()
    assert reader.batches == [[4]]


@pytest.mark.parametrize(
    ("epoch", "after"),
    [("epoch-two", 0), ("epoch-two", 3), ("epoch-two", None), (None, 3), (EPOCH, 4), (EPOCH, 2**53)],
)
async def test_a_cursor_that_cannot_be_continued_is_reset(
    room: Room, store: FakeStore, epoch: str | None, after: int | None
) -> None:
    reader = FakeReader(room, Cursor(epoch, after))
    assert reader.messages[1:] == [{"type": "reset", "epoch": EPOCH, "seq": 3}]
    assert reader.frames[1].seq == 3
    room.receive(store.commit(created_event(seq=4)))
    await run_until_idle()
    assert reader.batches == [[4]]


async def test_events_come_with_what_they_say(room: Room, store: FakeStore) -> None:
    reader = join(room, 0)
    await run_until_idle()
    payloads = ",".join(event.payload for event in store.events)
    assert f'{{"type":"events","events":[{payloads}]}}' in reader.texts


# ---- what continues, what does not ----------------------------------------------------------------------


async def test_what_continues_is_passed_on_without_reading(room: Room, store: FakeStore) -> None:
    readers = [join(room) for _ in range(3)]
    room.receive(store.commit(created_event(seq=4), created_event(seq=5)))
    room.receive(store.commit(created_event(seq=6)))
    assert room.head == 6
    await run_until_idle()
    assert [reader.batches for reader in readers] == [[[4, 5, 6]]] * 3
    assert store.log_reads == []


async def test_readers_at_one_place_share_one_frame(room: Room, store: FakeStore) -> None:
    readers = [join(room) for _ in range(3)]
    room.receive(store.commit(*(created_event(seq) for seq in range(4, 10))))
    await run_until_idle()
    frames = [next(frame for frame in reader.frames if frame.seq == 9) for reader in readers]
    assert all(frame is frames[0] for frame in frames)
    assert all(frame.deflated is frames[0].deflated for frame in frames)


async def test_a_gap_is_read_once_for_all_readers(room: Room, store: FakeStore) -> None:
    readers = [join(room) for _ in range(5)]
    store.commit(created_event(seq=4), created_event(seq=5))
    room.receive(store.commit(created_event(seq=6)))
    room.receive(store.commit(created_event(seq=7)))
    await run_until_idle()
    assert store.log_reads == [(3, EVENTS_PAGE)]
    assert [reader.seqs for reader in readers] == [[4, 5, 6, 7]] * 5


async def test_a_gap_inside_a_message_is_read(room: Room, store: FakeStore) -> None:
    reader = join(room)
    store.commit(created_event(seq=4), created_event(seq=5), created_event(seq=6))
    room.receive(message_of(created_event(seq=4), created_event(seq=6)))
    await run_until_idle()
    assert reader.seqs == [4, 5, 6]


@pytest.mark.parametrize("tuning", [Tuning(page=4)], ids=["pages of four"])
async def test_a_gap_longer_than_a_page_is_read_page_by_page(room: Room, store: FakeStore) -> None:
    reader = join(room)
    store.commit(*(created_event(seq) for seq in range(4, 14)))
    room.catch_up_to(13)
    await run_until_idle()
    assert store.log_reads == [(3, 4), (7, 4), (11, 4)]
    assert reader.seqs == list(range(4, 14))


async def test_what_is_known_is_dropped(room: Room, store: FakeStore) -> None:
    reader = join(room)
    first, second = store.commit(created_event(seq=4), created_event(seq=5)), store.commit(created_event(seq=6))
    for message in (
        first,
        first,
        second,
        first,
        message_of(created_event(seq=5), created_event(seq=6)),
        message_of(created_event(seq=1)),
        second,
    ):
        room.receive(message)
        await run_until_idle()
    assert reader.batches == [[4, 5], [6]]
    assert store.log_reads == []


async def test_a_message_that_is_half_known_gives_the_rest(room: Room, store: FakeStore) -> None:
    reader = join(room)
    store.commit(created_event(seq=4), created_event(seq=5), created_event(seq=6))
    room.receive(message_of(created_event(seq=4), created_event(seq=5)))
    await run_until_idle()
    room.receive(message_of(created_event(seq=4), created_event(seq=5), created_event(seq=6)))
    await run_until_idle()
    assert reader.batches == [[4, 5], [6]]
    assert store.log_reads == []


@pytest.mark.parametrize("order", list(itertools.permutations((4, 5, 6, 7)))[1:])
async def test_messages_in_any_order(room: Room, store: FakeStore, order: tuple[int, ...]) -> None:
    reader = join(room)
    store.commit(*(created_event(seq) for seq in (4, 5, 6, 7)))
    for seq in order:
        room.receive(message_of(created_event(seq)))
        await asyncio.sleep(0)
    await run_until_idle()
    assert reader.seqs == [4, 5, 6, 7]


async def test_messages_that_are_received_while_a_gap_is_read(room: Room, store: FakeStore) -> None:
    reader = join(room)
    store.hold()
    store.commit(created_event(seq=4))
    room.receive(store.commit(created_event(seq=5)))
    await run_until_idle()
    room.receive(message_of(created_event(seq=4)))
    room.receive(store.commit(created_event(seq=6)))
    room.receive(store.commit(created_event(seq=7)))
    await run_until_idle()
    assert reader.seqs == [4]
    store.release()
    await run_until_idle()
    assert reader.seqs == [4, 5, 6, 7]


async def test_another_epoch_is_never_passed_on(room: Room, store: FakeStore) -> None:
    reader = join(room)
    foreign = created_event(seq=4, text="of another database")
    room.receive(message_of(foreign, epoch="epoch-two"))
    await run_until_idle()
    assert (room.head, reader.seqs) == (3, [])
    store.commit(created_event(seq=4))
    room.receive(message_of(foreign, epoch="epoch-two"))
    await run_until_idle()
    assert reader.seqs == [4]
    assert "another database" not in "".join(reader.texts)


async def test_a_message_without_events_makes_the_room_read(room: Room, store: FakeStore) -> None:
    reader = join(room)
    store.commit(created_event(seq=4), created_event(seq=5))
    room.receive(Message(KEY, EPOCH, (), reached=5))
    room.receive(Message(KEY, EPOCH, (), reached=5))
    await run_until_idle()
    assert reader.seqs == [4, 5]
    room.receive(Message(KEY, EPOCH, (), reached=4))
    room.receive(store.commit(created_event(seq=6)))
    await run_until_idle()
    assert (reader.seqs, store.log_reads) == ([4, 5, 6], [(3, EVENTS_PAGE)])


async def test_a_message_without_events_may_be_of_a_removal(room: Room, store: FakeStore) -> None:
    """What is read while it comes may be older than the removal, and is read again."""
    reader = join(room)
    store.commit(created_event(seq=4, text="to be removed"))
    store.hold()
    room.catch_up_to(4)
    await run_until_idle()
    store.commit(removed_event(seq=5, comment=4))
    room.receive(Message(KEY, EPOCH, (), reached=5))
    store.release()
    store.hold()  # one read ends, the next has to wait
    await run_until_idle()
    store.release()
    await run_until_idle()
    assert reader.seqs == [4, 5]
    assert "to be removed" not in "".join(reader.texts)


class Restless(FakeStore):
    """A store in whose discussion something happens, and is told, during each of its next reads."""

    def __init__(self, *events: EncodedEvent) -> None:
        super().__init__(*events)
        self.during: list[Callable[[], None]] = []

    async def read_log(self, key: DiscussionKey, after: int, limit: int) -> EventPage:
        page = await super().read_log(key, after, limit)
        if after < 2**50 and self.during:
            self.during.pop(0)()
        return page


async def test_what_changes_faster_than_it_is_read_is_brought_all_the_same() -> None:
    """Of messages without events nobody knows what they take out; each of them makes a read old."""
    store = Restless(created_event(seq=1))
    room = await open_room(store)
    reader = join(room)
    heads: list[int] = []

    def happen() -> None:
        heads.append(room.head)
        store.commit(created_event(store.head + 1))
        room.receive(Message(KEY, EPOCH, (), reached=store.head))

    store.during = [happen] * (5 * READS)
    happen()
    await run_until_idle()
    assert heads[READS + 2] > 1, "it goes on while the changes do"
    assert reader.seqs == list(range(2, store.head + 1))


@pytest.mark.parametrize("at", [READS - 2, READS - 1])
async def test_of_the_last_read_nothing_is_shown_that_was_taken_out_during_it(at: int) -> None:
    store = Restless(created_event(seq=1), created_event(seq=2, text="to be removed"), created_event(seq=3))
    room = await open_room(store)
    reader = join(room, after=1)

    def change() -> None:
        room.receive(store.commit(created_event(store.head + 1), edited_event(store.head + 2, comment=1)))

    def remove() -> None:
        room.receive(store.commit(removed_event(store.head + 1, comment=2)))

    store.during = [change] * at + [remove] + [change] * (2 * READS)
    await run_until_idle()
    assert reader.seqs == list(range(2, store.head + 1))
    assert "to be removed" not in "".join(reader.texts)


async def test_what_is_not_known_any_more_is_not_guessed() -> None:
    """The reader is told to come back, and then gets what the store has."""
    store = Restless(created_event(seq=1), created_event(seq=2, text="to be removed"), created_event(seq=3))
    room = await open_room(store, Tuning(events=2))
    reader = join(room, after=1)

    def change() -> None:
        room.receive(store.commit(removed_event(store.head + 1, comment=2)))
        for _ in range(3):
            room.receive(store.commit(created_event(store.head + 1)))

    store.during = [change] * READS
    await run_until_idle()
    assert (reader.seqs, reader.closing) == ([], CloseCode.restarting)
    assert "to be removed" not in "".join(reader.texts)


async def test_what_was_announced_and_is_nowhere_is_given_up(room: Room, store: FakeStore) -> None:
    reader = join(room)
    room.catch_up_to(9)
    await run_until_idle()
    assert store.log_reads == [(3, EVENTS_PAGE)]
    room.receive(store.commit(created_event(seq=4)))
    await run_until_idle()
    assert reader.seqs == [4]


async def test_a_gap_that_cannot_be_read_is_read_when_it_can(room: Room, store: FakeStore) -> None:
    reader = join(room)
    store.error = OSError("no disk")
    store.commit(created_event(seq=4))
    room.receive(store.commit(created_event(seq=5)))
    await run_until_idle()
    assert (room.head, reader.seqs) == (3, [])
    store.error = None
    room.catch_up_to(5)
    await run_until_idle()
    assert reader.seqs == [4, 5]


async def test_random_losses_repeats_pauses_and_orders() -> None:
    """With readers that come and go, in slices of two, over a backlog that holds little."""
    little = Tuning(slice=2, events=8, frames=6)
    for seed in range(40):
        chance = random.Random(seed)
        store = FakeStore()
        room = await open_room(store, little)
        readers = [join(room) for _ in range(7)]
        begins = [0] * len(readers)
        pending = []
        for seq in range(1, 60):
            pending.append(store.commit(created_event(seq)))
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
                readers.append(join(room, room.head // 2))
                begins.append(room.head // 2)
            if chance.random() < 0.1 and len(readers) > 3:
                readers[0].disconnect()
                del readers[0], begins[0]
        room.catch_up_to(store.head)
        await run_until_idle()
        for reader in readers:
            if reader.reader.paused:
                reader.reader.resume()
        await run_until_idle()
        for reader, begin in zip(readers, begins, strict=True):
            assert reader.seqs == list(range(begin + 1, 60)), seed
        await room.close()


# ---- opening --------------------------------------------------------------------------------------------


async def test_a_room_begins_at_the_head(room: Room) -> None:
    assert (room.head, room.is_open) == (3, True)
    assert (room.recent(3), room.recent(2), room.recent(4)) == ([], None, None)


async def test_many_that_wait_open_it_once(store: FakeStore) -> None:
    room = new_room(store)
    await asyncio.gather(*(room.ready() for _ in range(20)))
    assert len(store.reads) == 1


async def test_what_is_received_while_it_opens_is_not_lost(store: FakeStore) -> None:
    store.hold()
    room = new_room(store)
    opening = asyncio.create_task(room.ready())
    await run_until_idle()
    room.receive(store.commit(created_event(seq=4)))
    room.receive(store.commit(created_event(seq=5)))
    store.release()
    await opening
    reader = join(room, 3)
    room.receive(store.commit(created_event(seq=6)))
    await run_until_idle()
    assert reader.seqs == [4, 5, 6]
    await room.close()


async def test_an_old_message_that_is_received_while_it_opens_is_not_the_head(store: FakeStore) -> None:
    store.hold()
    room = new_room(store)
    opening = asyncio.create_task(room.ready())
    await run_until_idle()
    room.receive(message_of(created_event(seq=1)))
    store.release()
    await opening
    readers = [join(room, after) for after in range(4)]
    await run_until_idle()
    assert [reader.seqs for reader in readers] == [[1, 2, 3], [2, 3], [3], []]
    await room.close()


async def test_who_goes_while_it_opens_does_not_stop_the_others(store: FakeStore) -> None:
    store.hold()
    room = new_room(store)
    first, second = asyncio.create_task(room.ready()), asyncio.create_task(room.ready())
    await run_until_idle()
    first.cancel()
    await run_until_idle()
    store.release()
    await second
    assert first.cancelled()
    assert room.is_open


async def test_a_room_that_cannot_open_tries_again_for_the_next(store: FakeStore) -> None:
    store.error = OSError("no disk")
    room = new_room(store)
    with pytest.raises(OSError, match="no disk"):
        await room.ready()
    assert not room.is_open
    assert room.recent(0) is None
    store.error = None
    await room.ready()
    assert room.head == 3


# ---- what was taken back --------------------------------------------------------------------------------


async def test_a_removal_takes_the_text_out_of_the_log(room: Room, store: FakeStore) -> None:
    early = join(room, 3)
    room.receive(
        store.commit(
            created_event(seq=4), created_event(seq=5), edited_event(seq=6, comment=4), voted_event(seq=7, comment=4)
        )
    )
    await run_until_idle()
    assert "text-4" in "".join(early.texts)
    room.receive(store.commit(removed_event(seq=8, comment=4)))
    late = join(room, 3)
    await run_until_idle()
    assert early.seqs == late.seqs == [4, 5, 6, 7, 8]
    assert "text-4" not in "".join(late.texts)
    assert "name-4" not in "".join(late.texts)
    assert "text-5" in "".join(late.texts)
    replayed = room.recent(3)
    assert replayed is not None
    assert [event.payload for event in replayed] == [event.payload for event in store.events[3:]]


async def test_what_is_restored_is_shown_by_its_restoration_alone(room: Room, store: FakeStore) -> None:
    removal = store.commit(removed_event(seq=5, comment=4))
    room.receive(store.commit(created_event(seq=4)))
    room.receive(removal)
    store.events.sort(key=lambda event: event.seq)
    room.receive(store.commit(restored_event(seq=6, comment=4)))
    room.receive(removal)  # late and twice
    replayed = room.recent(3)
    assert replayed is not None
    assert ["text-4" in event.payload for event in replayed] == [False, False, True]


@pytest.mark.parametrize("gap", [False, True])
async def test_a_removal_received_while_history_is_read_is_applied(room: Room, store: FakeStore, gap: bool) -> None:
    room.receive(store.commit(*(created_event(seq) for seq in range(4, 10))))
    store.hold()
    reader = join(room, 0)  # from before what the room keeps
    await run_until_idle()
    if gap:
        store.commit(created_event(seq=10))  # and nobody is told
    room.receive(store.commit(removed_event(seq=store.head + 1, comment=2)))
    await run_until_idle()
    store.release()
    await run_until_idle()
    assert reader.seqs == list(range(1, store.head + 1))
    assert "text-2" not in "".join(reader.texts)
    assert "text-3" in "".join(reader.texts)


async def test_a_removal_that_the_store_told_while_history_is_read_is_applied(room: Room, store: FakeStore) -> None:
    """The bus lost it: catching up finds it, while an older read is under way."""
    store.hold(after=0)
    reader = join(room, 0)
    await run_until_idle()
    store.commit(removed_event(seq=4, comment=2))
    room.catch_up_to(4)
    await run_until_idle()
    assert room.head == 4
    store.release()
    await run_until_idle()
    assert reader.seqs == [1, 2, 3, 4]
    assert "text-2" not in "".join(reader.texts)


async def test_a_removal_received_while_a_gap_is_read_is_applied(room: Room, store: FakeStore) -> None:
    reader = join(room)
    store.hold()
    store.commit(created_event(seq=4))
    room.receive(store.commit(created_event(seq=5)))
    await run_until_idle()
    room.receive(store.commit(removed_event(seq=6, comment=4)))
    store.release()
    await run_until_idle()
    assert reader.seqs == [4, 5, 6]
    assert "text-4" not in "".join(reader.texts)


async def test_a_removal_received_after_a_gap_is_applied_before_the_gap_is_read(room: Room, store: FakeStore) -> None:
    room.receive(store.commit(created_event(seq=4)))
    before = join(room, 3)
    assert "text-4" in "".join(before.texts)
    store.hold()
    store.commit(created_event(seq=5))
    room.receive(store.commit(removed_event(seq=6, comment=4)))
    after = join(room, 3)
    await run_until_idle()
    assert after.seqs == [4]
    assert "text-4" not in "".join(after.texts)
    recent = room.recent(3)
    assert recent is not None
    assert all("text-4" not in event.payload for event in recent)
    store.release()
    await run_until_idle()
    assert after.seqs == before.seqs == [4, 5, 6]


@in_slices_of_two
async def test_a_removal_received_between_slices_is_applied(room: Room, store: FakeStore) -> None:
    readers = [join(room) for _ in range(6)]
    await run_until_idle()

    def remove() -> None:
        readers[1].on_write = lambda: None
        room.receive(store.commit(removed_event(seq=5, comment=4)))

    readers[1].on_write = remove
    room.receive(store.commit(created_event(seq=4)))
    await run_until_idle()
    assert [reader.seqs for reader in readers] == [[4, 5]] * 6
    assert ["text-4" in "".join(reader.texts) for reader in readers] == [True, True, False, False, False, False]


async def test_a_removal_received_while_a_reader_is_paused_is_applied(room: Room, store: FakeStore) -> None:
    reader = join(room)
    reader.reader.pause()
    room.receive(store.commit(created_event(seq=4)))
    await run_until_idle()
    room.receive(store.commit(removed_event(seq=5, comment=4)))
    await run_until_idle()
    reader.reader.resume()
    assert reader.batches == [[4, 5]]
    assert "text-4" not in "".join(reader.texts)


async def test_a_removal_in_another_epoch_takes_nothing_out(room: Room, store: FakeStore) -> None:
    """A database that was restored holds the same comments."""
    room.receive(store.commit(created_event(seq=4)))
    room.receive(message_of(removed_event(seq=9, comment=4), epoch="epoch-two"))
    await run_until_idle()
    assert room.recent(3) == store.events[3:]


async def test_what_its_author_deleted_says_so(room: Room, store: FakeStore) -> None:
    room.receive(store.commit(created_event(seq=4)))
    room.receive(message_of(deleted_event(seq=5, comment=4)))
    replayed = room.recent(3)
    assert replayed is not None
    assert [json.loads(event.payload)["comment"]["state"] for event in replayed] == ["deleted", "deleted"]


# ---- what is kept ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("tuning", [Tuning(events=8, page=5)], ids=["little"])
async def test_who_is_too_far_back_for_the_room_is_given_it_from_the_store(room: Room, store: FakeStore) -> None:
    for seq in range(4, 31):
        room.receive(store.commit(created_event(seq)))
    assert room.head == 30
    readers = [join(room, cursor) for cursor in range(31)]
    await run_until_idle()
    for cursor, reader in enumerate(readers):
        assert reader.seqs == list(range(cursor + 1, 31))
        recent = room.recent(cursor)
        if cursor < 22:
            assert recent is None
        else:
            assert recent is not None
            assert [event.seq for event in recent] == list(range(cursor + 1, 31))
    assert room.recent(31) is None


async def test_a_thousand_at_one_place_are_one_read(room: Room, store: FakeStore) -> None:
    store.hold()
    readers = [join(room, 1) for _ in range(1000)]
    late = join(room, 0)
    await run_until_idle()
    store.release()
    await run_until_idle()
    assert store.log_reads == [(1, EVENTS_PAGE), (0, EVENTS_PAGE)]
    assert all(reader.batches == [[2, 3]] for reader in readers)
    assert late.seqs == [1, 2, 3]
    frames = {id(frame) for reader in readers for frame in reader.frames if frame.seq == 3}
    assert len(frames) == 1
    again = join(room, 1)
    assert again.seqs == [2, 3]
    assert len(store.log_reads) == 2, "it is still known what the store said"


async def test_history_that_cannot_be_read_ends_those_that_wait_for_it(room: Room, store: FakeStore) -> None:
    store.error = OSError("no disk")
    waiting, there = join(room, 0), join(room, 3)
    await run_until_idle()
    assert (waiting.closing, there.closing) == (CloseCode.restarting, None)
    store.error = None
    again = join(room, 0)
    await run_until_idle()
    assert again.seqs == [1, 2, 3]


async def test_what_the_store_has_before_the_room_is_not_sent_twice(room: Room, store: FakeStore) -> None:
    store.hold()
    reader = join(room, 0)
    store.commit(created_event(seq=4), created_event(seq=5))
    store.release()
    await run_until_idle()
    assert reader.seqs == [1, 2, 3]
    room.receive(message_of(created_event(seq=4)))
    room.receive(message_of(created_event(seq=5)))
    await run_until_idle()
    assert reader.seqs == [1, 2, 3, 4, 5]


async def test_frames_are_of_bounded_size(room: Room, store: FakeStore) -> None:
    events = [created_event(seq, text="x" * 10_000) for seq in range(4, 104)]
    there, late = join(room), join(room, 2)
    room.receive(store.commit(*events))
    await run_until_idle()
    assert there.seqs == list(range(4, 104))
    assert late.seqs == list(range(3, 104))
    for reader in (there, late):
        assert max(len(frame.text) for frame in reader.frames) < MAX_FRAME_BYTES + 1000
        assert len(reader.batches) < 8


# ---- flushes and slices ---------------------------------------------------------------------------------


@in_slices_of_two
async def test_what_is_received_during_a_flush_becomes_one_frame(room: Room, store: FakeStore) -> None:
    readers = [join(room) for _ in range(6)]
    await run_until_idle()
    following = [created_event(seq=5), created_event(seq=6), created_event(seq=7)]
    readers[1].on_write = lambda: room.receive(store.commit(following.pop(0))) if following else None
    readers[3].on_write = readers[1].on_write
    room.receive(store.commit(created_event(seq=4)))
    await run_until_idle()
    assert [reader.seqs for reader in readers] == [[4, 5, 6, 7]] * 6
    assert readers[0].batches == [[4], [5, 6], [7]]


@in_slices_of_two
async def test_nothing_is_lost_or_doubled_between_slices(room: Room, store: FakeStore) -> None:
    readers = [join(room) for _ in range(8)]
    came: list[FakeReader] = []
    await run_until_idle()

    def meanwhile() -> None:
        readers[1].on_write = lambda: None
        readers[0].disconnect()  # has got it
        readers[3].disconnect()  # has not
        readers[4].reader.pause()
        readers[5].reader.pause()
        readers[5].reader.resume()  # and is given it at once
        came.extend([join(room), join(room, 1)])

    readers[1].on_write = meanwhile
    room.receive(store.commit(created_event(seq=4)))
    await run_until_idle()
    assert [reader.seqs for reader in readers] == [[4], [4], [4], [], [], [4], [4], [4]]
    assert [reader.seqs for reader in came] == [[], [2, 3, 4]]
    room.receive(store.commit(created_event(seq=5)))
    await run_until_idle()
    readers[4].reader.resume()
    assert [reader.seqs for reader in readers] == [[4], [4, 5], [4, 5], [], [4, 5], [4, 5], [4, 5], [4, 5]]
    assert [reader.seqs for reader in came] == [[5], [2, 3, 4, 5]]


@in_slices_of_two
async def test_who_leaves_between_slices_is_told_nothing_more(clock: Clock, room: Room) -> None:
    readers = [join(room) for _ in range(6)]
    readers[1].on_write = readers[4].disconnect
    await clock.advance(1)
    assert [len(reader.of_type("presence")) for reader in readers] == [1, 1, 1, 1, 0, 1]
    assert readers[4].violations == []


# ---- who is slow ----------------------------------------------------------------------------------------


async def test_who_is_paused_gets_nothing_and_then_one_batch(clock: Clock, room: Room, store: FakeStore) -> None:
    reader, other = join(room), join(room)
    await clock.advance(2)
    reader.reader.pause()
    received = len(reader.messages)
    for seq in range(4, 9):
        room.receive(store.commit(created_event(seq)))
        await run_until_idle()
    join(room)
    room.on_writing(other.reader)
    await clock.advance(HEARTBEAT_SECONDS + 1)
    room.tick()
    await run_until_idle()
    assert other.seqs == [4, 5, 6, 7, 8]
    assert other.of_type("heartbeat") != []
    assert len(reader.messages) == received
    reader.reader.resume()
    assert reader.batches == [[4, 5, 6, 7, 8]]
    room.receive(store.commit(created_event(seq=9)))
    await run_until_idle()
    assert reader.batches[1:] == [[9]]


async def test_who_is_paused_by_what_it_is_given_gets_the_rest_later(room: Room, store: FakeStore) -> None:
    reader = join(room)
    reader.on_write = reader.reader.pause
    room.receive(store.commit(*(created_event(seq, text="x" * 100_000) for seq in range(4, 12))))
    await run_until_idle()
    assert reader.batches == [[4, 5]]
    reader.reader.resume()
    assert reader.batches == [[4, 5], [6, 7]]
    assert reader.reader.paused
    reader.on_write = lambda: None
    reader.reader.resume()
    assert reader.seqs == list(range(4, 12))


@pytest.mark.parametrize("tuning", [Tuning(events=4)], ids=["little"])
async def test_who_is_paused_when_the_backlog_has_gone_on_is_given_it_from_the_store(
    room: Room, store: FakeStore
) -> None:
    reader = join(room)
    reader.reader.pause()
    for seq in range(4, 30):
        room.receive(store.commit(created_event(seq)))
        await asyncio.sleep(0)
    await run_until_idle()
    assert store.log_reads == []
    reader.reader.resume()
    await run_until_idle()
    assert reader.batches == [list(range(4, 30))]
    assert store.log_reads == [(3, EVENTS_PAGE)]


async def tick_for(clock: Clock, room: Room, seconds: float) -> None:
    for _ in range(int(seconds)):
        await clock.advance(1)
        room.tick()
        await run_until_idle()


async def test_who_takes_nothing_is_ended(clock: Clock, room: Room, store: FakeStore) -> None:
    stuck, other = join(room), join(room)
    stuck.buffered_bytes, stuck.ignores_close = 70_000, True
    stuck.reader.pause()
    await tick_for(clock, room, STALL_SECONDS)
    assert [reader.closing for reader in (stuck, other)] == [None, None]
    await tick_for(clock, room, 2)
    assert [reader.closing for reader in (stuck, other)] == [CloseCode.too_slow, None]
    assert room.presence.local() == Headcount(1, 0)
    room.receive(store.commit(created_event(seq=4)))
    await run_until_idle()
    assert (stuck.seqs, other.seqs) == ([], [4])


async def test_who_takes_a_little_is_not(clock: Clock, room: Room) -> None:
    slow = join(room)
    slow.buffered_bytes = 70_000
    slow.reader.pause()
    for _ in range(10):
        await tick_for(clock, room, STALL_SECONDS - 2)
        slow.buffered_bytes -= 10
    assert slow.closing is None
    await tick_for(clock, room, STALL_SECONDS + 2)
    assert slow.closing is CloseCode.too_slow


async def test_who_pauses_again_is_counted_anew(clock: Clock, room: Room) -> None:
    reader = join(room)
    reader.buffered_bytes = 70_000
    for _ in range(5):
        reader.reader.pause()
        await tick_for(clock, room, STALL_SECONDS - 2)
        reader.reader.resume()
        await tick_for(clock, room, 2)
    assert reader.closing is None


# ---- busy times -----------------------------------------------------------------------------------------


async def test_in_busy_times_events_come_in_ticks(clock: Clock, store: FakeStore) -> None:
    room = await open_room(store, rates=Rates(tick=5, summary=1e9))
    reader, full = join(room), join(room, full=True)
    for seq in range(4, 14):
        room.receive(store.commit(created_event(seq)))
    await run_until_idle()
    assert room.rate.mode is DeliveryMode.ticks
    assert (reader.batches, full.batches) == ([], [])
    room.receive(store.commit(created_event(seq=14)))
    await clock.advance(TICK_SECONDS + 0.01)
    assert reader.batches == full.batches == [list(range(4, 15))]
    await tick_for(clock, room, CALM_SECONDS + 3)
    room.receive(store.commit(created_event(seq=15)))
    await run_until_idle()
    assert reader.batches[1:] == [[15]]
    await room.close()


async def test_in_very_busy_times_readers_get_summaries_and_full_ones_everything(
    clock: Clock, store: FakeStore
) -> None:
    room = await open_room(store, rates=Rates(tick=5, summary=20))
    reader, full, paused = join(room), join(room, full=True), join(room)
    paused.reader.pause()
    room.receive(store.commit(*(created_event(seq) for seq in range(4, 44)), removed_event(seq=44, comment=10)))
    await run_until_idle()
    await clock.advance(TICK_SECONDS + 0.01)
    assert room.rate.mode is DeliveryMode.summaries
    assert full.batches == [list(range(4, 45))]
    [summary] = reader.of_type("summary")
    assert (summary["from"], summary["to"], summary["count"]) == (4, 44, 40)
    assert [event["seq"] for event in summary["events"]] == [*range(44 - SHOWN, 44), 44]
    assert (reader.batches, reader.reader.cursor, reader.frames[-1].seq) == ([], 44, 44)
    assert "text-10" not in "".join(reader.texts + full.texts)
    paused.reader.resume()
    assert paused.batches == [list(range(4, 45))]
    room.receive(store.commit(created_event(seq=45)))
    await run_until_idle()
    await clock.advance(TICK_SECONDS + 0.01)
    assert [one.batches[-1] for one in (reader, full, paused)] == [[45]] * 3, "where nothing is left out"
    await room.close()


# ---- when nothing comes ---------------------------------------------------------------------------------


async def test_a_heartbeat_comes_after_25_seconds_of_silence(clock: Clock, room: Room, store: FakeStore) -> None:
    reader = join(room)
    await tick_for(clock, room, 20)
    room.receive(store.commit(created_event(seq=4)))
    await run_until_idle()
    await tick_for(clock, room, HEARTBEAT_SECONDS - 1)
    assert reader.of_type("heartbeat") == []
    await tick_for(clock, room, 2)
    assert reader.of_type("heartbeat") == [{"type": "heartbeat", "seq": 4, "readers": 1}]
    await tick_for(clock, room, HEARTBEAT_SECONDS)
    assert len(reader.of_type("heartbeat")) == 2


@in_slices_of_two
async def test_a_heartbeat_never_names_what_was_not_sent(clock: Clock, room: Room, store: FakeStore) -> None:
    """Events may come at the very moment of the heartbeat: a seq above the last event's would look like a loss."""
    readers = [join(room) for _ in range(8)]
    await clock.advance(HEARTBEAT_SECONDS + 1)

    def meanwhile() -> None:
        readers[1].on_write = lambda: None
        room.receive(store.commit(created_event(seq=5)))
        room.tick()

    readers[1].on_write = meanwhile
    room.receive(store.commit(created_event(seq=4)))
    await run_until_idle()
    for reader in readers:
        assert reader.seqs == [4, 5]
        last = 3
        for message in reader.messages:
            if message["type"] == "events":
                last = message["events"][-1]["seq"]
            if message["type"] == "heartbeat":
                assert message["seq"] <= last
    assert any(reader.of_type("heartbeat") for reader in readers), "readers that had it all got one"


async def test_who_waits_for_its_past_is_told_no_newer_seq(clock: Clock, room: Room, store: FakeStore) -> None:
    """It would take it for a loss."""
    store.hold()
    waiting, there = join(room, 0), join(room)
    await tick_for(clock, room, HEARTBEAT_SECONDS + 1)
    assert [len(reader.of_type("heartbeat")) for reader in (waiting, there)] == [0, 1]
    store.release()
    await run_until_idle()
    assert waiting.seqs == [1, 2, 3]
    await tick_for(clock, room, HEARTBEAT_SECONDS + 1)
    assert waiting.of_type("heartbeat")[-1]["seq"] == 3


# ---- who reads ------------------------------------------------------------------------------------------


async def test_presence_is_told_at_most_once_a_second(clock: Clock, room: Room) -> None:
    readers = [join(room) for _ in range(5)]
    await run_until_idle()
    first = readers[0]
    assert room.presence.local() == Headcount(5, 0)
    assert first.of_type("presence") == [{"type": "presence", "readers": 5, "writing": 0}]
    for reader in readers[1:]:
        reader.disconnect()
    late = join(room)
    assert late.messages[0]["readers"] == 2
    await clock.advance(0.9)
    assert len(first.of_type("presence")) == 1
    await clock.advance(0.2)
    assert first.of_type("presence")[1:] == [{"type": "presence", "readers": 2, "writing": 0}]


async def test_presence_that_is_what_it_was_is_not_told(clock: Clock, room: Room) -> None:
    first = join(room)
    await clock.advance(2)
    for _ in range(3):
        join(room).disconnect()
    await clock.advance(2)
    assert len(first.of_type("presence")) == 1


async def test_who_comes_when_another_goes_is_told_the_truth(clock: Clock, room: Room) -> None:
    first, second = join(room), join(room)
    await clock.advance(1)
    first.disconnect()
    third = join(room)
    second.disconnect()
    await clock.advance(1)
    assert third.of_type("presence")[-1] == {"type": "presence", "readers": 1, "writing": 0}


async def test_writing_is_over_unless_it_is_said_again(clock: Clock, room: Room) -> None:
    one, other = join(room), join(room)
    assert one.reader.on_message('{"type":"writing"}') is None
    await tick_for(clock, room, 1)
    assert room.presence.local() == Headcount(2, 1)
    assert other.of_type("presence")[-1] == {"type": "presence", "readers": 2, "writing": 1}
    other.reader.on_message('{"type":"writing"}')
    await tick_for(clock, room, 3)
    assert room.presence.local() == Headcount(2, 2)
    other.reader.on_message('{"type":"writing"}')
    await tick_for(clock, room, 3)
    assert room.presence.local() == Headcount(2, 1), "one has been silent for more than six seconds"
    await tick_for(clock, room, 7)
    assert room.presence.local() == Headcount(2, 0)
    assert one.of_type("presence")[-1] == {"type": "presence", "readers": 2, "writing": 0}
    one.reader.on_message('{"type":"writing"}')
    await tick_for(clock, room, 1)
    assert other.of_type("presence")[-1] == {"type": "presence", "readers": 2, "writing": 1}
    one.disconnect()
    await tick_for(clock, room, 2)
    assert room.presence.local() == Headcount(1, 0)
    assert other.of_type("presence")[-1] == {"type": "presence", "readers": 1, "writing": 0}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"type":"events"}', '{"type":"writing","more":1}', "\ud800"])
async def test_what_is_not_in_the_protocol_is_not_taken(room: Room, text: str) -> None:
    reader = join(room)
    assert reader.reader.on_message(text) is CloseCode.malformed
    assert room.presence.local() == Headcount(1, 0)


async def test_leaving_twice_is_leaving_once(store: FakeStore) -> None:
    turns: list[int] = []
    room = new_room(store, on_occupancy=lambda room: turns.append(len(room.readers)))
    await room.ready()
    one, other = join(room), join(room)
    one.reader.on_disconnect()
    one.reader.on_disconnect()
    assert turns == [1]
    other.reader.on_disconnect()
    other.reader.on_disconnect()
    one.reader.on_disconnect()
    assert turns == [1, 0]


async def test_a_room_that_is_shut_does_nothing_more(clock: Clock, room: Room, store: FakeStore) -> None:
    reader = join(room)
    room.on_writing(reader.reader)
    store.hold()
    room.catch_up_to(9)
    join(room, 0)
    received = len(reader.messages)
    await room.close()
    store.release()
    await clock.advance(30)
    assert len(reader.messages) == received
    assert room.head == 3
