"""The tables of docs/scaling.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from bench.simulation.figures import MEASURED, table
from bench.simulation.hot import hot
from bench.simulation.many import many
from bench.simulation.storm import storm

PAGE = Path(__file__).parents[2] / "docs/scaling.md"
BLOCK = re.compile(r"(<!-- simulated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def given() -> str:
    return table(("measured", "row of docs/benchmarks.md"), [(one.unit, one.row) for one in MEASURED])


TABLES: dict[str, Callable[[], str]] = {"given": given, "hot": hot, "storm": storm, "many": many}


def filled(text: str) -> str:
    """The text of the page with its tables made anew."""
    return BLOCK.sub(lambda block: block[1] + TABLES[block[2]]() + block[3], text)
