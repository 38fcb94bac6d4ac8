"""Files: one is read as far as there is memory for it, and written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tertulia.errors import ErrorCode, Problem, StartupError
from tertulia.transfer.format import fit

PART = 1024 * 1024


def read_file(path: Path) -> bytearray:
    """What stands in a file or comes through a pipe. Raises invalid, of a file before it is read if it is too large."""
    data = bytearray()
    try:
        with path.open("rb") as file:
            fit(os.fstat(file.fileno()).st_size)
            while part := file.read(PART):
                data += part
                fit(len(data), held=len(data))
    except OSError as error:
        raise Problem(ErrorCode.invalid, f"{path} cannot be read: {error.strerror}.") from error
    return data


@contextmanager
def written(path: Path) -> Iterator[IO[str]]:
    """A text to write, which stands in the file once all of it is on the disk; before, the file is as it was.

    A new file is for its owner alone: an export shows what moderators removed. What is no file, such as a pipe, is
    written to as it comes. Raises StartupError where nothing can be written.
    """
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8") as stream:
                yield stream
            return
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}-")
    except OSError as error:
        raise StartupError(f"Cannot write {path}: {error.strerror}") from error
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            yield stream
            stream.flush()
            os.fsync(descriptor)
        draft.replace(target)
    except OSError as error:
        raise StartupError(f"Cannot write {path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
