"""The backlog: the newest stretch of one discussion's log, what a message does to it, and frames that bring readers on.

    message ──▶ receive ─┬─▶ Appended   it continued the head
                         ├─▶ Gap        the log has gone on, and the store has what is missing
                         └─▶ KNOWN      it said nothing new

Values in, decisions out: nothing here awaits, reads a clock or knows of an event loop. The room is its shell.
"""

from __future__ import annotations

import sys
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from tertulia.bus import Message
from tertulia.live.budget import MemoryBudget
from tertulia.live.frames import Frame
from tertulia.live.tuning import DEFAULT, Tuning
from tertulia.protocol import EVENTS_PAGE, EncodedEvent, EventPage, events_message, superseded

MAX_FRAME_BYTES = 256 * 1024
EVENT_OVERHEAD = 250
"""Bytes of an event besides its JSON: the object, its id, its place in the row."""
ENCODINGS = 3
"""Times its text that a frame takes in memory: as it is, compressed, as a Server-Sent Event."""
FrameKind = Literal["whole", "summary", "history"]
"""Every event of a stretch; a selection of them; what the store has after a cursor that is below the start."""
FrameKey = tuple[int, int | None, FrameKind]
"""From which cursor, to which seq, and how; of a ``history`` only its frame knows how far it goes."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a reader goes on: ``after`` None is the head."""

    epoch: str | None
    after: int | None


AT_HEAD = Cursor(None, None)


@dataclass(frozen=True, slots=True)
class Appended:
    """``count`` events continued the head; nothing is missing."""

    count: int


@dataclass(frozen=True, slots=True)
class Gap:
    """The log has reached ``to``, and events before it are missing; ``appended`` of the message continued the head."""

    appended: int
    to: int


@dataclass(frozen=True, slots=True)
class Known:
    """The message said nothing new."""


KNOWN = Known()
ONE_APPENDED = Appended(1)
"""What nearly every message is answered with, made once."""


class Backlog:
    """Events ``start + 1`` to ``head``. A frame is made once for all readers that need it.

    epoch: of the log; of a message from another one only its head counts
    tuning: how many events and frames are held
    budget: what is held is charged to it, and it may evict
    """

    def __init__(self, epoch: str, tuning: Tuning = DEFAULT, budget: MemoryBudget | None = None) -> None:
        self.epoch = epoch
        self.head = 0
        self.is_open = False
        self.redactions = 0
        """Counts what takes something out of earlier events: a read of the store that began before may still show it,
        and has to be made again."""
        self._tuning = tuning
        self._budget = MemoryBudget() if budget is None else budget
        self._events: deque[EncodedEvent] = deque()
        self._events_bytes = 0
        self._frames: OrderedDict[FrameKey, Frame] = OrderedDict()
        self._frames_bytes = 0
        self._pending_redactions: dict[str | None, EncodedEvent] = {}
        """By comment the newest edit or removal past the head: its text must not come back with what fills the gap."""

    @property
    def start(self) -> int:
        """The seq before the oldest event that is held."""
        return self.head - len(self._events)

    @property
    def bytes(self) -> int:
        """Of the events and frames that are held, in memory."""
        return self._events_bytes + self._frames_bytes

    def open_at(self, head: int) -> None:
        """Begins with nothing after ``head``, the newest seq of the log; before that every message leaves a gap."""
        self.head = head
        self.is_open = True

    def close(self) -> None:
        """Gives everything back; the room is no more."""
        self.is_open = False
        self._budget.release(self)
        self.evict()

    # ---- what comes -------------------------------------------------------------------------------------

    def receive(self, message: Message) -> Appended | Gap | Known:
        """Appends what continues the head, and redacts at once, even where a gap has to be filled before.

        After a Gap the caller reads the log after ``head`` from the store and gives it to ``extend``.
        """
        is_own = message.epoch == self.epoch
        for event in message.events:
            if event.conceals and event.seq > self.head:
                self.redactions += 1
                if is_own:
                    self._redact(event)
        if not message.events and message.head > self.head:
            self.redactions += 1  # what it announces may be a removal
        appended = self.extend(message.events) if is_own and self.is_open else 0
        if message.head > self.head:
            return Gap(appended, message.head)
        if appended == 1:
            return ONE_APPENDED
        return Appended(appended) if appended else KNOWN

    def extend(self, events: Sequence[EncodedEvent]) -> int:
        """Appends those that continue the head; returns how many."""
        before = self.head
        for event in events:
            if event.seq == self.head + 1:
                # counted here, too, for removals that the store tells of while another read of it is under way
                self.redactions += event.conceals
                self._append(event)
        return self.head - before

    def _append(self, event: EncodedEvent) -> None:
        if self._pending_redactions:
            event = self._redacted(event)
        if event.supersedes:
            self._rewrite(event)
        self._events.append(event)
        self.head = event.seq
        self._events_bytes += _size_of_event(event)
        while len(self._events) > self._tuning.events or (
            self._events_bytes > self._tuning.events_bytes and len(self._events) > 1
        ):
            self._events_bytes -= _size_of_event(self._events.popleft())
        self._charge()

    def _redact(self, later: EncodedEvent) -> None:
        """Takes out what an edit or a removal past the head takes out, also of what is still to come before it."""
        known = self._pending_redactions.get(later.comment_id)
        if known is not None and known.seq > later.seq:
            return
        self._pending_redactions[later.comment_id] = later
        if len(self._pending_redactions) > self._tuning.events:
            del self._pending_redactions[next(iter(self._pending_redactions))]
        self._rewrite(later)

    def _redacted(self, event: EncodedEvent) -> EncodedEvent:
        """The event as the log has it by now, where a later one about its comment came before it."""
        pending = {comment: later for comment, later in self._pending_redactions.items() if later.seq > event.seq}
        self._pending_redactions = pending
        later = pending.get(event.comment_id)
        return event if later is None else superseded(event, later)

    def redacted(self, page: EventPage) -> list[EncodedEvent] | None:
        """What the store gave, without what was taken out since; None where that is not held any more.

        Of a message that came without its events nothing is known: what it takes out may be shown as long as the next
        read takes.
        """
        if page.head < self.start:
            return None
        since = (event for event in (*self._events, *self._pending_redactions.values()) if event.conceals)
        newest = {event.comment_id: event for event in sorted(since, key=_seq) if event.seq > page.head}
        return [
            superseded(event, later) if (later := newest.get(event.comment_id)) and later.seq > event.seq else event
            for event in page.events
        ]

    def _rewrite(self, later: EncodedEvent) -> None:
        """Does to the events and frames that are held what the store does to its log."""
        if later.conceals:
            self._drop_frames()
        for index, event in enumerate(self._events):
            if event.comment_id == later.comment_id:
                rewritten = superseded(event, later)
                self._events_bytes += _size_of_event(rewritten) - _size_of_event(event)
                self._events[index] = rewritten
        self._charge()

    # ---- what readers are given -------------------------------------------------------------------------

    def position(self, cursor: Cursor) -> int | None:
        """The seq after which a reader with this cursor goes on; None where it cannot, and is reset to the head."""
        if cursor.after is None:
            return self.head if cursor.epoch in (None, self.epoch) else None
        return cursor.after if cursor.epoch == self.epoch and cursor.after <= self.head else None

    def is_behind(self, cursor: Cursor) -> bool:
        """Whether a cursor of this epoch is past the head: there is more, or the cursor was made up."""
        return cursor.epoch == self.epoch and cursor.after is not None and cursor.after > self.head

    def recent(self, after: int) -> list[EncodedEvent] | None:
        """At most EVENTS_PAGE events after ``after``, or None where they are not held."""
        return self.after(after) if self.is_open and self.start <= after <= self.head else None

    def after(self, cursor: int, limit: int = EVENTS_PAGE) -> list[EncodedEvent]:
        """At most ``limit`` events after ``cursor``, which is not below the start."""
        start = len(self._events) - (self.head - cursor)
        return list(islice(self._events, start, start + limit))

    def next_frame(self, cursor: int) -> Frame | None:
        """What brings a reader on from ``cursor``, below the head; None where the store has to be read first."""
        return self.frame(cursor, self.head) if cursor >= self.start else self.cached((cursor, None, "history"))

    def frame(self, cursor: int, to: int) -> Frame:
        """What brings a reader from ``cursor``, not below the start, towards ``to``; its ``seq`` is how far."""
        key: FrameKey = (cursor, to, "whole")
        known = self._frames.get(key)
        if known is None:
            known = batch(self.after(cursor, to - cursor))
            self.cache(key, known)
        return known

    def add_history(self, cursor: int, events: list[EncodedEvent]) -> bool:
        """Makes the frame for ``next_frame`` of what the store has after ``cursor``; False where that is nothing.

        The store may be ahead of the head: what it has past it comes as a message, and must not be sent twice.
        """
        known = [event for event in events if event.seq <= self.head]
        if known:
            self.cache((cursor, None, "history"), batch(known))
        return bool(known)

    def cache(self, key: FrameKey, frame: Frame) -> None:
        """Holds a frame until something is redacted."""
        earlier = self._frames.get(key)
        self._frames_bytes += _size_of_frame(frame) - (0 if earlier is None else _size_of_frame(earlier))
        self._frames[key] = frame
        while len(self._frames) > self._tuning.frames or (
            self._frames_bytes > self._tuning.frames_bytes and len(self._frames) > 1
        ):
            self._frames_bytes -= _size_of_frame(self._frames.popitem(last=False)[1])
        self._charge()

    def cached(self, key: FrameKey) -> Frame | None:
        return self._frames.get(key)

    # ---- memory -----------------------------------------------------------------------------------------

    def evict(self) -> None:
        """Gives up all that is held: the head stays, and what is before it comes from the store."""
        self._events.clear()
        self._events_bytes = 0
        self._drop_frames()

    def _drop_frames(self) -> None:
        self._frames.clear()
        self._frames_bytes = 0

    def _charge(self) -> None:
        self._budget.charge(self, self._events_bytes + self._frames_bytes)


def batch(events: list[EncodedEvent]) -> Frame:
    """One message of as many of these events as fit: at least one, at most EVENTS_PAGE or MAX_FRAME_BYTES."""
    size, count = 0, 0
    for event in events[:EVENTS_PAGE]:
        size += len(event.payload)
        if count and size > MAX_FRAME_BYTES:
            break
        count += 1
    return Frame(events_message([event.payload for event in events[:count]]), events[count - 1].seq)


def _seq(event: EncodedEvent) -> int:
    return event.seq


def _size_of_event(event: EncodedEvent) -> int:
    return EVENT_OVERHEAD + sys.getsizeof(event.payload)


def _size_of_frame(frame: Frame) -> int:
    return ENCODINGS * sys.getsizeof(frame.text)
