"""Log lines: one event is one line, whatever is in it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from tertulia.logs import JsonFormatter, TextFormatter, configure

HOSTILE = ["a\r\nb", "\x1b[31mred", "a\u2028b", "a\u2029b", "a\x85b", "a\0b", "\u202eright", "a\tb", "\ud800"]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The loggers as they were before."""
    root = logging.getLogger()
    names = ("alembic", "uvicorn", "uvicorn.error", "uvicorn.access")
    handlers, level = root.handlers[:], root.level
    kept = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger, before in kept:
        logger.setLevel(before)


def _record(message: str, *arguments: object, failed: bool = False, **fields: object) -> logging.LogRecord:
    info = None
    if failed:
        try:
            raise ValueError(message)
        except ValueError:
            info = sys.exc_info()
    record = logging.LogRecord("tertulia.test", logging.INFO, "x.py", 1, message, arguments, info)
    vars(record).update(fields)
    return record


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("failed", [False, True])
def test_a_json_line_is_one_line_and_says_it_all(text: str, failed: bool) -> None:
    line = JsonFormatter().format(_record("said %s", text, failed=failed, path=text, count=3))
    assert len(line.splitlines()) == 1
    assert line.isascii()
    assert line.isprintable()
    found = json.loads(line)
    assert found["message"] == f"said {text}"
    assert (found["level"], found["logger"], found["path"], found["count"]) == ("info", "tertulia.test", text, 3)
    assert found["at"].endswith("+00:00")
    assert ("exception" in found) == failed
    if failed:
        assert "ValueError: said %s" in found["exception"]


def test_a_json_line_holds_what_json_does_not_know() -> None:
    found = json.loads(JsonFormatter().format(_record("x", where=ValueError("odd"), nothing=None)))
    assert (found["where"], found["nothing"]) == ("odd", None)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_line_is_one_line(text: str) -> None:
    line = TextFormatter().format(_record("said %s", text, path=text))
    assert len(line.splitlines()) == 1
    assert line.isprintable()


def test_a_text_line_is_made_for_reading() -> None:
    assert TextFormatter().format(_record("Xin chào %s", "Lan", path="/d", status=200)) == (
        "info    Xin chào Lan path=/d status=200"
    )


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\r\ninfo    a line that was never logged", "a\u2028b", "\x9b31m"])
def test_an_exception_in_text_cannot_play_tricks(text: str) -> None:
    """Its trace has lines of its own; none of them is made by what the exception says."""
    line = TextFormatter().format(_record(text, failed=True))
    assert line.splitlines()[0].startswith("info")
    assert "Traceback (most recent call last)" in line
    assert all(part.isprintable() for part in line.split("\n"))
    assert not any(part.startswith("info ") for part in line.split("\n")[1:])


@pytest.mark.parametrize("form", ["text", "json"])
def test_every_logger_writes_to_standard_error(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json" if form == "json" else "text", "info")
    logging.getLogger("tertulia.a").info("one", extra={"status": 200})
    logging.getLogger("tertulia.a").debug("not this")
    logging.getLogger("uvicorn.error").warning("two")
    logging.getLogger("uvicorn.error").info("nor this")
    logging.getLogger("alembic.runtime").info("nor that")
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 2
    if form == "json":
        assert [json.loads(line)["message"] for line in lines] == ["one", "two"]
    else:
        assert lines == ["info    one status=200", "warning two"]


def test_configuring_twice_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text", "debug")
    configure("text", "warning")
    logging.getLogger("tertulia").info("too little")
    logging.getLogger("tertulia").error("enough")
    assert capsys.readouterr().err == "error   enough\n"
