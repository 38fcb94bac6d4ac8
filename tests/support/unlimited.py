"""Settings of servers on which tests write as often as they like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tertulia.settings import Settings


def unlimited(data_dir: Path, **more: Any) -> Settings:
    """Every limit of writing is off; ``more`` are further settings by their names.

    No background work is done unless a test asks for it: what changes by itself cannot be compared.
    """
    limits: dict[str, Any] = {
        f"{what}_limit_{whose}": "off" for what in ("post", "edit", "vote") for whose in ("guest", "address")
    }
    given = limits | {"work": "all" if more.get("search") else "none"} | more
    return Settings(data_dir=data_dir, secret_key="a key of the tests, not a secret of anybody", **given)
