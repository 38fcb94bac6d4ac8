"""The demonstration as a process of its own, and the browser that watches it."""

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
from tests.valkey import free_port

__all__ = ["browser", "window"]


class Demonstration:
    """``tertulia demo cluster`` with two instances; its temporary files are in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [
            *(sys.executable, "-W", "error", "-m", "tertulia", "demo", "cluster"),
            *("--instances", "2", "--port", str(self.port), "--rate", "5"),
        ]
        environment = {**os.environ, "TMPDIR": str(folder)}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        self.output = ""
        self._said = threading.Condition()
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as said:
            for line in said:
                with self._said:
                    self.output += line
                    self._said.notify_all()

    def until_said(self, text: str, seconds: float = 60) -> None:
        with self._said:
            assert self._said.wait_for(lambda: text in self.output, seconds), f"never said {text!r}:\n{self.output}"

    def processes(self) -> list[str]:
        """What still runs of it: everything it starts names its folder, or works in it."""
        found = []
        for process in psutil.process_iter(["cmdline", "cwd"]):
            line = " ".join([*(process.info["cmdline"] or []), process.info["cwd"] or ""])
            if str(self.folder) in line:
                found.append(line)
        return found

    def files(self) -> list[Path]:
        """What it left; the lock of pgserver is none of ours."""
        return [path for path in self.folder.iterdir() if path.name != ".lockfile"]

    def interrupt(self) -> int:
        """Ctrl+C; gives the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        code = self._process.wait(30)
        self._listening.join(5)
        return code

    def abandon(self) -> None:
        """Leaves nothing behind whatever went wrong."""
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
        started.abandon()
