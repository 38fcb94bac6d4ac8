"""A program that a test run starts beside itself, with what it prints."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.support.waiting import PATIENCE


def installed(*names: str) -> str:
    """The path of the first of these programs that is there."""
    found = next(filter(None, map(shutil.which, names)), None)
    assert found is not None, f"these tests need {' or '.join(names)}; make test-engines installs it"
    return found


class Program:
    """A process group whose output is kept in a file."""

    def __init__(self, log: Path, *command: str, **environment: str) -> None:
        self._log = log
        self._name = Path(command[0]).name
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
            )

    async def says(self, pattern: str) -> str:
        """Waits for output that matches; its first group."""
        end = time.monotonic() + PATIENCE
        while (found := re.search(pattern, self.output, re.MULTILINE)) is None:
            self.check(end)
            await asyncio.sleep(0.02)
        return found[1]

    def check(self, end: float) -> None:
        """Fails with the output where the program has ended, or has not become ready by then."""
        code = self._process.poll()
        assert code is None, f"{self._name} ended with {code}:\n{self.output}"
        assert time.monotonic() < end, f"{self._name} did not become ready:\n{self.output}"

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def end(self) -> None:
        """Ends it and its children; nothing of theirs is worth saving."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
