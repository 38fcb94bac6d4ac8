"""The hub: the rooms of this instance, and the watch that no silence goes unnoticed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from tertulia.bus import Bus
from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode
from tertulia.live.room import Fetch, Reader, Room
from tertulia.protocol import EncodedEvent

WATCH_SECONDS = 5.0
GRACE_SECONDS = 30.0

log = logging.getLogger(__name__)

Heads = Callable[[Iterable[DiscussionKey]], Awaitable[dict[DiscussionKey, int]]]


class Hub:
    """Opens a room for the first reader of a discussion and keeps it warm for a while after the last."""

    def __init__(self, bus: Bus, epoch: str, fetch: Fetch, heads: Heads, backlog: int) -> None:
        self.epoch = epoch
        self.rooms: dict[DiscussionKey, Room] = {}
        self.draining = False
        self._bus = bus
        self._fetch = fetch
        self._heads = heads
        self._backlog = backlog
        self._empty_since: dict[DiscussionKey, float] = {}
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._watch = asyncio.create_task(self._watching(), name="hub-watch")

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        for key in list(self.rooms):
            await self._forget(key)

    def drain(self) -> None:
        """Tells every reader that the server restarts; new ones are told at once."""
        self.draining = True
        for room in self.rooms.values():
            room.close(CloseCode.restarting)

    def readers(self, key: DiscussionKey) -> int:
        room = self.rooms.get(key)
        return 0 if room is None else len(room.readers)

    def recent(self, key: DiscussionKey, after: int) -> tuple[int, list[EncodedEvent]] | None:
        """The head and what came after ``after``, where a warm room has it; the store has the rest."""
        room = self.rooms.get(key)
        events = None if room is None else room.recent(after)
        return None if room is None or events is None else (room.head, events)

    async def enter(self, key: DiscussionKey) -> Room:
        """The discussion's room, its head known."""
        room = self.rooms.get(key)
        if room is None:
            room = Room(key, self.epoch, self._fetch, self._backlog)
            self.rooms[key] = room
            self._bus.subscribe(key, room.hear)
            # nobody may come in after all: it is empty until somebody does
            self._empty_since[key] = asyncio.get_running_loop().time()
        await room.ready()
        return room

    def leave(self, room: Room, reader: Reader) -> None:
        room.leave(reader)
        if not room.readers:
            self._empty_since[room.key] = asyncio.get_running_loop().time()

    async def compare(self) -> None:
        """Reads the heads of all rooms in one query and lets those that are behind catch up."""
        heads = await self._heads(list(self.rooms))
        for key, seq in heads.items():
            room = self.rooms.get(key)
            if room is not None:
                room.expect(seq)

    async def _watching(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self._close_empty()
                await self.compare()
            except Exception:
                log.exception("The rooms could not be compared with the store")

    async def _close_empty(self) -> None:
        now = asyncio.get_running_loop().time()
        for key, since in list(self._empty_since.items()):
            room = self.rooms.get(key)
            if room is None or room.readers:
                self._empty_since.pop(key, None)
            elif now - since > GRACE_SECONDS:
                await self._forget(key)

    async def _forget(self, key: DiscussionKey) -> None:
        self._bus.unsubscribe(key)
        self._empty_since.pop(key, None)
        room = self.rooms.pop(key)
        await room.shut()
