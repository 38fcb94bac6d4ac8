"""Where Redis is, from its URL:

    redis://user:password@host:6379     one server; rediss:// with TLS, unix:///path for a socket
    redis+sentinel://user:password@host1:26379,host2:26379/service
    redis+cluster://user:password@host1:7000,host2:7001

The last two are written as in other libraries, ``limits`` among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from redis.asyncio.connection import parse_url

from tertulia.bus.redis.connections import Endpoint
from tertulia.errors import StartupError

REFUSED = (
    "TERTULIA_REDIS_URL cannot be read; write it as redis://user:password@host:6379, "
    "redis+sentinel://user:password@host1:26379,host2:26379/service or redis+cluster://user:password@host1:7000,host2:7001"
)


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """The sentinels, the name of the service, and login and TLS of its master, whose host they know."""

    servers: tuple[Endpoint, ...]
    service: str
    master: Endpoint


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """Some servers of a cluster, which know the others."""

    servers: tuple[Endpoint, ...]


def parse_redis_url(url: str) -> Endpoint | SentinelAddress | ClusterAddress:
    """Raises StartupError if the URL is invalid, without repeating it: it may hold a password."""
    try:
        given = _split(url)
        match given.scheme:
            case "redis+sentinel":
                return _sentinels(given)
            case "redis+cluster":
                return _nodes(given)
        return Endpoint({**parse_url(url)})
    except Exception:
        raise StartupError(REFUSED) from None


def _split(url: str) -> SplitResult:
    """As ``urlsplit``, which in newer versions of Python refuses several hosts where one is in brackets."""
    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    netloc, slash, path = rest.partition("/")
    return SplitResult(scheme, netloc, slash + path, query, "")


def _sentinels(given: SplitResult) -> SentinelAddress:
    service = given.path.removeprefix("/")
    if not service or "/" in service:
        raise ValueError("no service")
    own, common = _asked(given, "sentinel_username", "sentinel_password")
    login = {name.removeprefix("sentinel_"): value or None for name, value in own.items()}
    return SentinelAddress(_servers(given, common | login), service, Endpoint(common))


def _nodes(given: SplitResult) -> ClusterAddress:
    if given.path.strip("/"):
        raise ValueError("a cluster has no databases")
    return ClusterAddress(_servers(given, _asked(given)[1]))


def _asked(given: SplitResult, *own: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The values of ``own`` from the query, and arguments of redis-py for every connection from all the rest."""
    asked = dict(parse_qsl(given.query, keep_blank_values=True))
    ours = {name: asked.pop(name) for name in own if name in asked}
    scheme = "rediss" if _is_true(asked.pop("ssl", "false")) else "redis"
    login = given.netloc.rpartition("@")[0]
    return ours, {**parse_url(f"{scheme}://{login}@host?{urlencode(asked)}")}


def _is_true(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _servers(given: SplitResult, arguments: dict[str, Any]) -> tuple[Endpoint, ...]:
    return tuple(_server(one, arguments) for one in given.netloc.rpartition("@")[2].split(","))


def _server(host_port: str, arguments: dict[str, Any]) -> Endpoint:
    given = urlsplit(f"//{host_port}")
    host, port = given.hostname, given.port
    if not host or not port:
        raise ValueError("host and port are both needed")
    return Endpoint(arguments | {"host": host, "port": port})
