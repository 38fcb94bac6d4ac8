"""Memory: how much there is for an import, and how much a file needs.

A file is judged as a whole before anything of it is written, so it is held as a whole. Where that is more than there
is, the kernel ends the process without a word: such a file is refused before it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

BYTE = 6
"""Of a byte of the file: itself, its text as a string of Python's, which one emoji makes four times as large, and its
tree. Measured: 2 of plain English, 4 of Vietnamese full of marks, 5 of English with an emoji in each comment."""
COMMENT = 1_200
"""Of a comment besides: the objects of its row, its author and its time. Measured: 900 with ids and requests."""
VOTE = 400
"""Of a vote that names its voter."""
RESERVE = 64 * 1024 * 1024
"""What the rest of the command takes besides what it has when it is asked."""
CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
MACHINE = Path("/proc/meminfo")


def needed(size: int, comments: int, votes: int) -> int:
    """Bytes that an import of such a file takes at most."""
    return RESERVE + size * BYTE + comments * COMMENT + votes * VOTE


def available() -> int | None:
    """Bytes that this process can still have: the least that the machine and its cgroups leave, None if unknown."""
    found = [*_of_cgroups(), *_of_machine()]
    return min(found, default=None)


def _of_machine() -> Iterator[int]:
    said = _text(MACHINE)
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", said, re.MULTILINE)
    if found:
        yield int(found[1]) * 1024


def _of_cgroups() -> Iterator[int]:
    """Version 2 has one tree, version 1 one of memory; a container sees its own group as the root of either."""
    for line in _text(OWN_CGROUP).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from _left(CGROUPS, path, "memory.max", "memory.current", "")
        elif "memory" in controllers.split(","):
            yield from _left(CGROUPS / "memory", path, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_")


def _left(root: Path, path: str, limit: str, usage: str, prefix: str) -> Iterator[int]:
    """Of a group and all above it. What files are cached is given back when it is needed."""
    group = root / path.strip("/")
    for folder in [group, *group.parents]:
        if folder != root and root not in folder.parents:
            return
        most, used = _text(folder / limit).strip(), _text(folder / usage).strip()
        if most.isdigit() and used.isdigit():
            cached = sum(
                int(size)
                for size in re.findall(
                    rf"^{prefix}(?:in)?active_file (\d+)$", _text(folder / "memory.stat"), re.MULTILINE
                )
            )
            yield max(0, int(most) - int(used) + cached)


def _text(path: Path) -> str:
    """What stands there; nothing where it is not there or not for us."""
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return ""
