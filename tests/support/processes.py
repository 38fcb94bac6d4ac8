"""Processes of this machine, by their numbers."""

from __future__ import annotations

from pathlib import Path


def lives(pid: int) -> bool:
    """Whether it still runs; one whose parent has not yet taken note of its end does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
