"""A room: the readers of one discussion and the newest stretch of its log.

    bus ──▶ hear ─┬─ continues the head ──▶ append ──▶ wake readers
                  └─ leaves a gap ───────▶ repair (one read of the store, for all readers)

Readers hold a cursor, not a queue: a slow one costs no memory, and what a removal took out of the log is in no
message sent after it. Everything here runs on one event loop; what must not be torn apart has no await in it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tertulia.bus import Message
from tertulia.core.comments import DiscussionKey, State
from tertulia.errors import CloseCode
from tertulia.protocol import EVENTS_PAGE, WRITING_SECONDS, EncodedEvent, events_message, redacted, state_of

RING_EVENTS = 512
WRITING_SHOWN_SECONDS = 2 * WRITING_SECONDS
PRESENCE_SECONDS = 1.0
"""Presence is told at most this often; the last value wins."""

log = logging.getLogger(__name__)

Fetch = Callable[[DiscussionKey, int, int], Awaitable[tuple[int, list[EncodedEvent]]]]
"""Reads the store: (discussion, after, limit) → (head, events after ``after``)."""


class Reader:
    """One connected reader.

    ``cursor`` is the last seq it was sent; ``taken`` how many bytes the room had written when it last took some;
    ``on_close`` interrupts whatever the reader's stream waits for, once ``closing`` says why.
    """

    __slots__ = ("closing", "cursor", "on_close", "taken", "wake", "writing_until")

    def __init__(self, cursor: int, on_close: Callable[[], object]) -> None:
        self.cursor = cursor
        self.taken = 0
        self.writing_until = 0.0
        self.closing: CloseCode | None = None
        self.on_close = on_close
        self.wake = asyncio.Event()

    def close(self, code: CloseCode) -> None:
        if self.closing is None:
            self.closing = code
            self.on_close()


@dataclass(frozen=True, slots=True)
class Batch:
    """The next thing to send to a reader: one message, and the seq it brings the reader to."""

    message: str
    seq: int


@dataclass(frozen=True, slots=True)
class Present:
    """How many read, and how many of them write at the moment."""

    readers: int
    writing: int


class Room:
    """See the module. ``head`` is the newest seq delivered here; ``present`` what readers were told last.

    ``presence_round`` counts how often they were told.
    """

    def __init__(self, key: DiscussionKey, epoch: str, fetch: Fetch, backlog: int) -> None:
        self.key = key
        self.epoch = epoch
        self.head = 0
        self.present = Present(0, 0)
        self.presence_round = 0
        self.readers: set[Reader] = set()
        self._fetch = fetch
        self._backlog = backlog
        self._ring: deque[EncodedEvent] = deque()
        self._batch: tuple[int, int, str] | None = None
        self._written = 0
        self._offered = 0  # what readers were woken for before: only that can make one slow
        self._target = 0
        self._conceals = 0
        self._opened: asyncio.Task[None] | None = None
        self._repair: asyncio.Task[None] | None = None
        self._presence_timer: asyncio.TimerHandle | None = None
        self._writing_timer: asyncio.TimerHandle | None = None
        self._presence_at = -PRESENCE_SECONDS

    @property
    def floor(self) -> int:
        """The seq before the oldest event that is kept."""
        return self.head - len(self._ring)

    @property
    def is_open(self) -> bool:
        return self._opened is not None and self._opened.done() and self._opened.exception() is None

    async def ready(self) -> None:
        """Waits until the head is known; the first to wait makes the room read it."""
        if self._opened is None or (self._opened.done() and not self.is_open):
            self._opened = asyncio.create_task(self._open())
        await asyncio.shield(self._opened)

    async def _open(self) -> None:
        head, _ = await self._fetch(self.key, 2**53, 1)
        self.head = max(self.head, head)

    # ---- what is heard ----------------------------------------------------------------------------------

    def hear(self, message: Message) -> None:
        """Takes what continues the head, drops what is known, and repairs what left a gap."""
        for event in message.events:
            if event.conceals and event.seq > self.head:
                # minded at once, also where a gap has to be read before it
                self._conceals += 1
                if message.epoch == self.epoch:
                    self._conceal(event)
        if message.epoch != self.epoch or not self.is_open:
            self.expect(message.events[-1].seq)
            return
        for event in message.events:
            if event.seq == self.head + 1:
                self._append(event)
            elif event.seq > self.head:
                self.expect(message.events[-1].seq)
                break
        self._wake()

    def expect(self, seq: int) -> None:
        """The discussion is known to have reached ``seq``: reads what is missing, once for all readers."""
        self._target = max(self._target, seq)
        if self._target > self.head and (self._repair is None or self._repair.done()):
            self._repair = asyncio.create_task(self._fill())

    async def _fill(self) -> None:
        try:
            await self.ready()
            while self.head < self._target:
                before, wanted = self.head, self._target
                for event in await self._read(self.head):
                    if event.seq == self.head + 1:
                        self._append(event)
                self._wake()
                if self.head == before and self._target == wanted:
                    log.warning("The store has not reached what was announced", extra={"announced": self._target})
                    self._target = self.head
        except Exception:
            # the hub compares heads every few seconds, so the gap is not forgotten
            log.exception("A gap could not be read from the store")

    async def _read(self, after: int) -> list[EncodedEvent]:
        """Events from the store, none of them older than what was heard to be concealed since."""
        while True:
            conceals = self._conceals
            _, events = await self._fetch(self.key, after, EVENTS_PAGE)
            if conceals == self._conceals:
                return events

    def _append(self, event: EncodedEvent) -> None:
        if event.conceals:
            self._conceal(event)
        self._ring.append(event)
        self.head = event.seq
        self._written += len(event.payload)
        if len(self._ring) > RING_EVENTS:
            self._ring.popleft()

    def _conceal(self, removal: EncodedEvent) -> None:
        self._batch = None
        state = state_of(removal.payload) or State.removed
        for index, event in enumerate(self._ring):
            if event.comment_id == removal.comment_id:
                payload = redacted(event.payload, state)
                self._ring[index] = EncodedEvent(event.seq, event.comment_id, event.conceals, payload)

    def _wake(self) -> None:
        for reader in self.readers:
            if self._offered - reader.taken > self._backlog:
                reader.close(CloseCode.too_slow)
            reader.wake.set()
        self._offered = self._written

    # ---- what is read -----------------------------------------------------------------------------------

    def recent(self, after: int) -> list[EncodedEvent] | None:
        """At most EVENTS_PAGE events after ``after``, or None where the room does not have them."""
        if not self.is_open or not self.floor <= after <= self.head:
            return None
        return [event for event in self._ring if event.seq > after][:EVENTS_PAGE]

    async def next_batch(self, reader: Reader) -> Batch | None:
        """What the reader has not been sent: from the ring, or from the store where the ring no longer has it."""
        if reader.cursor >= self.head:
            return None
        if reader.cursor >= self.floor:
            reader.taken = self._written
            return self._from_ring(reader.cursor)
        # the store may be ahead of this room: what it adds is said again by the room, and must not be sent twice
        events = [event for event in await self._read(reader.cursor) if event.seq <= self.head]
        reader.taken = self._written
        return Batch(events_message([event.payload for event in events]), events[-1].seq) if events else None

    def _from_ring(self, cursor: int) -> Batch:
        if self._batch is None or self._batch[:2] != (cursor, self.head):
            events = [event.payload for event in self._ring if event.seq > cursor][:EVENTS_PAGE]
            self._batch = (cursor, self.head, events_message(events))
        return Batch(self._batch[2], min(self.head, cursor + EVENTS_PAGE))

    # ---- who reads --------------------------------------------------------------------------------------

    def join(self, reader: Reader) -> None:
        self.readers.add(reader)
        reader.taken = self._written
        self._presence_changed()

    def leave(self, reader: Reader) -> None:
        self.readers.discard(reader)
        self._presence_changed()

    def close(self, code: CloseCode) -> None:
        """Every reader's stream ends with ``code``."""
        for reader in list(self.readers):
            reader.close(code)

    def note_writing(self, reader: Reader) -> None:
        """The reader is writing; forgotten after a while unless it is said again."""
        loop = asyncio.get_running_loop()
        reader.writing_until = loop.time() + WRITING_SHOWN_SECONDS
        self._presence_changed()
        if self._writing_timer is None:
            self._writing_timer = loop.call_later(WRITING_SHOWN_SECONDS + 0.1, self._writing_over)

    def count(self) -> Present:
        """Who is here now."""
        now = asyncio.get_running_loop().time()
        return Present(len(self.readers), sum(1 for reader in self.readers if reader.writing_until > now))

    def _writing_over(self) -> None:
        self._writing_timer = None
        self._presence_changed()
        if self.count().writing:
            loop = asyncio.get_running_loop()
            self._writing_timer = loop.call_later(WRITING_SHOWN_SECONDS, self._writing_over)

    def _presence_changed(self) -> None:
        if self._presence_timer is None:
            loop = asyncio.get_running_loop()
            due = max(loop.time(), self._presence_at + PRESENCE_SECONDS)
            self._presence_timer = loop.call_at(due, self._tell_presence)

    def _tell_presence(self) -> None:
        self._presence_timer = None
        self._presence_at = asyncio.get_running_loop().time()
        self.present = self.count()
        self.presence_round += 1
        for reader in self.readers:
            reader.wake.set()

    async def shut(self) -> None:
        """Cancels what the room still does."""
        for timer in (self._writing_timer, self._presence_timer):
            if timer is not None:
                timer.cancel()
        for task in (self._opened, self._repair):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
