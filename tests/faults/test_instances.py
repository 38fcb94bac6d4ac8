"""Two servers on one PostgreSQL and one Redis: one dies, and its readers go on at the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api_client import ApiClient
from tests.support.live_reader import follow
from tests.support.postgres import running_postgres
from tests.support.server import ServerProcess
from tests.support.valkey import Valkey


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
    people = ApiClient(server.url, "x")
    return [people.post_comment("Here.")["seq"] for _ in range(count)]


def test_a_reader_of_a_server_that_dies_goes_on_at_the_other(both: list[ServerProcess]) -> None:
    one, other = both
    with follow(one) as here, follow(other) as there:
        assert say(one, 10) + say(other, 10) == list(range(1, 21))
        assert here.seqs_until(20) == there.seqs_until(20) == list(range(1, 21))
        one.kill()
        assert say(other, 10) == list(range(21, 31))
        with follow(other, here.epoch, 20) as back:
            assert back.seqs_until(30) == there.seqs_until(30) == list(range(21, 31))
