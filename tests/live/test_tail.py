"""The tail: the newest events, each frame of them made once, and nothing in it that was taken back."""

from __future__ import annotations

import json
import sys
import tracemalloc

import pytest

from tertulia.live import keeping
from tertulia.live import tail as tails
from tertulia.live.frames import Frame
from tertulia.live.keeping import Keeping
from tertulia.live.summary import SHOWN, summarised
from tertulia.live.tail import EVENT_BYTES, FRAME_BYTES, FRAMES_KEPT, Tail, batch
from tertulia.protocol import EVENTS_PAGE, EventKind
from tests.live.script import deletion, made


def filled(last: int, first: int = 1, text: str = "") -> Tail:
    tail = Tail()
    tail.head = first - 1
    for seq in range(first, last + 1):
        tail.append(made(seq, text=text))
    return tail


def seqs(frame: Frame) -> list[int]:
    return [event["seq"] for event in json.loads(frame.text)["events"]]


def test_it_begins_where_it_is_told() -> None:
    tail = filled(9, first=6)
    assert (tail.floor, tail.head) == (5, 9)
    assert [event.seq for event in tail.after(5)] == [6, 7, 8, 9]
    assert [event.seq for event in tail.after(6, 2)] == [7, 8]
    assert tail.after(9) == []


def test_old_events_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "EVENTS_KEPT", 5)
    tail = filled(20)
    assert (tail.floor, tail.head) == (15, 20)
    assert [event.seq for event in tail.after(15)] == [16, 17, 18, 19, 20]


def test_large_events_go_sooner_and_the_last_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "BYTES_KEPT", 3 * (sys.getsizeof(made(10).payload) + EVENT_BYTES) + 10)
    tail = filled(20)
    assert tail.floor == 17
    tail.append(made(21, text="x" * 5000))
    assert (tail.floor, tail.head) == (20, 21)
    tail.append(made(22))
    assert tail.floor == 21


def test_what_is_taken_out_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of a text that is gone are not counted any more."""
    monkeypatch.setattr(tails, "BYTES_KEPT", 6000)
    tail = filled(3)
    tail.append(made(4, text="x" * 5000))
    floor = tail.floor
    tail.append(made(5, "comment.removed", 4))
    for seq in range(6, 10):
        tail.append(made(seq))
    assert tail.floor == floor


def test_all_tails_together_keep_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was added to longest ago gives up what it has, and goes on from its head."""
    monkeypatch.setattr(keeping, "ALL_BYTES", 100_000)
    shared = Keeping()
    one, two, three = (Tail(shared) for _ in range(3))
    for seq in range(1, 5):
        for tail in (one, two):
            tail.append(made(seq, text="x" * 5_000))
    one.frame(0, 2)
    three.append(made(1, text="x" * 30_000))
    assert [(tail.floor, tail.head) for tail in (one, two, three)] == [(0, 4), (4, 4), (0, 1)]
    assert 0 < shared.bytes <= 100_000
    two.append(made(5))
    assert [event.seq for event in two.after(4)] == [5]
    for tail in (one, two, three):
        tail.end()
    assert shared.bytes == 0


@pytest.mark.parametrize("letter", ["x", "ệ", "🙂"])
def test_what_is_kept_is_no_more_than_it_is_weighed(letter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, with all forms of every frame; and not much less, or it would keep too little."""
    monkeypatch.setattr(keeping, "ALL_BYTES", 2_000_000)
    shared = Keeping()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tails_ = [Tail(shared) for _ in range(20)]
        for seq in range(1, 100):
            for tail in tails_:
                tail.append(made(seq, text=letter * 2_000))
                frame = tail.frame(seq - 1, seq)
                assert frame.plain
                assert frame.deflated
                assert frame.sse("an epoch")
        del frame
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert shared.bytes <= keeping.ALL_BYTES
    assert shared.bytes / 4 < taken < 1.3 * shared.bytes


def test_a_frame_is_made_once() -> None:
    tail = filled(9)
    frame = tail.frame(3, 9)
    assert (seqs(frame), frame.seq) == (list(range(4, 10)), 9)
    assert tail.frame(3, 9) is frame
    assert tail.kept(3, 9) is frame
    assert tail.kept(3, 8) is None
    shorter = tail.frame(3, 7)
    assert (seqs(shorter), shorter.seq) == ([4, 5, 6, 7], 7)
    tail.append(made(10))
    assert tail.frame(3, 9) is frame


def test_not_all_frames_are_kept() -> None:
    tail = filled(FRAMES_KEPT + 10)
    for cursor in range(FRAMES_KEPT + 1):
        tail.frame(cursor, tail.head)
    assert tail.kept(0, tail.head) is None
    assert sum(tail.kept(cursor, tail.head) is not None for cursor in range(tail.head)) == FRAMES_KEPT


def test_a_tail_alone_never_gives_up_what_it_is_read_from() -> None:
    """The heaviest frames, for readers at as many places as there are."""
    shared = Keeping()
    tail = Tail(shared)
    for seq in range(1, 201):
        tail.append(made(seq, text="🙂" * 4_000))
    floor = tail.floor
    for cursor in range(floor, tail.head):
        assert seqs(tail.frame(cursor, tail.head))[0] == cursor + 1
        assert seqs(summarised(tail, cursor, tail.head, SHOWN))[0] > cursor
        assert (tail.floor, tail.kept(cursor, tail.head) is not None) == (floor, True)
    assert shared.bytes == tail._bytes + tail._frame_bytes < keeping.ALL_BYTES


@pytest.mark.parametrize("appended", [True, False])
def test_a_removal_takes_it_out_of_events_and_frames(appended: bool) -> None:
    tail = filled(5)
    before = tail.frame(0, 5)
    tail.append(made(6, "comment.edited", 4, "better-4"))
    whole, other = tail.frame(0, 6), tail.frame(0, 2)
    tail.keep(0, 0, other)
    assert ["text-4" in frame.text for frame in (before, whole)] == [True, False]
    removal = made(7, "comment.removed", 4)
    if appended:
        tail.append(removal)
    else:
        tail.conceal(removal)
    assert [tail.kept(0, to) for to in (6, 2, 0)] == [None, None, None]
    again = tail.frame(0, tail.head)
    assert seqs(again) == list(range(1, 8 if appended else 7))
    for secret in ("text-4", "better-4", "name-4"):
        assert secret not in again.text
    assert "text-5" in again.text


def test_an_edit_leaves_nothing_of_what_was_said_before() -> None:
    tail = filled(5)
    for seq, text in ((6, "second-4"), (7, "third-4"), (8, "fourth-4")):
        before = tail.frame(0, tail.head)
        tail.append(made(seq, "comment.edited", 4, text))
        assert tail.kept(0, seq - 1) is not before
    frame = tail.frame(0, 8)
    assert seqs(frame) == list(range(1, 9))
    assert [old in frame.text for old in ("text-4", "second-4", "third-4")] == [False] * 3
    assert [event.payload.count("fourth-4") for event in tail.after(3)] == [1, 0, 0, 0, 1]
    assert [event.kind for event in tail.after(5)] == ["comment.superseded"] * 2 + ["comment.edited"]
    assert [event.comment_id for event in tail.after(5)][:2] == [None, None]


def test_a_tombstone_stays_one_when_what_was_restored_is_edited() -> None:
    tail = filled(4)
    for event in (made(5, "comment.removed", 4), made(6, "comment.restored", 4)):
        tail.append(event)
    tail.append(made(7, "comment.edited", 4, "better-4"))
    shown = [json.loads(event.payload)["comment"]["body"] for event in tail.after(3)]
    assert [body and body[0]["text"] for body in shown] == [None, None, "better-4", "better-4"]


def test_of_the_votes_on_one_comment_the_last_stays() -> None:
    tail = filled(3)
    for seq, comment in ((4, 1), (5, 2), (6, 1), (7, 1)):
        tail.append(made(seq, "comment.voted", comment))
    kinds = [event.kind.removeprefix("comment.") for event in tail.after(0)]
    assert kinds == ["created", "created", "created", "superseded", "voted", "superseded", "voted"]
    assert json.loads(tail.after(3)[0].payload) == {"seq": 4, "kind": "comment.superseded", "at": "2026"}
    tail.append(made(8, "comment.edited", 2, "better-2"))
    assert tail.after(4)[0].kind == "comment.superseded", "a whole comment says its votes, too"


@pytest.mark.parametrize("kind", ["comment.edited", "comment.removed"])
def test_what_is_heard_past_a_gap_is_kept_out_of_what_fills_it(kind: EventKind) -> None:
    tail = filled(4)
    late = made(8, kind, 4, "last-4")
    tail.conceal(late)
    tail.conceal(made(6, "comment.edited", 4, "late-4"))  # comes after what took its text out
    first = tail.after(3)[0]
    assert ("text-4" in first.payload, "late-4" in first.payload) == (False, False)
    for event in (made(5), made(6, "comment.edited", 4, "late-4"), made(7, "comment.voted", 4), late, made(9)):
        tail.append(event)
    text = tail.frame(0, 9).text
    assert [old in text for old in ("text-4", "late-4")] == [False, False]
    assert [event.kind for event in tail.after(4)] == [
        "comment.created", "comment.superseded", "comment.superseded", kind, "comment.created",
    ]  # fmt: skip


def test_of_what_is_heard_past_a_gap_so_much_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "EVENTS_KEPT", 5)
    tail = filled(1)
    for seq in range(100, 120):
        tail.conceal(made(seq, "comment.removed", seq))
    assert len(tail._ahead) == 5
    tail.append(made(2))
    assert len(tail._ahead) == 5
    tail.head = 200
    tail.append(made(201))
    assert tail._ahead == {}


def test_what_its_author_deleted_says_so() -> None:
    tail = filled(4)
    tail.append(deletion(5, 4))
    states = [json.loads(event.payload)["comment"]["state"] for event in tail.after(3)]
    assert states == ["deleted", "deleted"]


def test_what_is_restored_is_shown_again() -> None:
    tail = filled(4)
    tail.append(made(5, "comment.removed", 4))
    tail.append(made(6, "comment.restored", 4))
    assert ["text-4" in event.payload for event in tail.after(3)] == [False, False, True]


# ---- how much one message holds -------------------------------------------------------------------------


def test_a_frame_has_at_most_a_page() -> None:
    events = [made(seq, "comment.voted") for seq in range(1, EVENTS_PAGE + 10)]
    frame = batch(events)
    assert (len(seqs(frame)), frame.seq) == (EVENTS_PAGE, EVENTS_PAGE)
    assert batch(events[EVENTS_PAGE:]).seq == EVENTS_PAGE + 9


def test_a_frame_has_at_most_so_many_bytes() -> None:
    events = [made(seq, text="x" * 10_000) for seq in range(1, 100)]
    told: list[int] = []
    while len(told) < len(events):
        frame = batch(events[len(told) :])
        found = seqs(frame)
        assert frame.seq == found[-1]
        assert FRAME_BYTES - 11_000 < len(frame.text) < FRAME_BYTES + 1000 or found[-1] == 99
        told += found
    assert told == list(range(1, 100))


def test_an_event_that_is_too_large_comes_alone() -> None:
    events = [made(1), made(2, text="x" * (FRAME_BYTES + 10)), made(3)]
    assert [seqs(batch(events[at:])) for at in range(3)] == [[1], [2], [3]]
