"""The numbers of live delivery: what they cost and what they spare. Whoever builds a hub or a room may pass others."""

from __future__ import annotations

from dataclasses import dataclass

from tertulia.protocol import EVENTS_PAGE, WRITING_SECONDS

SLICE = 256
"""Readers written to before the loop runs something else: about 2 ms of system calls."""
TICK_SECONDS = 0.15
STALL_SECONDS = 15.0
CALM_SECONDS = 10.0
WRITING_SHOWN_SECONDS = 2 * WRITING_SECONDS
"""So that one lost message does not end it."""

MAX_EVENTS = 512
MAX_EVENTS_BYTES = 4 * 1024 * 1024
MAX_FRAMES = 64
MAX_FRAMES_BYTES = 16 * 1024 * 1024
"""With the events well below MAX_BYTES, or a backlog would be evicted while a frame is made of its events."""
MAX_BYTES = 32 * 1024 * 1024
"""Backlogs spare reads of the store, no more: 512 events of one kilobyte are half a MiB, so that sixty discussions are
busy at once before the quietest of them are read again. One backlog alone could hold 20 MiB, some hundred of them all
the memory there is."""

READERS_SECONDS = 1.0
"""The most often that readers here are sent how many read and write."""
PEERS_SECONDS = 2.0
"""The most often that other instances are sent how many read and write here."""
REPEAT_SECONDS = 60.0
EXPIRY_SECONDS = 3 * REPEAT_SECONDS
"""So that two of three repeats may be lost."""
REQUESTS_PER_SECOND = 500
"""Rooms that ask other instances after Redis was away: the bus has other things to carry then."""

HOUSEKEEPING_SECONDS = 1.0
RECONCILE_SECONDS = 5.0
DEGRADED_SECONDS = 1.0
UNVERIFIED_SECONDS = 0.5
"""Whoever floods Redis with unsigned messages costs the store two queries a second."""
GRACE_SECONDS = 30.0
MAX_EMPTY_ROOMS = 500
"""At some 10 KiB each 5 MiB at most, besides their backlogs, for what a store answers in a millisecond."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Sizes are bytes of memory, times are seconds.

    Delivery
        slice: readers written to before the loop runs something else
        page: events that one read of the store gives at most
        tick_seconds: between two deliveries while a discussion is busy
        calm_seconds: for which a discussion has to be calmer before it is delivered as such
        stall_seconds: after which a reader whose connection takes nothing is ended with 4408
        writing_seconds: for which a reader counts as writing after it said so
    Backlogs
        events, events_bytes: that one backlog holds at most, whichever is reached first
        frames, frames_bytes: that are cached for one backlog at most, whichever is reached first
        total_bytes: of the events and frames of all backlogs together
    Presence
        readers_seconds: between two messages about presence to the readers here
        peers_seconds: between two messages about presence to the other instances
        repeat_seconds: after which other instances are sent a number that has not changed
        expiry_seconds: after which a number of another instance counts no more
        requests_per_second: rooms that ask other instances for their numbers
    Hub
        housekeeping_seconds: between two ticks of every room
        reconcile_seconds: between two comparisons of all rooms with the store
        degraded_seconds: the same while messages of other instances may be lost
        unverified_seconds: between two comparisons that unsigned messages ask for
        grace_seconds: for which a room without readers stays warm
        empty_rooms: that stay warm at most; the one that has been empty longest goes first
    """

    slice: int = SLICE
    page: int = EVENTS_PAGE
    tick_seconds: float = TICK_SECONDS
    calm_seconds: float = CALM_SECONDS
    stall_seconds: float = STALL_SECONDS
    writing_seconds: float = WRITING_SHOWN_SECONDS

    events: int = MAX_EVENTS
    events_bytes: int = MAX_EVENTS_BYTES
    frames: int = MAX_FRAMES
    frames_bytes: int = MAX_FRAMES_BYTES
    total_bytes: int = MAX_BYTES

    readers_seconds: float = READERS_SECONDS
    peers_seconds: float = PEERS_SECONDS
    repeat_seconds: float = REPEAT_SECONDS
    expiry_seconds: float = EXPIRY_SECONDS
    requests_per_second: float = REQUESTS_PER_SECOND

    housekeeping_seconds: float = HOUSEKEEPING_SECONDS
    reconcile_seconds: float = RECONCILE_SECONDS
    degraded_seconds: float = DEGRADED_SECONDS
    unverified_seconds: float = UNVERIFIED_SECONDS
    grace_seconds: float = GRACE_SECONDS
    empty_rooms: int = MAX_EMPTY_ROOMS


DEFAULT = Tuning()
