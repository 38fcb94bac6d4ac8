"""A room: the readers of one discussion and the newest stretch of its log.

    bus ──▶ hear ─┬─ continues the head ──▶ tail ──▶ flush: one frame, written to every reader
                  └─ leaves a gap ───────▶ repair: one read of the store, for all readers

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
from tertulia.live.counts import Counts, Found
from tertulia.live.frames import Frame
from tertulia.live.keeping import Keeping
from tertulia.live.pace import Mode, Pace
from tertulia.live.presence import Present, RoomPresence
from tertulia.live.reader import Reader
from tertulia.live.summary import SHOWN, summarised
from tertulia.live.tail import Tail, batch
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
    """See the module. ``readers`` keeps the order of joining, ``awaited`` is how many wait for it to open.

    ``on_turn`` is told when the first reader comes and when the last is gone.
    """

    def __init__(
        self,
        key: DiscussionKey,
        epoch: str,
        bus: Bus,
        fetch: Fetch,
        pace: Pace,
        on_turn: Callable[[Room], None],
        counts: Counts,
        keeping: Keeping | None = None,
    ) -> None:
        self.key = key
        self.epoch = epoch
        self.pace = pace
        self.readers: dict[Reader, None] = {}
        self.awaited = 0
        self._on_turn = on_turn
        self._counts = counts
        self._tail = Tail(keeping)
        self._fetch = fetch
        self._target = 0
        self._conceals = 0
        self._opened: asyncio.Task[None] | None = None
        self._repair: asyncio.Task[None] | None = None
        self._flusher: asyncio.Task[None] | None = None
        self._histories: dict[int, dict[Reader, None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flushed = 0
        self._spoke_at = 0.0
        self.presence = RoomPresence(key, bus, self.readers, self._say_presence)

    @property
    def head(self) -> int:
        """The newest seq known here."""
        return self._tail.head

    @property
    def is_open(self) -> bool:
        opened = self._opened
        return opened is not None and opened.done() and not opened.cancelled() and opened.exception() is None

    async def ready(self) -> None:
        """Waits until the head is known; the first to wait makes the room read it."""
        if self._opened is None or (self._opened.done() and not self.is_open):
            self._opened = asyncio.create_task(self._open())
        await asyncio.shield(self._opened)

    def is_behind(self, cursor: Cursor) -> bool:
        """Whether a cursor of this epoch is past the head: there is more, or the cursor was made up."""
        return cursor.epoch == self.epoch and cursor.after is not None and cursor.after > self.head

    async def repaired(self) -> None:
        """Waits for the repair that is under way; how it ends is its own affair."""
        if self._repair is not None:
            await asyncio.wait([self._repair])

    async def _open(self) -> None:
        head, _ = await self._fetch(self.key, 2**53, 1)
        self._tail.head = self._flushed = head
        self._spoke_at = _now()

    # ---- what is heard ----------------------------------------------------------------------------------

    def hear(self, message: Message) -> None:
        """Takes what continues the head, drops what is known, and repairs what left a gap."""
        for event in message.events:
            if event.conceals and event.seq > self.head:
                # minded at once, also where a gap has to be read before it
                self._conceals += 1
                if message.epoch == self.epoch:
                    self._tail.conceal(event)
        if not message.events and message.head > self.head:
            self._conceals += 1  # what is not told may be a removal
        if message.epoch == self.epoch and self.is_open:
            self._take(message.events)
        if message.epoch != self.epoch or self.head < message.head:
            self.expect(message.head)

    def expect(self, seq: int, found: Found = Found.bus) -> None:
        """The discussion is known to have reached ``seq``: reads what is missing, once for all readers."""
        self._target = max(self._target, seq)
        if self._target > self.head and (self._repair is None or self._repair.done()):
            self._repair = asyncio.create_task(self._fill(found))

    def _take(self, events: tuple[EncodedEvent, ...] | list[EncodedEvent]) -> None:
        before = self.head
        for event in events:
            if event.seq == self.head + 1:
                self._conceals += event.conceals  # one that the store told is minded by reads under way, too
                self._tail.append(event)
        if self.head > before:
            self._counts.events += self.head - before
            self.pace.count(self.head - before, _now())
            self._start_flush()

    async def _fill(self, found: Found) -> None:
        try:
            await self.ready()
            self._counts.gaps[found] += self.head < self._target
            while self.head < self._target:
                before, wanted = self.head, self._target
                self._take(await self._read(self.head))
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
            conceals = self._conceals
            _, events = await self._fetch(self.key, after, EVENTS_PAGE)
            if conceals == self._conceals:
                return events

    def recent(self, after: int) -> list[EncodedEvent] | None:
        """At most EVENTS_PAGE events after ``after``, or None where the room does not have them."""
        if not self.is_open or not self._tail.floor <= after <= self.head:
            return None
        return self._tail.after(after)

    # ---- what is written --------------------------------------------------------------------------------

    def _start_flush(self) -> None:
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        while self._flushed < self.head:
            if self.pace.mode is not Mode.instant:
                await asyncio.sleep(TICK_SECONDS)
            await self._pass(self._flushed, self.head)

    async def _pass(self, since: int, head: int) -> None:
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
                    self._bring(reader)
            self._counts.deliveries += len(some) - passed_over
            if not start and short is not whole:
                self._counts.summaries += 1
        self._spoke_at = _now()

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
        """For readers of everything and for the others; None where the tail no longer has the beginning."""
        if since < self._tail.floor:
            return None, None
        whole = self._tail.frame(since, head)
        if self.pace.mode is Mode.instant:
            return whole, whole
        return whole, summarised(self._tail, since, head, shown=SHOWN if self.pace.mode is Mode.summaries else None)

    def _bring(self, reader: Reader) -> None:
        """Brings one reader from its own cursor to the head, as far as its connection takes it."""
        while reader.cursor < self.head and not reader.paused and reader in self.readers:
            in_tail = reader.cursor >= self._tail.floor
            frame = self._tail.frame(reader.cursor, self.head) if in_tail else self._tail.kept(reader.cursor, 0)
            if frame is None:
                self._wait_for_history(reader)
                return
            self._counts.deliveries += 1
            self._write(reader, frame)

    def _wait_for_history(self, reader: Reader) -> None:
        """One read of the store serves all readers that go on from the same place."""
        waiting = self._histories.get(reader.cursor)
        if waiting is None:
            waiting = self._histories[reader.cursor] = {}
            task = asyncio.create_task(self._history(reader.cursor))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        waiting[reader] = None

    async def _history(self, cursor: int) -> None:
        try:
            # the store may be ahead of this room: what it adds is said by the room, and must not be said twice
            events = [event for event in await self._read(cursor) if event.seq <= self.head]
            if not events:
                raise LookupError(f"the log ends at {cursor}")
        except Exception as error:
            if not isinstance(error, Problem):  # that was told where it was met
                log.exception("The past could not be read from the store")
            for reader in self._histories.pop(cursor):
                reader.connection.close(CloseCode.restarting)
            return
        self._tail.keep(cursor, 0, batch(events))
        waiting = tuple(self._histories.pop(cursor))
        for start in range(0, len(waiting), SLICE):
            if start:
                await asyncio.sleep(0)
            for reader in waiting[start : start + SLICE]:
                self._bring(reader)

    # ---- who reads --------------------------------------------------------------------------------------

    def join(self, reader: Reader, cursor: Cursor) -> None:
        """Says hello, then what was missed; from then on the reader gets what comes. The room is open."""
        known = self._known(cursor)
        is_first = not self.readers
        reader.cursor = self.head if cursor.after is None or not known else cursor.after
        self.readers[reader] = None
        if is_first:
            self._on_turn(self)
        hello = Hello(epoch=self.epoch, seq=self.head, readers=self.presence.readers)
        reader.connection.write(Frame(hello.model_dump_json(), reader.cursor))
        if not known:
            reset = Reset(epoch=self.epoch, seq=reader.cursor)
            reader.connection.write(Frame(reset.model_dump_json(), reader.cursor))
        self._bring(reader)
        self.presence.changed()

    def _known(self, cursor: Cursor) -> bool:
        if cursor.after is None:
            return cursor.epoch in (None, self.epoch)
        return cursor.epoch == self.epoch and cursor.after <= self.head

    def leave(self, reader: Reader) -> None:
        """The connection is gone; leaving twice is leaving once."""
        if reader in self.readers:
            del self.readers[reader]
            self.presence.changed()
            if not self.readers:
                self._on_turn(self)

    def drained(self, reader: Reader) -> None:
        self._bring(reader)

    def note_writing(self, reader: Reader) -> None:
        """The reader is writing; forgotten after a while unless it is said again."""
        reader.writing_until = _now() + WRITING_SHOWN_SECONDS
        self.presence.changed()

    def _say_presence(self, present: Present) -> None:
        self._say(Frame(Presence(readers=present.readers, writing=present.writing).model_dump_json()))

    def _say(self, frame: Frame) -> None:
        """Writes to everyone something that moves no cursor; who takes nothing now does not need it later."""
        task = asyncio.create_task(self._saying(frame))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _saying(self, frame: Frame) -> None:
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
        self.pace.settle(now)
        if now - self._spoke_at >= HEARTBEAT_SECONDS:
            self._spoke_at = now
            self._say(Frame(Heartbeat(seq=self._flushed, readers=self.presence.readers).model_dump_json()))
        self.presence.tick(now)
        for reader in tuple(self.readers):
            if reader.paused:
                self._judge(reader, now)

    def _judge(self, reader: Reader, now: float) -> None:
        """Ends a reader whose connection took nothing for STALL_SECONDS; it resumes from its cursor."""
        waiting = reader.connection.buffered()
        if reader.stalled_at == 0.0 or waiting < reader.stalled_bytes:
            reader.stalled_at = now
        elif now - reader.stalled_at >= STALL_SECONDS:
            self._counts.too_slow += 1
            self.leave(reader)
            reader.connection.close(CloseCode.too_slow)
        reader.stalled_bytes = waiting

    async def shut(self) -> None:
        """Ends the room, and waits for the end of what it does."""
        await asyncio.gather(*self.end(), return_exceptions=True)

    def end(self) -> list[asyncio.Task[None]]:
        """Cancels what the room still does, and gives it.

        Nothing holds the room then but who has it in hand: it is free without the collector.
        """
        self.presence.shut()
        running = [task for task in (self._opened, self._repair, self._flusher, *self._tasks) if task is not None]
        for task in running:
            task.cancel()
        # one that failed keeps the error, whose trace keeps the room
        self._opened = self._repair = self._flusher = None
        self._histories.clear()
        self._tail.end()
        return running


def _now() -> float:
    return asyncio.get_running_loop().time()
