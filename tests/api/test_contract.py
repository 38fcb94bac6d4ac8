"""A real server answers as its own description says, whatever Schemathesis makes of it; `make fuzz` goes on longer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tertulia.checks import check
from tertulia.store import Store
from tests.support.contract import keeps_its_contract, moderator_token, seed
from tests.support.server import ServerProcess

EXAMPLES = 40
"""Of each operation, and as many chains of them, besides each value at the edge of its schema."""


@pytest.mark.parametrize("who", ["moderator", "nobody"])
async def test_every_answer_is_one_that_the_description_has(
    database: str, tmp_path: Path, start_server: Callable[..., ServerProcess], who: str
) -> None:
    token = await moderator_token(database)
    server = start_server("--database-url", database, "--search")
    seed(server.url)
    keeps, printed = keeps_its_contract(
        server.url, tmp_path, "--max-examples", str(EXAMPLES), token=token if who == "moderator" else None
    )
    assert keeps, printed
    assert server.end() == 0
    assert "Traceback" not in server.output
    store = await Store.open(database)
    assert list(await check(store)) == []
    await store.close()
