"""A reader over WebSocket for tests without an event loop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect

from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE


@dataclass(frozen=True)
class LiveReader:
    """One that has joined; ``epoch`` is what it was told."""

    socket: ClientConnection
    epoch: str

    def receive(self) -> dict[str, Any]:
        """The next message; raises TimeoutError without one, ConnectionClosed at the end."""
        message: dict[str, Any] = json.loads(self.socket.recv(PATIENCE))
        return message

    def seqs_until(self, last: int) -> list[int]:
        """The seqs of the events that come, once this one is among them. A reset fails the test."""
        seen: list[int] = []
        while not seen or seen[-1] < last:
            message = self.receive()
            assert message["type"] != "reset"
            if message["type"] == "events":
                seen += [event["seq"] for event in message["events"]]
        return seen


@contextmanager
def follow(
    server: ServerProcess, epoch: str | None = None, after: int | None = None, key: str = "x"
) -> Iterator[LiveReader]:
    """Joins a discussion, from a cursor on if one is given."""
    query = urlencode({"key": key} if epoch is None else {"key": key, "epoch": epoch, "after": after})
    with connect(f"{server.url.replace('http', 'ws')}/api/v1/live?{query}", proxy=None) as socket:
        hello = json.loads(socket.recv(PATIENCE))
        assert hello["type"] == "hello"
        yield LiveReader(socket, hello["epoch"])
