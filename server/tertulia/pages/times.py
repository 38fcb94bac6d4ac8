"""Moments as readers of a page see them: ``dd/mm/yy HH:MM`` for comments, a written-out day for articles."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from tertulia.languages import Language


def moment(at: datetime | str, zone: str) -> str:
    """``24/11/26 12:20``; ``at`` is a moment or its RFC 3339 text."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return at.astimezone(ZoneInfo(zone)).strftime("%d/%m/%y %H:%M")


def day(at: datetime, zone: str, language: Language) -> str:
    """``24 November 2026``, in Vietnamese ``24 tháng 11, 2026``."""
    return language.dates.write(at.astimezone(ZoneInfo(zone)))
