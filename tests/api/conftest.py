"""The server that the API's tests talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from tertulia.settings import Settings
from tests.api.world import World, furnish, opened
from tests.postgres import Postgres
from tests.store.acts import tables


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    """An empty server with two sites and a moderator."""
    async with opened(settings) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One server, over a database of each kind, for requests none of which changes anything.

    A test compares how many commands were committed; in the end everything that is stored is compared, once.
    """
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("shared"),
        secret_key="a key of the tests, not a secret of anybody",
        post_limit_guest="off",
        post_limit_address="off",
    )
    if request.param == "sqlite":
        async with _unchanged(settings) as world:
            yield world
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = await server.create()
    async with _unchanged(settings.model_copy(update={"database_url": server.address(name)})) as world:
        yield world
    await server.drop(name)


@asynccontextmanager
async def _unchanged(settings: Settings) -> AsyncIterator[World]:
    async with opened(settings) as world:
        await furnish(world)
        before = await tables(world.server.store)
        yield world
        assert await tables(world.server.store) == before
