"""The hub: the rooms of this instance, the passing of time in them, and the watch that no silence goes unnoticed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from tertulia.bus import Bus, BusHandlers, LookingUpdate, PresenceUpdate
from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode, Problem
from tertulia.live.backlog import AT_HEAD, Cursor
from tertulia.live.budget import MemoryBudget
from tertulia.live.rate import Rates
from tertulia.live.room import ReadLog, Room, RoomContext
from tertulia.live.stats import GapSource, LiveStats
from tertulia.live.tuning import DEFAULT, Tuning
from tertulia.protocol import EventPage

log = logging.getLogger(__name__)

LatestSeqs = Callable[[Iterable[DiscussionKey]], Awaitable[dict[DiscussionKey, int]]]
"""Reads the store: the newest seq of each of these discussions, without those that there are not. Raises Problem."""


class Hub:
    """Opens a room for the first reader of a discussion and keeps it warm for a while after the last.

    A discussion in which nothing has happened has no backlog to keep: its room goes with its last reader.

    epoch: of the database
    read_log, latest_seqs: read the store
    rates: above which a discussion is delivered in ticks and in summaries

    ``on_looking`` is told who looks at what at the desks of other instances, where there is one to tell.
    ``lag`` is how late the last tick came, ``longest_lag`` how late one came at most, in seconds.
    """

    def __init__(
        self,
        bus: Bus,
        epoch: str,
        read_log: ReadLog,
        latest_seqs: LatestSeqs,
        rates: Rates,
        tuning: Tuning = DEFAULT,
    ) -> None:
        self.epoch = epoch
        self.rooms: dict[DiscussionKey, Room] = {}
        self.draining = False
        self.stats = LiveStats()
        self.lag = 0.0
        self.longest_lag = 0.0
        self.on_looking: Callable[[LookingUpdate], None] | None = None
        self._bus = bus
        self._latest_seqs = latest_seqs
        self._tuning = tuning
        self._context = RoomContext(epoch, bus, read_log, rates, tuning, self.stats, MemoryBudget(tuning.total_bytes))
        self._empty_since: dict[DiscussionKey, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._gaps: dict[DiscussionKey, None] = {}
        self._has_gaps = asyncio.Event()
        self._unverified: dict[DiscussionKey, None] = {}
        self._has_unverified = asyncio.Event()
        self._store_is_down = False
        bus.set_handlers(
            BusHandlers(
                on_gap=self._on_gap,
                on_presence=self._on_presence,
                on_looking=self._on_looking,
                on_unverified=self._on_unverified,
            )
        )

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._tick_regularly(), name="hub-ticks"),
            asyncio.create_task(self._reconcile_regularly(), name="hub-reconcile"),
            asyncio.create_task(self._reconcile_gaps(), name="hub-gaps"),
            asyncio.create_task(self._reconcile_unverified(), name="hub-unverified"),
        ]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        ending = [task for room in list(self.rooms.values()) for task in self._close_room(room)]
        await asyncio.gather(*ending, return_exceptions=True)

    async def drain(self, seconds: float) -> None:
        """Closes every connection with ``restarting``, spread over ``seconds``; new ones are closed at once."""
        self.draining = True
        readers = [reader for room in self.rooms.values() for reader in room.readers]
        steps = max(1, round(seconds * 10))
        for step in range(steps):
            for reader in readers[step::steps]:
                reader.connection.close(CloseCode.restarting)
            if step + 1 < steps and any(room.readers for room in self.rooms.values()):
                await asyncio.sleep(seconds / steps)

    def readers(self, key: DiscussionKey) -> int:
        """Readers of the discussion at all instances, where it has a room here; else 0."""
        room = self.rooms.get(key)
        return 0 if room is None else room.presence.readers

    def has(self, key: DiscussionKey) -> bool:
        """Whether the discussion has a room already."""
        return key in self.rooms

    def recent(self, key: DiscussionKey, after: int) -> EventPage | None:
        """What came after ``after``, where a warm room has it; the store has the rest."""
        room = self.rooms.get(key)
        events = None if room is None else room.recent(after)
        return None if room is None or events is None else EventPage(room.head, events)

    async def enter(self, key: DiscussionKey, cursor: Cursor = AT_HEAD) -> Room:
        """The discussion's room, not behind ``cursor``. Between this and ``join`` nothing may be awaited."""
        room = await self._opened_room(key)
        if room.is_behind(cursor):
            # another instance committed what the reader knows already, and its message is late or lost
            await self.reconcile((key,))
            await room.caught_up()
            room = await self._opened_room(key)
        return room

    async def _opened_room(self, key: DiscussionKey) -> Room:
        while True:
            room = self.rooms.get(key) or self._open(key)
            if room.is_open:
                return room
            room.waiting += 1
            try:
                await room.ready()
            except asyncio.CancelledError:
                if self.rooms.get(key) is room or asyncio.current_task().cancelling():  # type: ignore[union-attr]
                    raise
                # the room was closed while it opened: there is a new one
            finally:
                room.waiting -= 1
                self._stopped_waiting(room)

    def _open(self, key: DiscussionKey) -> Room:
        room = self.rooms[key] = Room(key, self._context, self._on_occupancy)
        self._bus.subscribe(key, room.receive)
        return room

    def _stopped_waiting(self, room: Room) -> None:
        """Somebody has stopped waiting: to join at once, or since the room did not open, or was closed meanwhile."""
        if self.rooms.get(room.key) is not room or room.waiting or room.readers:
            return
        if room.is_open:
            self._keep_warm(room)
        else:
            self._close_room(room)

    def _on_occupancy(self, room: Room) -> None:
        if self.rooms.get(room.key) is not room:
            return
        if room.readers:
            self._empty_since.pop(room.key, None)
        elif room.head:
            self._keep_warm(room)
        elif not room.waiting:
            self._close_room(room)

    def _keep_warm(self, room: Room) -> None:
        """Keeps a room without readers for ``grace_seconds``, and ``empty_rooms`` of them at most."""
        self._empty_since.pop(room.key, None)
        self._empty_since[room.key] = asyncio.get_running_loop().time()
        if len(self._empty_since) > self._tuning.empty_rooms:
            self._close_room(self.rooms[next(iter(self._empty_since))])

    async def reconcile(self, keys: Iterable[DiscussionKey] | None = None) -> None:
        """Reads the heads of these rooms, or of all, in one query and lets those that are behind catch up."""
        heads = await self._latest_seqs([key for key in (self.rooms if keys is None else keys) if key in self.rooms])
        for key, seq in heads.items():
            room = self.rooms.get(key)
            if room is not None:
                room.catch_up_to(seq, GapSource.reconcile)

    async def _tick_regularly(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._tuning.housekeeping_seconds
            await asyncio.sleep(self._tuning.housekeeping_seconds)
            self.lag = max(0.0, loop.time() - due)
            self.longest_lag = max(self.longest_lag, self.lag)
            self._tick()

    def _tick(self) -> None:
        for room in tuple(self.rooms.values()):
            try:
                room.tick()
            except Exception:
                log.exception("A room failed in its tick")

    async def _reconcile_regularly(self) -> None:
        loop = asyncio.get_running_loop()
        compared = loop.time()
        while True:
            await asyncio.sleep(self._tuning.degraded_seconds)
            if not self._bus.is_degraded and loop.time() - compared < self._tuning.reconcile_seconds:
                continue
            compared = loop.time()
            try:
                self._close_empty()
            except Exception:
                log.exception("An empty room could not be closed")
            await self._try_reconcile()

    def _on_gap(self, keys: Iterable[DiscussionKey]) -> None:
        missed = dict.fromkeys(keys)
        self._gaps.update(missed)
        for key in missed:
            if key in self.rooms:
                self.rooms[key].presence.request(len(missed))
        self._has_gaps.set()

    def _on_presence(self, update: PresenceUpdate) -> None:
        if update.key in self.rooms:
            self.rooms[update.key].presence.receive(update)

    def _on_looking(self, update: LookingUpdate) -> None:
        if self.on_looking is not None:
            self.on_looking(update)

    def _on_unverified(self, key: DiscussionKey) -> None:
        if key in self.rooms:
            self._unverified[key] = None
            self._has_unverified.set()

    async def _reconcile_unverified(self) -> None:
        while True:
            await self._has_unverified.wait()
            self._has_unverified.clear()
            keys = list(self._unverified)
            self._unverified.clear()
            await self._try_reconcile(keys)
            await asyncio.sleep(self._tuning.unverified_seconds)

    async def _reconcile_gaps(self) -> None:
        """Compares at once; what is missed during a query waits for the next, together."""
        while True:
            await self._has_gaps.wait()
            self._has_gaps.clear()
            missed = list(self._gaps)
            self._gaps.clear()
            await self._try_reconcile(missed)

    async def _try_reconcile(self, keys: Iterable[DiscussionKey] | None = None) -> None:
        """Logs what fails, a store that is away only once: all rooms are compared again soon."""
        try:
            await self.reconcile(keys)
        except Problem as problem:
            if not self._store_is_down:
                log.warning("The rooms wait for the database", extra={"reason": problem.detail})
            self._store_is_down = True
        except Exception:
            log.exception("The rooms could not be compared with the store")
        else:
            self._store_is_down = False

    def _close_empty(self) -> None:
        now = asyncio.get_running_loop().time()
        for key, since in list(self._empty_since.items()):
            room = self.rooms[key]
            if now - since > self._tuning.grace_seconds or not room.head:
                self._close_room(room)

    def _close_room(self, room: Room) -> list[asyncio.Task[None]]:
        """Ends the room; returns its tasks, which are cancelled but may not have ended yet."""
        self._bus.unsubscribe(room.key)
        self._empty_since.pop(room.key, None)
        del self.rooms[room.key]
        return room.cancel()
