"""Reporting: the progress of a long command, as lines on standard error, for people or for programs.

Writing comments: 12,300 of 100,000, 410 a second, 3 min 34 s left
{"at": "2026-11-29T20:35:00.000+00:00", "doing": "Writing comments", "done": 12300, "of": 100000}
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, Protocol

LINE_SECONDS = 5.0
"""Between two lines if the output is no terminal: a log of an hour stays readable."""
SCREEN_SECONDS = 0.5
"""Between two updates of the one line on a terminal."""


class Progress(Protocol):
    """Called with the current step, how much of it is done, and of how much; 0 if that is unknown."""

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        raise NotImplementedError


def silent(step: str, done: int = 0, total: int = 0) -> None:
    """Reports to nobody."""


class Reporter:
    """Writes from a thread of its own, so that a single statement or file that takes minutes is reported, too.

    The first line is written after the first interval: a command that is quicker writes none. For programs
    (``is_json``) each step has two more: when it begins and when it ends. ``interval`` is in seconds, by default
    LINE_SECONDS, or for people at a terminal SCREEN_SECONDS.
    """

    def __init__(
        self,
        stream: IO[str],
        clock: Callable[[], float] = time.monotonic,
        interval: float | None = None,
        *,
        is_json: bool = False,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._is_json = is_json
        self._is_terminal = stream.isatty() and not is_json
        self._interval = interval or (SCREEN_SECONDS if self._is_terminal else LINE_SECONDS)
        self._step = ""
        self._done = self._total = 0
        self._started = clock()
        self._width = 0
        self._written: tuple[str, int, int] | None = None
        self._writing = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def __enter__(self) -> Reporter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._tell_change()
        if self._width and self._is_terminal:
            self._stream.write("\n")
            self._stream.flush()

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        is_other = step != self._step
        if is_other:
            self._tell_change()
            self._started = self._clock()
        self._step, self._done, self._total = step, done, total
        if is_other:
            self._tell_change()

    def _tell_change(self) -> None:
        """Programs hear of every step's beginning and of how far it came."""
        if self._is_json and self._step and self._written != (self._step, self._done, self._total):
            self.write()

    def line(self) -> str:
        """The line as it is now."""
        if self._is_json:
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            told = {"at": at, "doing": self._step, "done": self._done, "of": self._total or None}
            return json.dumps(told, ensure_ascii=False)
        step, done, total = self._step, self._done, self._total
        seconds = self._clock() - self._started
        if not done:
            return f"{step}: {_duration(seconds)} so far"
        of = f" of {total:,}" if total else ""
        rate = done / seconds if seconds > 0 else 0.0
        left = f", {_duration((total - done) / rate)} left" if total > done and rate else ""
        return f"{step}: {done:,}{of}, {rate:,.0f} a second{left}"

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            if self._step:
                self.write()

    def write(self) -> None:
        """Writes the line; on a terminal it replaces the one before."""
        with self._writing:
            self._written = (self._step, self._done, self._total)
            line = self.line()
            if self._is_terminal:
                self._stream.write(f"\r{line.ljust(self._width)}")
                self._width = len(line)
            else:
                self._stream.write(f"{line}\n")
            self._stream.flush()


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
