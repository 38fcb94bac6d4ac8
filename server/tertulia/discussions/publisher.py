"""The only publisher: what the write queue committed goes to the bus, one message a discussion."""

from __future__ import annotations

from tertulia.bus import Bus, Message
from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent
from tertulia.store.event_log import CommittedEvent


class EventPublisher:
    """Called by the write queue after each commit."""

    def __init__(self, bus: Bus, epoch: str) -> None:
        self._bus = bus
        self._epoch = epoch

    def publish(self, events: list[CommittedEvent]) -> None:
        """Publishes events in the order of their commits."""
        grouped: dict[DiscussionKey, list[EncodedEvent]] = {}
        for one in events:
            grouped.setdefault(one.key, []).append(one.event)
        for key, encoded in grouped.items():
            self._bus.publish(Message(key, self._epoch, tuple(encoded)))
