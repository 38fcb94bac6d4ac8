"""A server process of its own: what an operator starts, with real sockets and a real end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


class ServerProcess:
    """`tertulia serve` on a port that the system chose; ready when the constructor returns."""

    def __init__(self, data_dir: Path, flags: Sequence[str] = (), port: int = 0) -> None:
        self.data_dir = data_dir
        command = [
            *(sys.executable, "-W", "error", "-m", "tertulia", "serve", "--port", str(port)),
            *("--data-dir", str(data_dir), "--post-limit-guest", "off", "--post-limit-address", "off"),
            *("--log-level", "warning", *flags),
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        self.output = ""
        self.port = self._read_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def _read_port(self) -> int:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output += line
            found = _ADDRESS.search(line)
            if found:
                return int(found[1])
        raise AssertionError(f"the server did not start (exit code {self._process.wait()}):\n{self.output}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """The end that nobody can catch."""
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """Asks the server to end, as an operator does; its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        rest, _ = self._process.communicate(timeout=30)
        self.output += rest or ""
        return self._process.returncode
