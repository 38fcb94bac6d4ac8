"""One server for the tests of a file, and a well-behaved client on it, which is served whatever the others do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving.raw import WellBehavedClient
from tests.support.server import ServerProcess

TIMED = ("tests.serving.timed", "close=0.5,stall=5")
"""What these tests wait for and do not test: after a close frame, and for a client that reads nothing."""
FLAGS = ("--connections-per-address", "500", "--drain-seconds", "1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that the tests of a file share; it ends well, with nothing in its log that is a failure."""
    process = ServerProcess(tmp_path_factory.mktemp("serving"), FLAGS, program=TIMED)
    yield process
    assert process.end() == 0, process.output
    assert "Traceback" not in process.output, process.output
    assert "Invalid HTTP request" not in process.output, "a line a request that cannot be read fills a disk"


@pytest.fixture
def well_behaved(server: ServerProcess) -> Iterator[WellBehavedClient]:
    """A well-behaved client before, during and after; the server answers it at the end."""
    with WellBehavedClient(server) as client:
        client.post_and_read()  # what a first use costs is not what an attack costs
        yield client
        client.healthy()
        client.post_and_read()


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Starts servers of a test's own."""
    started: list[ServerProcess] = []

    def start(*flags: str) -> ServerProcess:
        started.append(ServerProcess(tmp_path / f"data-{len(started)}", (*flags, "--drain-seconds", "1")))
        return started[-1]

    yield start
    for process in started:
        assert process.end() == 0, process.output
        assert "Traceback" not in process.output, process.output
