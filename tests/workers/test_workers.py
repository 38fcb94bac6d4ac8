"""Several workers on one port: all serve, each death is made good, and the end of one ends no other."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed

from tests.support.api_client import ApiClient
from tests.support.live_reader import LiveReader, follow
from tests.support.processes import lives
from tests.support.server import ServerProcess
from tests.support.valkey import Valkey
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    server = Valkey()
    yield server
    server.end()


@pytest.fixture
def server(start_server: Callable[..., ServerProcess], valkey: Valkey) -> ServerProcess:
    """Without background work, whose commands would be among those that are counted."""
    return start_server("--workers", "2", "--redis-url", valkey.url, "--drain-seconds", "0.2", "--work", "none")


def say(server: ServerProcess, body: str = "Here.") -> int:
    """Posts, as often as it takes while workers come and go; its seq."""
    once, end = str(uuid.uuid4()), time.monotonic() + PATIENCE
    while True:
        try:
            return int(ApiClient(server.url, "x").post_comment(body, (200, 201), idempotency_key=once)["seq"])
        except httpx.TransportError:
            assert time.monotonic() < end, "nobody takes the post"


def by_worker(server: ServerProcess, name: str) -> dict[str, float]:
    """A metric of each worker that answers."""
    text = httpx.get(f"{server.url}/metrics", timeout=PATIENCE).text
    [family] = [one for one in text_string_to_metric_families(text) if one.name == name]
    return {sample.labels["worker"]: sample.value for sample in family.samples}


def workers_of(server: ServerProcess) -> set[int]:
    found = set()
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == server.pid:
                found.add(int(folder.name))
        except OSError:
            continue  # it has ended meanwhile
    return found


def crowd(server: ServerProcess, stack: ExitStack) -> list[LiveReader]:
    """Readers, as many as it takes until each worker has one."""
    readers: list[LiveReader] = []
    while len(readers) < 4 or not all(by_worker(server, "tertulia_readers").values()):
        readers.append(stack.enter_context(follow(server)))
        assert len(readers) < 200, "one worker gets no connections"
    return readers


def test_every_worker_delivers_what_any_of_them_commits(server: ServerProcess) -> None:
    with ExitStack() as stack:
        readers = crowd(server, stack)
        counted = by_worker(server, "tertulia_readers")
        assert counted.keys() == {"1", "2"}
        assert sum(counted.values()) == len(readers)
        with ThreadPoolExecutor(8) as pool:
            seqs = sorted(pool.map(lambda number: say(server, f"Post {number}"), range(60)))
        assert seqs == list(range(1, 61))
        for reader in readers:
            assert reader.seqs_until(60) == seqs
        committed = by_worker(server, "tertulia_commands_committed")
        assert sum(committed.values()) == 60
        assert all(committed.values()), "one worker answered no post"


def test_a_worker_that_dies_is_started_again_and_its_readers_go_on(server: ServerProcess) -> None:
    with ExitStack() as stack:
        readers = crowd(server, stack)
        say(server)
        for reader in readers:
            assert reader.seqs_until(1) == [1]
        before = workers_of(server)
        os.kill(min(before), signal.SIGKILL)
        assert [say(server) for _ in range(3)] == [2, 3, 4]
        cut = 0
        for reader in readers:
            try:
                assert reader.seqs_until(4) == [2, 3, 4]
            except ConnectionClosed:
                cut += 1
                with follow(server, readers[0].epoch, 1) as back:
                    assert back.seqs_until(4) == [2, 3, 4]
        assert 0 < cut < len(readers), "the readers of one worker were cut off, and nobody else"
        wait_until(
            lambda: by_worker(server, "tertulia_readers").keys() == {"1", "2"}, "the worker is not started again"
        )
        assert len(workers_of(server) - before) == 1
    assert server.end() == 0
    assert "A worker died and is started again" in server.output


def test_workers_are_replaced_one_after_another(server: ServerProcess) -> None:
    before = workers_of(server)
    assert len(before) == 2
    os.kill(server.pid, signal.SIGHUP)
    seqs = []
    end = time.monotonic() + PATIENCE
    while not (len(now := workers_of(server)) == 2 and not now & before):
        assert time.monotonic() < end, "they are not replaced"
        seqs.append(say(server))
    assert seqs == list(range(1, len(seqs) + 1)), "posts found somebody all the time"
    wait_until(lambda: by_worker(server, "tertulia_readers").keys() == {"1", "2"}, "the new ones are not asked")
    assert server.end() == 0
    assert "died" not in server.output


def test_workers_end_with_the_supervisor(server: ServerProcess) -> None:
    workers = workers_of(server)
    server.kill()
    wait_until(lambda: not any(map(lives, workers)), "a worker lives on alone")


def test_the_end_of_all_leaves_nobody(server: ServerProcess) -> None:
    workers = workers_of(server)
    with follow(server) as reader:
        assert server.end() == 0
        with pytest.raises(ConnectionClosed) as closed:
            reader.seqs_until(1)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    assert not any(map(lives, workers))
    assert "Traceback" not in server.output
    assert server.output.count("Tertulia is ready") == 1
