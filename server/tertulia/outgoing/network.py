"""The network as the client sees it: names are resolved here, and what was checked is what is connected to.

A name that is resolved twice may lead elsewhere the second time (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Any

import httpcore2

from tertulia.core.addresses import Address, parse
from tertulia.outgoing.destinations import DestinationError, is_public

ADDRESSES = 4
"""Of one name that are tried, one after the other."""


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to public addresses alone, or to any where it is not ``is_checked``."""

    def __init__(self, *, is_checked: bool) -> None:
        self._is_checked = is_checked
        self._backend = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A stream to the first address of the host that answers. Raises DestinationError, httpcore2.ConnectError."""
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in await self._addresses(host, port):
            try:
                return await self._backend.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """Raises DestinationError."""
        raise DestinationError("It leads to a socket of this machine.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"{host} has no address") from error
        all_of_it = [parsed for *_, place in found if (parsed := parse(str(place[0]).partition("%")[0])) is not None]
        allowed = [one for one in all_of_it if not self._is_checked or is_public(one)]
        if all_of_it and not allowed:
            raise DestinationError(f"{host} is an address of a private network.")
        return allowed[:ADDRESSES]
