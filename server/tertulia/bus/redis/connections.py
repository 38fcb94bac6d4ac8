"""Connections to Redis: to an endpoint, what is sent on them, why they fail, and how long to wait before the next."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import redis.exceptions
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    ClusterError,
    ResponseError,
    TryAgainError,
)

from tertulia.bus.stats import FailureKind

CONNECT_TIMEOUT = 2.0
REPLY_TIMEOUT = 1.0
FIRST_WAIT, MAX_WAIT = 0.1, 1.0
"""Seconds of backoff. The longest is how late a Redis is noticed that is back."""
MAX_BATCH_CHANNELS = 500

CONNECTION_OVERRIDES: dict[str, Any] = {
    "db": 0,  # pub/sub knows no databases, and SELECT would be one more permission
    "protocol": 2,  # RESP2 is parsed in about half the time
    # every use here has a timeout around it; the library's own is a wait_for, which swallows a cancellation before 3.12
    "socket_timeout": None,
    "socket_connect_timeout": CONNECT_TIMEOUT,
    # a connection that comes back by itself has lost messages and says nothing of it
    "retry": None,
    "retry_on_timeout": False,
    "retry_on_error": [],
    "health_check_interval": 0,
    "decode_responses": False,
}


class HostPort(NamedTuple):
    host: str
    port: int


class SlotMoved(ConnectionError):
    """A channel that this server carried has moved to another one."""

    def __init__(self) -> None:
        super().__init__("the cluster moved a channel to another server")


class Connector(Protocol):
    """Connects to the right server, whichever that is at the moment."""

    def connect(self) -> AbstractAsyncContextManager[AbstractConnection]:
        """A new connection, closed at the end. The body is interrupted when the server is no longer the right one."""


class Endpoint:
    """One server and how to connect to it. Raises what redis-py raises for arguments that it does not know."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        given = arguments.copy()
        self.connection_class: type[AbstractConnection] = given.pop("connection_class", Connection)
        self._given = given
        self._arguments = given | CONNECTION_OVERRIDES
        self.new_connection()

    @property
    def pool_arguments(self) -> dict[str, Any]:
        """Arguments of redis-py for a pool with this ``connection_class``."""
        return self._given | {"db": 0, "protocol": 2}

    @property
    def client_arguments(self) -> dict[str, Any]:
        """The same for a client that finds host, port and class by itself."""
        named = {name: value for name, value in self.pool_arguments.items() if name not in ("host", "port", "db")}
        return named | ({"ssl": True} if issubclass(self.connection_class, SSLConnection) else {})

    @property
    def host_port(self) -> HostPort:
        return HostPort(self._arguments["host"], self._arguments["port"])

    def at(self, host: str, port: int) -> Endpoint:
        """Another server with the same login and TLS."""
        return Endpoint(self._arguments | {"connection_class": self.connection_class, "host": host, "port": port})

    def new_connection(self) -> AbstractConnection:
        """One that is not connected yet."""
        return self.connection_class(**self._arguments)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AbstractConnection]:
        connection = self.new_connection()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await connection.connect()  # type: ignore[no-untyped-call]
            yield connection
        finally:
            await connection.disconnect(nowait=True)


class Backoff:
    """Waits twice as long after each failure, with jitter for those that failed in the same moment."""

    def __init__(self) -> None:
        self._wait = FIRST_WAIT

    def reset(self) -> None:
        self._wait = FIRST_WAIT

    async def wait(self) -> None:
        await asyncio.sleep(self._wait * random.uniform(0.5, 1.0))  # noqa: S311
        self._wait = min(2 * self._wait, MAX_WAIT)


@dataclass(frozen=True, slots=True)
class PubSubCommands:
    publish: str
    subscribe: str
    unsubscribe: str


GLOBAL_PUBSUB = PubSubCommands("PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE")
SHARDED_PUBSUB = PubSubCommands("SPUBLISH", "SSUBSCRIBE", "SUNSUBSCRIBE")


def batches(channels: Iterable[str]) -> Iterator[list[str]]:
    """Channels that one command may name: in a cluster all must have the same hash tag."""
    tagged: defaultdict[str, list[str]] = defaultdict(list)
    for channel in channels:
        tagged[channel.rpartition("}")[0]].append(channel)
    for alike in tagged.values():
        for start in range(0, len(alike), MAX_BATCH_CHANNELS):
            yield alike[start : start + MAX_BATCH_CHANNELS]


async def execute(connection: AbstractConnection, *commands: tuple[str, ...]) -> list[Any]:
    """The replies, one for each command. Raises the first error among them, TimeoutError after REPLY_TIMEOUT."""
    async with asyncio.timeout(REPLY_TIMEOUT):
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        return [await connection.read_response() for _ in commands]


def summary(error: BaseException) -> str:
    """The first error of a group, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__


def failure_kind(error: BaseException) -> FailureKind:
    """A Redis without memory, or without permissions for us, refuses."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    is_cluster = isinstance(error, ClusterError | AskError | TryAgainError)  # errors of an answer that say "not here"
    # a refusal of AUTH is to redis-py an error of the connection
    if isinstance(error, ResponseError | AuthenticationError | AuthorizationError) and not is_cluster:
        return FailureKind.refused
    if isinstance(error, TimeoutError | redis.exceptions.TimeoutError):
        return FailureKind.slow
    return FailureKind.unreachable
