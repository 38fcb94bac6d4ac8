"""The backlog: what a message does to it, each frame made once, and nothing in it that was taken back. No loop runs."""

from __future__ import annotations

import itertools
import json
import random
import sys

import pytest

from tertulia.bus import Message
from tertulia.live.backlog import (
    EVENT_OVERHEAD,
    KNOWN,
    MAX_FRAME_BYTES,
    Appended,
    Backlog,
    Cursor,
    FrameKey,
    Gap,
    batch,
)
from tertulia.live.budget import MemoryBudget
from tertulia.live.frames import Frame
from tertulia.live.summary import SHOWN, summary_frame
from tertulia.live.tuning import MAX_BYTES, MAX_FRAMES, Tuning
from tertulia.protocol import EVENTS_PAGE, EncodedEvent, EventKind
from tests.live.fakes import (
    EPOCH,
    KEY,
    FakeStore,
    created_event,
    deleted_event,
    edited_event,
    event_of,
    message_of,
    removed_event,
    restored_event,
    voted_event,
)
from tests.support.memory import memory_of


def filled(last: int, *, first: int = 1, tuning: Tuning | None = None) -> Backlog:
    """Holds created events ``first`` to ``last``."""
    backlog = Backlog(EPOCH, tuning or Tuning())
    backlog.open_at(first - 1)
    backlog.extend([created_event(seq) for seq in range(first, last + 1)])
    return backlog


def fill(backlog: Backlog, store: FakeStore) -> None:
    """What the room does after a gap."""
    backlog.extend([event for event in store.events if event.seq > backlog.head])


def seqs(frame: Frame) -> list[int]:
    return [event["seq"] for event in json.loads(frame.text)["events"]]


def test_it_begins_where_it_is_told() -> None:
    backlog = filled(9, first=6)
    assert (backlog.start, backlog.head) == (5, 9)
    assert [event.seq for event in backlog.after(5)] == [6, 7, 8, 9]
    assert [event.seq for event in backlog.after(6, 2)] == [7, 8]
    assert backlog.after(9) == []


# ---- receive: what continues, what does not -------------------------------------------------------------


def events(*numbers: int) -> list[EncodedEvent]:
    return [created_event(seq) for seq in numbers]


@pytest.mark.parametrize(
    ("given", "outcome", "head"),
    [
        (events(4), Appended(1), 4),
        (events(4, 5, 6), Appended(3), 6),
        (events(2, 3, 4), Appended(1), 4),
        (events(3), KNOWN, 3),
        (events(1, 2), KNOWN, 3),
        (events(5), Gap(0, 5), 3),
        (events(9, 10), Gap(0, 10), 3),
        (events(3, 4, 6), Gap(1, 6), 4),
    ],
    ids=lambda value: " ".join(str(event.seq) for event in value) if isinstance(value, list) else str(value),
)
def test_a_message_continues_the_head_or_leaves_a_gap_or_is_known(
    given: list[EncodedEvent], outcome: object, head: int
) -> None:
    backlog = filled(3)
    assert backlog.receive(message_of(*given)) == outcome
    assert (backlog.head, [event.seq for event in backlog.after(0)]) == (head, list(range(1, head + 1)))


def test_what_fills_a_gap_is_appended_as_far_as_it_continues() -> None:
    backlog = filled(3)
    assert backlog.receive(message_of(created_event(seq=6))) == Gap(0, 6)
    assert backlog.extend(events(5, 6)) == 0
    assert backlog.extend(events(2, 3, 4, 5)) == 2
    assert backlog.extend(events(6, 8)) == 1
    assert backlog.head == 6


@pytest.mark.parametrize(("reached", "outcome"), [(2, KNOWN), (3, KNOWN), (4, Gap(0, 4)), (9, Gap(0, 9))])
def test_a_message_without_events_says_how_far_the_log_is(reached: int, outcome: object) -> None:
    backlog = filled(3)
    assert backlog.receive(Message(KEY, EPOCH, (), reached)) == outcome
    assert backlog.head == 3


def test_of_another_epoch_nothing_is_taken() -> None:
    backlog = filled(4)
    before = backlog.after(0)
    assert backlog.receive(message_of(created_event(seq=5), epoch="epoch-two")) == Gap(0, 5)
    assert backlog.receive(message_of(removed_event(seq=9, comment=4), epoch="epoch-two")) == Gap(0, 9)
    assert backlog.receive(message_of(created_event(seq=4), epoch="epoch-two")) == KNOWN
    assert (backlog.head, backlog.after(0)) == (4, before)


def test_until_it_is_open_every_message_leaves_a_gap() -> None:
    backlog = Backlog(EPOCH)
    assert backlog.receive(message_of(created_event(seq=1))) == Gap(0, 1)
    assert (backlog.recent(0), backlog.is_open) == (None, False)
    backlog.open_at(3)
    assert backlog.receive(message_of(created_event(seq=1))) == KNOWN
    assert backlog.receive(message_of(created_event(seq=4))) == Appended(1)
    backlog.close()
    assert backlog.receive(message_of(created_event(seq=5))) == Gap(0, 5)
    assert backlog.recent(4) is None


@pytest.mark.parametrize("order", list(itertools.permutations((4, 5, 6, 7))))
def test_messages_in_any_order(order: tuple[int, ...]) -> None:
    backlog, store = filled(3), FakeStore(*events(1, 2, 3, 4, 5, 6, 7))
    for seq in order:
        outcome = backlog.receive(message_of(created_event(seq)))
        if isinstance(outcome, Gap):
            assert outcome == Gap(0, seq)
            fill(backlog, store)
    assert [event.seq for event in backlog.after(0)] == [1, 2, 3, 4, 5, 6, 7]


KINDS: tuple[EventKind, ...] = (
    "comment.created", "comment.created", "comment.created", "comment.edited", "comment.removed", "comment.voted",
)  # fmt: skip


def test_losses_repeats_orders_and_redactions_end_with_what_the_store_has() -> None:
    """Of a backlog that holds little; nothing that the log no longer shows is in it at any time."""
    for seed in range(200):
        chance, store = random.Random(seed), FakeStore()
        backlog, pending = Backlog(EPOCH, Tuning(events=8)), list[Message]()
        backlog.open_at(0)
        for seq in range(1, 60):
            kind = chance.choice(KINDS)
            comment = seq if kind == "comment.created" else chance.randrange(1, seq + 1)
            pending.append(store.commit(event_of(kind, seq, comment, f"text-{comment} of {seq}")))
            while pending and chance.random() < 0.6:
                message = pending.pop(chance.randrange(len(pending)))
                for _ in range(chance.choice((0, 1, 1, 2))):
                    if isinstance(backlog.receive(message), Gap) and chance.random() < 0.5:
                        fill(backlog, store)
        fill(backlog, store)
        assert backlog.after(backlog.start) == store.events[-8:], seed


# ---- cursors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cursor", "position"),
    [
        (Cursor(None, None), 3),
        (Cursor(EPOCH, None), 3),
        (Cursor(EPOCH, 0), 0),
        (Cursor(EPOCH, 3), 3),
        (Cursor(EPOCH, 4), None),
        (Cursor(EPOCH, 2**53), None),
        (Cursor(None, 3), None),
        (Cursor("epoch-two", None), None),
        (Cursor("epoch-two", 3), None),
    ],
    ids=str,
)
def test_a_cursor_goes_on_where_it_is_or_not_at_all(cursor: Cursor, position: int | None) -> None:
    backlog = filled(3)
    assert backlog.position(cursor) == position
    assert backlog.is_behind(cursor) == (cursor.epoch == EPOCH and (cursor.after or 0) > 3)


def test_recent_is_what_is_held() -> None:
    backlog = filled(9, first=6)
    assert [backlog.recent(after) for after in (4, 9, 10)] == [None, [], None]
    assert [event.seq for event in backlog.recent(5) or ()] == [6, 7, 8, 9]


def test_a_reader_from_before_the_start_needs_the_store_once() -> None:
    backlog = filled(9, first=6)
    assert backlog.next_frame(5) is backlog.frame(5, 9)
    assert backlog.next_frame(2) is None
    assert backlog.add_history(2, events(3, 4, 5, 6, 7))
    history = backlog.next_frame(2)
    assert history is not None
    assert (seqs(history), history.seq) == ([3, 4, 5, 6, 7], 7)
    assert backlog.next_frame(2) is history
    backlog.receive(message_of(removed_event(seq=10, comment=4)))
    assert backlog.next_frame(2) is None, "it may show what was removed"


def test_what_the_store_has_past_the_head_is_no_history() -> None:
    backlog = filled(9, first=6)
    assert backlog.add_history(4, events(5, 6, 7, 8, 9, 10, 11))
    history = backlog.next_frame(4)
    assert history is not None
    assert seqs(history) == [5, 6, 7, 8, 9]
    assert not backlog.add_history(3, events(10, 11))
    assert not backlog.add_history(3, [])
    assert backlog.next_frame(3) is None


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        (message_of(created_event(seq=6)), False),
        (message_of(voted_event(seq=6, comment=1)), False),
        (message_of(edited_event(seq=6, comment=1)), True),
        (message_of(removed_event(seq=6, comment=1)), True),
        (message_of(removed_event(seq=9, comment=1)), True),
        (message_of(removed_event(seq=9, comment=1), epoch="epoch-two"), True),
        (message_of(removed_event(seq=5, comment=1)), False),
        (Message(KEY, EPOCH, (), reached=5), False),
        (Message(KEY, EPOCH, (), reached=6), True),
    ],
    ids=[
        "created",
        "voted",
        "edited",
        "removed",
        "after a gap",
        "another epoch",
        "known",
        "known seq alone",
        "seq alone",
    ],
)
def test_a_read_that_was_begun_before_a_redaction_has_to_be_made_again(message: Message, changes: bool) -> None:
    backlog = filled(5)
    before = backlog.redactions
    backlog.receive(message)
    assert (backlog.redactions != before) is changes


def test_a_redaction_that_the_store_told_of_counts_as_well() -> None:
    backlog = filled(5)
    before = backlog.redactions
    backlog.extend([removed_event(seq=6, comment=1)])
    assert backlog.redactions != before


# ---- how much is held -----------------------------------------------------------------------------------


def test_old_events_go() -> None:
    backlog = filled(20, tuning=Tuning(events=5))
    assert (backlog.start, backlog.head) == (15, 20)
    assert [event.seq for event in backlog.after(15)] == [16, 17, 18, 19, 20]


def test_large_events_go_sooner_and_the_last_stays() -> None:
    size = sys.getsizeof(created_event(seq=10).payload) + EVENT_OVERHEAD
    backlog = filled(20, tuning=Tuning(events_bytes=3 * size + 10))
    assert backlog.start == 17
    backlog.extend([created_event(seq=21, text="x" * 5000)])
    assert (backlog.start, backlog.head) == (20, 21)
    backlog.extend([created_event(seq=22)])
    assert backlog.start == 21


def test_what_is_taken_out_makes_room() -> None:
    """The bytes of a text that is gone are not counted any more."""
    backlog = filled(3, tuning=Tuning(events_bytes=6000))
    backlog.extend([created_event(seq=4, text="x" * 5000)])
    start = backlog.start
    backlog.extend([removed_event(seq=5, comment=4), *events(6, 7, 8, 9)])
    assert backlog.start == start


def sharing(budget: MemoryBudget) -> Backlog:
    backlog = Backlog(EPOCH, budget=budget)
    backlog.open_at(0)
    return backlog


def test_all_backlogs_together_hold_so_much() -> None:
    """The one that was added to longest ago gives up what it has, and goes on from its head."""
    budget = MemoryBudget(100_000)
    one, two, three = (sharing(budget) for _ in range(3))
    for seq in range(1, 5):
        for backlog in (one, two):
            backlog.extend([created_event(seq, text="x" * 5_000)])
    one.frame(0, 2)
    three.extend([created_event(seq=1, text="x" * 30_000)])
    assert [(backlog.start, backlog.head) for backlog in (one, two, three)] == [(0, 4), (4, 4), (0, 1)]
    assert 0 < budget.bytes <= 100_000
    two.extend([created_event(seq=5)])
    assert [event.seq for event in two.after(4)] == [5]
    for backlog in (one, two, three):
        backlog.close()
    assert budget.bytes == 0


@pytest.mark.parametrize("letter", ["x", "ệ", "🙂"])
def test_what_is_held_is_no_more_than_is_charged(letter: str) -> None:
    """With all encodings of every frame; and not much less, or it would hold too little."""
    budget = MemoryBudget(2_000_000)
    backlogs = [sharing(budget) for _ in range(20)]
    for seq in range(1, 100):
        for backlog in backlogs:
            backlog.extend([created_event(seq, text=letter * 2_000)])
            frame = backlog.frame(seq - 1, seq)
            assert frame.plain
            assert frame.deflated
            assert frame.sse("an epoch")
    assert budget.bytes <= 2_000_000
    assert budget.bytes / 4 < memory_of(backlogs) < 1.3 * budget.bytes


def test_a_frame_is_made_once() -> None:
    backlog = filled(9)
    frame = backlog.frame(3, 9)
    assert (seqs(frame), frame.seq) == (list(range(4, 10)), 9)
    assert backlog.frame(3, 9) is frame
    assert backlog.cached((3, 9, "whole")) is frame
    assert backlog.cached((3, 8, "whole")) is None
    shorter = backlog.frame(3, 7)
    assert (seqs(shorter), shorter.seq) == ([4, 5, 6, 7], 7)
    backlog.extend([created_event(seq=10)])
    assert backlog.frame(3, 9) is frame


def test_not_all_frames_are_kept() -> None:
    backlog = filled(MAX_FRAMES + 10)
    for cursor in range(MAX_FRAMES + 1):
        backlog.frame(cursor, backlog.head)
    assert backlog.cached((0, backlog.head, "whole")) is None
    held = [backlog.cached((cursor, backlog.head, "whole")) for cursor in range(backlog.head)]
    assert len(held) - held.count(None) == MAX_FRAMES


def test_a_backlog_alone_never_gives_up_what_it_is_read_from() -> None:
    """The heaviest frames, for readers at as many places as there are."""
    budget = MemoryBudget()
    backlog = sharing(budget)
    backlog.extend([created_event(seq, text="🙂" * 4_000) for seq in range(1, 201)])
    start = backlog.start
    for cursor in range(start, backlog.head):
        assert seqs(backlog.frame(cursor, backlog.head))[0] == cursor + 1
        assert seqs(summary_frame(backlog, cursor, backlog.head, SHOWN))[0] > cursor
        assert (backlog.start, backlog.cached((cursor, backlog.head, "whole")) is not None) == (start, True)
    assert budget.bytes == backlog.bytes < MAX_BYTES


@pytest.mark.parametrize("appended", [True, False])
def test_a_removal_takes_it_out_of_events_and_frames(appended: bool) -> None:
    backlog = filled(5)
    before = backlog.frame(0, 5)
    backlog.extend([edited_event(seq=6, comment=4, text="better-4")])
    whole, other = backlog.frame(0, 6), backlog.frame(0, 2)
    backlog.cache((0, None, "history"), other)
    assert ["text-4" in frame.text for frame in (before, whole)] == [True, False]
    removal = removed_event(seq=7, comment=4)
    if appended:
        backlog.extend([removal])
    else:
        assert backlog.receive(message_of(removed_event(seq=8, comment=4))) == Gap(0, 8)
    keys: list[FrameKey] = [(0, 6, "whole"), (0, 2, "whole"), (0, None, "history")]
    assert [backlog.cached(key) for key in keys] == [None, None, None]
    again = backlog.frame(0, backlog.head)
    assert seqs(again) == list(range(1, 8 if appended else 7))
    for secret in ("text-4", "better-4", "name-4"):
        assert secret not in again.text
    assert "text-5" in again.text


def test_an_edit_leaves_nothing_of_what_was_said_before() -> None:
    backlog = filled(5)
    for seq, text in ((6, "second-4"), (7, "third-4"), (8, "fourth-4")):
        before = backlog.frame(0, backlog.head)
        backlog.extend([edited_event(seq, comment=4, text=text)])
        assert backlog.cached((0, seq - 1, "whole")) is not before
    frame = backlog.frame(0, 8)
    assert seqs(frame) == list(range(1, 9))
    assert [old in frame.text for old in ("text-4", "second-4", "third-4")] == [False] * 3
    assert [event.payload.count("fourth-4") for event in backlog.after(3)] == [1, 0, 0, 0, 1]
    assert [event.kind for event in backlog.after(5)] == ["comment.superseded"] * 2 + ["comment.edited"]
    assert [event.comment_id for event in backlog.after(5)][:2] == [None, None]


def test_a_tombstone_stays_one_when_what_was_restored_is_edited() -> None:
    backlog = filled(4)
    backlog.extend([removed_event(seq=5, comment=4), restored_event(seq=6, comment=4)])
    backlog.extend([edited_event(seq=7, comment=4, text="better-4")])
    shown = [json.loads(event.payload)["comment"]["body"] for event in backlog.after(3)]
    assert [body and body[0]["text"] for body in shown] == [None, None, "better-4", "better-4"]


def test_of_the_votes_on_one_comment_the_last_stays() -> None:
    backlog = filled(3)
    for seq, comment in ((4, 1), (5, 2), (6, 1), (7, 1)):
        backlog.extend([voted_event(seq, comment=comment)])
    kinds = [event.kind.removeprefix("comment.") for event in backlog.after(0)]
    assert kinds == ["created", "created", "created", "superseded", "voted", "superseded", "voted"]
    assert json.loads(backlog.after(3)[0].payload) == {"seq": 4, "kind": "comment.superseded", "at": "2026"}
    backlog.extend([edited_event(seq=8, comment=2, text="better-2")])
    assert backlog.after(4)[0].kind == "comment.superseded", "a whole comment says its votes, too"


@pytest.mark.parametrize("kind", ["comment.edited", "comment.removed"])
def test_what_is_received_past_a_gap_is_kept_out_of_what_fills_it(kind: EventKind) -> None:
    backlog = filled(4)
    late = event_of(kind, seq=8, comment=4, text="last-4")
    backlog.receive(message_of(late))
    backlog.receive(message_of(edited_event(seq=6, comment=4, text="late-4")))  # comes after what took its text out
    first = backlog.after(3)[0]
    assert ("text-4" in first.payload, "late-4" in first.payload) == (False, False)
    backlog.extend(
        [
            created_event(seq=5),
            edited_event(seq=6, comment=4, text="late-4"),
            voted_event(seq=7, comment=4),
            late,
            created_event(seq=9),
        ]
    )
    text = backlog.frame(0, 9).text
    assert [old in text for old in ("text-4", "late-4")] == [False, False]
    assert [event.kind for event in backlog.after(4)] == [
        "comment.created", "comment.superseded", "comment.superseded", kind, "comment.created",
    ]  # fmt: skip


def test_of_what_is_received_past_a_gap_so_much_is_remembered() -> None:
    """The newest five; a redaction that is older than what fills the gap by now is not applied any more."""
    backlog = filled(1, tuning=Tuning(events=5))
    for comment in range(2, 22):
        backlog.receive(message_of(removed_event(seq=100 + comment, comment=comment)))
    shown = set()
    for seq in range(2, 22):
        backlog.extend([created_event(seq)])
        [event] = backlog.after(seq - 1)
        if f"text-{seq}" in event.payload:
            shown.add(seq)
    assert shown == set(range(2, 17))
    backlog.extend([created_event(seq) for seq in range(22, 130)])
    backlog.extend([restored_event(seq=130, comment=21)])
    assert "text-21" in backlog.after(129)[0].payload


def test_what_its_author_deleted_says_so() -> None:
    backlog = filled(4)
    backlog.extend([deleted_event(seq=5, comment=4)])
    states = [json.loads(event.payload)["comment"]["state"] for event in backlog.after(3)]
    assert states == ["deleted", "deleted"]


def test_what_is_restored_is_shown_again() -> None:
    backlog = filled(4)
    backlog.extend([removed_event(seq=5, comment=4)])
    backlog.extend([restored_event(seq=6, comment=4)])
    assert ["text-4" in event.payload for event in backlog.after(3)] == [False, False, True]


# ---- how much one message holds -------------------------------------------------------------------------


def test_a_frame_has_at_most_a_page() -> None:
    events = [voted_event(seq) for seq in range(1, EVENTS_PAGE + 10)]
    frame = batch(events)
    assert (len(seqs(frame)), frame.seq) == (EVENTS_PAGE, EVENTS_PAGE)
    assert batch(events[EVENTS_PAGE:]).seq == EVENTS_PAGE + 9


def test_a_frame_has_at_most_so_many_bytes() -> None:
    events = [created_event(seq, text="x" * 10_000) for seq in range(1, 100)]
    sent: list[int] = []
    while len(sent) < len(events):
        frame = batch(events[len(sent) :])
        found = seqs(frame)
        assert frame.seq == found[-1]
        assert MAX_FRAME_BYTES - 11_000 < len(frame.text) < MAX_FRAME_BYTES + 1000 or found[-1] == 99
        sent += found
    assert sent == list(range(1, 100))


def test_an_event_that_is_too_large_comes_alone() -> None:
    events = [created_event(seq=1), created_event(seq=2, text="x" * (MAX_FRAME_BYTES + 10)), created_event(seq=3)]
    assert [seqs(batch(events[at:])) for at in range(3)] == [[1], [2], [3]]
