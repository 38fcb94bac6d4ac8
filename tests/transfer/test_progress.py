"""Long commands tell programs how far they are: an object a line on standard error, beside what they print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tertulia.cli import main

ARTICLE = {
    "title": "A bridge",
    "key": "a-bridge",
    "lang": "en",
    "timezone": "Asia/Ho_Chi_Minh",
    "paragraphs": ["They took it down."],
    "comments": [{"author": "Lan", "at": "2026-10-13T12:25:00+07:00", "text": f"Word {n}."} for n in range(7)],
}


def _run(data: Path, *arguments: str, **environment: str) -> Result:
    given = {"TERTULIA_DATA_DIR": str(data), "TERTULIA_SECRET_KEY": "a key of the tests, not a secret of anybody"}
    return CliRunner().invoke(main, arguments, env={**given, **environment})


def _objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stderr.splitlines()]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a database of one article."""
    file = tmp_path / "article.json"
    file.write_text(json.dumps(ARTICLE))
    folder = tmp_path / "data"
    result = _run(folder, "import", str(file), "--log-format", "json")
    assert result.exit_code == 0, result.output
    steps = _objects(result)
    assert steps[0]["doing"] == f"Reading {file}"
    assert any((step["done"], step["of"]) == (7, 7) for step in steps), steps
    return folder


@pytest.mark.parametrize("command", [("export",), ("check",), ("search", "rebuild")], ids=" ".join)
@pytest.mark.parametrize("by", ["flag", "environment"])
def test_each_line_is_an_object(data: Path, command: tuple[str, ...], by: str) -> None:
    if by == "flag":
        result = _run(data, *command, "--log-format", "json")
    else:
        result = _run(data, *command, TERTULIA_LOG_FORMAT="json")
    assert result.exit_code == 0
    steps = _objects(result)
    assert steps
    for step in steps:
        assert list(step) == ["at", "doing", "done", "of"]
        assert step["of"] is None or 0 <= step["done"] <= step["of"]
    assert result.stdout == _run(data, *command).stdout, "what it prints is the same"


@pytest.mark.parametrize("command", [("export",), ("check",), ("search", "rebuild")], ids=" ".join)
def test_people_read_nothing_of_what_is_done_at_once(data: Path, command: tuple[str, ...]) -> None:
    assert _run(data, *command).stderr == ""


def test_what_fails_is_an_object_too(tmp_path: Path) -> None:
    result = _run(tmp_path / "mistyped", "check", "--log-format", "json")
    assert result.exit_code == 1
    [line] = _objects(result)
    assert line["level"] == "error"
    assert line["message"].startswith("There is no database in")
