"""The messages between instances, version 2: JSON, for events a line of header and a line of the events.

    [2, instance, at, epoch, site, key, first seq, last seq]        events were committed
    [[seq, kind, comment id, payload], …]

    [2, "here", instance, at, site, key, readers, writing, wants_reply]    who reads a discussion at this instance
    [2, "looks", instance, at, site, key, person, name, comment id]    somebody at a desk looks at a comment, or at none
    [2, "alive", instance, at]                                      to all, now and then

``at`` is when it was sent, in milliseconds since 1970 by the clock of the instance, and never goes back. The line of
events is left out if the whole would be longer than MAX_MESSAGE_BYTES: then only its header is sent. The header is a
line of its own, so that an instance knows its own messages without parsing them. Every message is signed: see signing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeGuard, get_args

from tertulia.bus import Glance, LookingUpdate, Message, PresenceUpdate
from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent, EventKind

VERSION = 2
PREFIX = "tertulia:"
INSTANCES_CHANNEL = f"{PREFIX}instances"
"""The channel to which all instances subscribe."""
MAX_MESSAGE_BYTES = 64 * 1024
MAX_INSTANCE_CHARS = 64
MAX_READERS = 200_000
"""That one instance may claim: ten times what one process serves."""
MAX_LOOK_CHARS = 64
"""Of an id, and of a name: the longest that an author may have."""
KINDS: dict[str, EventKind] = {kind: kind for kind in get_args(EventKind)}
SEQ_END = 2**53
"""Seqs are numbers that JavaScript takes, too."""


class Malformed(Exception):
    """Not a message of this version."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Events of which only the header is parsed yet. ``events`` is their JSON, empty if only the header was sent."""

    instance: str
    at: int
    epoch: str
    key: DiscussionKey
    first: int
    last: int
    events: str

    def message(self) -> Message:
        """Parses the events. Raises Malformed."""
        if not self.events:
            return Message(self.key, self.epoch, (), self.last)
        given = _parse_json(self.events)
        if not isinstance(given, list):
            raise Malformed("no list of events")
        events = tuple(map(_decode_event, given))
        if [event.seq for event in events] != list(range(self.first, self.last + 1)):
            raise Malformed("not the events of the header")
        return Message(self.key, self.epoch, events)


@dataclass(frozen=True, slots=True)
class InstanceHeartbeat:
    """Says that an instance is alive."""

    instance: str
    at: int


def channel_of(key: DiscussionKey) -> str:
    """The discussion's channel: a hash, so that any key gives a valid name of the same length."""
    name = json.dumps([key.site, key.key]).encode()
    return PREFIX + blake2b(name, digest_size=16).hexdigest()


def encode_events(message: Message, instance: str, at: int) -> bytes:
    """At most MAX_MESSAGE_BYTES; of a longer message only the header."""
    head, key = message.head, message.key
    first = message.events[0].seq if message.events else head
    header = _to_json([VERSION, instance, at, message.epoch, key.site, key.key, first, head])
    if not message.events or sum(len(event.payload) for event in message.events) > MAX_MESSAGE_BYTES:
        return header
    events = [[event.seq, event.kind, event.comment_id, event.payload] for event in message.events]
    whole = header + b"\n" + _to_json(events)
    return whole if len(whole) <= MAX_MESSAGE_BYTES else header


def encode_presence(update: PresenceUpdate) -> bytes:
    """Numbers above MAX_READERS become MAX_READERS."""
    key = update.key
    counts = min(update.readers, MAX_READERS), min(update.writing, MAX_READERS)
    return _to_json([VERSION, "here", update.instance, update.at, key.site, key.key, *counts, int(update.wants_reply)])


def encode_looking(update: LookingUpdate) -> bytes:
    key, look = update.key, update.look
    who = look.person, look.name[:MAX_LOOK_CHARS], look.comment_id
    return _to_json([VERSION, "looks", update.instance, update.at, key.site, key.key, *who])


def encode_heartbeat(instance: str, at: int) -> bytes:
    return _to_json([VERSION, "alive", instance, at])


def decode(data: bytes) -> Envelope | PresenceUpdate | LookingUpdate | InstanceHeartbeat:
    """Parses the header. Raises Malformed."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise Malformed("too long")
    try:
        header, _, events = data.decode().partition("\n")
    except UnicodeDecodeError as error:
        raise Malformed("not UTF-8") from error
    match _of_this_version(_parse_json(header)):
        case [str(instance), at, str(epoch), str(site), str(key), first, last] if (
            _is_sender(instance, at) and _is_seq(first) and _is_seq(last) and first <= last
        ):
            return Envelope(instance, at, epoch, DiscussionKey(site, key), first, last, events)
        case ["here", str(instance), at, str(site), str(key), readers, writing, 0 | 1 as wants_reply] if (
            _is_sender(instance, at)
            and _is_count(readers)
            and _is_count(writing)
            and writing <= readers
            and _is_number(wants_reply)
        ):
            return PresenceUpdate(DiscussionKey(site, key), instance, readers, writing, bool(wants_reply), at)
        case ["looks", str(instance), at, str(site), str(key), str(person), str(name), str(comment_id)] if (
            _is_sender(instance, at) and max(map(len, (person, name, comment_id))) <= MAX_LOOK_CHARS
        ):
            return LookingUpdate(DiscussionKey(site, key), instance, Glance(person, name, comment_id), at)
        case ["alive", str(instance), at] if _is_sender(instance, at):
            return InstanceHeartbeat(instance, at)
    raise Malformed("not a header of this version")


def _of_this_version(header: object) -> list[Any]:
    """The header without its version. Raises Malformed."""
    match header:
        case [version, *rest] if _is_number(version) and version == VERSION:
            return rest
    raise Malformed("another version, or no header")


def _is_sender(instance: str, at: object) -> bool:
    return len(instance) <= MAX_INSTANCE_CHARS and _is_seq(at)


def _decode_event(given: object) -> EncodedEvent:
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
    return "\n" not in payload and "\r" not in payload and isinstance(_parse_json(payload), dict)


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_seq(value: object) -> TypeGuard[int]:
    return _is_number(value) and 0 < value < SEQ_END


def _is_count(value: object) -> TypeGuard[int]:
    return _is_number(value) and 0 <= value <= MAX_READERS


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _to_json(value: object) -> bytes:
    # what cannot be encoded as UTF-8 is refused by whoever reads it
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
