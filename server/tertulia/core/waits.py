"""How long somebody has to wait, in the unit that people would say it in."""

from __future__ import annotations

from typing import Literal, NamedTuple

MINUTE, HOUR = 60, 3600
UNTIL_MINUTES, UNTIL_HOURS = 90, 90 * MINUTE
"""From so many seconds on it is said in minutes, in hours."""
Unit = Literal["second", "minute", "hour"]


class Wait(NamedTuple):
    """So many of a unit: no less than there is to wait."""

    number: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'' if self.number == 1 else 's'}"


def wait_of(seconds: int) -> Wait:
    if seconds < UNTIL_MINUTES:
        return Wait(seconds, "second")
    if seconds < UNTIL_HOURS:
        return Wait(-(-seconds // MINUTE), "minute")
    return Wait(-(-seconds // HOUR), "hour")
