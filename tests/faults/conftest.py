"""Instances that tests share: each leaves them whole, and writes in discussions of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster, cluster


@pytest.fixture(scope="session")
def instances(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A, B and C on one PostgreSQL and one Valkey."""
    with cluster(tmp_path_factory.mktemp("cluster")) as opened:
        yield opened
