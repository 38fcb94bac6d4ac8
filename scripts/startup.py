"""How long a server takes from exec to its first answer, and what it weighs then: python scripts/startup.py [RUNS].

Beside it stands what Python needs to import the libraries that no server can do without. The least of several runs
counts: whatever else the machine does can only add to it. To reach: ready in twice that time, 64 MiB when idle.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

LIBRARIES = "import starlette, uvicorn, sqlalchemy"
DEADLINE_SECONDS = 30.0
POLL_SECONDS = 0.002
IDLE_SECONDS = 2.0
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}


def run(*arguments: str) -> float:
    """Seconds that a Python process takes from start to end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    return time.perf_counter() - start


class Server:
    """``tertulia serve`` on a data folder: ``seconds`` until it answered, ``mib`` of resident memory a moment later."""

    def __init__(self, data: Path) -> None:
        port = free_port()
        command = [sys.executable, "-m", "tertulia", "serve", "--port", str(port), "--data-dir", str(data)]
        start = time.perf_counter()
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        try:
            answered(port)
            self.seconds = time.perf_counter() - start
            time.sleep(IDLE_SECONDS)
            self.mib = resident_mib(self._process.pid)
        finally:
            self._process.terminate()
            self._process.wait()


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def answered(port: int) -> None:
    """Returns once /healthz is answered."""
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)) as connection:
                connection.request("GET", "/healthz")
                assert connection.getresponse().status == 200
                return
        except ConnectionError:
            time.sleep(POLL_SECONDS)
    raise SystemExit("the server does not answer")


def resident_mib(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def least(runs: int, measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(runs))


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    libraries = least(runs, lambda: run("-c", LIBRARIES))
    print(f"{'python -c ' + repr(LIBRARIES):<55} {libraries:6.3f} s")
    print(f"{'tertulia --version':<55} {least(runs, lambda: run('-m', 'tertulia', '--version')):6.3f} s")
    with tempfile.TemporaryDirectory() as folder:
        first = [Server(Path(folder) / f"first-{number}") for number in range(runs)]
        later = [Server(Path(folder) / "first-0") for _ in range(runs)]
    for what, servers in (("a new database", first), ("its database", later)):
        seconds, mib = min(one.seconds for one in servers), min(one.mib for one in servers)
        name = f"tertulia serve, with {what}, to its first answer"
        print(f"{name:<55} {seconds:6.3f} s  {seconds / libraries:4.1f} ×  {mib:5.1f} MiB")


if __name__ == "__main__":
    main()
