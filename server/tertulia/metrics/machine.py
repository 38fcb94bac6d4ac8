"""What the machine has left: the disk of the data folder, the memory that the process may take, and the last backup."""

from __future__ import annotations

import os
from pathlib import Path

BACKUP = "last-backup"
"""A file in the data folder, which whoever makes a backup touches after it."""
_LIMIT = Path("/sys/fs/cgroup/memory.max")


class Machine:
    """Asks the system each time; what it does not tell is left out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def disk(self) -> dict[str, int]:
        """Bytes that are ``free`` for this user, and those of the ``whole`` disk."""
        folder = self._folder.absolute()
        for place in (folder, *folder.parents):  # with PostgreSQL there may be no data folder
            try:
                told = os.statvfs(place)
            except OSError:
                continue
            return {"free": told.f_bavail * told.f_frsize, "whole": told.f_blocks * told.f_frsize}
        return {}

    @property
    def memory_limit(self) -> int:
        """Bytes that the container may have, else those of the machine."""
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        try:
            told = _LIMIT.read_text().strip()
        except OSError:
            return whole
        return min(whole, int(told)) if told.isdigit() else whole

    @property
    def backup(self) -> float | None:
        """When the last backup was made, in seconds since 1970; None where nobody told."""
        try:
            return (self._folder / BACKUP).stat().st_mtime
        except OSError:
            return None
