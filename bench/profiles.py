"""Where the server's time goes in a busy minute: 50 comments a second to 1,000 readers, by Python's own profiler.

The profiler makes calls of Python functions dearer and leaves system calls as they are, so what it shows of the
latter is the least they are.
"""

from __future__ import annotations

import pstats
import sys
import tempfile
import time
from pathlib import Path

from bench.kinds import PROFILED
from bench.load import Readers, Subject
from bench.report import Findings, Row

RATE = 50
WAITING = "<method 'poll' of 'select.epoll' objects>"
SENDING = "<method 'send' of '_socket.socket' objects>"
LINES = 12


def measure(readers: int, seconds: int, findings: Findings) -> None:
    """Adds the profile, and whether the system call that sends is its largest line."""
    lines = busy(readers, seconds)
    total = sum(own for own, _, _ in lines)
    text = "\n".join(
        f"{own / total:6.1%}  {own:7.2f} s  {calls:>9,} calls  {name}" for own, calls, name in lines[:LINES]
    )
    findings.texts[f"Where the server's time goes: {readers:,} readers, {RATE} messages a second, {seconds} s"] = text
    share = next(own for own, _, name in lines if name == SENDING) / total
    findings.rows.append(
        Row(
            "share of send() in the server's work",
            f"{share:.0%}",
            f"next {lines[1][0] / total:.0%}",
            "",
            "largest line",
            lines[0][2] == SENDING,
        )
    )


def busy(readers: int, seconds: int) -> list[tuple[float, int, str]]:
    """Own seconds, calls and name of each function, the dearest first; waiting for something to do is left out."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "profile"
        subject = Subject(PROFILED, str(file))
        try:
            crowd = Readers(subject, readers)
            subject.signal_profile(start=True)
            began = time.monotonic()
            for second in range(seconds):
                time.sleep(max(0.0, began + second - time.monotonic()))
                crowd.fan_out(RATE, 1)
            subject.signal_profile(start=False)
            while not file.exists():
                time.sleep(0.05)
            crowd.close()
        finally:
            subject.end()
        stats = pstats.Stats(str(file)).stats  # type: ignore[attr-defined]
    found = [(own, calls, _named(where)) for where, (_, calls, own, _, _) in stats.items()]
    return sorted((line for line in found if line[2] != WAITING), reverse=True)


def _named(where: tuple[str, int, str]) -> str:
    file, line, function = where
    return function if file == "~" else f"{'/'.join(Path(file).parts[-2:])}:{line} {function}"


if __name__ == "__main__":
    found = Findings()
    measure(1_000, int(sys.argv[1]) if len(sys.argv) > 1 else 60, found)
    for title, text in found.texts.items():
        print(f"{title}\n\n{text}")
