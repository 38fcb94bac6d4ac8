"""Writes the tables of docs/ and SECURITY.md from the code; `--check` only says whether they are up to date."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bounds import BOUNDS, unlisted

from tertulia.errors import CLOSE_ADVICE, ErrorCode
from tertulia.languages import every
from tertulia.metrics.catalogue import CATALOGUE, Metric
from tertulia.settings import PREFIX, Settings, as_written

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), ["---" for _ in head], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def errors() -> str:
    rows = [(f"`{e.name}`", str(e.value.status), e.value.title, "yes" if e.value.retry else "no") for e in ErrorCode]
    return table(("code", "status", "means", "the same request may succeed later"), rows)


def closes() -> str:
    rows = [(f"`{int(code)}`", code.name.replace("_", " "), advice) for code, advice in CLOSE_ADVICE.items()]
    return table(("code", "why", "what a client does"), rows)


def settings() -> str:
    rows = [
        (f"`{PREFIX}{name.upper()}`", _flag(name), _default(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return table(("variable", "flag", "default", "what it is"), rows)


def _flag(name: str) -> str:
    return "" if name == "secret_key" else f"`--{name.replace('_', '-')}`"


def _default(value: Any) -> str:
    written = as_written(value)
    return f"`{written}`" if written else ""


def metrics() -> str:
    rows = [(_series(metric), metric.kind, metric.help) for metric in CATALOGUE]
    return table(("metric", "type", "what it is"), rows)


def _series(metric: Metric[Any]) -> str:
    return f"`{metric.name}{{{','.join(metric.labels)}}}`" if metric.labels else f"`{metric.name}`"


def languages() -> str:
    directions = {"ltr": "left to right", "rtl": "right to left"}
    rows = [
        (f"`{one.tag}`", one.name, directions[one.direction], "machine-made draft" if one.is_draft else "")
        for one in every().values()
    ]
    return table(("tag", "language", "written", "state"), rows)


def bounds() -> str:
    groups = [
        f"### {title}\n\n{table(('what', 'bound', 'set in'), [bound.row() for bound in group])}"
        for title, group in BOUNDS.items()
    ]
    return "\n" + "\n".join(groups) + "\n"


TABLES: dict[str, Callable[[], str]] = {
    "errors": errors,
    "closes": closes,
    "settings": settings,
    "metrics": metrics,
    "languages": languages,
    "bounds": bounds,
}


def filled(text: str) -> str:
    """The text of a page with its tables made anew."""
    return BLOCK.sub(lambda block: block[1] + TABLES[block[2]]() + block[3], text)


def main() -> int:
    stale = []
    for page in sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")]):
        text = page.read_text("utf-8")
        if filled(text) != text:
            stale.append(page.name)
            if "--check" not in sys.argv:
                page.write_text(filled(text), "utf-8")
    if stale and "--check" in sys.argv:
        print(f"Out of date: {', '.join(stale)}; run: make docs")
        return 1
    if missing := list(unlisted()):
        print(f"Neither a bound nor said to be none in scripts/bounds.py: {', '.join(missing)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
