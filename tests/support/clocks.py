"""``python -m tests.support.clocks SECONDS serve …``: the server on a machine whose clock is wrong by so many seconds.

Only what tells the time of day is moved; what measures spans is not, as on a machine whose clock was set.
"""

from __future__ import annotations

import datetime
import sys
import time

import asyncpg  # type: ignore[import-untyped]  # noqa: F401 - compiled against the size of datetime as it is


def shift(seconds: int) -> None:
    """From now on this process has another time of day; before anything else takes the names from their modules."""
    real = datetime.datetime
    by = datetime.timedelta(seconds=seconds)
    time_, time_ns = time.time, time.time_ns

    class Kind(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, real)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real)

    class Shifted(real, metaclass=Kind):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return real.now(tz) + by

        @classmethod
        def utcnow(cls) -> datetime.datetime:
            return real.now(datetime.UTC).replace(tzinfo=None) + by

    datetime.datetime = Shifted  # type: ignore[misc]
    time.time = lambda: time_() + seconds
    time.time_ns = lambda: time_ns() + seconds * 1_000_000_000


if __name__ == "__main__":
    shift(int(sys.argv.pop(1)))
    from tertulia.cli import main

    main()
