"""Clients of redis-py, for commands whose reply somebody waits for. The bus itself does not use them."""

from __future__ import annotations

from typing import Any

from redis.asyncio import ConnectionPool, Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.sentinel import SentinelConnectionPool

from tertulia.bus.redis.urls import ClusterAddress, SentinelAddress, parse_redis_url


async def close(client: Redis | RedisCluster) -> None:
    """Closes the client's connections, those to sentinels, too."""
    await client.aclose()
    if isinstance(client, Redis) and isinstance(client.connection_pool, SentinelConnectionPool):
        await client.connection_pool.disconnect()
        for sentinel in client.connection_pool.sentinel_manager.sentinels:
            await sentinel.aclose()


def from_url(url: str, timeout: float) -> Redis | RedisCluster:
    """A client of one server, of the master that sentinels name, or of a cluster; ``timeout`` in seconds.

    Raises StartupError if the URL is invalid.
    """
    timeouts: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    match parse_redis_url(url):
        case ClusterAddress(servers):
            nodes = [ClusterNode(*server.host_port) for server in servers]
            return RedisCluster(startup_nodes=nodes, **servers[0].client_arguments | timeouts)
        case SentinelAddress(servers, service, master):
            sentinels = Sentinel(  # type: ignore[no-untyped-call]
                [server.host_port for server in servers],
                sentinel_kwargs=servers[0].client_arguments | timeouts,
                **master.client_arguments | timeouts,
            )
            found: Redis = sentinels.master_for(service)
            return found
        case server:
            pool = ConnectionPool(connection_class=server.connection_class, **server.pool_arguments | timeouts)
            return Redis.from_pool(pool)
