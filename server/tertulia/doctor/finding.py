"""What one trial found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``tried`` names the trial, ``found`` is a sentence, ``advice`` what to do about it, empty where all is well."""

    tried: str
    verdict: Verdict
    found: str
    advice: str = ""
