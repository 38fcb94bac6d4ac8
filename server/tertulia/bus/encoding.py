"""What instances say to each other, version 2: JSON, of events a line of header and a line of the events.

    [2, instance, at, epoch, site, key, first seq, last seq]        events were committed
    [[seq, kind, comment id, payload], …]

    [2, "here", instance, at, site, key, readers, writing, asks]    who reads a discussion at this instance
    [2, "alive", instance, at]                                      to all, now and then

``at`` is when it was said, in milliseconds since 1970 by the clock of the instance, and never goes back. The line of
events is left out where the whole would be longer than LONGEST: then the message is only a hint. The header comes
apart, so that an instance knows its own messages without reading them. On its way a message is signed: see signing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeGuard, get_args

from tertulia.bus import Attendance, Message
from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent, EventKind

VERSION = 2
PREFIX = "tertulia:"
ALL = f"{PREFIX}instances"
"""The channel that all instances hear."""
LONGEST = 64 * 1024
NAME_LONGEST = 64
READERS_MOST = 200_000
"""That one instance may tell of: ten times what one process serves."""
KINDS: dict[str, EventKind] = {kind: kind for kind in get_args(EventKind)}
SEQ_END = 2**53
"""Seqs are numbers that JavaScript takes, too."""


class Malformed(Exception):
    """What arrived is not a message of this version."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message whose header is read. ``events`` is not read yet; empty where it is only a hint."""

    instance: str
    at: int
    epoch: str
    key: DiscussionKey
    first: int
    last: int
    events: str

    def message(self) -> Message:
        """The message itself. Raises Malformed."""
        if not self.events:
            return Message(self.key, self.epoch, (), self.last)
        given = _parsed(self.events)
        if not isinstance(given, list):
            raise Malformed("no list of events")
        events = tuple(map(_event, given))
        if [event.seq for event in events] != list(range(self.first, self.last + 1)):
            raise Malformed("not the events that the header tells of")
        return Message(self.key, self.epoch, events)


@dataclass(frozen=True, slots=True)
class Alive:
    """The sign of life of an instance."""

    instance: str
    at: int


def channel_of(key: DiscussionKey) -> str:
    """The name of the discussion's channel: safe whatever the key, and of the same length."""
    name = json.dumps([key.site, key.key]).encode()
    return PREFIX + blake2b(name, digest_size=16).hexdigest()


def written(message: Message, instance: str, at: int) -> bytes:
    """The message as bytes, at most LONGEST of them; a longer one becomes a hint."""
    head, key = message.head, message.key
    first = message.events[0].seq if message.events else head
    header = _written([VERSION, instance, at, message.epoch, key.site, key.key, first, head])
    if not message.events or sum(len(event.payload) for event in message.events) > LONGEST:
        return header
    events = [[event.seq, event.kind, event.comment_id, event.payload] for event in message.events]
    whole = header + b"\n" + _written(events)
    return whole if len(whole) <= LONGEST else header


def present(said: Attendance) -> bytes:
    """Who reads a discussion, as bytes."""
    key = said.key
    counts = min(said.readers, READERS_MOST), min(said.writing, READERS_MOST)
    return _written([VERSION, "here", said.instance, said.at, key.site, key.key, *counts, int(said.asks)])


def alive(instance: str, at: int) -> bytes:
    """The sign of life of an instance, as bytes."""
    return _written([VERSION, "alive", instance, at])


def opened(data: bytes) -> Letter | Attendance | Alive:
    """Reads the header. Raises Malformed."""
    if len(data) > LONGEST:
        raise Malformed("too long")
    try:
        header, _, events = data.decode().partition("\n")
    except UnicodeDecodeError as error:
        raise Malformed("not UTF-8") from error
    match _parsed(header):
        case [version, str(instance), at, str(epoch), str(site), str(key), first, last] if (
            _is_number(version)
            and version == VERSION
            and len(instance) <= NAME_LONGEST
            and _is_seq(at)
            and _is_seq(first)
            and _is_seq(last)
            and first <= last
        ):
            return Letter(instance, at, epoch, DiscussionKey(site, key), first, last, events)
        case [version, "here", str(instance), at, str(site), str(key), readers, writing, 0 | 1 as asks] if (
            _is_number(version)
            and version == VERSION
            and len(instance) <= NAME_LONGEST
            and _is_seq(at)
            and _is_count(readers)
            and _is_count(writing)
            and writing <= readers
            and _is_number(asks)
        ):
            return Attendance(DiscussionKey(site, key), instance, readers, writing, bool(asks), at)
        case [version, "alive", str(instance), at] if (
            _is_number(version) and version == VERSION and len(instance) <= NAME_LONGEST and _is_seq(at)
        ):
            return Alive(instance, at)
    raise Malformed("not a header of this version")


def _event(given: object) -> EncodedEvent:
    match given:
        case [seq, str(kind), str() | None as comment_id, str(payload)] if (
            _is_seq(seq) and kind in KINDS and _is_object(payload)
        ):
            return EncodedEvent(seq, KINDS[kind], comment_id, payload)
    raise Malformed("not an event")


def _is_object(payload: str) -> bool:
    """Whether the text is a JSON object on one line that can go into a frame as it is."""
    try:
        payload.encode()
    except UnicodeEncodeError:
        return False
    return "\n" not in payload and "\r" not in payload and isinstance(_parsed(payload), dict)


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_seq(value: object) -> TypeGuard[int]:
    return _is_number(value) and 0 < value < SEQ_END


def _is_count(value: object) -> TypeGuard[int]:
    return _is_number(value) and 0 <= value <= READERS_MOST


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error


def _refused(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _written(value: object) -> bytes:
    # what cannot be written as UTF-8 is refused by whoever reads it
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
