"""A stream: what one reader is sent, message after message, whatever carries it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace

from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode
from tertulia.live.hub import Hub
from tertulia.live.room import Present, Reader, Room
from tertulia.protocol import HEARTBEAT_SECONDS, Heartbeat, Hello, Presence, Reset


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a reader goes on: ``after`` None is the head."""

    epoch: str | None
    after: int | None


class Stream:
    """Joins the room, says hello, gives what was missed, then what comes; leaves when it is closed.

    ``closing`` says why the room ends the stream; ``on_close`` is called once when it does.
    """

    def __init__(self, hub: Hub, key: DiscussionKey, cursor: Cursor, *, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self.closing: CloseCode | None = None
        self.on_close: Callable[[], object] = lambda: None
        self._hub = hub
        self._key = key
        self._cursor = cursor
        self._heartbeat = heartbeat
        self._room: Room | None = None
        self._reader: Reader | None = None
        self._told = Present(0, 0)
        self._presence_round = 0

    @property
    def seq(self) -> int:
        """The last seq that was sent."""
        return self._reader.cursor if self._reader else 0

    @property
    def epoch(self) -> str:
        return self._hub.epoch

    def writing(self) -> None:
        """The reader is writing a comment."""
        if self._room is not None and self._reader is not None:
            self._room.note_writing(self._reader)

    async def messages(self) -> AsyncGenerator[str]:
        """Messages as JSON text, without end until ``on_close``."""
        room = self._room = await self._hub.enter(self._key)
        if self._hub.draining:
            self._closed(CloseCode.restarting)
            return
        known = self._known(room)
        start = room.head if self._cursor.after is None or not known else self._cursor.after
        reader = self._reader = Reader(start, self._interrupted)
        room.join(reader)
        try:
            self._told = room.count()
            self._presence_round = room.presence_round
            yield Hello(epoch=room.epoch, seq=room.head, readers=self._told.readers).model_dump_json()
            if not known:
                yield Reset(epoch=room.epoch, seq=start).model_dump_json()
            async for message in self._follow(room, reader):
                yield message
        finally:
            self._hub.leave(room, reader)

    def _interrupted(self) -> None:
        if self._reader is not None and self._reader.closing is not None:
            self._closed(self._reader.closing)

    def _closed(self, code: CloseCode) -> None:
        self.closing = code
        self.on_close()

    def _known(self, room: Room) -> bool:
        if self._cursor.after is None:
            return self._cursor.epoch in (None, room.epoch)
        return self._cursor.epoch == room.epoch and self._cursor.after <= room.head

    async def _follow(self, room: Room, reader: Reader) -> AsyncGenerator[str]:
        while True:
            reader.wake.clear()
            batch = await room.next_batch(reader)
            if batch is not None:
                reader.cursor = batch.seq
                yield batch.message
            elif self._presence_news(room):
                yield Presence(readers=self._told.readers, writing=self._told.writing).model_dump_json()
            elif not await self._woken(reader):
                self._told = replace(self._told, readers=len(room.readers))
                yield Heartbeat(seq=reader.cursor, readers=self._told.readers).model_dump_json()

    def _presence_news(self, room: Room) -> bool:
        if self._presence_round == room.presence_round:
            return False
        self._presence_round = room.presence_round
        news = self._told != room.present
        self._told = room.present
        return news

    async def _woken(self, reader: Reader) -> bool:
        try:
            async with asyncio.timeout(self._heartbeat):
                await reader.wake.wait()
        except TimeoutError:
            return False
        return True
