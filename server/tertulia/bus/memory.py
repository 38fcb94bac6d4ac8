"""The bus of a single process: a call."""

from __future__ import annotations

from tertulia.bus import BusHandlers, Glance, Listener, Message
from tertulia.core.comments import DiscussionKey


class MemoryBus:
    """Delivers at once and in order; nothing is lost while the process lives."""

    is_degraded = False
    receives_unverified = False

    def __init__(self) -> None:
        self._listeners: dict[DiscussionKey, Listener] = {}

    def set_handlers(self, handlers: BusHandlers) -> None:
        """Nothing is lost, and there is no other instance."""

    def publish(self, message: Message) -> None:
        listener = self._listeners.get(message.key)
        if listener is not None:
            listener(message)

    def publish_presence(self, key: DiscussionKey, readers: int, writing: int, *, wants_reply: bool) -> None:
        """There is no other instance."""

    def publish_looking(self, key: DiscussionKey, look: Glance) -> None:
        """There is no other instance."""

    def is_alive(self, instance: str) -> bool:
        return False

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        self._listeners[key] = listener

    def unsubscribe(self, key: DiscussionKey) -> None:
        self._listeners.pop(key, None)
