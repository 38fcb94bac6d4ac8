"""Pictures of pages for people to look at: made where PICTURES is set, since a test asserts nothing of them."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Page

ARTEFACTS = Path(__file__).parent / "artefacts"
WANTED = bool(os.environ.get("PICTURES"))


async def picture(page: Page, name: str, *, full_page: bool = False) -> None:
    """Keeps what the window shows, or the whole page, as artefacts/NAME.png."""
    if WANTED:
        keep(name, await page.screenshot(animations="disabled", full_page=full_page))


def keep(name: str, picture: bytes) -> Path:
    ARTEFACTS.mkdir(exist_ok=True)
    path = ARTEFACTS / f"{name}.png"
    path.write_bytes(picture)
    return path
