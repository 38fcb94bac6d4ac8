from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tertulia.checks import check
from tests.pages import house
from tests.staff.desk import Desk, opened
from tests.staff.office import Office
from tests.support.databases import new_sqlite
from tests.support.providers import HostileProvider
from tests.support.smtp import MailServer, mail_server


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path, database) as found:
        yield found
        assert await check(found.server.store) == []


@pytest.fixture
async def smtp() -> AsyncIterator[MailServer]:
    async with mail_server() as found:
        yield found


@pytest.fixture
async def provider() -> AsyncIterator[HostileProvider]:
    async with HostileProvider() as found:
        yield found


@pytest.fixture
async def stored(database: str, tmp_path: Path, smtp: MailServer, provider: HostileProvider) -> AsyncIterator[Office]:
    """A server on each kind of database."""
    async with house.opened(database, tmp_path, smtp, provider) as found:
        yield Office(found)
        assert await check(found.server.store) == []


@pytest.fixture
async def office(tmp_path: Path, smtp: MailServer, provider: HostileProvider) -> AsyncIterator[Office]:
    async with house.opened(new_sqlite(tmp_path / "store.db"), tmp_path, smtp, provider) as found:
        yield Office(found)
        assert await check(found.server.store) == []
