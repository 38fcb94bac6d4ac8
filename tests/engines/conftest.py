"""The checks of this folder run in Chromium, and in others where `--engines chromium,firefox,webkit` names them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.engines.chromium import Chromium
from tests.engines.firefox import Firefox
from tests.engines.webkit import WebKit
from tests.engines.window import Engine, Window

_ENGINES: dict[str, type[Chromium] | type[Firefox] | type[WebKit]] = {
    one.name: one for one in (Chromium, Firefox, WebKit)
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engines", default=Chromium.name, help=f"of {','.join(_ENGINES)}: those that the checks run in")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" not in metafunc.fixturenames:
        return
    # unknown to pytest where this folder is not named on its command line
    names = str(metafunc.config.getoption("engines", Chromium.name)).split(",")
    unknown = [name for name in names if name not in _ENGINES]
    if unknown:
        raise pytest.UsageError(f"--engines: {', '.join(unknown)} is none of {', '.join(_ENGINES)}")
    metafunc.parametrize("engine", names, indirect=True, scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """A running browser."""
    started = await _ENGINES[request.param].start()
    yield started
    await started.end()


@pytest_asyncio.fixture(loop_scope="session")
async def window(engine: Engine) -> AsyncIterator[Window]:
    """An empty page; what it complains of fails the test."""
    opened = await engine.new_window()
    try:
        yield opened
        assert await opened.complaints() == []
    finally:
        await opened.close()
