"""One server process for all tests of a file, and readers of its streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.server import ServerProcess


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that the tests of this file share; each uses discussions of its own."""
    process = ServerProcess(tmp_path_factory.mktemp("live"))
    yield process
    assert process.end() == 0, process.output


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Starts servers that a test may end itself; with ``stall_seconds`` one of ``tests.push.impatient``."""
    started: list[ServerProcess] = []

    def start(stall_seconds: float | None = None) -> ServerProcess:
        program = ("tertulia",) if stall_seconds is None else ("tests.push.impatient", str(stall_seconds))
        started.append(ServerProcess(tmp_path / f"data-{len(started)}", program=program))
        return started[-1]

    yield start
    for process in started:
        process.end()
