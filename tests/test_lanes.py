"""Which run a test is in follows from where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.lanes import LONG, QUICK, TOGETHER, group, is_long

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("path", "parameters", "expected"),
    [
        ("tests/api/test_reading.py", {}, False),
        ("tests/faults/test_kill.py", {}, True),
        ("tests/browser/test_looks.py", {}, True),
        ("tests/browser/test_live.py", {}, False),
        ("tests/bus/test_bus.py", {"bus": ("valkey", None)}, False),
        ("tests/bus/test_bus.py", {"bus": ("cluster", None)}, True),
        ("tests/bus/test_redis.py", {"topology": "sentinel_setup"}, True),
        ("tests/bus/test_redis.py", {"count": 3}, False),
    ],
)
def test_a_test_is_long_by_its_place_or_by_what_it_asks_for(
    path: str, parameters: dict[str, object], expected: bool
) -> None:
    assert is_long(path, parameters) is expected


def test_files_whose_tests_share_a_server_stay_together() -> None:
    assert group("tests/push/test_endings.py") == "tests/push/test_endings.py"
    assert group("tests/faults/test_cluster.py") == group("tests/faults/test_redis.py") == "instances"
    assert group("tests/core/test_text.py") is None


def test_every_place_that_is_named_is_there() -> None:
    assert [name for name in (*LONG, *QUICK, *TOGETHER) if not (ROOT / name).exists()] == []
