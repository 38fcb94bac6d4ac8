"""Which tests run when, and beside which others: decided by a test's place, in one hook.

    make test        the quick ones: all but the long
    make test-long   the long ones, and properties once more with ten times the examples
    make test-all    both, and coverage

A file whose tests share a server or a browser runs on one worker, so that it is started once.
"""

from __future__ import annotations

import pytest

LONG = (
    "tests/api/test_contract.py",
    "tests/api/test_every_page.py",
    "tests/browser/",
    "tests/bus/test_cluster.py",
    "tests/bus/test_sentinel.py",
    "tests/demo/",
    "tests/engines/",
    "tests/faults/",
    "tests/plans/",
    "tests/test_bench.py",
    "tests/test_unusable_databases.py",
    "tests/workers/",
)
"""Clusters that fail over, processes that are killed, 80,000 comments, and what is seen in a browser."""
QUICK = ("tests/browser/test_live.py", "tests/browser/test_way.py")
"""What of ``LONG`` runs all day: two windows of a real browser, and the way of an arrival."""
LONG_TOPOLOGIES = {"sentinel", "cluster", "sentinel_setup", "cluster_setup"}
"""Parameters that ask for six servers of Redis instead of one."""

ALONE = {
    "tests/faults/test_cluster.py": "instances",  # both use one cluster of instances
    "tests/faults/test_redis.py": "instances",
}
TOGETHER = (
    "tests/api/",
    "tests/browser/",
    "tests/bus/",
    "tests/demo/",
    "tests/engines/",
    "tests/plans/",
    "tests/push/",
    "tests/serving/",
)
"""Where the tests of a file share what is expensive to start. Others go to whichever worker is free."""


def is_long(path: str, parameters: dict[str, object]) -> bool:
    """Whether a test of the file ``path`` runs only in `make test-long`."""
    if path in QUICK:
        return False
    named = {value for value in parameters.values() if isinstance(value, str)}
    named |= {
        part for value in parameters.values() if isinstance(value, tuple) for part in value if isinstance(part, str)
    }
    return path.startswith(LONG) or bool(named & LONG_TOPOLOGIES)


def _asks_for_many(parameter: object) -> bool:
    parts = parameter if isinstance(parameter, tuple) else (parameter,)
    return any(isinstance(part, str) and part in LONG_TOPOLOGIES for part in parts)


def group(path: str) -> str | None:
    """The name under which a file's tests stay on one worker; None where they may be spread."""
    return ALONE.get(path) or (path if path.startswith(TOGETHER) else None)


def assign(items: list[pytest.Item], root: pytest.Config) -> None:
    """Marks every test, and puts those that stay together first: the rest fills what they leave of the workers."""
    for item in items:
        path = item.path.relative_to(root.rootpath).as_posix()
        callspec = getattr(item, "callspec", None)
        if is_long(path, callspec.params if callspec else {}):
            item.add_marker("long")
        stays = group(path)
        if stays is not None:
            item.add_marker(pytest.mark.xdist_group(stays))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
