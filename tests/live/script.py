"""A scripted store for rooms, a clock that goes on when it is told to, and readers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from tertulia.bus import Message
from tertulia.bus.memory import MemoryBus
from tertulia.core.comments import DiscussionKey, State
from tertulia.errors import CloseCode
from tertulia.live.frames import Frame
from tertulia.live.hub import Hub
from tertulia.live.rate import DeliveryRate
from tertulia.live.reader import Reader
from tertulia.live.room import Cursor, Room
from tertulia.live.stats import LiveStats
from tertulia.protocol import (
    AuthorView,
    CommentView,
    EncodedEvent,
    Event,
    EventKind,
    Votes,
    encode,
    superseded,
)

KEY = DiscussionKey("default", "here")
EPOCH = "epoch-one"


def made(seq: int, kind: EventKind = "comment.created", comment: int | None = None, text: str = "") -> EncodedEvent:
    """An event that looks like a real one; ``comment`` is a number instead of an id."""
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


def said(*events: EncodedEvent, epoch: str = EPOCH, key: DiscussionKey = KEY) -> Message:
    return Message(key, epoch, events)


class Script:
    """A store of one discussion, which answers at once, when it is let, or with an error.

    ``asked`` notes every read as (after, limit). What is read is what was there when the read began.
    """

    def __init__(self, *events: EncodedEvent) -> None:
        self.events = list(events)
        self.asked: list[tuple[int, int]] = []
        self.error: Exception | None = None
        self.emptied: list[Room] = []
        self.free = asyncio.Event()
        self.free.set()

    @property
    def head(self) -> int:
        return self.events[-1].seq if self.events else 0

    async def fetch(self, _key: DiscussionKey, after: int, limit: int) -> tuple[int, list[EncodedEvent]]:
        self.asked.append((after, limit))
        head, found = self.head, [event for event in self.events if event.seq > after][:limit]
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return head, found

    async def heads(self, keys: Iterable[DiscussionKey]) -> dict[DiscussionKey, int]:
        if self.error is not None:
            raise self.error
        return dict.fromkeys(keys, self.head)

    def add(self, *events: EncodedEvent) -> Message:
        """Commits events, which take out of earlier ones what the store takes out. Gives the message about them."""
        for event in events:
            if event.supersedes:
                self.events = [kept(one, event) for one in self.events]
            self.events.append(event)
        return said(*events)

    @property
    def fills(self) -> list[tuple[int, int]]:
        """The reads without those that only ask for the head."""
        return [ask for ask in self.asked if ask[0] < 2**50]


def kept(event: EncodedEvent, later: EncodedEvent) -> EncodedEvent:
    return superseded(event, later) if event.comment_id == later.comment_id else event


def deletion(seq: int, comment: int) -> EncodedEvent:
    """Like a removal, by the author."""
    event = made(seq, "comment.removed", comment)
    return replace(event, payload=event.payload.replace('"removed"', '"deleted"'))


class Clock:
    """The time of the running loop."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def go(self, seconds: float) -> None:
        """Goes on, and lets everything happen that is due."""
        self.now += seconds
        await settled()


async def settled() -> None:
    """Lets everything run that can run without the outside."""
    for _ in range(100):
        await asyncio.sleep(0)


BUSY = 1e9
"""A rate that nothing reaches: the room stays instant."""


async def opened(script: Script, tick_rate: float = BUSY, summary_rate: float = BUSY) -> Room:
    """An open room; ``script.emptied`` notes when its last reader leaves."""

    def turned(room: Room) -> None:
        if not room.readers:
            script.emptied.append(room)

    room = Room(KEY, EPOCH, MemoryBus(), script.fetch, DeliveryRate(tick_rate, summary_rate), turned, LiveStats())
    await room.ready()
    return room


class Follower:
    """A reader with a connection that records, and that takes no more when it is told to."""

    def __init__(self, room: Room, cursor: Cursor | None = None, *, full: bool = False) -> None:
        self.reader = Reader(room, full=full)
        self.reader.connection = self
        self.frames: list[Frame] = []
        self.heard: list[dict[str, Any]] = []
        self.waiting = 0
        self.closing: CloseCode | None = None
        self.lingers = False
        self.wrong: list[str] = []
        self.on_write: Callable[[], None] = lambda: None
        room.join(self.reader, Cursor(None, None) if cursor is None else cursor)

    def write(self, frame: Frame) -> None:
        if self.reader.paused or self.closing is not None:
            self.wrong.append(frame.text)
        self.frames.append(frame)
        self.heard.append(json.loads(frame.text))
        self.on_write()

    def buffered(self) -> int:
        return self.waiting

    def close(self, code: CloseCode) -> None:
        if self.closing is None:
            self.closing = code
        if not self.lingers:
            self.reader.on_disconnect()

    def end(self) -> None:
        """The other side is gone: whatever is written now is wrong."""
        self.closing = CloseCode.gone
        self.reader.on_disconnect()

    def let_go(self) -> None:
        """This and its reader hold each other."""
        del self.reader

    @property
    def raw(self) -> list[str]:
        return [frame.text for frame in self.frames]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.heard if message["type"] == kind]

    @property
    def batches(self) -> list[list[int]]:
        """The seqs of every message of events."""
        assert self.wrong == [], "written to a connection that is paused or gone"
        return [[event["seq"] for event in message["events"]] for message in self.of("events")]

    @property
    def seqs(self) -> list[int]:
        return [seq for batch in self.batches for seq in batch]


def joined(room: Room, after: int | None = None, *, full: bool = False) -> Follower:
    """One who comes in at ``after``, or at the head."""
    return Follower(room, Cursor(room.epoch, after), full=full)


async def follow(hub: Hub, key: DiscussionKey, cursor: Cursor) -> Follower:
    """One who comes in through the hub, as the endpoints do it."""
    return Follower(await hub.enter(key, cursor), cursor)
