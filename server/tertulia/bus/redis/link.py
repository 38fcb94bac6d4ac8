"""A link: one connection that publishes and one that subscribes, to the server that a connector leads to."""

from __future__ import annotations

import asyncio
import secrets

from tertulia.bus.redis.connections import GLOBAL_PUBSUB, Connector
from tertulia.bus.redis.health import PartHealth
from tertulia.bus.redis.port import LinkContext, LinkTarget
from tertulia.bus.redis.publisher import ChannelMessage, Publisher
from tertulia.bus.redis.subscriber import Subscriber
from tertulia.bus.redis.wire import PREFIX


class PubSubLink:
    """Carries all channels that it is given."""

    def __init__(self, target: LinkTarget, context: LinkContext, health: PartHealth) -> None:
        self._publisher = Publisher(target, context, health)
        self._subscriber = Subscriber(target, self._publisher, context, health)
        self._tasks: list[asyncio.Task[None]] = []
        # no call between, since publishing is what is done most
        self.publish = self._publisher.publish
        self.subscribe = self._subscriber.subscribe
        self.unsubscribe = self._subscriber.unsubscribe
        self.drained = self._publisher.drained

    @classmethod
    def alone(cls, connector: Connector, context: LinkContext) -> PubSubLink:
        """The only one of its bus."""
        return cls(LinkTarget(connector, GLOBAL_PUBSUB, probe_channel()), context, context.health.add_part())

    def __len__(self) -> int:
        return len(self._publisher)

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._publisher.run(), name="bus-publisher"),
            asyncio.create_task(self._subscriber.run(), name="bus-subscriber"),
        ]

    def end(self) -> list[ChannelMessage]:
        """Begins to close; returns what still waited, the oldest first."""
        for task in self._tasks:
            task.cancel()
        return self._publisher.take_pending()

    async def close(self) -> None:
        self.end()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def probe_channel() -> str:
    """A channel whose name nobody else knows."""
    return f"{PREFIX}probe:{secrets.token_hex(16)}"
