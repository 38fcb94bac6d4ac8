"""Real parts for tests: a store on a file, the application in this process, and a server of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tertulia.app import Running, running
from tertulia.settings import Settings
from tertulia.store import Store
from tests.support import effort, lanes, scratch
from tests.support.databases import new_sqlite
from tests.support.postgres import Postgres, running_postgres
from tests.support.server import ServerProcess
from tests.support.unlimited import unlimited
from tests.support.valkey import Valkey

effort.register()
scratch.use_memory()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lanes.assign(items, config)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this test process."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        yield new_sqlite(tmp_path / "store.db")
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = await server.create()
    yield server.address(name)
    await server.drop(name)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """An open, writable, empty store of each kind."""
    opened = await Store.open(database)
    opened.start()
    yield opened
    await opened.close()


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A Redis of this test alone."""
    server = Valkey()
    yield server
    server.end()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a server whose data is in a folder of this test, without posting limits."""
    new_sqlite(tmp_path / "data" / "tertulia.db")
    return unlimited(tmp_path / "data")


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Running]:
    """The whole application in this process."""
    async with running(settings) as opened:
        yield opened


@pytest.fixture
async def client(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application in this process."""
    transport = httpx.ASGITransport(server.asgi, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as opened:
        yield opened


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Starts `tertulia serve` processes, each with its own data folder unless one is given; ends them at the end."""
    started: list[ServerProcess] = []

    def start(*flags: str, data_dir: Path | None = None) -> ServerProcess:
        process = ServerProcess(data_dir or tmp_path / f"data-{len(started)}", flags)
        started.append(process)
        return process

    yield start
    for process in started:
        process.end()
