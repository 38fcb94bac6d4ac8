"""The host: space on the disk of the data folder, the memory limit, and the time of the last backup."""

from __future__ import annotations

import os
from pathlib import Path

BACKUP = "last-backup"
"""A file in the data folder that is touched after each backup."""
MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")


class Host:
    """Asks the system each time; what it does not know is left out."""

    def __init__(self, folder: Path, memory_limit: Path = MEMORY_LIMIT) -> None:
        self._folder = folder
        self._memory_limit = memory_limit

    def disk(self) -> dict[str, int]:
        """Bytes that are ``free`` for this user, and of the ``whole`` disk; empty if unknown."""
        folder = self._folder.absolute()
        for existing in (folder, *folder.parents):  # with PostgreSQL there may be no data folder
            try:
                stats = os.statvfs(existing)
            except OSError:
                continue
            return {"free": stats.f_bavail * stats.f_frsize, "whole": stats.f_blocks * stats.f_frsize}
        return {}

    @property
    def memory_limit(self) -> int:
        """Bytes that the container may use, else those of the machine."""
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        try:
            limit = self._memory_limit.read_text().strip()
        except OSError:
            return whole
        return min(whole, int(limit)) if limit.isdigit() else whole

    @property
    def backup(self) -> float | None:
        """When the last backup was made, in seconds since 1970; None if unknown."""
        try:
            return (self._folder / BACKUP).stat().st_mtime
        except OSError:
            return None
