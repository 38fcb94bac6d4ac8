"""What the write queue committed goes to the bus, one message a discussion. Nothing else publishes events."""

from __future__ import annotations

from tertulia.bus import Bus, Message
from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent
from tertulia.store.event_log import CommittedEvent


def publish_committed(bus: Bus, epoch: str, events: list[CommittedEvent]) -> None:
    """Publishes events in the order of their commits."""
    grouped: dict[DiscussionKey, list[EncodedEvent]] = {}
    for one in events:
        grouped.setdefault(one.key, []).append(one.event)
    for key, encoded in grouped.items():
        bus.publish(Message(key, epoch, tuple(encoded)))
