"""Moments as readers of a page see them: beside names in few signs, and written out for those who ask."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from tertulia.languages import Language


def moment(at: datetime | str, zone: str) -> str:
    """``24/11/26 12:20``, as the server's own pages have it; ``at`` is a moment or its RFC 3339 text."""
    return _in_zone(at, zone).strftime("%d/%m/%y %H:%M")


def moment_in(language: Language, at: datetime | str, zone: str) -> str:
    """``24 Nov 2026, 12:20``, in Japanese ``2026/11/24 12:20``: as readers of any page in the language read it."""
    return language.dates.write_short(_in_zone(at, zone))


def full_moment(language: Language, at: datetime | str, zone: str) -> str:
    """``24 November 2026 at 12:20``."""
    return language.dates.write_full(_in_zone(at, zone))


def day(at: datetime, zone: str, language: Language) -> str:
    """``24 November 2026``, in Vietnamese ``24 tháng 11, 2026``."""
    return language.dates.write(_in_zone(at, zone))


def _in_zone(at: datetime | str, zone: str) -> datetime:
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return at.astimezone(ZoneInfo(zone))
