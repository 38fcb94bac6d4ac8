"""The progress of a long command: what is written, where, and that it is written while the work blocks."""

from __future__ import annotations

import io
import json
import threading
from datetime import datetime
from pathlib import Path

import pytest

from tertulia.reporting import Reporter
from tests.support.waiting import PATIENCE


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


class Flushed(io.StringIO):
    """Sets ``flushed`` when a line was written."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed = threading.Event()

    def flush(self) -> None:
        self.flushed.set()


@pytest.mark.parametrize(
    ("seconds", "done", "total", "line"),
    [
        (30, 0, 0, "Reading: 30 s so far"),
        (30, 0, 500, "Reading: 30 s so far"),
        (30, 12_300, 100_000, "Reading: 12,300 of 100,000, 410 a second, 3 min 34 s left"),
        (2, 900_000, 3_600_000_000, "Reading: 900,000 of 3,600,000,000, 450,000 a second, 2 h 13 min left"),
        (90, 90, 90, "Reading: 90 of 90, 1 a second"),
        (10, 2_000, 0, "Reading: 2,000, 200 a second"),
        (0, 5, 10, "Reading: 5 of 10, 0 a second"),
        (61, 0, 0, "Reading: 1 min 1 s so far"),
    ],
)
def test_a_line_has_the_step_the_rate_and_the_time_left(seconds: float, done: int, total: int, line: str) -> None:
    clock = Clock()
    reporter = Reporter(io.StringIO(), clock)
    reporter("Reading")
    clock.now += seconds
    reporter("Reading", done, total)
    assert reporter.line() == line


def test_each_step_has_a_rate_of_its_own() -> None:
    clock = Clock()
    reporter = Reporter(io.StringIO(), clock)
    reporter("Reading", 1, 1000)
    clock.now += 100
    reporter("Writing", 0, 1000)
    clock.now += 10
    reporter("Writing", 100, 1000)
    assert reporter.line() == "Writing: 100 of 1,000, 10 a second, 1 min 30 s left"


def test_a_log_gets_lines_and_a_terminal_one_line() -> None:
    for stream, expected in ((io.StringIO(), "A: 1 of 9, 1 a second, 8 s left\nB: 0 s so far\n"), (Screen(), None)):
        clock = Clock()
        reporter = Reporter(stream, clock)
        reporter("A", 0, 9)
        clock.now += 1
        reporter("A", 1, 9)
        reporter.write()
        reporter("B")
        reporter.write()
        assert stream.getvalue() == (expected or f"\rA: 1 of 9, 1 a second, 8 s left\r{'B: 0 s so far':31}")


def test_it_is_written_while_the_work_blocks() -> None:
    """A single statement may take minutes, in which the command cannot report anything."""
    stream = Flushed()
    with Reporter(stream, interval=0.01) as reporter:
        reporter("Checking the file")
        assert stream.flushed.wait(PATIENCE)
    assert stream.getvalue().startswith("Checking the file: 0 s so far\n")


def test_a_quick_command_writes_nothing(tmp_path: Path) -> None:
    stream = io.StringIO()
    with Reporter(stream) as reporter:
        reporter("Reading", 1, 2)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("stream", [io.StringIO(), Screen()], ids=["a file", "a terminal"])
def test_programs_get_an_object_a_line_when_a_step_begins_and_ends(stream: io.StringIO) -> None:
    with Reporter(stream, is_json=True) as reporter:
        reporter("Reading «a»")
        reporter("Writing", 0, 300)
        reporter("Writing", 120, 300)
        reporter("Writing", 300, 300)
        reporter("Looking")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [{name: line[name] for name in line if name != "at"} for line in lines] == [
        {"doing": "Reading «a»", "done": 0, "of": None},
        {"doing": "Writing", "done": 0, "of": 300},
        {"doing": "Writing", "done": 300, "of": 300},
        {"doing": "Looking", "done": 0, "of": None},
    ]
    assert all(datetime.fromisoformat(line["at"]).utcoffset() is not None for line in lines)


def test_programs_are_told_while_the_work_blocks() -> None:
    stream = Flushed()
    with Reporter(stream, interval=0.01, is_json=True) as reporter:
        reporter("Checking the file")
        stream.flushed.clear()
        assert stream.flushed.wait(PATIENCE)
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(told) >= 2
    assert {line["doing"] for line in told} == {"Checking the file"}
