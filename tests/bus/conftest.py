"""Real servers: one of each topology for all tests that do it no harm, and one of its own for a test that does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.topologies import ClusterSetup, SentinelSetup
from tests.support.valkey import Valkey

Redis = Valkey | SentinelSetup | ClusterSetup
TOPOLOGIES = ["valkey", "sentinel_setup", "cluster"]


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[Valkey]:
    server = Valkey()
    yield server
    server.end()


@pytest.fixture(scope="session")
def shared_sentinel_setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelSetup]:
    sentinel_setup = SentinelSetup(tmp_path_factory.mktemp("sentinel_setup"))
    yield sentinel_setup
    sentinel_setup.end()


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterSetup]:
    cluster = ClusterSetup(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.end()


@pytest.fixture
def sentinel_setup(tmp_path: Path) -> Iterator[SentinelSetup]:
    sentinel_setup = SentinelSetup(tmp_path)
    yield sentinel_setup
    sentinel_setup.end()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterSetup]:
    cluster = ClusterSetup(tmp_path)
    yield cluster
    cluster.end()


@pytest.fixture
def redis(request: pytest.FixtureRequest) -> Redis:
    """One of its own, of the topology that the test names; a single server where it names none."""
    return request.getfixturevalue(getattr(request, "param", "valkey"))  # type: ignore[no-any-return]
