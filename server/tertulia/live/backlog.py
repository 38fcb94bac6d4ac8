"""The backlog: the newest stretch of one discussion's log, and the frames that bring readers along it."""

from __future__ import annotations

import sys
from collections import OrderedDict, deque
from itertools import islice

from tertulia.live.budget import MemoryBudget
from tertulia.live.frames import Frame
from tertulia.protocol import EVENTS_PAGE, EncodedEvent, events_message, superseded

MAX_EVENTS = 512
MAX_EVENTS_BYTES = 4 * 1024 * 1024
"""Of events, in memory; what all rooms together may keep is in live.budget."""
MAX_FRAME_BYTES = 256 * 1024
MAX_FRAMES = 64
MAX_FRAMES_BYTES = 16 * 1024 * 1024
"""Of frames, in memory: with the events well below what all rooms may keep, or a backlog would give up, in the middle
of making a frame, the events that it makes it of."""
EVENT_OVERHEAD = 250
"""Of an event besides its JSON: the object, its id, its place in the row."""
ENCODINGS = 3
"""What a frame takes in the forms that connections write, in times of its text: as it is, compressed, as an SSE."""


class Backlog:
    """Events ``start + 1`` to ``head``. A frame for (from, to) is made once for all readers that stand at ``from``."""

    def __init__(self, budget: MemoryBudget | None = None) -> None:
        self.head = 0
        self._budget = MemoryBudget() if budget is None else budget
        self._frame_bytes = 0
        self._events: deque[EncodedEvent] = deque()
        self._bytes = 0
        self._frames: OrderedDict[tuple[int, int], Frame] = OrderedDict()
        self._pending_redactions: dict[str | None, EncodedEvent] = {}
        """What was heard to be concealed before the events up to there have come, by comment."""

    @property
    def start(self) -> int:
        """The seq before the oldest event that is kept."""
        return self.head - len(self._events)

    def append(self, event: EncodedEvent) -> None:
        """Adds the event after the head; one that supersedes takes back what earlier ones showed."""
        if self._pending_redactions:
            event = self._with_pending_redaction(event)
        if event.supersedes:
            self._rewrite(event)
        self._events.append(event)
        self.head = event.seq
        self._bytes += _event_size(event)
        while len(self._events) > MAX_EVENTS or (self._bytes > MAX_EVENTS_BYTES and len(self._events) > 1):
            self._bytes -= _event_size(self._events.popleft())
        self._charge()

    def after(self, cursor: int, limit: int = EVENTS_PAGE) -> list[EncodedEvent]:
        """At most ``limit`` events after ``cursor``, which is not below the start."""
        start = len(self._events) - (self.head - cursor)
        return list(islice(self._events, start, start + limit))

    def frame(self, cursor: int, to: int) -> Frame:
        """The frame that brings a reader from ``cursor`` towards ``to``; its ``seq`` says how far."""
        known = self._frames.get((cursor, to))
        if known is None:
            known = batch(self.after(cursor, to - cursor))
            self.cache(cursor, to, known)
        return known

    def cache(self, cursor: int, to: int, frame: Frame) -> None:
        """Remembers a frame until something is concealed; ``to`` is 0 for what came from the store."""
        earlier = self._frames.get((cursor, to))
        self._frame_bytes += _frame_size(frame) - (0 if earlier is None else _frame_size(earlier))
        self._frames[cursor, to] = frame
        while len(self._frames) > MAX_FRAMES or (self._frame_bytes > MAX_FRAMES_BYTES and len(self._frames) > 1):
            self._frame_bytes -= _frame_size(self._frames.popitem(last=False)[1])
        self._charge()

    def cached(self, cursor: int, to: int) -> Frame | None:
        return self._frames.get((cursor, to))

    def redact(self, later: EncodedEvent) -> None:
        """Takes out what an edit or a removal past the head took out, and keeps it out of what is still to come."""
        known = self._pending_redactions.get(later.comment_id)
        if known is not None and known.seq > later.seq:
            return
        self._pending_redactions[later.comment_id] = later
        if len(self._pending_redactions) > MAX_EVENTS:
            del self._pending_redactions[next(iter(self._pending_redactions))]
        self._rewrite(later)

    def _with_pending_redaction(self, event: EncodedEvent) -> EncodedEvent:
        """The event as the log has it already, where a later one about its comment was heard before it."""
        self._pending_redactions = {
            name: later for name, later in self._pending_redactions.items() if later.seq > event.seq
        }
        later = self._pending_redactions.get(event.comment_id)
        return event if later is None else superseded(event, later)

    def _rewrite(self, later: EncodedEvent) -> None:
        """Does to what is kept of a comment, in the events and in every frame, what the store does to its log."""
        if later.conceals:
            self._clear_frames()
        for index, event in enumerate(self._events):
            if event.comment_id == later.comment_id:
                kept = superseded(event, later)
                self._bytes += _event_size(kept) - _event_size(event)
                self._events[index] = kept
        self._charge()

    def evict(self) -> None:
        """Gives up all that is kept: the head stays, and what is before it comes from the store."""
        self._events.clear()
        self._bytes = 0
        self._clear_frames()

    def end(self) -> None:
        """The room is no more."""
        self._budget.release(self)
        self.evict()

    def _clear_frames(self) -> None:
        self._frames.clear()
        self._frame_bytes = 0

    def _charge(self) -> None:
        self._budget.charge(self, self._bytes + self._frame_bytes)


def batch(events: list[EncodedEvent]) -> Frame:
    """One message of as many of these events as fit: at least one, at most EVENTS_PAGE or MAX_FRAME_BYTES."""
    size, count = 0, 0
    for event in events[:EVENTS_PAGE]:
        size += len(event.payload)
        if count and size > MAX_FRAME_BYTES:
            break
        count += 1
    return Frame(events_message([event.payload for event in events[:count]]), events[count - 1].seq)


def _event_size(event: EncodedEvent) -> int:
    return EVENT_OVERHEAD + sys.getsizeof(event.payload)


def _frame_size(frame: Frame) -> int:
    return ENCODINGS * sys.getsizeof(frame.text)
