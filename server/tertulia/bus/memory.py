"""The bus of a single process: a call."""

from __future__ import annotations

from tertulia.bus import Listener, Message, Missed
from tertulia.core.comments import DiscussionKey


class MemoryBus:
    """Delivers at once and in order; nothing is lost while the process lives."""

    in_doubt = False

    def __init__(self) -> None:
        self._listeners: dict[DiscussionKey, Listener] = {}

    def watch(self, missed: Missed) -> None:
        """Nothing is missed."""

    def publish(self, message: Message) -> None:
        listener = self._listeners.get(message.key)
        if listener is not None:
            listener(message)

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        self._listeners[key] = listener

    def unsubscribe(self, key: DiscussionKey) -> None:
        self._listeners.pop(key, None)
