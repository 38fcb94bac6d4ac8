"""The one client for whatever this server asks of others."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType

import httpcore2

from tertulia import __version__
from tertulia.outgoing.destinations import Destination, DestinationError, Destinations
from tertulia.outgoing.network import CheckedNetwork

SECONDS = 10.0
"""For a whole request: names, connection, answer."""
LARGEST = 64 * 1024
"""Bytes of an answer's body."""
CONNECTIONS = 64
IDLE_CONNECTIONS = 8
IDLE_SECONDS = 30.0


class OutgoingError(Exception):
    """There is no answer, with a reason that may be shown to whoever named the address."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status, redirects too: they are not followed.

    ``headers`` have lower-case names; of several with one name it is the last.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outgoing:
    """Opens connections when they are needed; an async context manager that closes them.

    ``private_hosts``: see ``Destinations``; ``tls`` is for tests, whose servers have certificates of their own.
    """

    def __init__(self, private_hosts: Iterable[str] = (), tls: ssl.SSLContext | None = None) -> None:
        self._destinations = Destinations(private_hosts)
        self._tls = tls
        self._pools: dict[bool, httpcore2.AsyncConnectionPool] = {}

    async def __aenter__(self) -> Outgoing:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float = SECONDS,
        largest: int = LARGEST,
    ) -> Reply:
        """The answer of whatever is at ``url``. Raises OutgoingError."""
        try:
            destination = self._destinations.checked(url)
            async with asyncio.timeout(seconds):
                return await self._ask(destination, method, _complete(headers or {}), body, largest)
        except DestinationError as error:
            raise OutgoingError(f"The address is not asked: {error}") from error
        except TimeoutError as error:
            raise OutgoingError(f"There was no answer in {seconds:g} s.") from error
        except (*_FAILURES, OSError) as error:
            raise OutgoingError(f"There was no answer: {str(error) or type(error).__name__}") from error

    async def _ask(
        self,
        destination: Destination,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None,
        largest: int,
    ) -> Reply:
        pool = self._pool(destination.may_be_private)
        url = httpcore2.URL(
            scheme=destination.scheme, host=destination.host, port=destination.port, target=destination.target
        )
        async with pool.stream(method, url, headers=list(headers.items()), content=body) as response:
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            if found.get("content-encoding", "identity").lower() != "identity":
                raise OutgoingError("The answer has an encoding that was not asked for.")
            parts, size = [], 0
            async for part in response.aiter_stream():
                size += len(part)
                if size > largest:
                    raise OutgoingError(f"The answer has more than {largest:,} bytes.")
                parts.append(part)
            return Reply(response.status, found, b"".join(parts))

    def _pool(self, may_be_private: bool) -> httpcore2.AsyncConnectionPool:
        """Its own for what the operator listed: a connection is never shared with what anybody may name."""
        if may_be_private not in self._pools:
            self._pools[may_be_private] = httpcore2.AsyncConnectionPool(
                ssl_context=self._tls or ssl.create_default_context(),
                max_connections=CONNECTIONS,
                max_keepalive_connections=IDLE_CONNECTIONS,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=CheckedNetwork(is_checked=not may_be_private),
            )
        return self._pools[may_be_private]


_FAILURES = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
    httpcore2.ConnectionNotAvailable,
    httpcore2.ProxyError,
)


def _complete(headers: Mapping[str, str]) -> dict[str, str]:
    """Nothing packed is asked for: a small answer could become a large one."""
    return {"User-Agent": f"Tertulia/{__version__}", "Accept-Encoding": "identity"} | dict(headers)
