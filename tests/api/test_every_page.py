"""Every parameter of every page with every value that made trouble somewhere: none is answered with 5xx."""

from __future__ import annotations

import logging

import pytest

from tests.api.app import App
from tests.api.test_every_parameter import NAMES, pages, plain, send


@pytest.mark.asyncio(loop_scope="module")
async def test_no_value_of_a_page_is_a_fault(changing: App, caplog: pytest.LogCaptureFixture) -> None:
    assert {"site", "key", "thread", "reply", "cursor", "sort", "page", "lang"} <= set(NAMES)
    faults: list[str] = []
    async with plain(changing) as client:
        for _, sent in pages(changing):
            await send(changing, client, sent, faults)
    assert faults == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
