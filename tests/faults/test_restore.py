"""A backup that is restored: time goes back, its numbers are given again, and every reader is told so."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.test_instances import say
from tests.support.api_client import ApiClient
from tests.support.live_reader import follow
from tests.support.postgres import Postgres, running_postgres
from tests.support.server import ServerProcess

Start = Callable[..., ServerProcess]


class Sqlite:
    """The database in the data folder; backup and restore as docs/operating.md tells them."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "tertulia.db"
        self.flags: tuple[str, ...] = ()

    def back_up(self, copy: Path) -> None:
        with sqlite3.connect(self._file) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        connection.close()

    def restore(self, copy: Path) -> None:
        for ending in ("", "-wal", "-shm"):
            self._file.with_name(self._file.name + ending).unlink(missing_ok=True)
        self._file.write_bytes(copy.read_bytes())


class Postgresql:
    def __init__(self, server: Postgres) -> None:
        self._server = server
        self.flags = ("--database-url", server.address("before"))
        self._run("CREATE DATABASE before")

    def back_up(self, copy: Path) -> None:
        self._server.dump("before", copy)

    def restore(self, copy: Path) -> None:
        self._server.load(copy)  # refused while anybody is connected

    def _run(self, statement: str) -> None:
        asyncio.run(self._server.run(statement))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sqlite | Postgresql]:
    if request.param == "sqlite":
        yield Sqlite(tmp_path / "data")
        return
    with running_postgres() as server:
        yield Postgresql(server)


def run(data: Path, flags: tuple[str, ...], *command: str) -> str:
    """A command of the operator's."""
    whole = [sys.executable, "-m", "tertulia", *command, "--data-dir", str(data), *flags]
    done = subprocess.run(whole, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_readers_of_what_is_no_more_are_reset_after_a_restore(
    place: Sqlite | Postgresql, tmp_path: Path, start_server: Start
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    server = start_server(*place.flags, data_dir=data)
    say(server, 2)
    place.back_up(copy)  # while it serves
    say(server, 3)
    old = ApiClient(server.url, "x").snapshot()
    assert old["discussion"]["seq"] == 5
    assert server.end() == 0

    place.restore(copy)
    assert "new epoch" in run(data, place.flags, "epoch", "renew")
    server = start_server(*place.flags, data_dir=data)
    kept = ApiClient(server.url, "x").snapshot()
    assert [comment["id"] for comment in kept["comments"]] == [comment["id"] for comment in old["comments"][:2]]
    # the same numbers as before, of other comments: by seq alone nobody could tell
    assert say(server, 3) == [3, 4, 5]
    fresh = ApiClient(server.url, "x").snapshot()
    epoch = fresh["discussion"]["epoch"]
    assert epoch != old["discussion"]["epoch"]
    for after in (1, 5, 7):
        with follow(server, old["discussion"]["epoch"], after) as reader:
            assert reader.epoch == epoch
            assert reader.receive() == {"type": "reset", "epoch": epoch, "seq": 5}
        polled = ApiClient(server.url, "x").events(epoch=old["discussion"]["epoch"], after=after)
        assert polled["epoch"] == epoch
    # who read anew goes on from there
    with follow(server, epoch, fresh["discussion"]["seq"]) as reader:
        assert say(server, 1) == [6]
        assert reader.receive()["type"] in ("events", "presence")
    assert server.end() == 0
    assert "nothing is wrong" in run(data, place.flags, "check")


def test_without_a_new_epoch_a_reader_would_take_other_comments_for_its_own(
    place: Sqlite | Postgresql, tmp_path: Path, start_server: Start
) -> None:
    """Why the command is there: this is what it prevents."""
    data, copy = tmp_path / "data", tmp_path / "copy"
    server = start_server(*place.flags, data_dir=data)
    say(server, 2)
    place.back_up(copy)
    say(server, 3)
    old = ApiClient(server.url, "x").snapshot()
    assert server.end() == 0
    place.restore(copy)
    server = start_server(*place.flags, data_dir=data)
    say(server, 4)
    with follow(server, old["discussion"]["epoch"], 5) as reader:
        told = reader.receive()
    assert [event["seq"] for event in told["events"]] == [6]
