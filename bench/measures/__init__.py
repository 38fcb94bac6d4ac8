"""The measures, one a module: each runs its subjects one after another and adds to the findings."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: ``rounds`` of each figure (its median counts), with so many ``readers``."""

    readers: int
    rounds: int
    say: Say
    full: bool = False


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def p99(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=100)[98]
