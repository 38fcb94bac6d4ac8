"""The summary: what readers are sent of a stretch of events in which more happened than anyone can read."""

from __future__ import annotations

from tertulia.live.backlog import MAX_FRAME_BYTES, Backlog, FrameKey
from tertulia.live.frames import Frame
from tertulia.protocol import EVENTS_PAGE, EncodedEvent, summary_message

SHOWN = 10
"""Comments that a summary shows: the newest, which is what a reader of a busy discussion looks at."""


def summary_frame(backlog: Backlog, since: int, head: int, shown: int | None) -> Frame:
    """The frame for readers of a busy room: the last vote totals, at most ``shown`` new comments, all the rest.

    The whole frame where that leaves nothing out, or where what is left is too much for one message.
    """
    key: FrameKey = (since, head, "summary")
    known = backlog.cached(key)
    if known is not None:
        return known
    whole = backlog.frame(since, head)
    events = backlog.after(since, head - since)
    selected = _selected(events, shown)
    frame = whole
    if len(selected) < len(events) and len(selected) <= EVENTS_PAGE and _size(selected) <= MAX_FRAME_BYTES:
        created = sum(event.kind == "comment.created" for event in events)
        frame = Frame(summary_message(since + 1, head, created, [event.payload for event in selected]), head)
    backlog.cache(key, frame)
    return frame


def _selected(events: list[EncodedEvent], shown: int | None) -> list[EncodedEvent]:
    created = [event.seq for event in events if event.kind == "comment.created"]
    shown_from = created[-shown] if shown is not None and len(created) > shown else 0
    return [
        event
        for event in events
        if event.kind != "comment.superseded" and not (event.kind == "comment.created" and event.seq < shown_from)
    ]


def _size(events: list[EncodedEvent]) -> int:
    return sum(len(event.payload) for event in events)
