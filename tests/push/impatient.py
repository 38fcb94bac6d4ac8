"""``python -m tests.push.impatient SECONDS serve …``: a server that ends readers who take nothing for so many SECONDS.

The kernel keeps little of what a client has not read: a comment as large as it may be is more.
"""

from __future__ import annotations

import socket
import sys
from functools import partial

import tertulia.cli.serve as command
from tertulia.app import running
from tertulia.cli import main
from tertulia.live.tuning import Tuning
from tertulia.serving.listening import listen
from tertulia.workers import worker

SEND_BUFFER = 8 * 1024


def _listen(host: str, port: int) -> socket.socket:
    """Accepted sockets have the buffers of the one that listens."""
    listener = listen(host, port)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    return listener


if __name__ == "__main__":
    tuning = Tuning(stall_seconds=float(sys.argv.pop(1)))
    worker.running = partial(running, tuning=tuning)  # type: ignore[attr-defined]
    command.listen = _listen  # type: ignore[assignment, attr-defined]
    main()
