"""A server process of its own: what an operator starts, with real sockets and a real end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

_UNLIMITED = [f"--{what}-limit-{of}=off" for what in ("post", "edit", "vote") for of in ("guest", "address")]
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


class ServerProcess:
    """`tertulia serve` on a port that the system chose; ready when the constructor returns."""

    def __init__(
        self,
        data_dir: Path,
        flags: Sequence[str] = (),
        port: int = 0,
        program: Sequence[str] = ("tertulia",),
        before_it_runs: Callable[[], None] | None = None,
    ) -> None:
        self.data_dir = data_dir
        command = [
            *(sys.executable, "-W", "error", "-m", *program, "serve", "--port", str(port)),
            *("--data-dir", str(data_dir)),
            *_UNLIMITED,
            *("--log-level", "warning", *flags),
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            preexec_fn=before_it_runs,
        )
        self.output = ""
        self.port = self._read_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # a server whose output nobody takes stops once the pipe is full
        self._taking = threading.Thread(target=self._take_output, daemon=True)
        self._taking.start()

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

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def _take_output(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self.output += line

    def kill(self) -> None:
        """The end that nobody can catch."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Asks the server to end, as an operator does; its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(30)
        self._taking.join(30)
        return code
