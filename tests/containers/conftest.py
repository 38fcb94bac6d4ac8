"""One stack for all tests of a run; each test leaves it as it found it: three servers that are ready."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.containers.engine import Engine, Unavailable, require
from tests.containers.stack import Stack, here


@pytest.fixture(scope="session")
def engine() -> Engine:
    try:
        return require()
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def stack(engine: Engine) -> Iterator[Stack]:
    """docker-compose.yml with three servers."""
    opened = Stack(engine, "tertulia-test", ["docker-compose.yml", here("overrides.yml")])
    yield from _brought_up(opened, scale=3)


@pytest.fixture(scope="session")
def small(engine: Engine) -> Iterator[Stack]:
    """deploy/compose.sqlite.yml."""
    yield from _brought_up(Stack(engine, "tertulia-small-test", ["deploy/compose.sqlite.yml"]), scale=None)


def _brought_up(stack: Stack, scale: int | None) -> Iterator[Stack]:
    stack.down(volumes=True)  # what a run that was killed has left
    try:
        stack.build()
        stack.up(scale)
        yield stack
    finally:
        stack.down(volumes=True)
    assert stack.left() == []
