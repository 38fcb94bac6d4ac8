"""Two servers on one PostgreSQL and one Redis: one dies, and its readers go on at the other."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support.postgres import running_postgres
from tests.support.server import ServerProcess
from tests.support.valkey import Valkey
from tests.support.waiting import PATIENCE


@pytest.fixture
def both(tmp_path: Path) -> Iterator[list[ServerProcess]]:
    (tmp_path / "key").write_text("the key of both servers, no secret of anybody")
    valkey = Valkey()
    try:
        with running_postgres() as postgres:
            flags = (
                *("--database-url", postgres.address(), "--redis-url", valkey.url),
                *("--secret-key-file", str(tmp_path / "key"), "--drain-seconds", "0"),
            )
            servers = [ServerProcess(tmp_path / name, flags) for name in ("one", "other")]
            yield servers
            for server in servers:
                server.end()
    finally:
        valkey.end()


def say(server: ServerProcess, count: int) -> list[int]:
    """Posts; the seqs that were answered."""
    seqs = []
    for _ in range(count):
        said = {"key": "x", "body": "Here.", "author": {"name": "Lan"}}
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        answer = httpx.post(f"{server.url}/api/v1/comments", json=said, headers=headers, timeout=PATIENCE)
        assert answer.status_code == 201, answer.text
        seqs.append(answer.json()["seq"])
    return seqs


@contextmanager
def follow(
    server: ServerProcess, epoch: str | None = None, after: int | None = None
) -> Iterator[tuple[ClientConnection, str]]:
    """A reader that has joined, and the epoch it was told."""
    cursor = "" if epoch is None else f"&epoch={epoch}&after={after}"
    with connect(f"{server.url.replace('http', 'ws')}/api/v1/live?key=x{cursor}", proxy=None) as reader:
        hello = json.loads(reader.recv(PATIENCE))
        assert hello["type"] == "hello"
        yield reader, hello["epoch"]


def seqs_until(reader: ClientConnection, last: int) -> list[int]:
    seen: list[int] = []
    while not seen or seen[-1] < last:
        message = json.loads(reader.recv(PATIENCE))
        assert message["type"] != "reset"
        if message["type"] == "events":
            seen += [event["seq"] for event in message["events"]]
    return seen


def test_a_reader_of_a_server_that_dies_goes_on_at_the_other(both: list[ServerProcess]) -> None:
    one, other = both
    with follow(one) as (here, epoch), follow(other) as (there, _):
        assert say(one, 10) + say(other, 10) == list(range(1, 21))
        assert seqs_until(here, 20) == seqs_until(there, 20) == list(range(1, 21))
        one.kill()
        assert say(other, 10) == list(range(21, 31))
        with follow(other, epoch, 20) as (back, _):
            assert seqs_until(back, 30) == seqs_until(there, 30) == list(range(21, 31))
