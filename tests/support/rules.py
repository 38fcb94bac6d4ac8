"""How a discussion is led, as it is told: all of its rules, where these are not at their defaults."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tertulia.core.rules import DEFAULT


def told(**rules: str | int) -> dict[str, Any]:
    """All rules."""
    return {**asdict(DEFAULT), **rules}


def led(mode: str = "open", closes_at: str | None = None, **rules: str | int) -> dict[str, Any]:
    """What an event says of it."""
    return {"mode": mode, "closes_at": closes_at, "rules": told(**rules)}
