"""A desk's stream as a console opens it, at a server of its own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from urllib.parse import urlencode

from click.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tertulia.cli import main
from tertulia.protocol import API
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE


def run(server: ServerProcess, *arguments: str) -> str:
    """What an operator's command prints."""
    result = CliRunner().invoke(main, [*arguments, "--data-dir", str(server.data_dir)])
    assert result.exit_code == 0, result.output
    return result.stdout


@cache
def moderator_token(server: ServerProcess, name: str) -> str:
    """Of the moderator of this name, who is made at the first call."""
    return run(server, "moderator", "add", name).strip()


@contextmanager
def desk_stream(server: ServerProcess, headers: dict[str, str], **cursor: object) -> Iterator[ClientConnection]:
    address = f"{server.url.replace('http', 'ws')}{API}/staff/live?{urlencode(cursor)}"
    with connect(address, proxy=None, additional_headers=headers) as socket:
        yield socket


def closing_code(socket: ClientConnection) -> int | None:
    """The code that the stream ends with."""
    try:
        while True:
            socket.recv(PATIENCE)
    except ConnectionClosed as ended:
        return None if ended.rcvd is None else ended.rcvd.code
