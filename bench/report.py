"""What the measures found: rows of a table, pictures, and texts that explain; and the page they are written to."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.plots import Bars, drawn

DOCS = Path(__file__).parent.parent / "docs"
HEAD = ("what", "Tertulia", "yardstick, same run", "ratio", "to reach", "")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report. ``reached`` is None where nothing is promised."""

    what: str
    figure: str
    yardstick: str
    ratio: str
    wanted: str = ""
    reached: bool | None = None


@dataclass(slots=True)
class Findings:
    """Collected by the measures; ``charts`` by the name of the file, ``texts`` by their title."""

    rows: list[Row] = field(default_factory=list)
    charts: dict[str, Bars] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def table(rows: list[Row]) -> str:
    lines = [f"| {' | '.join(HEAD)} |", f"| {' | '.join('---' for _ in HEAD)} |"]
    for row in rows:
        verdict = {True: "reached", False: "not reached", None: ""}[row.reached]
        lines.append(f"| {' | '.join((row.what, row.figure, row.yardstick, row.ratio, row.wanted, verdict))} |")
    return "\n".join(lines)


def written(findings: Findings, folder: Path = DOCS) -> None:
    """Puts the findings between the marks of benchmarks.md, and the pictures next to it."""
    pictures = folder / "benchmarks"
    pictures.mkdir(exist_ok=True)
    parts = [_circumstances(), table(findings.rows)]
    for name, chart in findings.charts.items():
        (pictures / f"{name}.svg").write_text(drawn(chart), "utf-8")
        parts.append(f"![{chart.title}](benchmarks/{name}.svg)")
    parts += [f"### {title}\n\n```text\n{text}\n```" for title, text in findings.texts.items()]
    page = folder / "benchmarks.md"
    body = "\n\n".join(parts)
    text = re.sub(
        r"(<!-- measured -->\n).*(<!-- end -->)",
        lambda found: f"{found[1]}{body}\n{found[2]}",
        page.read_text("utf-8"),
        flags=re.DOTALL,
    )
    page.write_text(text, "utf-8")


def _circumstances() -> str:
    day = datetime.now(UTC).date().isoformat()
    return f"Measured on {day}, Python {platform.python_version()}, two cores: server on one, load on the other."
