"""Names of hosts: looked up by the system, but nobody waits for a lookup that hangs.

The system's resolver waits 5 s for a name server that is silent, and a name that is away for a moment, as that of a
container that starts again, often looks like one. A lookup that begins after the name is back is answered at once: so
one is begun beside those that hang, and whichever is first answers all who ask for the name.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

AGAIN_SECONDS = 0.5
"""After so long without an answer a further lookup is begun."""
LOOKUP_TIMEOUT = 1.5
"""Whoever asks waits so long: less than an attempt to connect may take, which then says what it waited for."""
MAX_LOOKUPS = 16
"""Under way at once, of all names: each is a thread that may hang for 10 s, and one name needs 20 of them at most."""

LookUp = Callable[..., list[Any]]


class Resolver:
    """``getaddrinfo`` of one event loop."""

    def __init__(self, look_up: LookUp = socket.getaddrinfo, clock: Callable[[], float] = time.monotonic) -> None:
        self._look_up = look_up
        self._clock = clock
        self._under_way: dict[Any, dict[asyncio.Future[list[Any]], float]] = {}

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on all connections of the loop ask here; a loop that cannot be changed goes on as it is."""
        with suppress(AttributeError):
            loop.getaddrinfo = self.getaddrinfo  # type: ignore[method-assign]

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        """As the loop's own. Raises OSError, also where nothing is known after LOOKUP_TIMEOUT."""
        name = (host, port, family, type, proto, flags)
        end = self._clock() + LOOKUP_TIMEOUT
        while self._clock() < end:
            lookups = self._begun(name)
            done, _ = await asyncio.wait(lookups, timeout=AGAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                return one.result()
        raise TimeoutError(f"the address of {host} was not told within {LOOKUP_TIMEOUT} s")

    def _begun(self, name: Any) -> list[asyncio.Future[list[Any]]]:
        """Those of the name that are under way, a new one among them where the others began long ago."""
        lookups = self._under_way.setdefault(name, {})
        newest = max(lookups.values(), default=-AGAIN_SECONDS)
        is_due = not lookups or self._clock() - newest >= AGAIN_SECONDS
        if is_due and (not lookups or sum(map(len, self._under_way.values())) < MAX_LOOKUPS):
            found = asyncio.get_running_loop().create_future()
            lookups[found] = self._clock()
            found.add_done_callback(partial(self._ended, name))
            threading.Thread(target=self._ask, args=(found, name), name="resolver", daemon=True).start()
        return list(lookups)

    def _ask(self, found: asyncio.Future[list[Any]], name: Any) -> None:
        result: list[Any] | OSError | UnicodeError
        try:
            result = self._look_up(*name)
        except (OSError, UnicodeError) as error:
            result = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            found.get_loop().call_soon_threadsafe(_tell, found, result)

    def _ended(self, name: Any, found: asyncio.Future[list[Any]]) -> None:
        lookups = self._under_way[name]
        del lookups[found]
        if not lookups:
            del self._under_way[name]
        if not found.cancelled():
            found.exception()  # of several that fail only one is waited for


def _tell(found: asyncio.Future[list[Any]], result: list[Any] | OSError | UnicodeError) -> None:
    if found.done():
        return
    if isinstance(result, BaseException):
        found.set_exception(result)
    else:
        found.set_result(result)
