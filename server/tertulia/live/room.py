"""A room: the readers of one discussion, and its backlog.

    bus ──▶ receive ──▶ backlog ─┬─ Appended ──▶ flush: one frame, written to every reader
                                 └─ Gap ───────▶ catch up: one read of the store, for all readers

Readers hold a cursor, not a queue: a slow one costs no memory, and what a removal took out of the log is in no frame
made after it. Events that come while a flush is under way become one frame of the next one, so that a busy room makes
fewer writes, not longer queues. Everything runs on one event loop; what must not be torn apart has no await in it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field

from tertulia.bus import Bus, Message
from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode, ErrorCode, Problem
from tertulia.live.backlog import Appended, Backlog, Cursor, Gap, Known
from tertulia.live.budget import MemoryBudget
from tertulia.live.frames import Frame
from tertulia.live.presence import Headcount, RoomPresence
from tertulia.live.rate import DeliveryMode, DeliveryRate, Rates
from tertulia.live.reader import Reader
from tertulia.live.stats import GapSource, LiveStats
from tertulia.live.summary import SHOWN, summary_frame
from tertulia.live.tuning import DEFAULT, Tuning
from tertulia.logs import Sparing
from tertulia.protocol import HEARTBEAT_SECONDS, EncodedEvent, EventPage, Heartbeat, Hello, Presence, Reset

log = logging.getLogger(__name__)
sparing = Sparing(log)

READS = 5
"""Of one page: at 10 ms each, more than five in a row meet an edit or a removal only where those come without end."""

ReadLog = Callable[[DiscussionKey, int, int], Awaitable[EventPage]]
"""Reads the store: (discussion, after, limit) → at most ``limit`` events after ``after``. Raises Problem."""


@dataclass(frozen=True, slots=True)
class RoomContext:
    """What all rooms of a hub share.

    epoch: of the database; seqs of another one mean nothing here
    bus: presence is published on it; its messages come by ``Room.receive``
    read_log: reads the store
    rates: above which a discussion is delivered in ticks and in summaries
    stats: what the rooms count
    budget: what their backlogs are charged to
    """

    epoch: str
    bus: Bus
    read_log: ReadLog
    rates: Rates
    tuning: Tuning = DEFAULT
    stats: LiveStats = field(default_factory=LiveStats)
    budget: MemoryBudget = field(default_factory=MemoryBudget)


class Room:
    """The readers of the discussion ``key``; see the module.

    ``on_occupancy`` is called with the room when its first reader has come, and when its last is gone. ``readers``
    keeps the order of joining; ``waiting`` is how many wait for the room to open.
    """

    def __init__(self, key: DiscussionKey, context: RoomContext, on_occupancy: Callable[[Room], None]) -> None:
        self.key = key
        self.epoch = context.epoch
        self.readers: dict[Reader, None] = {}
        self.waiting = 0
        self.rate = DeliveryRate(context.rates, context.tuning.calm_seconds)
        self.presence = RoomPresence(key, context.bus, self.readers, self._broadcast_presence, context.tuning)
        self._tuning = context.tuning
        self._stats = context.stats
        self._read_log = context.read_log
        self._on_occupancy = on_occupancy
        self._backlog = Backlog(context.epoch, context.tuning, context.budget)
        self._target = 0
        self._flushed = 0
        self._last_sent_at = 0.0
        self._opening: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._awaiting_history: dict[int, dict[Reader, None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def head(self) -> int:
        """The newest seq known here."""
        return self._backlog.head

    @property
    def is_open(self) -> bool:
        return self._backlog.is_open

    async def ready(self) -> None:
        """Waits until the head is known; the first to wait makes the room read it. Raises what that read raises."""
        if self._opening is None or (self._opening.done() and not self.is_open):
            self._opening = asyncio.create_task(self._open())
        await asyncio.shield(self._opening)

    async def _open(self) -> None:
        page = await self._read_log(self.key, 2**53, 1)
        self._backlog.open_at(page.head)
        self._flushed = page.head
        self._last_sent_at = _now()

    # ---- what comes -------------------------------------------------------------------------------------

    def receive(self, message: Message) -> None:
        """Delivers what continues the head, drops what is known, and reads from the store what is missing."""
        match self._backlog.receive(message):
            case Appended(count):
                self._on_appended(count)
            case Gap(appended, to):
                self._on_appended(appended)
                self.catch_up_to(to)
            case Known():
                pass

    def catch_up_to(self, seq: int, source: GapSource = GapSource.bus) -> None:
        """The log has reached ``seq``: reads what is missing, once for all readers."""
        self._target = max(self._target, seq)
        if self._target > self.head and (self._catching_up is None or self._catching_up.done()):
            self._catching_up = asyncio.create_task(self._catch_up(source))

    async def caught_up(self) -> None:
        """Waits for the end of the read that is under way, whether or not it succeeds."""
        if self._catching_up is not None:
            await asyncio.wait([self._catching_up])

    async def _catch_up(self, source: GapSource) -> None:
        try:
            await self.ready()
            self._stats.gaps[source] += self.head < self._target
            while self.head < self._target:
                before, wanted = self.head, self._target
                self._on_appended(self._backlog.extend(await self._events_after(before)))
                if self.head == before and self._target == wanted:
                    sparing.warning("The store has not reached what was announced", cause=None, announced=self._target)
                    self._target = self.head
        except Problem:
            pass  # logged where it was met; the hub compares heads every few seconds, so the gap is not forgotten
        except Exception:
            log.exception("A gap could not be read from the store")

    async def _events_after(self, seq: int) -> list[EncodedEvent]:
        """From the store: read again where something was redacted meanwhile, which they may still show.

        A discussion in which that happens faster than it is read does not keep a reader of the database busy for ever:
        the last page is redacted here. Raises unavailable where what was redacted since is not known any more.
        """
        for _ in range(READS):
            redactions = self._backlog.redactions
            page = await self._read_log(self.key, seq, self._tuning.page)
            if redactions == self._backlog.redactions:
                return page.events
        events = self._backlog.redacted(page)
        if events is None:
            raise Problem(ErrorCode.unavailable, "The discussion changes faster than it is read.")
        return events

    def _on_appended(self, count: int) -> None:
        if not count:
            return
        self._stats.events += count
        self.rate.count(count, _now())
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())

    # ---- what is sent -----------------------------------------------------------------------------------

    async def _flush(self) -> None:
        while self._flushed < self.head:
            if self.rate.mode is not DeliveryMode.instant:
                await asyncio.sleep(self._tuning.tick_seconds)
            await self._deliver(self._flushed, self.head)

    async def _deliver(self, since: int, head: int) -> None:
        """Brings every reader from ``since`` to ``head``, a slice at a time."""
        readers = tuple(self.readers)
        size = self._tuning.slice
        self._flushed = head
        for start in range(0, len(readers), size):
            if start:
                await asyncio.sleep(0)
            # looked up again for each slice: a removal that came meanwhile makes the frames anew
            whole, short = self._frames(since, head)
            some = readers[start : start + size]
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

    def _frames(self, since: int, head: int) -> tuple[Frame | None, Frame | None]:
        """For readers of everything and for the others; None where the backlog does not hold the beginning."""
        if since < self._backlog.start:
            return None, None
        whole = self._backlog.frame(since, head)
        if self.rate.mode is DeliveryMode.instant:
            return whole, whole
        shown = SHOWN if self.rate.mode is DeliveryMode.summaries else None
        return whole, summary_frame(self._backlog, since, head, shown)

    def _send_from_cursor(self, reader: Reader) -> None:
        """Brings one reader from its own cursor to the head, as far as its connection takes it."""
        while reader.cursor < self.head and not reader.paused and reader in self.readers:
            frame = self._backlog.next_frame(reader.cursor)
            if frame is None:
                self._wait_for_history(reader)
                return
            self._stats.deliveries += 1
            self._write(reader, frame)

    def _write(self, reader: Reader, frame: Frame) -> None:
        reader.cursor = frame.seq
        try:
            reader.connection.write(frame)
        except Exception:
            # one connection's trouble is not the room's: it ends, and its reader resumes
            log.exception("A frame could not be written")
            self.leave(reader)
            reader.connection.close(CloseCode.restarting)

    def _wait_for_history(self, reader: Reader) -> None:
        """One read of the store serves all readers that go on from the same seq."""
        waiting = self._awaiting_history.get(reader.cursor)
        if waiting is None:
            waiting = self._awaiting_history[reader.cursor] = {}
            self._spawn(self._send_history(reader.cursor))
        waiting[reader] = None

    async def _send_history(self, cursor: int) -> None:
        try:
            if not self._backlog.add_history(cursor, await self._events_after(cursor)):
                raise LookupError(f"the log ends at {cursor}")
        except Exception as error:
            if not isinstance(error, Problem):  # that was logged where it was met
                log.exception("The past could not be read from the store")
            for reader in self._awaiting_history.pop(cursor):
                reader.connection.close(CloseCode.restarting)
            return
        waiting = tuple(self._awaiting_history.pop(cursor))
        for start in range(0, len(waiting), self._tuning.slice):
            if start:
                await asyncio.sleep(0)
            for reader in waiting[start : start + self._tuning.slice]:
                self._send_from_cursor(reader)

    def _broadcast_presence(self, present: Headcount) -> None:
        presence = Presence(readers=present.readers, writing=present.writing)
        self._spawn(self._broadcast(Frame(presence.model_dump_json())))

    async def _broadcast(self, frame: Frame) -> None:
        """Writes to everyone something that moves no cursor; a reader that takes nothing now does not need it later."""
        readers = tuple(self.readers)
        for start in range(0, len(readers), self._tuning.slice):
            if start:
                await asyncio.sleep(0)
            for reader in readers[start : start + self._tuning.slice]:
                # one that waits for its past would take a newer seq for a loss
                if not reader.paused and reader.cursor >= self._flushed and reader in self.readers:
                    reader.connection.write(frame)

    # ---- who reads --------------------------------------------------------------------------------------

    def is_behind(self, cursor: Cursor) -> bool:
        """Whether a cursor of this epoch is past the head: there is more, or the cursor was made up."""
        return self._backlog.is_behind(cursor)

    def recent(self, after: int) -> list[EncodedEvent] | None:
        """At most EVENTS_PAGE events after ``after``, or None where the room does not have them."""
        return self._backlog.recent(after)

    def join(self, reader: Reader, cursor: Cursor) -> None:
        """Says hello, then what was missed; from then on the reader gets what comes. The room is open."""
        position = self._backlog.position(cursor)
        reader.cursor = self.head if position is None else position
        is_first = not self.readers
        self.readers[reader] = None
        if is_first:
            self._on_occupancy(self)
        hello = Hello(epoch=self.epoch, seq=self.head, readers=self.presence.readers)
        reader.connection.write(Frame(hello.model_dump_json(), reader.cursor))
        if position is None:
            reset = Reset(epoch=self.epoch, seq=reader.cursor)
            reader.connection.write(Frame(reset.model_dump_json(), reader.cursor))
        self._send_from_cursor(reader)
        self.presence.on_change()

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
        """The reader writes; forgotten after ``writing_seconds`` unless it says so again."""
        reader.writing_until = _now() + self._tuning.writing_seconds
        self.presence.on_change()

    # ---- time passes ------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Called once a second: heartbeats, readers that stopped reading, writers that stopped writing."""
        now = _now()
        self.rate.tick(now)
        if now - self._last_sent_at >= HEARTBEAT_SECONDS:
            self._last_sent_at = now
            heartbeat = Heartbeat(seq=self._flushed, readers=self.presence.readers)
            self._spawn(self._broadcast(Frame(heartbeat.model_dump_json())))
        self.presence.tick(now)
        for reader in tuple(self.readers):
            if reader.paused:
                self._check_stalled(reader, now)

    def _check_stalled(self, reader: Reader, now: float) -> None:
        """Ends a reader whose connection took nothing for ``stall_seconds``; it resumes from its cursor."""
        waiting = reader.connection.buffered()
        if reader.stalled_at == 0.0 or waiting < reader.stalled_bytes:
            reader.stalled_at = now
        elif now - reader.stalled_at >= self._tuning.stall_seconds:
            self._stats.too_slow += 1
            self.leave(reader)
            reader.connection.close(CloseCode.too_slow)
        reader.stalled_bytes = waiting

    # ---- tasks ------------------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Ends the room, and waits for the end of what it does."""
        await asyncio.gather(*self.cancel(), return_exceptions=True)

    def cancel(self) -> list[asyncio.Task[None]]:
        """Ends the room; returns its tasks, which are cancelled but may not have ended yet.

        Nothing holds the room then but its caller: it is free without the collector.
        """
        self.presence.close()
        begun = (self._opening, self._catching_up, self._flushing, *self._tasks)
        running = [task for task in begun if task is not None]
        for task in running:
            task.cancel()
        # one that failed keeps the error, whose trace keeps the room
        self._opening = self._catching_up = self._flushing = None
        self._awaiting_history.clear()
        self._backlog.close()
        return running


def _now() -> float:
    return asyncio.get_running_loop().time()
