"""Files for the user of the server alone: the data folder, the database, the secret key, exports."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
OTHERS = 0o077
"""What the group and everybody else may do."""

log = logging.getLogger(__name__)


def make_folder(path: Path) -> None:
    """Makes the folder where there is none; those above it are as the system makes them. Raises OSError."""
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def make_file(path: Path) -> None:
    """Makes an empty file where there is none and one can be made: SQLite would let everybody read it."""
    with suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))


def tighten(paths: Iterable[Path]) -> None:
    """Takes away what others may do with those that are there; one line tells of those that are somebody else's."""
    open_still = []
    for path in paths:
        try:
            mode = path.stat().st_mode
            if mode & OTHERS:
                path.chmod(mode & 0o7777 & ~OTHERS)
        except FileNotFoundError:
            continue
        except OSError:
            open_still.append(str(path))
    if open_still:
        log.warning("Other users may read data that this server does not own", extra={"files": ", ".join(open_still)})
