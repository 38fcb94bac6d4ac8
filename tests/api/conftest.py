"""The server that the API's tests talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tertulia.settings import Settings
from tests.api.world import World, opened


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    """An empty server with two sites and a moderator."""
    async with opened(settings) as found:
        yield found
