"""Every parameter of every page with every value that made trouble somewhere: none is answered with 5xx."""

from __future__ import annotations

import logging
from itertools import islice

import pytest

from tests.api.app import App
from tests.api.test_every_parameter import NAMES, pages, plain, send

PARTS = 8
"""All of it takes minutes, which one worker after the other would wait for."""


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("part", range(PARTS))
async def test_no_value_of_a_page_is_a_fault(changing: App, caplog: pytest.LogCaptureFixture, part: int) -> None:
    assert {"site", "key", "thread", "reply", "cursor", "sort", "page", "lang"} <= set(NAMES)
    faults: list[str] = []
    async with plain(changing) as client:
        for _, sent in islice(pages(changing), part, None, PARTS):
            await send(changing, client, sent, faults)
    assert faults == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
