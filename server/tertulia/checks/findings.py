"""A finding: something that is not as it should be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """``code`` is a stable word, ``where`` names the row, ``detail`` is one line for people."""

    code: str
    where: str
    detail: str
