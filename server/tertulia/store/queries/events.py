"""The log of a discussion."""

from __future__ import annotations

from sqlalchemy import Connection, select

from tertulia.core.comments import DiscussionKey
from tertulia.protocol import PAGE_BYTES, EncodedEvent, EventPage, payload_within
from tertulia.store import schema
from tertulia.store.listing import SLICE
from tertulia.store.queries.discussions import discussion


def events(connection: Connection, key: DiscussionKey, after: int, limit: int) -> EventPage:
    """The head, and up to ``limit`` events or PAGE_BYTES after ``after``. Raises unknown_site."""
    found_in = discussion(connection, key)
    found: list[EncodedEvent] = []
    size = 0
    while len(found) < limit:
        wanted = min(SLICE, limit - len(found))
        read = _slice(connection, found_in.id, found[-1].seq if found else after, wanted)
        for event in read:
            size += event.size
            if found and size > PAGE_BYTES:
                return EventPage(found_in.seq, found)
            found.append(event)
        if len(read) < wanted:
            break
    return EventPage(found_in.seq, found)


def _slice(connection: Connection, discussion_id: int | None, after: int, limit: int) -> list[EncodedEvent]:
    e = schema.event.c
    query = (
        select(e.seq, e.comment_id, e.kind, e.payload)
        .where(e.discussion_id == discussion_id, e.seq > after)
        .order_by(e.seq)
        .limit(limit)
    )
    return [
        EncodedEvent(row.seq, row.kind, row.comment_id, payload_within(row.payload))
        for row in connection.execute(query)
    ]
