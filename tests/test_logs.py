"""Log lines: one event is one line, whatever is in it."""

from __future__ import annotations

import json
import logging
import re
import shlex
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tertulia import logs
from tertulia.logs import SPARED_SECONDS, JsonFormatter, Sparing, TextFormatter, configure, printable

HOSTILE = ["a\r\nb", "\x1b[31mred", "a\u2028b", "a\u2029b", "a\x85b", "a\0b", "\u202eright", "a\tb", "\ud800"]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The loggers as they were before."""
    root = logging.getLogger()
    names = ("tertulia", "uvicorn", "uvicorn.error", "uvicorn.access")
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    kept = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    sys.excepthook = hook
    for logger, before in kept:
        logger.setLevel(before)


TIME = re.compile(r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ ", re.MULTILINE)


def _text(record: logging.LogRecord) -> str:
    """The line without its time."""
    line = TextFormatter().format(record)
    assert TIME.match(line)
    return TIME.sub("", line, count=1)


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
    line = _text(_record("said %s", text, path=text))
    assert len(line.splitlines()) == 1
    assert line.isprintable()


def test_a_text_line_begins_with_its_time_in_utc() -> None:
    record = _record("said", status=200)
    record.created, record.msecs = 1_795_910_400.007, 7.0
    assert TextFormatter().format(record) == "2026-11-29T00:00:00.007Z info    said status=200"


def test_a_text_line_is_made_for_reading() -> None:
    assert _text(_record("Xin chào %s", "Lan", path="/d", status=200)) == ("info    Xin chào Lan path=/d status=200")


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\r\ninfo    a line that was never logged", "a\u2028b", "\x9b31m"])
def test_an_exception_in_text_cannot_play_tricks(text: str) -> None:
    """Its trace has lines of its own; none of them is made by what the exception says."""
    line = _text(_record(text, failed=True))
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
    lines = TIME.sub("", err).splitlines()
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
    assert TIME.sub("", capsys.readouterr().err) == "error   enough\n"


# ---- values ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("/d", "/d"),
        (200, "200"),
        ("", '""'),
        ("/d status=200", '"/d status=200"'),
        ("/d\nstatus=200", '"/d\\\\nstatus=200"'),
        ('a"b', '"a\\"b"'),
        ("a\\b", '"a\\\\b"'),
        ("a=b", '"a=b"'),
        ("chào", "chào"),
    ],
)
def test_a_value_is_quoted_where_it_could_be_taken_for_more(value: object, written: str) -> None:
    assert _text(_record("said", path=value)) == f"info    said path={written}"


@pytest.mark.parametrize(
    "forged", ["/x status=200 network=192.0.2.0/24", "/x\u00a0status=200", "/x\tstatus=200", '/x" status="']
)
def test_no_value_makes_a_field(forged: str) -> None:
    """Read as a shell reads words: each field is one."""
    words = shlex.split(_text(_record("said", path=forged, status=404)))
    assert [word for word in words if word.startswith("status=")] == ["status=404"]


def test_a_field_takes_no_name_of_the_line_itself() -> None:
    found = json.loads(JsonFormatter().format(_record("x", level="critical", at="never", logger="other")))
    assert (found["level"], found["logger"]) == ("info", "tertulia.test")
    assert found["at"] != "never"


@pytest.mark.parametrize("text", [*HOSTILE, "\u2066x\u2069", "\x1b]0;title\x07", "\u200e"])
def test_what_a_terminal_acts_on_is_written_out(text: str) -> None:
    assert printable(text).isprintable()
    assert printable("Xin chào, 世界") == "Xin chào, 世界"


# ---- traces ---------------------------------------------------------------------------------------------


class _OfDatabase(Exception):
    sqlstate = "23502"


def test_a_trace_holds_nothing_of_what_a_database_repeats() -> None:
    said = "null value in column\nDETAIL:  Failing row contains (marker)."
    try:
        try:
            raise _OfDatabase(said)
        except _OfDatabase as error:
            raise ValueError("it was not stored") from error
    except ValueError:
        record = _record("failed")
        record.exc_info = sys.exc_info()
    for formatter in (JsonFormatter(), TextFormatter()):
        line = formatter.format(record)
        assert "marker" not in line
        assert line.index("null value in column") < line.index("it was not stored")
    refused = _OfDatabase("invalid input for query argument $3: 'marker' (expected str, got int)")
    assert "marker" not in logs._message(refused)


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_trouble_is_said_once_a_minute_with_how_often_it_was_not(caplog: pytest.LogCaptureFixture) -> None:
    clock = _Clock()
    sparing = Sparing(logging.getLogger("tertulia.test"), clock)
    for _ in range(100):
        sparing.warning("It is away", cause="away", reason="x")
        sparing.error("It is full", cause="full")
    clock.now = SPARED_SECONDS
    sparing.warning("It is away", cause="away", reason="y")
    assert [(one.message, vars(one).get("unsaid")) for one in caplog.records] == [
        ("It is away", None),
        ("It is full", None),
        ("It is away", 99),
    ]


def test_causes_without_end_cost_no_memory_without_end() -> None:
    sparing = Sparing(logging.getLogger("tertulia.test"), _Clock())
    for number in range(10 * logs.MAX_CAUSES):
        sparing.warning("It is away", cause=number)
        sparing.warning("It is away", cause=number)
    assert len(sparing._rests._said) == len(sparing._rests._unsaid) == logs.MAX_CAUSES


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_mistake_that_is_met_again_and_again_is_one_trace(form: Any, capsys: pytest.CaptureFixture[str]) -> None:
    configure(form, "info")
    for number in range(50):
        for _ in range(2):
            try:
                raise ValueError(f"number {number}")
            except ValueError:
                logging.getLogger("tertulia.test").exception("It failed")
        logging.getLogger("tertulia.test").info("request")
    err = capsys.readouterr().err
    assert err.count("Traceback") == 1
    assert err.count("request") == 50


def test_a_pool_that_lost_its_connection_tells_without_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text", "info")
    try:
        raise ConnectionResetError("cut")
    except ConnectionResetError:
        for _ in range(10):
            logging.getLogger("sqlalchemy.pool.impl").exception("Exception terminating connection")
    assert TIME.sub("", capsys.readouterr().err) == "error   Exception terminating connection reason=cut\n"


def test_what_any_client_can_make_a_library_say_is_said_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text", "info")
    for number in range(1000):
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
        logging.getLogger("tertulia.web").warning("ours %d", number)
    lines = TIME.sub("", capsys.readouterr().err).splitlines()
    assert lines.count("warning Invalid HTTP request received.") == 1
    assert len(lines) == 1001


def test_what_a_library_says_anew_of_the_same_mistake_is_said_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    """asyncio names the task, the transport or the callback that failed, and each is another."""
    configure("text", "info")
    for number in range(100):
        try:
            raise ValueError("x")
        except ValueError:
            message = f"Task exception was never retrieved\nfuture: <Task finished name='Task-{number}'>"
            logging.getLogger("asyncio").error(message, exc_info=True)
    assert capsys.readouterr().err.count("Traceback") == 1


TESTS_OWN = ("werkzeug", "oidc_provider_mock")
"""Servers that other tests of the same process run; Werkzeug sets a level and a handler of its own."""


def test_libraries_say_nothing_below_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    """At debug they print parameters of statements, texts of frames and query strings."""
    configure("text", "debug")
    named = [*logging.root.manager.loggerDict, "some.other.package"]
    for name in named:
        if not name.startswith(("tertulia", *TESTS_OWN)):
            logging.getLogger(name).debug("marker of %s", name)
            logging.getLogger(name).info("marker of %s", name)
    logging.getLogger("tertulia.store").debug("ours")
    assert TIME.sub("", capsys.readouterr().err) == "debug   ours\n"


def test_an_end_by_mistake_is_a_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    try:
        raise ValueError("a mistake of ours")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    found = json.loads(capsys.readouterr().err)
    assert (found["level"], found["message"]) == ("critical", "The program failed")
    assert "a mistake of ours" in found["exception"]


def test_with_a_bound_made_up_causes_are_told_a_few_times_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = [100.0]
    sparing = Sparing(logging.getLogger("tertulia.test"), lambda: now[0], most=3)
    for number in range(1000):
        sparing.warning("Refused", number)
    assert len(caplog.records) == 3
    now[0] += SPARED_SECONDS
    sparing.warning("Refused", 5)
    assert len(caplog.records) == 4
