"""The backlog: the newest events, each frame of them made once, and nothing in it that was taken back."""

from __future__ import annotations

import json
import sys
import tracemalloc

import pytest

from tertulia.live import backlog as backlogs
from tertulia.live import budget
from tertulia.live.backlog import EVENT_OVERHEAD, MAX_FRAME_BYTES, MAX_FRAMES, Backlog, batch
from tertulia.live.budget import MemoryBudget
from tertulia.live.frames import Frame
from tertulia.live.summary import SHOWN, summary_frame
from tertulia.protocol import EVENTS_PAGE, EventKind
from tests.live.fakes import (
    created_event,
    deleted_event,
    edited_event,
    event_of,
    removed_event,
    restored_event,
    voted_event,
)


def filled(last: int, first: int = 1, text: str = "") -> Backlog:
    backlog = Backlog()
    backlog.head = first - 1
    for seq in range(first, last + 1):
        backlog.append(created_event(seq, text=text))
    return backlog


def seqs(frame: Frame) -> list[int]:
    return [event["seq"] for event in json.loads(frame.text)["events"]]


def test_it_begins_where_it_is_told() -> None:
    backlog = filled(9, first=6)
    assert (backlog.start, backlog.head) == (5, 9)
    assert [event.seq for event in backlog.after(5)] == [6, 7, 8, 9]
    assert [event.seq for event in backlog.after(6, 2)] == [7, 8]
    assert backlog.after(9) == []


def test_old_events_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlogs, "MAX_EVENTS", 5)
    backlog = filled(20)
    assert (backlog.start, backlog.head) == (15, 20)
    assert [event.seq for event in backlog.after(15)] == [16, 17, 18, 19, 20]


def test_large_events_go_sooner_and_the_last_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        backlogs, "MAX_EVENTS_BYTES", 3 * (sys.getsizeof(created_event(seq=10).payload) + EVENT_OVERHEAD) + 10
    )
    backlog = filled(20)
    assert backlog.start == 17
    backlog.append(created_event(seq=21, text="x" * 5000))
    assert (backlog.start, backlog.head) == (20, 21)
    backlog.append(created_event(seq=22))
    assert backlog.start == 21


def test_what_is_taken_out_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of a text that is gone are not counted any more."""
    monkeypatch.setattr(backlogs, "MAX_EVENTS_BYTES", 6000)
    backlog = filled(3)
    backlog.append(created_event(seq=4, text="x" * 5000))
    start = backlog.start
    backlog.append(removed_event(seq=5, comment=4))
    for seq in range(6, 10):
        backlog.append(created_event(seq))
    assert backlog.start == start


def test_all_backlogs_together_keep_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was added to longest ago gives up what it has, and goes on from its head."""
    monkeypatch.setattr(budget, "MAX_BYTES", 100_000)
    shared = MemoryBudget()
    one, two, three = (Backlog(shared) for _ in range(3))
    for seq in range(1, 5):
        for backlog in (one, two):
            backlog.append(created_event(seq, text="x" * 5_000))
    one.frame(0, 2)
    three.append(created_event(seq=1, text="x" * 30_000))
    assert [(backlog.start, backlog.head) for backlog in (one, two, three)] == [(0, 4), (4, 4), (0, 1)]
    assert 0 < shared.bytes <= 100_000
    two.append(created_event(seq=5))
    assert [event.seq for event in two.after(4)] == [5]
    for backlog in (one, two, three):
        backlog.end()
    assert shared.bytes == 0


@pytest.mark.parametrize("letter", ["x", "ệ", "🙂"])
def test_what_is_kept_is_no_more_than_it_is_weighed(letter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, with all forms of every frame; and not much less, or it would keep too little."""
    monkeypatch.setattr(budget, "MAX_BYTES", 2_000_000)
    shared = MemoryBudget()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        several = [Backlog(shared) for _ in range(20)]
        for seq in range(1, 100):
            for backlog in several:
                backlog.append(created_event(seq, text=letter * 2_000))
                frame = backlog.frame(seq - 1, seq)
                assert frame.plain
                assert frame.deflated
                assert frame.sse("an epoch")
        del frame
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert shared.bytes <= budget.MAX_BYTES
    assert shared.bytes / 4 < taken < 1.3 * shared.bytes


def test_a_frame_is_made_once() -> None:
    backlog = filled(9)
    frame = backlog.frame(3, 9)
    assert (seqs(frame), frame.seq) == (list(range(4, 10)), 9)
    assert backlog.frame(3, 9) is frame
    assert backlog.cached(3, 9) is frame
    assert backlog.cached(3, 8) is None
    shorter = backlog.frame(3, 7)
    assert (seqs(shorter), shorter.seq) == ([4, 5, 6, 7], 7)
    backlog.append(created_event(seq=10))
    assert backlog.frame(3, 9) is frame


def test_not_all_frames_are_kept() -> None:
    backlog = filled(MAX_FRAMES + 10)
    for cursor in range(MAX_FRAMES + 1):
        backlog.frame(cursor, backlog.head)
    assert backlog.cached(0, backlog.head) is None
    assert sum(backlog.cached(cursor, backlog.head) is not None for cursor in range(backlog.head)) == MAX_FRAMES


def test_a_backlog_alone_never_gives_up_what_it_is_read_from() -> None:
    """The heaviest frames, for readers at as many places as there are."""
    shared = MemoryBudget()
    backlog = Backlog(shared)
    for seq in range(1, 201):
        backlog.append(created_event(seq, text="🙂" * 4_000))
    start = backlog.start
    for cursor in range(start, backlog.head):
        assert seqs(backlog.frame(cursor, backlog.head))[0] == cursor + 1
        assert seqs(summary_frame(backlog, cursor, backlog.head, SHOWN))[0] > cursor
        assert (backlog.start, backlog.cached(cursor, backlog.head) is not None) == (start, True)
    assert shared.bytes == backlog._bytes + backlog._frame_bytes < budget.MAX_BYTES


@pytest.mark.parametrize("appended", [True, False])
def test_a_removal_takes_it_out_of_events_and_frames(appended: bool) -> None:
    backlog = filled(5)
    before = backlog.frame(0, 5)
    backlog.append(edited_event(seq=6, comment=4, text="better-4"))
    whole, other = backlog.frame(0, 6), backlog.frame(0, 2)
    backlog.cache(0, 0, other)
    assert ["text-4" in frame.text for frame in (before, whole)] == [True, False]
    removal = removed_event(seq=7, comment=4)
    if appended:
        backlog.append(removal)
    else:
        backlog.redact(removal)
    assert [backlog.cached(0, to) for to in (6, 2, 0)] == [None, None, None]
    again = backlog.frame(0, backlog.head)
    assert seqs(again) == list(range(1, 8 if appended else 7))
    for secret in ("text-4", "better-4", "name-4"):
        assert secret not in again.text
    assert "text-5" in again.text


def test_an_edit_leaves_nothing_of_what_was_said_before() -> None:
    backlog = filled(5)
    for seq, text in ((6, "second-4"), (7, "third-4"), (8, "fourth-4")):
        before = backlog.frame(0, backlog.head)
        backlog.append(edited_event(seq, comment=4, text=text))
        assert backlog.cached(0, seq - 1) is not before
    frame = backlog.frame(0, 8)
    assert seqs(frame) == list(range(1, 9))
    assert [old in frame.text for old in ("text-4", "second-4", "third-4")] == [False] * 3
    assert [event.payload.count("fourth-4") for event in backlog.after(3)] == [1, 0, 0, 0, 1]
    assert [event.kind for event in backlog.after(5)] == ["comment.superseded"] * 2 + ["comment.edited"]
    assert [event.comment_id for event in backlog.after(5)][:2] == [None, None]


def test_a_tombstone_stays_one_when_what_was_restored_is_edited() -> None:
    backlog = filled(4)
    for event in (removed_event(seq=5, comment=4), restored_event(seq=6, comment=4)):
        backlog.append(event)
    backlog.append(edited_event(seq=7, comment=4, text="better-4"))
    shown = [json.loads(event.payload)["comment"]["body"] for event in backlog.after(3)]
    assert [body and body[0]["text"] for body in shown] == [None, None, "better-4", "better-4"]


def test_of_the_votes_on_one_comment_the_last_stays() -> None:
    backlog = filled(3)
    for seq, comment in ((4, 1), (5, 2), (6, 1), (7, 1)):
        backlog.append(voted_event(seq, comment=comment))
    kinds = [event.kind.removeprefix("comment.") for event in backlog.after(0)]
    assert kinds == ["created", "created", "created", "superseded", "voted", "superseded", "voted"]
    assert json.loads(backlog.after(3)[0].payload) == {"seq": 4, "kind": "comment.superseded", "at": "2026"}
    backlog.append(edited_event(seq=8, comment=2, text="better-2"))
    assert backlog.after(4)[0].kind == "comment.superseded", "a whole comment says its votes, too"


@pytest.mark.parametrize("kind", ["comment.edited", "comment.removed"])
def test_what_is_received_past_a_gap_is_kept_out_of_what_fills_it(kind: EventKind) -> None:
    backlog = filled(4)
    late = event_of(kind, seq=8, comment=4, text="last-4")
    backlog.redact(late)
    backlog.redact(edited_event(seq=6, comment=4, text="late-4"))  # comes after what took its text out
    first = backlog.after(3)[0]
    assert ("text-4" in first.payload, "late-4" in first.payload) == (False, False)
    for event in (
        created_event(seq=5),
        edited_event(seq=6, comment=4, text="late-4"),
        voted_event(seq=7, comment=4),
        late,
        created_event(seq=9),
    ):
        backlog.append(event)
    text = backlog.frame(0, 9).text
    assert [old in text for old in ("text-4", "late-4")] == [False, False]
    assert [event.kind for event in backlog.after(4)] == [
        "comment.created", "comment.superseded", "comment.superseded", kind, "comment.created",
    ]  # fmt: skip


def test_of_what_is_received_past_a_gap_so_much_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlogs, "MAX_EVENTS", 5)
    backlog = filled(1)
    for seq in range(100, 120):
        backlog.redact(removed_event(seq, comment=seq))
    assert len(backlog._pending_redactions) == 5
    backlog.append(created_event(seq=2))
    assert len(backlog._pending_redactions) == 5
    backlog.head = 200
    backlog.append(created_event(seq=201))
    assert backlog._pending_redactions == {}


def test_what_its_author_deleted_says_so() -> None:
    backlog = filled(4)
    backlog.append(deleted_event(seq=5, comment=4))
    states = [json.loads(event.payload)["comment"]["state"] for event in backlog.after(3)]
    assert states == ["deleted", "deleted"]


def test_what_is_restored_is_shown_again() -> None:
    backlog = filled(4)
    backlog.append(removed_event(seq=5, comment=4))
    backlog.append(restored_event(seq=6, comment=4))
    assert ["text-4" in event.payload for event in backlog.after(3)] == [False, False, True]


# ---- how much one message holds -------------------------------------------------------------------------


def test_a_frame_has_at_most_a_page() -> None:
    events = [voted_event(seq) for seq in range(1, EVENTS_PAGE + 10)]
    frame = batch(events)
    assert (len(seqs(frame)), frame.seq) == (EVENTS_PAGE, EVENTS_PAGE)
    assert batch(events[EVENTS_PAGE:]).seq == EVENTS_PAGE + 9


def test_a_frame_has_at_most_so_many_bytes() -> None:
    events = [created_event(seq, text="x" * 10_000) for seq in range(1, 100)]
    told: list[int] = []
    while len(told) < len(events):
        frame = batch(events[len(told) :])
        found = seqs(frame)
        assert frame.seq == found[-1]
        assert MAX_FRAME_BYTES - 11_000 < len(frame.text) < MAX_FRAME_BYTES + 1000 or found[-1] == 99
        told += found
    assert told == list(range(1, 100))


def test_an_event_that_is_too_large_comes_alone() -> None:
    events = [created_event(seq=1), created_event(seq=2, text="x" * (MAX_FRAME_BYTES + 10)), created_event(seq=3)]
    assert [seqs(batch(events[at:])) for at in range(3)] == [[1], [2], [3]]
