"""The tail: the newest stretch of one discussion's log, and the frames that bring readers along it."""

from __future__ import annotations

from collections import OrderedDict, deque
from itertools import islice

from tertulia.live.frames import Frame
from tertulia.protocol import EVENTS_PAGE, EncodedEvent, events_message, superseded

EVENTS_KEPT = 512
BYTES_KEPT = 4 * 1024 * 1024
FRAME_BYTES = 256 * 1024
FRAMES_KEPT = 64


class Tail:
    """Events ``floor + 1`` to ``head``. A frame for (from, to) is made once for all readers that stand at ``from``."""

    def __init__(self) -> None:
        self.head = 0
        self._events: deque[EncodedEvent] = deque()
        self._bytes = 0
        self._frames: OrderedDict[tuple[int, int], Frame] = OrderedDict()
        self._ahead: dict[str | None, EncodedEvent] = {}
        """What was heard to be concealed before the events up to there have come, by comment."""

    @property
    def floor(self) -> int:
        """The seq before the oldest event that is kept."""
        return self.head - len(self._events)

    def append(self, event: EncodedEvent) -> None:
        """Adds the event after the head; one that supersedes takes back what earlier ones showed."""
        if self._ahead:
            event = self._in_time(event)
        if event.supersedes:
            self._supersede(event)
        self._events.append(event)
        self.head = event.seq
        self._bytes += len(event.payload)
        while len(self._events) > EVENTS_KEPT or (self._bytes > BYTES_KEPT and len(self._events) > 1):
            self._bytes -= len(self._events.popleft().payload)

    def after(self, cursor: int, limit: int = EVENTS_PAGE) -> list[EncodedEvent]:
        """At most ``limit`` events after ``cursor``, which is not below the floor."""
        start = len(self._events) - (self.head - cursor)
        return list(islice(self._events, start, start + limit))

    def frame(self, cursor: int, to: int) -> Frame:
        """The frame that brings a reader from ``cursor`` towards ``to``; its ``seq`` says how far."""
        known = self._frames.get((cursor, to))
        if known is None:
            known = batch(self.after(cursor, to - cursor))
            self.keep(cursor, to, known)
        return known

    def keep(self, cursor: int, to: int, frame: Frame) -> None:
        """Remembers a frame until something is concealed; ``to`` is 0 for what came from the store."""
        self._frames[cursor, to] = frame
        if len(self._frames) > FRAMES_KEPT:
            self._frames.popitem(last=False)

    def kept(self, cursor: int, to: int) -> Frame | None:
        return self._frames.get((cursor, to))

    def conceal(self, later: EncodedEvent) -> None:
        """Takes out what an edit or a removal past the head took out, and keeps it out of what is still to come."""
        known = self._ahead.get(later.comment_id)
        if known is not None and known.seq > later.seq:
            return
        self._ahead[later.comment_id] = later
        if len(self._ahead) > EVENTS_KEPT:
            del self._ahead[next(iter(self._ahead))]
        self._supersede(later)

    def _in_time(self, event: EncodedEvent) -> EncodedEvent:
        """The event as the log has it already, where a later one about its comment was heard before it."""
        self._ahead = {name: later for name, later in self._ahead.items() if later.seq > event.seq}
        later = self._ahead.get(event.comment_id)
        return event if later is None else superseded(event, later)

    def _supersede(self, later: EncodedEvent) -> None:
        """Does to what is kept of a comment, in the events and in every frame, what the store does to its log."""
        if later.conceals:
            self._frames.clear()
        for index, event in enumerate(self._events):
            if event.comment_id == later.comment_id:
                kept = superseded(event, later)
                self._bytes += len(kept.payload) - len(event.payload)
                self._events[index] = kept


def batch(events: list[EncodedEvent]) -> Frame:
    """One message of as many of these events as fit: at least one, at most EVENTS_PAGE or FRAME_BYTES."""
    size, count = 0, 0
    for event in events[:EVENTS_PAGE]:
        size += len(event.payload)
        if count and size > FRAME_BYTES:
            break
        count += 1
    return Frame(events_message([event.payload for event in events[:count]]), events[count - 1].seq)
