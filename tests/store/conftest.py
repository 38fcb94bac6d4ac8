"""A store with a second site and a moderator, and those who act on it."""

from __future__ import annotations

import pytest

from tertulia.store import Store
from tests.support.store_actions import StoreActions


@pytest.fixture
async def actions(store: Store) -> StoreActions:
    return await StoreActions(store).begin()
