"""The bus of a single process: a call."""

from __future__ import annotations

from tertulia.bus import Attended, Hinted, Listener, Message, Missed
from tertulia.core.comments import DiscussionKey


class MemoryBus:
    """Delivers at once and in order; nothing is lost while the process lives."""

    in_doubt = False
    hears_strangers = False

    def __init__(self) -> None:
        self._listeners: dict[DiscussionKey, Listener] = {}

    def watch(self, missed: Missed, attended: Attended, hinted: Hinted) -> None:
        """Nothing is missed, and nobody is elsewhere."""

    def publish(self, message: Message) -> None:
        listener = self._listeners.get(message.key)
        if listener is not None:
            listener(message)

    def tell(self, key: DiscussionKey, readers: int, writing: int, *, asks: bool) -> None:
        """There is no other instance."""

    def is_alive(self, instance: str) -> bool:
        return False

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        self._listeners[key] = listener

    def unsubscribe(self, key: DiscussionKey) -> None:
        self._listeners.pop(key, None)
