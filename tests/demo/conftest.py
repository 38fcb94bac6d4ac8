"""The demonstration as a process, and the browser that watches it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.browser.conftest import browser, window
from tests.support.valkey import free_port

__all__ = ["browser", "window"]


class Demonstration:
    """``tertulia demo cluster`` with two instances; its temporary files are in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [
            *(sys.executable, "-W", "error", "-m", "tertulia", "demo", "cluster"),
            *("--instances", "2", "--port", str(self.port), "--rate", "5", "--evening", "300"),
        ]
        environment = {**os.environ, "TMPDIR": str(folder)}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        self.output = ""
        self._output_changed = threading.Condition()
        self._reading = threading.Thread(target=self._read_output)
        self._reading.start()

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                with self._output_changed:
                    self.output += line
                    self._output_changed.notify_all()

    def wait_for_output(self, text: str, seconds: float = 60) -> None:
        with self._output_changed:
            assert self._output_changed.wait_for(lambda: text in self.output, seconds), (
                f"never printed {text!r}:\n{self.output}"
            )

    def processes(self) -> list[str]:
        """Its processes that still run: each names its folder on its command line, or works in it."""
        found = []
        for process in psutil.process_iter(["cmdline", "cwd"]):
            line = " ".join([*(process.info["cmdline"] or []), process.info["cwd"] or ""])
            if str(self.folder) in line:
                found.append(line)
        return found

    def files(self) -> list[Path]:
        """The files that it left behind; the lock file belongs to pgserver."""
        return [path for path in self.folder.iterdir() if path.name != ".lockfile"]

    def interrupt(self) -> int:
        """Ctrl+C; returns the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        code = self._process.wait(30)
        self._reading.join(5)
        return code

    def close(self) -> None:
        """Stops it, whatever went wrong."""
        try:
            self.interrupt()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def demonstration() -> Iterator[Demonstration]:
    with tempfile.TemporaryDirectory(prefix="demo") as folder:  # the path of a socket has to be short
        started = Demonstration(Path(folder))
        yield started
        started.close()
