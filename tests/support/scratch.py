"""Where tests keep their files: in memory, where there is room.

Each commit of SQLite waits for the disk, some 4 ms on a virtual machine, and most tests commit several times. No test
can see the difference: what a killed process has written is there either way. What measures a disk is ``bench``, which
does not come by here.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 6 * 1024**3
"""Bytes. The quick tests were seen to have 150 MB there at once; browsers and clusters of databases have more."""


def use_memory() -> None:
    """For this process and all that it starts; whoever sets TMPDIR has said where."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None
