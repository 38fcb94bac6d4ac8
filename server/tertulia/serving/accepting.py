"""Accepting connections without using up the process's files, and without spinning when they run out.

asyncio's own loop calls accept 2,048 times each time there is a connection; when no file is left it fails, logs a line
and tries again as often. Here each turn takes a few, the files that the rest of the process needs are never taken, and
when nothing can be accepted accepting pauses: clients that come meanwhile wait in the kernel's queue.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import select
import socket
from collections.abc import Callable
from contextlib import suppress

from tertulia.serving.refusals import FULL

TURN = 128
"""Connections accepted before the loop does something else; a handshake each are 20 ms."""
RESERVE = 64
"""Files kept for all that is no client: the database's connections and files, Redis, articles, a worker's pipes."""
PAUSE_SECONDS = 0.05
MAX_PAUSE_SECONDS = 1.0
REPORT_SECONDS = 60.0
_OF_ONE = {
    errno.ECONNABORTED,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENONET,
    errno.ENOPROTOOPT,
    errno.EOPNOTSUPP,
    errno.EPERM,
    errno.EPROTO,
}
"""What accept(2) says of one connection, which is gone then; whatever else it says stays true for a while."""

log = logging.getLogger(__name__)


def raise_file_limit() -> int:
    """Raises the soft limit of open files to the hard one; gives what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # a hard limit may be above what the kernel allows by now
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft


class Accepting:
    """Hands connections of a listening socket to protocols that ``make`` makes, until ``close``."""

    def __init__(self, listener: socket.socket, make: Callable[[], asyncio.Protocol], files: int) -> None:
        self.turned_away = 0
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._make = make
        self._files = files
        # the kernel gives the lowest free number, so a number says how many files are open
        self._ceiling = files - min(RESERVE, files // 2)
        self._pause_seconds = PAUSE_SECONDS
        self._pause_timer: asyncio.TimerHandle | None = None
        self._handing_over: set[asyncio.Task[None]] = set()
        self._reported_at: float | None = None
        listener.setblocking(False)
        self._loop.add_reader(listener, self._accept)

    def close(self) -> None:
        """Accepts no more; the connections that there are go on."""
        if self._pause_timer is not None:
            self._pause_timer.cancel()
        if self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener)
            self._listener.close()

    def has_waiting(self) -> bool:
        """Whether a client waits in the kernel's queue to be accepted."""
        return bool(select.select([self._listener], [], [], 0)[0])

    async def wait_closed(self) -> None:
        """Until what was accepted is handed over."""
        await asyncio.gather(*self._handing_over, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(TURN):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _OF_ONE:
                    continue
                self._pause(error.strerror)
                return
            if connection.fileno() >= self._ceiling:
                self._reject(connection)
                self._pause("what is left is kept for the server itself")
                return
            self._pause_seconds = PAUSE_SECONDS
            task = self._loop.create_task(self._hand_over(connection))
            self._handing_over.add(task)
            task.add_done_callback(self._handing_over.discard)

    async def _hand_over(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make, connection)
        except OSError:  # it is gone again
            connection.close()

    def _reject(self, connection: socket.socket) -> None:
        self.turned_away += 1
        with connection, suppress(OSError):
            connection.setblocking(False)
            connection.send(FULL.answer)

    def _pause(self, reason: str | None) -> None:
        self._loop.remove_reader(self._listener)
        self._pause_timer = self._loop.call_later(self._pause_seconds, self._resume)
        self._pause_seconds = min(2 * self._pause_seconds, MAX_PAUSE_SECONDS)
        now = self._loop.time()
        if self._reported_at is None or now - self._reported_at >= REPORT_SECONDS:
            self._reported_at = now
            fields = {"reason": reason, "limit": self._files, "turned_away": self.turned_away}
            log.warning("New connections wait: open files are used up; raise their limit (ulimit -n)", extra=fields)

    def _resume(self) -> None:
        self._pause_timer = None
        self._loop.add_reader(self._listener, self._accept)
