"""Which bus an instance has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tertulia.bus import Bus
from tertulia.bus.memory import MemoryBus


@asynccontextmanager
async def open_bus(redis_url: str | None, key: bytes) -> AsyncIterator[Bus]:
    """The bus over the Redis at this URL, or without one that of a single process.

    ``key``, 16 to 64 bytes, signs messages: it is the same at all instances of one database. Raises StartupError if
    the URL is invalid; a Redis that is down is waited for.
    """
    if redis_url is None:
        yield MemoryBus()
        return
    # here, since redis-py costs 60 ms and 6 MiB that a server without a Redis need not pay
    from tertulia.bus.redis.bus import RedisBus

    bus = RedisBus(redis_url, key)
    bus.start()
    try:
        yield bus
    finally:
        await bus.close()
