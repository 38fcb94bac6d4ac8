"""What operators see of background work, and what they can do about it."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tertulia.cli import main
from tests.support.databases import new_sqlite

NOW = time.time_ns() // 1_000_000
DEAD_AT = 1_764_331_200_000  # 2025-11-28 12:00:00 UTC


@pytest.fixture
def data(tmp_path: Path) -> Path:
    new_sqlite(tmp_path / "tertulia.db")
    return tmp_path


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--data-dir", str(data)])


def insert(data: Path, queue: str, *, run_at: int = 1, dead_at: int | None = None, error: str = "") -> None:
    values = (queue, "{}", run_at, 8 if dead_at else 0, 1, dead_at, error, 1)
    with closing(sqlite3.connect(data / "tertulia.db")) as connection, connection:
        connection.execute(
            "INSERT INTO task (queue, payload, run_at, attempts, version, dead_at, error, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )


def test_an_empty_list(data: Path) -> None:
    assert run(data, "work", "list").output == "Nothing waits.\n"
    assert run(data, "work", "list", "--dead").output == "Nothing has failed.\n"


def test_what_waits_and_what_was_given_up(data: Path) -> None:
    insert(data, "mail")
    insert(data, "mail", run_at=NOW + 3_600_000)
    insert(data, "follow", dead_at=DEAD_AT, error="no such host")
    result = run(data, "work", "list")
    assert result.output.splitlines() == [
        "mail: 2 waiting, 1 due",
        "3 follow: given up 2025-11-28 12:00:00Z after 8 attempts: no such host",
    ]
    assert run(data, "work", "list", "--dead").output.startswith("3 follow")
    lines = [json.loads(line) for line in run(data, "work", "list", "--json").output.splitlines()]
    assert lines[0] == {"queue": "mail", "waiting": 2, "due": 1}
    assert lines[1]["error"] == "no such host"


def test_what_was_given_up_is_tried_again(data: Path) -> None:
    for _ in range(3):
        insert(data, "mail", dead_at=DEAD_AT)
    assert run(data, "work", "retry", "1").output == "1 task is tried again.\n"
    assert run(data, "work", "retry", "--queue", "mail").output == "2 tasks are tried again.\n"
    assert run(data, "work", "list").output == "mail: 3 waiting, 3 due\n"


@pytest.mark.parametrize("arguments", [[], ["1", "--queue", "mail"], ["1"], ["--queue", "mail"]])
def test_a_retry_of_nothing(data: Path, arguments: list[str]) -> None:
    result = run(data, "work", "retry", *arguments)
    assert result.exit_code == 1
    assert "tertulia work list" in result.output


def test_the_index_of_the_search_is_emptied(data: Path) -> None:
    assert run(data, "search", "rebuild").exit_code == 0
    assert run(data, "work", "list").output == "catch-up: 1 waiting, 1 due\n"
