"""Time that a test moves."""

from __future__ import annotations

import asyncio

import pytest

from tests.live.fakes import Clock


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of the test's event loop stands still until it is told to go on."""
    clock = Clock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock)
    return clock
