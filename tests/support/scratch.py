"""Where tests keep their files: in memory, where there is room.

Each commit of SQLite waits for the disk, some 4 ms on a virtual machine, and the tests commit a hundred thousand times.
No test can see the difference: what a killed process has written is there either way. What measures a disk is
``bench``, which says itself where its files are.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 6 * 1024**3
"""Bytes: what all tests together have there at most is 2 GiB, with databases of PostgreSQL and profiles of browsers."""


def use_memory() -> None:
    """For this process and all that it starts; whoever sets TMPDIR has said where."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None
