"""The hub: the rooms of this instance, the passing of time in them, and the watch that no silence goes unnoticed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from tertulia.bus import Bus, BusHandlers, PresenceUpdate
from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode, Problem
from tertulia.live.counts import Counts, Found
from tertulia.live.keeping import Keeping
from tertulia.live.pace import Pace
from tertulia.live.room import AT_HEAD, Cursor, Fetch, Room
from tertulia.protocol import EncodedEvent

TICK_SECONDS = 1.0
WATCH_SECONDS = 5.0
DOUBT_SECONDS = 1.0
"""Rooms are compared with the store this often while messages of other instances may be lost."""
GRACE_SECONDS = 30.0
HINT_SECONDS = 0.5
"""Rooms of which somebody unknown spoke are compared at once, but together and not more often than this: whoever
floods Redis costs the store two queries a second.
"""
EMPTY_ROOMS = 500
"""Rooms kept warm without readers; the one that has been empty longest goes first. At some 10 KiB each, 5 MiB at most
besides the events that they keep (see live.tail), for what a store answers in a millisecond."""

log = logging.getLogger(__name__)

Heads = Callable[[Iterable[DiscussionKey]], Awaitable[dict[DiscussionKey, int]]]


@dataclass(frozen=True, slots=True)
class Rates:
    """Events a second of one discussion above which it is delivered in ticks, and above which in summaries."""

    tick: float
    summary: float


class Hub:
    """Opens a room for the first reader of a discussion and keeps it warm for a while after the last.

    A discussion of which nothing happened has nothing to be kept: its room goes with its last reader.

    ``lag`` is how late the last tick came, in seconds.
    """

    def __init__(self, bus: Bus, epoch: str, fetch: Fetch, heads: Heads, rates: Rates) -> None:
        self.epoch = epoch
        self.rooms: dict[DiscussionKey, Room] = {}
        self.draining = False
        self.counts = Counts()
        self.lag = 0.0
        self.longest_lag = 0.0
        self._bus = bus
        self._fetch = fetch
        self._heads = heads
        self._rates = rates
        self._keeping = Keeping()
        self._empty_since: dict[DiscussionKey, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._missed: dict[DiscussionKey, None] = {}
        self._missing = asyncio.Event()
        self._hints: dict[DiscussionKey, None] = {}
        self._hinting = asyncio.Event()
        self._is_apart = False
        bus.set_handlers(BusHandlers(on_gap=self._miss, on_presence=self._attended, on_hint=self._hinted))

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._ticking(), name="hub-ticks"),
            asyncio.create_task(self._watching(), name="hub-watch"),
            asyncio.create_task(self._comparing_missed(), name="hub-missed"),
            asyncio.create_task(self._comparing_hinted(), name="hub-hinted"),
        ]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        ending = [task for room in list(self.rooms.values()) for task in self._forget(room)]
        await asyncio.gather(*ending, return_exceptions=True)

    async def drain(self, seconds: float) -> None:
        """Tells every reader that the server restarts, spread over ``seconds``; new ones are told at once."""
        self.draining = True
        readers = [reader for room in self.rooms.values() for reader in room.readers]
        steps = max(1, round(seconds * 10))
        for step in range(steps):
            for reader in readers[step::steps]:
                reader.connection.close(CloseCode.restarting)
            if step + 1 < steps and any(room.readers for room in self.rooms.values()):
                await asyncio.sleep(seconds / steps)

    def readers(self, key: DiscussionKey) -> int:
        """Readers of the discussion, as far as this instance knows: all of them where it has one itself."""
        room = self.rooms.get(key)
        return 0 if room is None else room.presence.readers

    def has(self, key: DiscussionKey) -> bool:
        """Whether who comes to the discussion finds its room."""
        return key in self.rooms

    def recent(self, key: DiscussionKey, after: int) -> tuple[int, list[EncodedEvent]] | None:
        """The head and what came after ``after``, where a warm room has it; the store has the rest."""
        room = self.rooms.get(key)
        events = None if room is None else room.recent(after)
        return None if room is None or events is None else (room.head, events)

    async def enter(self, key: DiscussionKey, cursor: Cursor = AT_HEAD) -> Room:
        """The discussion's room, not behind ``cursor``. Between this and ``join`` nothing may be awaited."""
        room = await self._opened(key)
        if room.is_behind(cursor):
            # another instance committed what the reader knows already, and its message is late or lost
            await self.compare((key,))
            await room.repaired()
            room = await self._opened(key)
        return room

    async def _opened(self, key: DiscussionKey) -> Room:
        while True:
            room = self.rooms.get(key) or self._open(key)
            if room.is_open:
                return room
            room.awaited += 1
            try:
                await room.ready()
            except asyncio.CancelledError:
                if self.rooms.get(key) is room or asyncio.current_task().cancelling():  # type: ignore[union-attr]
                    raise
                # the room was forgotten while it opened: there is a new one
            finally:
                room.awaited -= 1
                self._awaited(room)

    def _open(self, key: DiscussionKey) -> Room:
        pace = Pace(self._rates.tick, self._rates.summary)
        room = self.rooms[key] = Room(
            key, self.epoch, self._bus, self._fetch, pace, self._turned, self.counts, self._keeping
        )
        self._bus.subscribe(key, room.hear)
        return room

    def _awaited(self, room: Room) -> None:
        """Somebody waits no longer: to come in at once, or because the room does not open, or is gone."""
        if self.rooms.get(room.key) is not room or room.awaited or room.readers:
            return
        if room.is_open:
            self._keep(room)
        else:
            self._forget(room)

    def _turned(self, room: Room) -> None:
        if self.rooms.get(room.key) is not room:
            return
        if room.readers:
            self._empty_since.pop(room.key, None)
        elif room.head:
            self._keep(room)
        elif not room.awaited:
            self._forget(room)

    def _keep(self, room: Room) -> None:
        """Keeps an empty room for a while, and as many as there may be."""
        self._empty_since.pop(room.key, None)
        self._empty_since[room.key] = asyncio.get_running_loop().time()
        if len(self._empty_since) > EMPTY_ROOMS:
            self._forget(self.rooms[next(iter(self._empty_since))])

    async def compare(self, keys: Iterable[DiscussionKey] | None = None) -> None:
        """Reads the heads of these rooms, or of all, in one query and lets those that are behind catch up."""
        heads = await self._heads([key for key in (self.rooms if keys is None else keys) if key in self.rooms])
        for key, seq in heads.items():
            room = self.rooms.get(key)
            if room is not None:
                room.expect(seq, Found.watch)

    async def _ticking(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            self.lag = max(0.0, loop.time() - due)
            self.longest_lag = max(self.longest_lag, self.lag)
            self._tick()

    def _tick(self) -> None:
        for room in tuple(self.rooms.values()):
            try:
                room.tick()
            except Exception:
                log.exception("A room failed in its tick")

    async def _watching(self) -> None:
        loop = asyncio.get_running_loop()
        compared = loop.time()
        while True:
            await asyncio.sleep(DOUBT_SECONDS)
            if not self._bus.is_degraded and loop.time() - compared < WATCH_SECONDS:
                continue
            compared = loop.time()
            try:
                self._close_empty()
            except Exception:
                log.exception("An empty room could not be closed")
            await self._compared()

    def _miss(self, keys: Iterable[DiscussionKey]) -> None:
        missed = dict.fromkeys(keys)
        self._missed.update(missed)
        for key in missed:
            if key in self.rooms:
                self.rooms[key].presence.ask(len(missed))
        self._missing.set()

    def _attended(self, said: PresenceUpdate) -> None:
        if said.key in self.rooms:
            self.rooms[said.key].presence.hear(said)

    def _hinted(self, key: DiscussionKey) -> None:
        if key in self.rooms:
            self._hints[key] = None
            self._hinting.set()

    async def _comparing_hinted(self) -> None:
        while True:
            await self._hinting.wait()
            self._hinting.clear()
            hinted = list(self._hints)
            self._hints.clear()
            await self._compared(hinted)
            await asyncio.sleep(HINT_SECONDS)

    async def _comparing_missed(self) -> None:
        """Compares at once; what is missed during a query waits for the next, together."""
        while True:
            await self._missing.wait()
            self._missing.clear()
            missed = list(self._missed)
            self._missed.clear()
            await self._compared(missed)

    async def _compared(self, keys: Iterable[DiscussionKey] | None = None) -> None:
        """Compares; what fails now is done by the watch soon. A store that is away is told once, not every time."""
        try:
            await self.compare(keys)
        except Problem as problem:
            if not self._is_apart:
                log.warning("The rooms wait for the database", extra={"reason": problem.detail})
            self._is_apart = True
        except Exception:
            log.exception("The rooms could not be compared with the store")
        else:
            self._is_apart = False

    def _close_empty(self) -> None:
        now = asyncio.get_running_loop().time()
        for key, since in list(self._empty_since.items()):
            room = self.rooms[key]
            if now - since > GRACE_SECONDS or not room.head:
                self._forget(room)

    def _forget(self, room: Room) -> list[asyncio.Task[None]]:
        """The room ends; gives what it was about."""
        self._bus.unsubscribe(room.key)
        self._empty_since.pop(room.key, None)
        del self.rooms[room.key]
        return room.end()
