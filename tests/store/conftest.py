"""A store with a second site and a moderator, and those who act on it."""

from __future__ import annotations

import pytest

from tertulia.store import Store
from tests.store.acts import Acts


@pytest.fixture
async def acts(store: Store) -> Acts:
    return await Acts(store).begin()
