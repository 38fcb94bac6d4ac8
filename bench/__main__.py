"""``python -m bench``: measures, prints the table, and with ``--report`` writes docs/benchmarks.md and its picture."""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import measures
from bench.measures import Row

DOCS = Path(__file__).parent.parent / "docs"
HEAD = ("what", "Tertulia", "yardstick, same run", "ratio", "to reach", "")


def say(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def run(readers: int, *, short: bool) -> list[Row]:
    rows = measures.fan_out(readers, say)
    rows += measures.connections(readers, say)
    rows += measures.wire(say)
    if not short:
        rows += measures.latency(readers, say)
        rows += measures.writing(say)
        rows += measures.snapshots(say)
    return rows


def table(rows: list[Row]) -> str:
    lines = [f"| {' | '.join(HEAD)} |", f"| {' | '.join('---' for _ in HEAD)} |"]
    for row in rows:
        verdict = {True: "reached", False: "not reached", None: ""}[row.reached]
        lines.append(f"| {' | '.join((row.what, row.figure, row.yardstick, row.ratio, row.wanted, verdict))} |")
    return "\n".join(lines)


def main() -> None:
    short = "--smoke" in sys.argv
    rows = run(50 if short else 1_000, short=short)
    print(table(rows))
    if "--report" in sys.argv:
        report(rows)


def report(rows: list[Row]) -> None:
    page = DOCS / "benchmarks.md"
    text = page.read_text("utf-8")
    before, _, rest = text.partition("<!-- measured -->\n")
    after = rest.partition("<!-- end -->")[2]
    day = datetime.now(UTC).date().isoformat()
    where = f"Measured on {day}, Python {platform.python_version()}, two cores: server on one, load on the other.\n\n"
    (DOCS / "benchmarks.md").write_text(
        f"{before}<!-- measured -->\n{where}{table(rows)}\n<!-- end -->{after}", "utf-8"
    )


if __name__ == "__main__":
    main()
