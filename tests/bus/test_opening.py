"""A bus is opened by the URL of a Redis, and a server without one does not import redis-py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tertulia.bus import NetworkBus
from tertulia.bus.opening import open_bus
from tertulia.errors import StartupError
from tests.bus.instances import SECRET
from tests.support.waiting import PATIENCE

SERVER = """
import asyncio, sys
import tertulia.cli
from tertulia.app import running
from tertulia.settings import load

async def main():
    async with running(load()):
        print("redis" in sys.modules)

asyncio.run(main())
"""


@pytest.mark.parametrize(("url", "imports"), [(None, "False"), ("redis://127.0.0.1:1", "True")])
def test_redis_py_is_imported_where_there_is_a_redis(url: str | None, imports: str, tmp_path: Path) -> None:
    """By anything that a whole server imports."""
    environment = os.environ | {"TERTULIA_DATA_DIR": str(tmp_path)} | ({"TERTULIA_REDIS_URL": url} if url else {})
    ended = subprocess.run(
        [sys.executable, "-c", SERVER], env=environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert ended.stdout.split() == [imports], ended.stderr


@pytest.mark.parametrize("url", [None, "redis://127.0.0.1:1"])
async def test_only_a_bus_between_instances_has_something_to_count(url: str | None) -> None:
    async with open_bus(url, SECRET) as bus:
        assert isinstance(bus, NetworkBus) == (url is not None)


async def test_a_url_that_is_none_opens_nothing() -> None:
    with pytest.raises(StartupError):
        async with open_bus("http://localhost", SECRET):
            raise AssertionError("it opened")
