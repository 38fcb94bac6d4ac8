"""A receiver of checks, and an instance that may ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hooks.checked import checking
from tests.people.test_sessions import Instance
from tests.support.receiver import Receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as found:
        yield found


@pytest.fixture
async def one(database: str, tmp_path: Path, receiver: Receiver) -> AsyncIterator[Instance]:
    async with checking(database, tmp_path, receiver) as found:
        yield found
