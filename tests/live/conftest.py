"""All tests of rooms run on a loop whose time they move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.live.loop import Clock, VirtualLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualLoop}


@pytest.fixture
async def clock() -> Clock:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return Clock(loop)
