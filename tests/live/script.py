"""A scripted store for rooms, a clock that goes on when it is told to, and readers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from tertulia.bus import Message
from tertulia.core.comments import DiscussionKey, State
from tertulia.live.room import Batch, Reader, Room
from tertulia.live.stream import Stream
from tertulia.protocol import (
    AuthorView,
    CommentView,
    EncodedEvent,
    Event,
    EventKind,
    Votes,
    encode,
    redacted,
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
        """Commits events: a removal takes its comment out of the earlier ones. Gives the message about them."""
        for event in events:
            if event.conceals:
                self.events = [concealed(one, event) for one in self.events]
            self.events.append(event)
        return said(*events)

    @property
    def fills(self) -> list[tuple[int, int]]:
        """The reads without those that only ask for the head."""
        return [ask for ask in self.asked if ask[0] < 2**50]


def concealed(event: EncodedEvent, removal: EncodedEvent) -> EncodedEvent:
    if event.comment_id != removal.comment_id:
        return event
    return EncodedEvent(event.seq, event.comment_id, event.conceals, redacted(event.payload, State.removed))


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
    for _ in range(60):
        await asyncio.sleep(0)


async def opened(script: Script, backlog: int = 1_000_000) -> Room:
    room = Room(KEY, EPOCH, script.fetch, backlog)
    await room.ready()
    return room


def joined(room: Room, cursor: int | None = None) -> Reader:
    reader = Reader(room.head if cursor is None else cursor, lambda: None)
    room.join(reader)
    return reader


def seqs(batch: Batch | None) -> list[int]:
    return [] if batch is None else [event["seq"] for event in json.loads(batch.message)["events"]]


async def taken(room: Room, reader: Reader) -> list[int]:
    """Every seq that there is for a reader now."""
    found: list[int] = []
    while (batch := await room.next_batch(reader)) is not None:
        reader.cursor = batch.seq
        found += seqs(batch)
        assert found[-1] == batch.seq
    return found


class Follower:
    """Takes what a stream says, as a connection would; ``paused`` makes it a slow one."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.heard: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self.ready = asyncio.Event()
        self.ready.set()
        self.task = asyncio.create_task(self._follow())
        stream.on_close = self.task.cancel

    async def _follow(self) -> None:
        messages = self.stream.messages()
        try:
            async for message in messages:
                await self.ready.wait()
                self.raw.append(message)
                self.heard.append(json.loads(message))
        finally:
            await messages.aclose()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.heard if message["type"] == kind]

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for message in self.of("events") for event in message["events"]]

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@asynccontextmanager
async def following(stream: Stream) -> AsyncGenerator[Follower]:
    """A reader who has been greeted."""
    follower = Follower(stream)
    try:
        await settled()
        yield follower
    finally:
        await follower.end()
