"""How long a server takes from exec to its first answer, and what it weighs then: python scripts/startup.py [RUNS].

Beside it stands what Python needs to import the libraries that no server can do without. The least of several runs
counts: whatever else the machine does can only add to it, and less to the processor's time than to the clock's. To
reach: ready in twice that time, 64 MiB when idle.
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
from collections.abc import Sequence
from contextlib import closing
from operator import attrgetter
from pathlib import Path

LIBRARIES = "import starlette, uvicorn, sqlalchemy"
DEADLINE_SECONDS = 30.0
POLL_SECONDS = 0.002
IDLE_SECONDS = 2.0
# as an installed server has it: without settings, and with its bytecode written
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("TERTULIA_") and name != "PYTHONDONTWRITEBYTECODE"
}


class Command:
    """A Python process from start to end: its ``seconds``, and how many of them the processor worked for it."""

    def __init__(self, *arguments: str) -> None:
        start = time.perf_counter()
        process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        self.seconds = time.perf_counter() - start
        self.processor_seconds = usage.ru_utime + usage.ru_stime


class Server:
    """``tertulia serve`` on a data folder: the same until it answered, and ``mib`` of resident memory a moment later."""

    def __init__(self, data: Path) -> None:
        port = free_port()
        command = [sys.executable, "-m", "tertulia", "serve", "--port", str(port), "--data-dir", str(data)]
        start = time.perf_counter()
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        try:
            answered(port)
            self.seconds = time.perf_counter() - start
            self.processor_seconds = processor_seconds(self._process.pid)
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


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def row(what: str, runs: Sequence[Command | Server], beside: Sequence[Command]) -> str:
    """The least of the runs, and how many times the least of those beside it."""
    cells = [f"{what:<55}"]
    for name, of in (("s", attrgetter("seconds")), ("s of processor", attrgetter("processor_seconds"))):
        cells.append(f"{min(map(of, runs)):6.3f} {name}, {min(map(of, runs)) / min(map(of, beside)):4.1f} ×")
    weights = [run.mib for run in runs if isinstance(run, Server)]
    return "  ".join(cells + ([f"{min(weights):5.1f} MiB"] if weights else []))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    libraries = [Command("-c", LIBRARIES) for _ in range(count)]
    print(row(f"python -c {LIBRARIES!r}", libraries, libraries))
    print(row("tertulia --version", [Command("-m", "tertulia", "--version") for _ in range(count)], libraries))
    with tempfile.TemporaryDirectory() as folder:
        first = [Server(Path(folder) / str(number)) for number in range(count)]
        print(row("tertulia serve, new database, to its first answer", first, libraries))
        later = [Server(Path(folder) / "0") for _ in range(count)]
        print(row("tertulia serve, to its first answer", later, libraries))


if __name__ == "__main__":
    main()
