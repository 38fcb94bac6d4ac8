"""Clients of redis-py, for commands whose answer somebody waits for.

What instances tell each other does not go this way.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import ConnectionPool, Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.sentinel import SentinelConnectionPool

from tertulia.bus.addresses import Nodes, Sentinels, address


async def close(client: Redis | RedisCluster) -> None:
    """Gives the client's connections back, those to sentinels among them."""
    await client.aclose()
    if isinstance(client, Redis) and isinstance(client.connection_pool, SentinelConnectionPool):
        await client.connection_pool.disconnect()
        for sentinel in client.connection_pool.sentinel_manager.sentinels:
            await sentinel.aclose()


def client(url: str, seconds: float) -> Redis | RedisCluster:
    """A client whose connections wait so long, for a server, the master that sentinels name or a cluster.

    Raises StartupError where the URL is none.
    """
    patience: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    match address(url):
        case Nodes(servers):
            nodes = [ClusterNode(*server.place) for server in servers]
            return RedisCluster(startup_nodes=nodes, **servers[0].arguments | patience)
        case Sentinels(servers, service, master):
            sentinels = Sentinel(  # type: ignore[no-untyped-call]
                [server.place for server in servers],
                sentinel_kwargs=servers[0].arguments | patience,
                **master.arguments | patience,
            )
            found: Redis = sentinels.master_for(service)
            return found
        case server:
            pool = ConnectionPool(connection_class=server.kind, **server.all_arguments | patience)
            return Redis.from_pool(pool)
