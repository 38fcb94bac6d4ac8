"""An event as bytes: encoded once in its life, and passed on unread from then on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple

from tertulia.protocol.bounds import PAGE_BYTES
from tertulia.protocol.desk import DeskEventKind
from tertulia.protocol.events import Event, EventKind


@dataclass(frozen=True, slots=True)
class EncodedEvent:
    """An event whose JSON is ready: everything between the store and the reader passes it on unread."""

    seq: int
    kind: EventKind | DeskEventKind
    comment_id: str | None
    payload: str

    @property
    def size(self) -> int:
        """Its bytes on the wire."""
        return len(self.payload.encode())

    @property
    def conceals(self) -> bool:
        """Whether from here on nothing may be shown of what earlier events said about ``comment_id``."""
        return self.kind in ("comment.edited", "comment.removed")

    @property
    def supersedes(self) -> bool:
        """Whether less is kept from here on of earlier events about ``comment_id``; see ``superseded``."""
        return self.conceals or self.kind == "comment.voted"


class EventPage(NamedTuple):
    """Part of a discussion's log: its newest seq, and events in their order."""

    head: int
    events: list[EncodedEvent]


def encode(event: Event) -> EncodedEvent:
    comment_id = event.comment.id if event.comment else event.comment_id
    return EncodedEvent(event.seq, event.kind, comment_id, event.model_dump_json())


def page_of(events: list[EncodedEvent]) -> list[EncodedEvent]:
    """As many of these events as make a page of PAGE_BYTES; at least one where there is one."""
    size = 0
    for count, event in enumerate(events):
        size += event.size
        if count and size > PAGE_BYTES:
            return events[:count]
    return events


def events_page(epoch: str, seq: int, encoded: list[str], *, more: bool) -> str:
    """The answer of ``GET /events`` (see Events) around events that are encoded already."""
    head = f'{{"epoch":{json.dumps(epoch)},"seq":{seq},"more":{json.dumps(more)},"events":['
    return head + ",".join(encoded) + "]}"
