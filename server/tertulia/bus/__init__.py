"""The bus: tells every instance what was committed. What it says is a hint, never the truth.

    memory      one process: a call
    redis       several instances: Redis or Valkey

A message may be lost, come twice or come late; a room that hears of a seq it does not expect reads the store.
What one publisher says of a discussion arrives in the order it was said, when it arrives. Publishing never waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent


@dataclass(frozen=True, slots=True)
class Message:
    """Events of one discussion, dense and ascending, as they were committed in ``epoch``.

    Without events it only says that the discussion has ``reached`` a seq.
    """

    key: DiscussionKey
    epoch: str
    events: tuple[EncodedEvent, ...]
    reached: int = 0

    @property
    def head(self) -> int:
        """The newest seq that the message tells of."""
        return self.events[-1].seq if self.events else self.reached


@dataclass(frozen=True, slots=True)
class PresenceUpdate:
    """How many read a discussion at one instance, and how many of them write.

    Where it ``wants_reply``, whoever hears it tells the same of itself. ``at`` is when it was told, in milliseconds of
    that instance; of two the later counts.
    """

    key: DiscussionKey
    instance: str
    readers: int
    writing: int
    wants_reply: bool = False
    at: int = 0


Listener = Callable[[Message], None]
OnGap = Callable[[Iterable[DiscussionKey]], None]
"""Called with discussions of which messages may have been lost; returns at once."""
OnHint = Callable[[DiscussionKey], None]
"""Called where something may have happened in a discussion that is subscribed to, said by nobody who is believed."""
OnPresence = Callable[[PresenceUpdate], None]
"""Called with what other instances tell of discussions that are subscribed to; returns at once."""


class Bus(Protocol):
    """Carries messages from the instance that committed to all instances, its own among them."""

    @property
    def is_degraded(self) -> bool:
        """Whether messages of other instances may be lost at the moment."""
        raise NotImplementedError

    @property
    def receives_unverified(self) -> bool:
        """Whether something was heard lately that no instance of this database and this secret key has said."""
        raise NotImplementedError

    def set_handlers(self, on_gap: OnGap, on_presence: OnPresence, on_hint: OnHint) -> None:
        """From now on ``on_gap`` hears when a discussion has to be compared with the store, ``on_presence`` how many
        read it elsewhere, ``on_hint`` where somebody unknown spoke, as often as they like; one of each a bus.
        """
        raise NotImplementedError

    def publish(self, message: Message) -> None:
        """Sends without waiting; a failure is the bus's own to count."""
        raise NotImplementedError

    def publish_presence(self, key: DiscussionKey, readers: int, writing: int, *, wants_reply: bool) -> None:
        """Tells the other instances how many read here; nothing is told while the bus is degraded."""
        raise NotImplementedError

    def is_alive(self, instance: str) -> bool:
        """Whether something was heard of the instance lately."""
        raise NotImplementedError

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        """From now on ``listener`` hears of this discussion; one listener a discussion.

        Where that takes a while, the discussion counts as missed once it is done.
        """
        raise NotImplementedError

    def unsubscribe(self, key: DiscussionKey) -> None:
        """The discussion's listener hears nothing more; nothing happens when there is none."""
        raise NotImplementedError
