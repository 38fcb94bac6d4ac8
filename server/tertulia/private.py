"""Files for the user of the server alone: the data folder, the database, the secret key, exports."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable, Iterator
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
    """Takes away what others may do with those that are there; one line tells of those that stay open to them.

    A folder that others have something in stays as it is: it may be /tmp, or hold the files of another service.
    """
    open_still = []
    for path in paths:
        try:
            mode = path.stat().st_mode
            if not mode & OTHERS:
                continue
            if stat.S_ISDIR(mode) and not _is_ours_alone(path, mode):
                open_still.append(str(path))
                continue
            path.chmod(stat.S_IMODE(mode) & ~OTHERS)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            open_still.append(str(path))
    if open_still:
        log.warning("Other users may read data of this server", extra={"files": ", ".join(open_still)})


def _is_ours_alone(folder: Path, mode: int) -> bool:
    user = os.geteuid()
    return not mode & stat.S_ISVTX and all(entry.stat(follow_symlinks=False).st_uid == user for entry in _in(folder))


def _in(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from entries
