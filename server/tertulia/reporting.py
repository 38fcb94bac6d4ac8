"""Reporting: how far a command is that takes long, as lines on standard error.

Writing comments: 12,300 of 100,000, 410 a second, 3 min 34 s left
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import IO, Protocol

LINE_SECONDS = 5.0
"""Between two lines where nobody sits at a terminal: a log of an hour stays readable."""
SCREEN_SECONDS = 0.5
"""Between two states of the one line of a terminal."""


class Progress(Protocol):
    """Hears what is done now, how much of it is done, and of how much; 0 where nobody knows."""

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        raise NotImplementedError


def silent(what: str, done: int = 0, total: int = 0) -> None:
    """Tells nobody."""


class Reporter:
    """Tells from a thread of its own, so that a statement or a file that takes minutes is told of, too.

    The first line comes after the first pause: a command that is quicker says nothing.
    """

    def __init__(self, stream: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._on_screen = stream.isatty()
        self._pause = SCREEN_SECONDS if self._on_screen else LINE_SECONDS
        self._what = ""
        self._done = self._total = 0
        self._began = clock()
        self._told = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="reporter", daemon=True)

    def __enter__(self) -> Reporter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._told and self._on_screen:
            self._stream.write("\n")
            self._stream.flush()

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        if what != self._what:
            self._began = self._clock()
        self._what, self._done, self._total = what, done, total

    def line(self) -> str:
        """What is told now."""
        what, done, total = self._what, self._done, self._total
        seconds = self._clock() - self._began
        if not done:
            return f"{what}: {_duration(seconds)} so far"
        of = f" of {total:,}" if total else ""
        rate = done / seconds if seconds > 0 else 0.0
        left = f", {_duration((total - done) / rate)} left" if total > done and rate else ""
        return f"{what}: {done:,}{of}, {rate:,.0f} a second{left}"

    def _tell(self) -> None:
        while not self._ended.wait(self._pause):
            if self._what:
                self.tell()

    def tell(self) -> None:
        """Writes the line: in the place of the one before on a terminal."""
        line = self.line()
        if self._on_screen:
            self._stream.write(f"\r{line.ljust(self._told)}")
            self._told = len(line)
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
