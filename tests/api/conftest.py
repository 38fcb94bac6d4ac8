"""The server that the API's tests talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import pytest_asyncio

from tertulia.checks import check
from tertulia.settings import Settings
from tests.api.app import App, furnish, opened
from tests.support.postgres import Postgres
from tests.support.store_actions import tables
from tests.support.unlimited import unlimited


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    """An empty server with two sites and a moderator."""
    async with opened(settings) as found:
        yield found


KINDS = ("sqlite", "postgresql")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[App]]:
    """A server over a database of each kind, for requests none of which changes anything.

    A test compares how many commands were committed; in the end everything that is stored is compared, once.
    """
    async with AsyncExitStack() as opening:
        apps = [await opening.enter_async_context(_furnished(kind, request, tmp_path_factory)) for kind in KINDS]
        before = [await tables(app.server.store) for app in apps]
        yield apps
        assert [await tables(app.server.store) for app in apps] == before


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def changing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """A server for requests some of which are granted; in the end all that is stored is as it should be."""
    async with _furnished(request.param, request, tmp_path_factory) as app:
        yield app
        assert await check(app.server.store) == []


@asynccontextmanager
async def _furnished(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[App]:
    settings = unlimited(tmp_path_factory.mktemp("furnished"))
    settings.articles_dir.mkdir(parents=True)
    (settings.articles_dir / "one.md").write_text("---\ntitle: One\ndate: 2026-01-01\n---\nText.\n")
    if kind == "sqlite":
        async with opened(settings) as app:
            await furnish(app)
            yield app
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = await server.create()
    async with opened(settings.model_copy(update={"database_url": server.address(name)})) as app:
        await furnish(app)
        yield app
    await server.drop(name)
