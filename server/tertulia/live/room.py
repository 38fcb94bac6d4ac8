"""A room: the readers of one discussion and the newest stretch of its log.

    bus ──▶ receive ─┬─ continues the head ──▶ backlog ──▶ flush: one frame, written to every reader
                     └─ leaves a gap ───────▶ catch up: one read of the store, for all readers

Readers hold a cursor, not a queue: a slow one costs no memory, and what a removal took out of the log is in no frame
made after it. Events that come while a flush is under way become one frame of the next one, so that a busy room makes
fewer writes, not longer queues. Everything runs on one event loop; what must not be torn apart has no await in it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tertulia.bus import Bus, Message
from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode, Problem
from tertulia.live.backlog import Backlog, batch
from tertulia.live.budget import MemoryBudget
from tertulia.live.frames import Frame
from tertulia.live.presence import Headcount, RoomPresence
from tertulia.live.rate import DeliveryMode, DeliveryRate
from tertulia.live.reader import Reader
from tertulia.live.stats import GapSource, LiveStats
from tertulia.live.summary import SHOWN, summary_frame
from tertulia.logs import Sparing
from tertulia.protocol import (
    EVENTS_PAGE,
    HEARTBEAT_SECONDS,
    WRITING_SECONDS,
    EncodedEvent,
    Heartbeat,
    Hello,
    Presence,
    Reset,
)

SLICE = 256
"""Readers written to before the loop runs something else: about 2 ms of system calls."""
TICK_SECONDS = 0.15
STALL_SECONDS = 15.0
WRITING_SHOWN_SECONDS = 2 * WRITING_SECONDS

log = logging.getLogger(__name__)
sparing = Sparing(log)

Fetch = Callable[[DiscussionKey, int, int], Awaitable[tuple[int, list[EncodedEvent]]]]
"""Reads the store: (discussion, after, limit) → (head, events after ``after``)."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a reader goes on: ``after`` None is the head."""

    epoch: str | None
    after: int | None


AT_HEAD = Cursor(None, None)


class Room:
    """See the module. ``readers`` keeps the order of joining, ``waiting`` is how many wait for it to open.

    ``on_occupancy`` is told when the first reader comes and when the last is gone.
    """

    def __init__(
        self,
        key: DiscussionKey,
        epoch: str,
        bus: Bus,
        fetch: Fetch,
        rate: DeliveryRate,
        on_occupancy: Callable[[Room], None],
        stats: LiveStats,
        budget: MemoryBudget | None = None,
    ) -> None:
        self.key = key
        self.epoch = epoch
        self.rate = rate
        self.readers: dict[Reader, None] = {}
        self.waiting = 0
        self._on_occupancy = on_occupancy
        self._stats = stats
        self._backlog = Backlog(budget)
        self._fetch = fetch
        self._target = 0
        self._redactions = 0
        self._opening: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._awaiting_history: dict[int, dict[Reader, None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flushed = 0
        self._last_sent_at = 0.0
        self.presence = RoomPresence(key, bus, self.readers, self._broadcast_presence)

    @property
    def head(self) -> int:
        """The newest seq known here."""
        return self._backlog.head

    @property
    def is_open(self) -> bool:
        opened = self._opening
        return opened is not None and opened.done() and not opened.cancelled() and opened.exception() is None

    async def ready(self) -> None:
        """Waits until the head is known; the first to wait makes the room read it."""
        if self._opening is None or (self._opening.done() and not self.is_open):
            self._opening = asyncio.create_task(self._open())
        await asyncio.shield(self._opening)

    def is_behind(self, cursor: Cursor) -> bool:
        """Whether a cursor of this epoch is past the head: there is more, or the cursor was made up."""
        return cursor.epoch == self.epoch and cursor.after is not None and cursor.after > self.head

    async def caught_up(self) -> None:
        """Waits for the repair that is under way; how it ends is its own affair."""
        if self._catching_up is not None:
            await asyncio.wait([self._catching_up])

    async def _open(self) -> None:
        head, _ = await self._fetch(self.key, 2**53, 1)
        self._backlog.head = self._flushed = head
        self._last_sent_at = _now()

    # ---- what is heard ----------------------------------------------------------------------------------

    def receive(self, message: Message) -> None:
        """Takes what continues the head, drops what is known, and repairs what left a gap."""
        for event in message.events:
            if event.conceals and event.seq > self.head:
                # minded at once, also where a gap has to be read before it
                self._redactions += 1
                if message.epoch == self.epoch:
                    self._backlog.redact(event)
        if not message.events and message.head > self.head:
            self._redactions += 1  # what is not told may be a removal
        if message.epoch == self.epoch and self.is_open:
            self._append(message.events)
        if message.epoch != self.epoch or self.head < message.head:
            self.catch_up_to(message.head)

    def catch_up_to(self, seq: int, found: GapSource = GapSource.bus) -> None:
        """The discussion is known to have reached ``seq``: reads what is missing, once for all readers."""
        self._target = max(self._target, seq)
        if self._target > self.head and (self._catching_up is None or self._catching_up.done()):
            self._catching_up = asyncio.create_task(self._catch_up(found))

    def _append(self, events: tuple[EncodedEvent, ...] | list[EncodedEvent]) -> None:
        before = self.head
        for event in events:
            if event.seq == self.head + 1:
                self._redactions += event.conceals  # one that the store told is minded by reads under way, too
                self._backlog.append(event)
        if self.head > before:
            self._stats.events += self.head - before
            self.rate.count(self.head - before, _now())
            self._start_flush()

    async def _catch_up(self, found: GapSource) -> None:
        try:
            await self.ready()
            self._stats.gaps[found] += self.head < self._target
            while self.head < self._target:
                before, wanted = self.head, self._target
                self._append(await self._read(self.head))
                if self.head == before and self._target == wanted:
                    sparing.warning("The store has not reached what was announced", cause=None, announced=self._target)
                    self._target = self.head
        except Problem:
            pass  # told where it was met; the hub compares heads every few seconds, so the gap is not forgotten
        except Exception:
            log.exception("A gap could not be read from the store")

    async def _read(self, after: int) -> list[EncodedEvent]:
        """Events from the store, none of them older than what was heard to be concealed since."""
        while True:
            conceals = self._redactions
            _, events = await self._fetch(self.key, after, EVENTS_PAGE)
            if conceals == self._redactions:
                return events

    def recent(self, after: int) -> list[EncodedEvent] | None:
        """At most EVENTS_PAGE events after ``after``, or None where the room does not have them."""
        if not self.is_open or not self._backlog.start <= after <= self.head:
            return None
        return self._backlog.after(after)

    # ---- what is written --------------------------------------------------------------------------------

    def _start_flush(self) -> None:
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        while self._flushed < self.head:
            if self.rate.mode is not DeliveryMode.instant:
                await asyncio.sleep(TICK_SECONDS)
            await self._deliver(self._flushed, self.head)

    async def _deliver(self, since: int, head: int) -> None:
        """Brings every reader from ``since`` to ``head``, a slice at a time."""
        readers = tuple(self.readers)
        self._flushed = head
        for start in range(0, len(readers), SLICE):
            if start:
                await asyncio.sleep(0)
            # looked up again for each slice: a removal heard meanwhile makes the frames anew
            whole, short = self._frames(since, head)
            some = readers[start : start + SLICE]
            passed_over = 0
            for reader in some:
                frame = whole if reader.full else short
                if reader.cursor == since and frame and not reader.paused and reader in self.readers:
                    self._write(reader, frame)
                else:
                    passed_over += 1
                if reader.cursor < head:
                    self._send_from_cursor(reader)
            self._stats.deliveries += len(some) - passed_over
            if not start and short is not whole:
                self._stats.summaries += 1
        self._last_sent_at = _now()

    def _write(self, reader: Reader, frame: Frame) -> None:
        reader.cursor = frame.seq
        try:
            reader.connection.write(frame)
        except Exception:
            # one connection's trouble is not the room's: it ends, and its reader resumes
            log.exception("A frame could not be written")
            self.leave(reader)
            reader.connection.close(CloseCode.restarting)

    def _frames(self, since: int, head: int) -> tuple[Frame | None, Frame | None]:
        """For readers of everything and for the others; None where the backlog no longer has the beginning."""
        if since < self._backlog.start:
            return None, None
        whole = self._backlog.frame(since, head)
        if self.rate.mode is DeliveryMode.instant:
            return whole, whole
        return whole, summary_frame(
            self._backlog, since, head, shown=SHOWN if self.rate.mode is DeliveryMode.summaries else None
        )

    def _send_from_cursor(self, reader: Reader) -> None:
        """Brings one reader from its own cursor to the head, as far as its connection takes it."""
        while reader.cursor < self.head and not reader.paused and reader in self.readers:
            in_backlog = reader.cursor >= self._backlog.start
            frame = (
                self._backlog.frame(reader.cursor, self.head) if in_backlog else self._backlog.cached(reader.cursor, 0)
            )
            if frame is None:
                self._wait_for_history(reader)
                return
            self._stats.deliveries += 1
            self._write(reader, frame)

    def _wait_for_history(self, reader: Reader) -> None:
        """One read of the store serves all readers that go on from the same place."""
        waiting = self._awaiting_history.get(reader.cursor)
        if waiting is None:
            waiting = self._awaiting_history[reader.cursor] = {}
            task = asyncio.create_task(self._send_history(reader.cursor))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        waiting[reader] = None

    async def _send_history(self, cursor: int) -> None:
        try:
            # the store may be ahead of this room: what it adds is said by the room, and must not be said twice
            events = [event for event in await self._read(cursor) if event.seq <= self.head]
            if not events:
                raise LookupError(f"the log ends at {cursor}")
        except Exception as error:
            if not isinstance(error, Problem):  # that was told where it was met
                log.exception("The past could not be read from the store")
            for reader in self._awaiting_history.pop(cursor):
                reader.connection.close(CloseCode.restarting)
            return
        self._backlog.cache(cursor, 0, batch(events))
        waiting = tuple(self._awaiting_history.pop(cursor))
        for start in range(0, len(waiting), SLICE):
            if start:
                await asyncio.sleep(0)
            for reader in waiting[start : start + SLICE]:
                self._send_from_cursor(reader)

    # ---- who reads --------------------------------------------------------------------------------------

    def join(self, reader: Reader, cursor: Cursor) -> None:
        """Says hello, then what was missed; from then on the reader gets what comes. The room is open."""
        known = self._can_continue(cursor)
        is_first = not self.readers
        reader.cursor = self.head if cursor.after is None or not known else cursor.after
        self.readers[reader] = None
        if is_first:
            self._on_occupancy(self)
        hello = Hello(epoch=self.epoch, seq=self.head, readers=self.presence.readers)
        reader.connection.write(Frame(hello.model_dump_json(), reader.cursor))
        if not known:
            reset = Reset(epoch=self.epoch, seq=reader.cursor)
            reader.connection.write(Frame(reset.model_dump_json(), reader.cursor))
        self._send_from_cursor(reader)
        self.presence.on_change()

    def _can_continue(self, cursor: Cursor) -> bool:
        if cursor.after is None:
            return cursor.epoch in (None, self.epoch)
        return cursor.epoch == self.epoch and cursor.after <= self.head

    def leave(self, reader: Reader) -> None:
        """The connection is gone; leaving twice is leaving once."""
        if reader in self.readers:
            del self.readers[reader]
            self.presence.on_change()
            if not self.readers:
                self._on_occupancy(self)

    def on_drained(self, reader: Reader) -> None:
        self._send_from_cursor(reader)

    def on_writing(self, reader: Reader) -> None:
        """The reader is writing; forgotten after a while unless it is said again."""
        reader.writing_until = _now() + WRITING_SHOWN_SECONDS
        self.presence.on_change()

    def _broadcast_presence(self, present: Headcount) -> None:
        self._broadcast(Frame(Presence(readers=present.readers, writing=present.writing).model_dump_json()))

    def _broadcast(self, frame: Frame) -> None:
        """Writes to everyone something that moves no cursor; who takes nothing now does not need it later."""
        task = asyncio.create_task(self._broadcast_in_slices(frame))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _broadcast_in_slices(self, frame: Frame) -> None:
        readers = tuple(self.readers)
        for start in range(0, len(readers), SLICE):
            if start:
                await asyncio.sleep(0)
            for reader in readers[start : start + SLICE]:
                # one that waits for its past would take a newer seq for a loss
                if not reader.paused and reader.cursor >= self._flushed and reader in self.readers:
                    reader.connection.write(frame)

    # ---- time passes ------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Called once a second: heartbeats, readers that stopped reading, writers that stopped writing."""
        now = _now()
        self.rate.tick(now)
        if now - self._last_sent_at >= HEARTBEAT_SECONDS:
            self._last_sent_at = now
            self._broadcast(Frame(Heartbeat(seq=self._flushed, readers=self.presence.readers).model_dump_json()))
        self.presence.tick(now)
        for reader in tuple(self.readers):
            if reader.paused:
                self._check_stalled(reader, now)

    def _check_stalled(self, reader: Reader, now: float) -> None:
        """Ends a reader whose connection took nothing for STALL_SECONDS; it resumes from its cursor."""
        waiting = reader.connection.buffered()
        if reader.stalled_at == 0.0 or waiting < reader.stalled_bytes:
            reader.stalled_at = now
        elif now - reader.stalled_at >= STALL_SECONDS:
            self._stats.too_slow += 1
            self.leave(reader)
            reader.connection.close(CloseCode.too_slow)
        reader.stalled_bytes = waiting

    async def close(self) -> None:
        """Ends the room, and waits for the end of what it does."""
        await asyncio.gather(*self.end(), return_exceptions=True)

    def end(self) -> list[asyncio.Task[None]]:
        """Cancels what the room still does, and gives it.

        Nothing holds the room then but who has it in hand: it is free without the collector.
        """
        self.presence.close()
        running = [
            task for task in (self._opening, self._catching_up, self._flushing, *self._tasks) if task is not None
        ]
        for task in running:
            task.cancel()
        # one that failed keeps the error, whose trace keeps the room
        self._opening = self._catching_up = self._flushing = None
        self._awaiting_history.clear()
        self._backlog.end()
        return running


def _now() -> float:
    return asyncio.get_running_loop().time()
