"""Bars as SVG, readable on a light and on a dark page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 760, 230, 90, 18, 6, 44
COLOURS = {"Tertulia": "#0f766e"}
OTHERS = "#94a3b8"


@dataclass(frozen=True, slots=True)
class Bars:
    """``groups`` are titles with bars, each a name and a value; the scale is logarithmic where ``log`` says so."""

    title: str
    unit: str
    groups: list[tuple[str, list[tuple[str, float]]]]
    log: bool = False


def drawn(chart: Bars) -> str:
    """The picture."""
    values = [value for _, bars in chart.groups for _, value in bars]
    scale = _Scale(min(values), max(values), chart.log)
    lines: list[str] = []
    y = TOP
    for title, bars in chart.groups:
        lines.append(f'<text class="group" x="{LEFT}" y="{y + 12}">{escape(title)}</text>')
        y += 20
        for name, value in bars:
            lines += _bar(name, value, y, scale.length(value))
            y += BAR + GAP
        y += 10
    head = f'<text class="title" x="12" y="24">{escape(chart.title)}</text>'
    unit = f'<text x="{WIDTH - 12}" y="24" text-anchor="end">{escape(chart.unit)}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" '
        f'aria-label="{escape(chart.title)}">\n{_STYLE}\n'
        f'<rect class="page" width="{WIDTH}" height="{y}"/>\n{head}\n{unit}\n' + "\n".join(lines) + "\n</svg>\n"
    )


_STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#334155}.title{font-weight:600;font-size:15px}"
    ".group{font-weight:600}.page{fill:#ffffff}"
    "@media(prefers-color-scheme:dark){text{fill:#cbd5e1}.page{fill:#0f172a}}</style>"
)


def _bar(name: str, value: float, y: int, length: float) -> list[str]:
    colour = next((colour for start, colour in COLOURS.items() if name.startswith(start)), OTHERS)
    middle = y + BAR - 5
    return [
        f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{escape(name)}</text>',
        f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="3" fill="{colour}"/>',
        f'<text x="{LEFT + length + 6:.1f}" y="{middle}">{_short(value)}</text>',
    ]


@dataclass(frozen=True, slots=True)
class _Scale:
    least: float
    most: float
    log: bool

    def length(self, value: float) -> float:
        room = WIDTH - LEFT - RIGHT
        if not self.log:
            return max(1.0, room * value / self.most)
        start = math.floor(math.log10(self.least))
        return max(1.0, room * (math.log10(value) - start) / (math.log10(self.most) - start))


def _short(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:.2f} M"
    if value >= 10_000:
        return f"{value / 1000:.0f} k"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
