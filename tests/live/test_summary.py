"""The summary: little of what was said, and everything that was taken back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from tertulia.live.backlog import MAX_FRAME_BYTES, Backlog
from tertulia.live.frames import Frame
from tertulia.live.summary import SHOWN, summary_frame
from tertulia.protocol import EVENTS_PAGE, EncodedEvent, EventKind, StreamMessage
from tests.live.fakes import EPOCH, created_event, event_of, removed_event, voted_event


def holding(*events: EncodedEvent) -> Backlog:
    backlog = Backlog(EPOCH)
    backlog.open_at(events[0].seq - 1)
    backlog.extend(events)
    return backlog


def parsed(frame: Frame) -> dict[str, Any]:
    """What a frame says, which is a message of the protocol."""
    TypeAdapter[StreamMessage](StreamMessage).validate_json(frame.text)
    found: dict[str, Any] = json.loads(frame.text)
    return found


def seqs(frame: Frame) -> list[int]:
    return [event["seq"] for event in parsed(frame)["events"]]


def test_the_newest_comments_are_shown_and_the_rest_is_counted() -> None:
    backlog = holding(*(created_event(seq) for seq in range(1, 31)))
    frame = summary_frame(backlog, 5, 30, SHOWN)
    message = parsed(frame)
    assert (message["type"], message["from"], message["to"], message["count"]) == ("summary", 6, 30, 25)
    assert seqs(frame) == list(range(31 - SHOWN, 31))
    assert frame.seq == 30
    assert SHOWN == 10


def test_of_votes_the_last_total_of_each_comment() -> None:
    votes = [(1, 71), (2, 72), (3, 71), (4, 71), (5, 72), (6, 73)]
    backlog = holding(*(voted_event(seq, comment=comment) for seq, comment in votes))
    for shown in (SHOWN, None):
        frame = summary_frame(backlog, 0, 6, shown)
        message = parsed(frame)
        assert (message["type"], message["count"], seqs(frame)) == ("summary", 0, [4, 5, 6])
    assert seqs(summary_frame(backlog, 3, 6, None)) == [4, 5, 6], "nothing is left out of these"
    assert parsed(summary_frame(backlog, 3, 6, None))["type"] == "events"


@pytest.mark.parametrize("kind", ["comment.removed", "comment.edited", "comment.restored"])
def test_all_else_is_kept(kind: EventKind) -> None:
    events = [
        event_of(kind, seq=seq, comment=500 + seq) if seq % 3 == 0 else created_event(seq) for seq in range(1, 61)
    ]
    frame = summary_frame(holding(*events), 0, 60, SHOWN)
    created = [seq for seq in range(1, 61) if seq % 3]
    assert seqs(frame) == sorted([*range(3, 61, 3), *created[-SHOWN:]])
    assert parsed(frame)["count"] == len(created)


def test_between_times_every_comment_is_shown() -> None:
    """``ticks`` leave out only votes that a later one made old."""
    events = [
        *(created_event(seq) for seq in range(1, 30)),
        voted_event(seq=30, comment=1),
        voted_event(seq=31, comment=1),
    ]
    frame = summary_frame(holding(*events), 0, 31, None)
    assert seqs(frame) == [*range(1, 30), 31]
    assert parsed(frame)["count"] == 29


@pytest.mark.parametrize("shown", [SHOWN, None])
def test_where_nothing_is_left_out_it_is_the_whole_frame(shown: int | None) -> None:
    backlog = holding(*(created_event(seq) for seq in range(1, SHOWN + 1)), voted_event(seq=11, comment=1))
    assert summary_frame(backlog, 0, 11, shown) is backlog.frame(0, 11)


def test_what_is_too_much_for_one_message_is_not_summarised() -> None:
    removals = [removed_event(seq, comment=1000 + seq) for seq in range(1, EVENTS_PAGE + 2)]
    backlog = holding(*removals, voted_event(seq=502, comment=1), voted_event(seq=503, comment=1))
    frame = summary_frame(backlog, 0, 503, SHOWN)
    assert frame is backlog.frame(0, 503)
    assert frame.seq == EVENTS_PAGE
    large = holding(*(created_event(seq, text="x" * (MAX_FRAME_BYTES // 8)) for seq in range(1, 21)))
    frame = summary_frame(large, 0, 20, SHOWN)
    assert (parsed(frame)["type"], len(frame.text) < MAX_FRAME_BYTES + 1000, frame.seq < 20) == ("events", True, True)


def test_it_is_made_once_and_again_after_a_removal() -> None:
    backlog = holding(*(created_event(seq) for seq in range(1, 31)))
    frame = summary_frame(backlog, 0, 30, SHOWN)
    assert summary_frame(backlog, 0, 30, SHOWN) is frame
    assert "text-30" in frame.text
    backlog.extend([removed_event(seq=31, comment=30)])
    again = summary_frame(backlog, 0, 30, SHOWN)
    assert (seqs(again), "text-30" in again.text) == (list(range(21, 31)), False)
