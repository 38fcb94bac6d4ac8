"""The bus: tells every instance what was committed. What it says is a hint, never the truth.

A message may be lost, come twice or come late; a room that hears of a seq it does not expect reads the store.
Messages of one publisher arrive in the order they were published, when they arrive. Publishing never waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent


@dataclass(frozen=True, slots=True)
class Message:
    """Events of one discussion, dense and ascending, as they were committed in ``epoch``."""

    key: DiscussionKey
    epoch: str
    events: tuple[EncodedEvent, ...]


Listener = Callable[[Message], None]


class Bus(Protocol):
    """Carries messages from the instance that committed to all instances, its own among them."""

    def publish(self, message: Message) -> None:
        """Sends without waiting; a failure is the bus's own to count."""
        raise NotImplementedError

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        """From now on ``listener`` hears of this discussion; one listener a discussion."""
        raise NotImplementedError

    def unsubscribe(self, key: DiscussionKey) -> None:
        """The discussion's listener hears nothing more; nothing happens when there is none."""
        raise NotImplementedError
