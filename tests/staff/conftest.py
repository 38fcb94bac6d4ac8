from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tertulia.checks import check
from tests.staff.desk import Desk, opened


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path, database) as found:
        yield found
        assert await check(found.server.store) == []
