"""Events, a store that answers when it is told to, and readers that record what they are sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from tertulia.bus import Bus, Message
from tertulia.bus.memory import MemoryBus
from tertulia.core.comments import DiscussionKey, State
from tertulia.errors import CloseCode
from tertulia.live.backlog import Cursor
from tertulia.live.frames import Frame
from tertulia.live.hub import Hub
from tertulia.live.rate import Rates
from tertulia.live.reader import Reader
from tertulia.live.room import Room, RoomContext
from tertulia.live.tuning import DEFAULT, Tuning
from tertulia.protocol import (
    AuthorView,
    CommentView,
    EncodedEvent,
    Event,
    EventKind,
    EventPage,
    Votes,
    encode,
    superseded,
)

KEY = DiscussionKey("default", "here")
EPOCH = "epoch-one"

# ---- events: like real ones, about a comment that is a number instead of an id --------------------------


def created_event(seq: int, *, comment: int | None = None, text: str = "") -> EncodedEvent:
    return event_of("comment.created", seq, comment, text)


def edited_event(seq: int, *, comment: int | None = None, text: str = "") -> EncodedEvent:
    return event_of("comment.edited", seq, comment, text)


def removed_event(seq: int, *, comment: int | None = None) -> EncodedEvent:
    """By a moderator."""
    return event_of("comment.removed", seq, comment)


def deleted_event(seq: int, *, comment: int | None = None) -> EncodedEvent:
    """By the author."""
    event = removed_event(seq, comment=comment)
    return replace(event, payload=event.payload.replace('"removed"', '"deleted"'))


def restored_event(seq: int, *, comment: int | None = None) -> EncodedEvent:
    return event_of("comment.restored", seq, comment)


def voted_event(seq: int, *, comment: int | None = None) -> EncodedEvent:
    return event_of("comment.voted", seq, comment)


def event_of(kind: EventKind, seq: int, comment: int | None = None, text: str = "") -> EncodedEvent:
    """Of any kind; ``comment`` is ``seq`` where it is not given, ``text`` is made of the comment's number."""
    number = seq if comment is None else comment
    comment_id = f"0190a000-0000-7000-8000-{number:012}"
    if kind == "comment.voted":
        event = Event(seq=seq, kind=kind, at="2026", comment_id=comment_id, votes=Votes(up=seq, down=0))
        return encode(event)
    gone = kind == "comment.removed"
    view = CommentView(
        id=comment_id,
        parent_id=None,
        author=None if gone else AuthorView(id="x", name=f"name-{number}", badge=None),
        body=None if gone else [{"type": "code", "text": text or f"text-{number}"}],
        created_at="2026",
        edited_at=None,
        state=State.removed if gone else State.visible,
        votes=Votes(up=0, down=0),
        reply_count=0,
        pinned=False,
    )
    return encode(Event(seq=seq, kind=kind, at="2026", comment=view, comment_count=seq))


def message_of(*events: EncodedEvent, epoch: str = EPOCH, key: DiscussionKey = KEY) -> Message:
    return Message(key, epoch, events)


# ---- the store ------------------------------------------------------------------------------------------


class FakeStore:
    """A store of one discussion, which answers at once, when it is released, or with an error.

    ``reads`` notes every read of the log as (after, limit), ``comparisons`` of which discussions the newest seqs were
    read. What is read is what was there when the read began.
    """

    def __init__(self, *events: EncodedEvent) -> None:
        self.events = list(events)
        self.reads: list[tuple[int, int]] = []
        self.comparisons: list[list[DiscussionKey]] = []
        self.error: Exception | None = None
        self._released = asyncio.Event()
        self._released.set()
        self._held: int | None = None
        self._compared = asyncio.Event()
        self._compared.set()

    @property
    def head(self) -> int:
        return self.events[-1].seq if self.events else 0

    async def read_log(self, _key: DiscussionKey, after: int, limit: int) -> EventPage:
        self.reads.append((after, limit))
        head, found = self.head, [event for event in self.events if event.seq > after][:limit]
        if self._held in (None, after):
            await self._released.wait()
        if self.error is not None:
            raise self.error
        return EventPage(head, found)

    async def latest_seqs(self, keys: Iterable[DiscussionKey]) -> dict[DiscussionKey, int]:
        self.comparisons.append(list(keys))
        found = dict.fromkeys(self.comparisons[-1], self.head)
        await self._compared.wait()
        if self.error is not None:
            raise self.error
        return found

    def commit(self, *events: EncodedEvent) -> Message:
        """Commits events, which take out of earlier ones what the store takes out. Gives the message about them."""
        for event in events:
            if event.supersedes:
                self.events = [_rewritten(one, event) for one in self.events]
            self.events.append(event)
        return message_of(*events)

    def hold(self, after: int | None = None) -> None:
        """Reads of the log wait from now on, or only those of what came after ``after``."""
        self._held = after
        self._released.clear()

    def hold_comparisons(self) -> None:
        self._compared.clear()

    def release(self) -> None:
        """What waits is answered, and what comes later at once."""
        self._released.set()
        self._compared.set()

    @property
    def log_reads(self) -> list[tuple[int, int]]:
        """The reads without those that only ask for the head."""
        return [read for read in self.reads if read[0] < 2**50]


def _rewritten(event: EncodedEvent, later: EncodedEvent) -> EncodedEvent:
    return superseded(event, later) if event.comment_id == later.comment_id else event


# ---- rooms and readers ----------------------------------------------------------------------------------


NEVER_BUSY = Rates(1e9, 1e9)
"""Rates that nothing reaches: the room stays instant."""


def new_room(
    store: FakeStore,
    tuning: Tuning = DEFAULT,
    *,
    rates: Rates = NEVER_BUSY,
    bus: Bus | None = None,
    on_occupancy: Callable[[Room], None] = lambda _room: None,
) -> Room:
    """A room that is not open yet."""
    return Room(KEY, RoomContext(EPOCH, bus or MemoryBus(), store.read_log, rates, tuning), on_occupancy)


async def open_room(store: FakeStore, tuning: Tuning = DEFAULT, *, rates: Rates = NEVER_BUSY) -> Room:
    room = new_room(store, tuning, rates=rates)
    await room.ready()
    return room


class FakeReader:
    """A reader with a connection that records, and that takes no more when it is told to."""

    def __init__(self, room: Room, cursor: Cursor | None = None, *, full: bool = False) -> None:
        self.reader = Reader(room, full=full)
        self.reader.connection = self
        self.frames: list[Frame] = []
        self.messages: list[dict[str, Any]] = []
        self.buffered_bytes = 0
        self.closing: CloseCode | None = None
        self.ignores_close = False
        self.violations: list[str] = []
        """What was written while it was paused or after its end."""
        self.on_write: Callable[[], None] = lambda: None
        room.join(self.reader, Cursor(None, None) if cursor is None else cursor)

    def write(self, frame: Frame) -> None:
        if self.reader.paused or self.closing is not None:
            self.violations.append(frame.text)
        self.frames.append(frame)
        self.messages.append(json.loads(frame.text))
        self.on_write()

    def buffered(self) -> int:
        return self.buffered_bytes

    def close(self, code: CloseCode) -> None:
        if self.closing is None:
            self.closing = code
        if not self.ignores_close:
            self.reader.on_disconnect()

    def disconnect(self) -> None:
        """The other side is gone: whatever is written now is wrong."""
        self.closing = CloseCode.gone
        self.reader.on_disconnect()

    def unlink(self) -> None:
        """This and its reader hold each other."""
        del self.reader

    @property
    def texts(self) -> list[str]:
        return [frame.text for frame in self.frames]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    @property
    def batches(self) -> list[list[int]]:
        """The seqs of every message of events."""
        assert self.violations == [], "written to a connection that is paused or gone"
        return [[event["seq"] for event in message["events"]] for message in self.of_type("events")]

    @property
    def seqs(self) -> list[int]:
        return [seq for batch in self.batches for seq in batch]


def join(room: Room, after: int | None = None, *, full: bool = False) -> FakeReader:
    """One who comes in at ``after``, or at the head."""
    return FakeReader(room, Cursor(room.epoch, after), full=full)


async def join_discussion(hub: Hub, key: DiscussionKey, cursor: Cursor) -> FakeReader:
    """One who comes in through the hub, as the endpoints do it."""
    return FakeReader(await hub.enter(key, cursor), cursor)
