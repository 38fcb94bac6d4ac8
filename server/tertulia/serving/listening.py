"""A listening socket; apart from the server, so that who only holds a port loads nothing else."""

from __future__ import annotations

import errno
import socket

from tertulia.errors import StartupError

BACKLOG = 2048
UNACKNOWLEDGED_MILLISECONDS = 20_000
"""How long the kernel waits for a peer that acknowledges nothing, a closed window included (TCP_USER_TIMEOUT)."""
_LISTENING = {
    errno.EADDRINUSE: "stop what uses it or choose another with --port",
    errno.EACCES: "choose a port above 1023 with --port, or let the service bind it (CAP_NET_BIND_SERVICE)",
    errno.EMFILE: "raise the limit of open files",
    errno.ENFILE: "raise the limit of open files",
}
"""What to do about a port that cannot be bound; every other error is about the address."""


def listen(host: str, port: int, *, shared: bool = False, backlog: int | None = BACKLOG) -> socket.socket:
    """A listening socket, or without ``backlog`` one that only holds the port. Raises StartupError with what to do.

    One that is ``shared`` lets others listen on the same port (SO_REUSEPORT): the kernel spreads connections over them.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = _bound(family, host, port, shared=shared)
        if backlog is not None:
            listener.listen(backlog)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        advice = _LISTENING.get(getattr(error, "errno", None) or 0, "choose an address of this machine with --host")
        raise StartupError(f"Cannot listen on {host} port {port} ({reason}); {advice}.") from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLISECONDS)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # asyncio sets this only for sockets that name their protocol, which accepted ones do not: a body would wait
    # for the acknowledgement of its head, which Linux delays by 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _bound(family: int, host: str, port: int, *, shared: bool) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound
