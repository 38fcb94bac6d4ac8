"""An end that no proxy notices: connections end by their answers, then nobody is let in, then the server is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tertulia.serving.accepting import Accepting
from tertulia.serving.server import stop_listening
from tests.serving.raw import Raw
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE, wait_until

ASKED = b"GET /healthz HTTP/1.1\r\nHost: news.test\r\n\r\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path, ("--drain-seconds", "120"), program=("tests.serving.timed", "idle=60"))
    yield process
    if not process.has_ended:
        os.kill(process.pid, signal.SIGTERM)  # a second signal ends it at once
    assert process.end() == 0, process.output


def _accepts(server: ServerProcess) -> int:
    return httpx.get(f"{server.url}/acceptz", timeout=PATIENCE).status_code


def test_a_kept_connection_is_answered_and_ended_by_its_answer(server: ServerProcess) -> None:
    with Raw(server) as kept:
        kept.send(ASKED)
        assert "connection" not in kept.answer().headers
        assert _accepts(server) == 200
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: _accepts(server) == 503, "a server that says that it ends")
        # what a proxy sends into a connection that it kept is answered, and it is told not to keep it
        kept.send(ASKED)
        answer = kept.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert kept.rest() == b""
    # with the last connection the server is gone, long before its time is up
    wait_until(lambda: server.has_ended, "the end of a server without connections")
    with pytest.raises(httpx.ConnectError):
        _accepts(server)


def test_whoever_has_connected_is_answered(server: ServerProcess) -> None:
    """A connection without a request yet: what is sent last is not lost in a connection that closes."""
    with Raw(server) as idle, Raw(server) as last:
        assert _accepts(server) == 200  # whoever connects later is accepted later
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: _accepts(server) == 503, "a server that says that it ends")
        for connection in (last, idle):
            connection.send(ASKED)
            assert connection.answer().status == 200
    wait_until(lambda: server.has_ended, "the end of a server without connections")


class _Noted(asyncio.Protocol):
    def __init__(self, connections: list[asyncio.BaseTransport]) -> None:
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.append(transport)


async def test_whoever_was_accepted_last_is_waited_for() -> None:
    """Who is not a connection yet is not counted, and the server would be gone before the request has come."""
    connections: list[asyncio.BaseTransport] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = Accepting(listener, lambda: _Noted(connections), 10_000)
        with socket.create_connection(listener.getsockname()):
            await stop_listening([accepting])
            assert len(connections) == 1
            connections[0].close()
            await asyncio.sleep(0)
