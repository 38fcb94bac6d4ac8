"""The bus: carries what was committed to every instance. Best effort: the store alone is the truth.

    memory      one process: a call
    redis       several instances: Redis or Valkey
    opening     which of the two, by the URL of a Redis
    stats       what a bus counts

Delivery   At most once, and maybe late. What is lost is in the store: a room that receives a seq it does not expect
           reads there. A listener must bear a message that it had already, since anybody may repeat one.
Ordering   Per publisher and discussion: messages arrive in the order they were published in. Nothing holds across
           discussions or publishers.
Blocking   Never: all methods return at once, on the thread of the event loop.
Failure    Counted, never raised. Where too many messages wait, the oldest are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tertulia.bus.stats import BusStats
from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent


@dataclass(frozen=True, slots=True)
class Message:
    """Events of one discussion, dense and ascending, as they were committed in ``epoch``.

    Without events it says no more than which seq the discussion has ``reached``.
    """

    key: DiscussionKey
    epoch: str
    events: tuple[EncodedEvent, ...]
    reached: int = 0

    @property
    def head(self) -> int:
        """The newest seq of the message."""
        return self.events[-1].seq if self.events else self.reached


@dataclass(frozen=True, slots=True)
class PresenceUpdate:
    """How many read a discussion at one instance, and how many of them write.

    ``wants_reply`` asks every other instance to publish its own. ``at`` is the time of the publishing instance in
    milliseconds since 1970; of two updates of an instance the later one counts.
    """

    key: DiscussionKey
    instance: str
    readers: int
    writing: int
    wants_reply: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class Glance:
    """Which comment of a desk somebody looks at, by its id; empty is none any more. ``person`` is an author's id."""

    person: str
    name: str
    comment_id: str


@dataclass(frozen=True, slots=True)
class LookingUpdate:
    """Somebody at another instance looks at something. ``at`` is that instance's time, as of a PresenceUpdate."""

    key: DiscussionKey
    instance: str
    look: Glance
    at: int = 0


Listener = Callable[[Message], None]
"""Called with each message of a discussion; returns at once and does not raise."""


def _ignore(_news: object) -> None:
    """Nobody has asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusHandlers:
    """What a bus calls beside listeners, for subscribed discussions only; each returns at once.

    on_gap        messages of these discussions may have been lost: compare them with the store
    on_presence   another instance has published how many read there
    on_looking    somebody at another instance looks at a comment of a desk
    on_unverified something unsigned came: maybe there is news in the store; as often as whoever sends it likes
    """

    on_gap: Callable[[Iterable[DiscussionKey]], None] = _ignore
    on_presence: Callable[[PresenceUpdate], None] = _ignore
    on_looking: Callable[[LookingUpdate], None] = _ignore
    on_unverified: Callable[[DiscussionKey], None] = _ignore


class Bus(Protocol):
    """Carries messages from the instance that committed to all instances, its own among them."""

    @property
    def is_degraded(self) -> bool:
        """Whether messages of other instances may be lost at the moment."""

    @property
    def receives_unverified(self) -> bool:
        """Whether a message came lately that no instance with this database and this secret key has signed."""

    def set_handlers(self, handlers: BusHandlers) -> None:
        """Replaces the handlers. A bus has one set of them, and none before the first call."""

    def publish(self, message: Message) -> None:
        """Delivers to this instance's listener before it returns, to those of others at most once, in order.

        Never blocks: messages wait in a bounded queue, and the oldest are dropped and counted when it is full.
        """

    def publish_presence(self, key: DiscussionKey, readers: int, writing: int, *, wants_reply: bool) -> None:
        """Sends how many read here to the other instances, at most once. Dropped while the bus is degraded."""

    def publish_looking(self, key: DiscussionKey, look: Glance) -> None:
        """Sends who looks at what to the other instances, at most once. Dropped while the bus is degraded."""

    def is_alive(self, instance: str) -> bool:
        """Whether anything came from the instance lately; while the bus is degraded, whether it did before."""

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        """Calls ``listener`` with the messages of this discussion; a second call replaces the first one's listener.

        Never blocks. Where the subscription takes effect later, ``on_gap`` is called with the discussion when it does.
        """

    def unsubscribe(self, key: DiscussionKey) -> None:
        """Calls the listener no more from now on. Without one it does nothing."""


@runtime_checkable
class NetworkBus(Bus, Protocol):
    """A bus between instances, for whoever measures it."""

    @property
    def stats(self) -> BusStats:
        """What it counts while it runs."""

    @property
    def pending(self) -> int:
        """Messages that wait to be sent."""

    @property
    def peer_count(self) -> int:
        """Other instances that are alive."""
