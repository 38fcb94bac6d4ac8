"""What tests run in a page beyond a few lines, a file each."""

from __future__ import annotations

from pathlib import Path


def script(name: str) -> str:
    """The text of a script: one function, to be called with what its comment says, or statements for a new page."""
    return (Path(__file__).parent / f"{name}.js").read_text().strip()
